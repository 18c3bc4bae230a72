// Layers driven by indices (front-end spec §9).
#include "vpu/lowering/parsers/layer.hpp"

namespace blobsmith::vpu {

void parse_gather(LayerContext& c) {
  c.expect_ports(3, 1);
  const std::vector<int64_t> axis = c.integers(2, "the axis of layer " + c.name() + " must be constant");
  c.require(axis.size() == 1, "the axis of layer " + c.name() + " must be one number");
  add_gather(c.program, c.name(), c.origin, c.inputs[0], c.inputs[1], c.out(), c.axis_dim(c.in(), axis[0]));
}

void parse_gather_nd(LayerContext& c) {
  c.expect_ports(2, 1);
  c.add_stage(StageType::GatherND, c.inputs, {c.out()})->attrs.set("batch_dims", c.attrs().integer("batch_dims", 0));
}

void parse_gather_elements(LayerContext& c) {
  c.check(c.inputs.size() == 2 || c.inputs.size() == 3, "inputs.size() == 2 || inputs.size() == 3");
  c.expect_ports(c.inputs.size(), 1);
  Stage* s = c.add_stage(StageType::GatherElements, c.inputs, {c.out()});
  s->attrs.set("axis", c.attrs().integer("axis"));
  s->attrs.set("rowIndicesMode", c.inputs.size() == 3);
}

namespace {

/// The framework axis that the last input states; without one (not constant) nothing can be checked.
std::optional<int64_t> constant_axis(const LayerContext& c) {
  if (!c.has_constant(3)) return {};
  const std::vector<int64_t> v = c.integers(3, "");
  if (v.size() != 1) return {};
  const auto rank = static_cast<int64_t>(c.node().input(0).shape().size());
  return v[0] < 0 ? v[0] + rank : v[0];
}

}  // namespace

void parse_scatter_update(LayerContext& c) {
  c.expect_ports(4, 1);
  const Shape &data = c.node().input(0).shape(), &indices = c.node().input(1).shape(), &updates = c.node().input(2).shape();
  if (const auto axis = constant_axis(c)) {
    c.require(updates.size() + 1 == data.size() + indices.size(), "updates rank must be rank of the input + rank of the indices - 1");
    const size_t at = static_cast<size_t>(*axis);
    c.require(at < data.size(), "axis is out of range");
    for (size_t i = 0; i < data.size(); ++i) {
      if (i == at) continue;
      const int64_t size = updates[i < at ? i : i + indices.size() - 1];
      c.require(size == data[i], "updates size must fit input along corresponding axes, but for axis=" + std::to_string(i) + ": input size=" + std::to_string(data[i]) + ", updates size=" + std::to_string(size));
    }
  }
  c.add_stage(StageType::ScatterUpdate, c.inputs, {c.out()});
}

void parse_scatter_elements_update(LayerContext& c) {
  c.expect_ports(4, 1);
  c.require(c.inputs[1]->desc.type == DataType::S32, "indices type is invalid");
  c.require(c.node().input(1).shape() == c.node().input(2).shape(), "indices and updates must have the same shape");
  c.add_stage(StageType::ScatterElementsUpdate, c.inputs, {c.out()});
}

void parse_reverse_sequence(LayerContext& c) {
  c.expect_ports(2, 1);
  Stage* s = c.add_stage(StageType::ReverseSequence, c.inputs, {c.out()});
  s->attrs.set("seq_axis", c.axis_dim(c.in(), c.attrs().integer("seq_axis", 1)));
  s->attrs.set("batch_axis", c.axis_dim(c.in(), c.attrs().integer("batch_axis", 0)));
}

}  // namespace blobsmith::vpu
