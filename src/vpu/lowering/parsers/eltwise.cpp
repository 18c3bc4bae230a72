// Eltwise, Select, logical not (front-end spec §9).
#include <algorithm>
#include <array>

#include "vpu/lowering/layer_types.hpp"
#include "vpu/lowering/parsers/layer.hpp"

namespace blobsmith::vpu {
namespace {

struct Row {
  std::string_view operation;
  StageType stage;
};
constexpr std::array kRows{Row{"sum", StageType::Sum},
                           Row{"sub", StageType::Sum},
                           Row{"prod", StageType::Prod},
                           Row{"max", StageType::Max},
                           Row{"min", StageType::Min},
                           Row{"div", StageType::Div},
                           Row{"squared_diff", StageType::Squared_diff},
                           Row{"equal", StageType::Equal},
                           Row{"not_equal", StageType::Not_equal},
                           Row{"greater", StageType::Greater},
                           Row{"greater_equal", StageType::Greater_equal},
                           Row{"less", StageType::Less},
                           Row{"less_equal", StageType::Less_equal},
                           Row{"pow", StageType::Pow},
                           Row{"floor_mod", StageType::Floor_mod},
                           Row{"logical_and", StageType::Logical_AND},
                           Row{"logical_or", StageType::Logical_OR},
                           Row{"logical_xor", StageType::Logical_XOR}};

void require_type(const LayerContext& c, const Data* d) {
  c.require(d->desc.type == DataType::FP16 || d->desc.type == DataType::S32,
            "Eltwise does not support inputs of type " + std::string(to_string(d->desc.type)));
}

}  // namespace

void parse_eltwise(LayerContext& c) {
  const std::string_view operation = eltwise_operation(c.node());
  const auto row = std::ranges::find(kRows, operation, &Row::operation);
  c.require(row != kRows.end(), "Eltwise operation: " + std::string(operation) + " is not supported");
  c.expect_ports(2, 1);
  require_type(c, c.in());
  Data* fake = c.program.add_fake();
  Stage* s = c.add_stage(row->stage, {c.inputs[0], c.inputs[1], fake}, {c.out()});
  s->attrs.set("postOperation", StageType::Empty);
  if (operation != "sub") return;
  if (c.in()->desc.type == DataType::FP16)
    s->attrs.set("coeff2", -1.0);
  else
    s->attrs.set("coeff2", -1);
}

void parse_activation(LayerContext& c) {
  c.require(c.node().is("LogicalNot"), "unsupported activation");
  c.expect_ports(1, 1);
  require_type(c, c.in());
  Data* second = c.program.add_fake();
  Data* third = c.program.add_fake();
  c.add_stage(StageType::Logical_NOT, {c.in(), second, third}, {c.out()})->attrs.set("postOperation", StageType::Empty);
}

void parse_select(LayerContext& c) {
  c.expect_ports(3, 1);
  c.add_stage(StageType::Select, c.inputs, {c.out()});
}

}  // namespace blobsmith::vpu
