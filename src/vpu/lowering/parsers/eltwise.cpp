// Eltwise, Select, logical not (front-end spec §9).
#include <algorithm>
#include <array>

#include "vpu/lowering/layer_types.hpp"
#include "vpu/lowering/parsers/layer.hpp"

namespace blobsmith::vpu {
namespace {

struct Operation {
  std::string_view name;
  StageType stage;
};
constexpr std::array kOperations{Operation{"sum", StageType::Sum},
                                 Operation{"sub", StageType::Sum},
                                 Operation{"prod", StageType::Prod},
                                 Operation{"max", StageType::Max},
                                 Operation{"min", StageType::Min},
                                 Operation{"div", StageType::Div},
                                 Operation{"squared_diff", StageType::Squared_diff},
                                 Operation{"equal", StageType::Equal},
                                 Operation{"not_equal", StageType::Not_equal},
                                 Operation{"greater", StageType::Greater},
                                 Operation{"greater_equal", StageType::Greater_equal},
                                 Operation{"less", StageType::Less},
                                 Operation{"less_equal", StageType::Less_equal},
                                 Operation{"pow", StageType::Pow},
                                 Operation{"floor_mod", StageType::Floor_mod},
                                 Operation{"logical_and", StageType::Logical_AND},
                                 Operation{"logical_or", StageType::Logical_OR},
                                 Operation{"logical_xor", StageType::Logical_XOR}};

void require_type(const LayerContext& c, const Data* d) {
  c.require(d->desc.type == DataType::FP16 || d->desc.type == DataType::S32,
            "Eltwise does not support inputs of type " + std::string(to_string(d->desc.type)));
}

void parse_eltwise(LayerContext& c) {
  const std::string_view operation = eltwise_operation(c.node());
  const auto row = std::ranges::find(kOperations, operation, &Operation::name);
  c.require(row != kOperations.end(), "Eltwise operation: " + std::string(operation) + " is not supported");
  c.expect_ports(2, 1);
  require_type(c, c.in());
  Data* fake = c.program.add_fake();
  Stage* s = c.add_stage(row->stage, {c.inputs[0], c.inputs[1], fake}, {c.out()});
  EltwiseSpec spec;
  if (operation == "sub") spec.coeff2 = -1;
  s->set(spec);
}

void parse_activation(LayerContext& c) {
  c.require(c.node().is("LogicalNot"), "unsupported activation");
  c.expect_ports(1, 1);
  require_type(c, c.in());
  Data* second = c.program.add_fake();
  Data* third = c.program.add_fake();
  c.add_stage(StageType::Logical_NOT, {c.in(), second, third}, {c.out()})->set(EltwiseSpec());
}

void parse_select(LayerContext& c) {
  c.expect_ports(3, 1);
  c.add_stage(StageType::Select, c.inputs, {c.out()})->set(EltwiseSpec());
}

constexpr ParserRow kRows[] = {
    {"Activation", parse_activation},
    {"Eltwise", parse_eltwise},
    {"Select", parse_select},
};

}  // namespace

std::span<const ParserRow> eltwise_parsers() { return kRows; }

}  // namespace blobsmith::vpu
