// Concat and Split (front-end spec §9).
#include "vpu/lowering/parsers/layer.hpp"

namespace blobsmith::vpu {
namespace {

void parse_concat(LayerContext& c) {
  c.check(!c.inputs.empty(), "!inputs.empty()");
  c.expect_ports(c.inputs.size(), 1);
  const Dim axis = c.axis_dim(c.out(), c.attrs().integer("axis"));
  const bool dynamic = c.layer.inputs[0].node->is("DynamicShapeResolver");
  if (dynamic)
    add_dynamic_concat(c.program, c.name(), c.origin, axis, c.inputs, c.out());
  else
    add_concat(c.program, c.name(), c.origin, axis, c.inputs, c.out());
}

void parse_split(LayerContext& c) {
  c.check(c.inputs.size() == 1, "inputs.size() == 1");
  const Node& n = c.node();
  const int64_t axis = c.integer(1, "Split " + c.name() + " has no axes as Constant");
  const Dim dim = c.axis_dim(c.in(), axis);
  std::vector<int64_t> sizes;
  for (int i = 0; i < n.output_count(); ++i) sizes.push_back(internal_desc_of(n.element_type(i), n.shape(i)).dim(dim));
  add_split(c.program, c.name(), c.origin, dim, c.in(), c.outputs, sizes);
}

constexpr ParserRow kRows[] = {
    {"Concat", parse_concat},
    {"Split", parse_split},
};

}  // namespace

std::span<const ParserRow> concat_split_parsers() { return kRows; }

}  // namespace blobsmith::vpu
