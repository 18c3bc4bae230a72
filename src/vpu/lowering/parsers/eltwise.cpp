// Eltwise, Select, logical not (front-end spec §9).
#include <algorithm>
#include <array>

#include "core/table.hpp"
#include "vpu/lowering/layer_types.hpp"
#include "vpu/lowering/parsers/layer.hpp"

namespace blobsmith::vpu {
namespace {

struct OperationRow {
  std::string_view name;
  StageType stage;
};
constexpr std::array kOperations{OperationRow{"sum", StageType::Sum},
                                 OperationRow{"sub", StageType::Sum},
                                 OperationRow{"prod", StageType::Prod},
                                 OperationRow{"max", StageType::Max},
                                 OperationRow{"min", StageType::Min},
                                 OperationRow{"div", StageType::Div},
                                 OperationRow{"squared_diff", StageType::Squared_diff},
                                 OperationRow{"equal", StageType::Equal},
                                 OperationRow{"not_equal", StageType::Not_equal},
                                 OperationRow{"greater", StageType::Greater},
                                 OperationRow{"greater_equal", StageType::Greater_equal},
                                 OperationRow{"less", StageType::Less},
                                 OperationRow{"less_equal", StageType::Less_equal},
                                 OperationRow{"pow", StageType::Pow},
                                 OperationRow{"floor_mod", StageType::Floor_mod},
                                 OperationRow{"logical_and", StageType::Logical_AND},
                                 OperationRow{"logical_or", StageType::Logical_OR},
                                 OperationRow{"logical_xor", StageType::Logical_XOR}};

void require_type(const LayerContext& c, const Data* d) {
  c.require(d->desc.type == DataType::FP16 || d->desc.type == DataType::S32,
            "Eltwise does not support inputs of type " + std::string(to_string(d->desc.type)));
}

void parse_eltwise(LayerContext& c) {
  const std::string_view operation = eltwise_operation(c.node());
  const OperationRow* row = find_row(kOperations, operation, &OperationRow::name);
  c.require(row != nullptr, "Eltwise operation: " + std::string(operation) + " is not supported");
  c.expect_ports(2, 1);
  require_type(c, c.in());
  Data* fake = c.program.add_fake();
  Stage* s = c.add_stage(row->stage, {c.inputs[0], c.inputs[1], fake}, {c.out()});
  EltwiseSpec spec;
  if (operation == "sub") spec.coeff2 = -1;
  s->set(spec);
}

void parse_one_operand(LayerContext& c, StageType type) {
  c.expect_ports(1, 1);
  require_type(c, c.in());
  Data* second = c.program.add_fake();
  Data* third = c.program.add_fake();
  c.add_stage(type, {c.in(), second, third}, {c.out()})->set(EltwiseSpec());
}

void parse_activation(LayerContext& c) {
  c.require(c.node().is("LogicalNot"), "unsupported activation");
  parse_one_operand(c, StageType::Logical_NOT);
}

void parse_abs(LayerContext& c) { parse_one_operand(c, StageType::Abs); }

void parse_select(LayerContext& c) {
  c.expect_ports(3, 1);
  c.add_stage(StageType::Select, c.inputs, {c.out()})->set(EltwiseSpec());
}

constexpr ParserRow kRows[] = {
    {"Activation", parse_activation},
    {"Eltwise", parse_eltwise},
    {"Abs", parse_abs, &Release::abs_stage},
    {"Select", parse_select},
};

}  // namespace

std::span<const ParserRow> eltwise_parsers() { return kRows; }

}  // namespace blobsmith::vpu
