// Layers driven by indices (front-end spec §9).
#include <algorithm>

#include "vpu/lowering/parsers/layer.hpp"

namespace blobsmith::vpu {
namespace {

void parse_gather(LayerContext& c) {
  c.expect_ports(3, 1);
  const int64_t axis = c.integer(2, "the axis of layer " + c.name() + " must be one constant number");
  add_gather(c.program, c.name(), c.origin, c.inputs[0], c.inputs[1], c.out(), c.axis_dim(c.in(), axis));
}

void parse_gather_nd(LayerContext& c) {
  c.expect_ports(2, 1);
  GatherNDParams p;
  p.batch_dims = c.attrs().integer("batch_dims", 0);
  c.add_stage(StageType::GatherND, c.inputs, {c.out()})->set(p);
}

void parse_gather_elements(LayerContext& c) {
  c.check(c.inputs.size() == 2 || c.inputs.size() == 3, "inputs.size() == 2 || inputs.size() == 3");
  c.expect_ports(c.inputs.size(), 1);
  const int64_t axis = c.attrs().integer("axis"), rank = static_cast<int64_t>(c.node().input(0).shape().size());
  c.require(axis >= 0 && axis < rank,
            "axis must be in the range of [0, " + std::to_string(rank) + ") , actually " + std::to_string(axis));
  if (c.inputs.size() == 3) {
    const auto indices_rank = static_cast<int64_t>(c.node().input(1).shape().size());
    c.require(indices_rank == rank + 1, "rank of the second input must be equal to " + std::to_string(rank + 1) +
                                            ", actually " + std::to_string(indices_rank));
    c.require(axis == rank - 1,
              "axis must be equal to " + std::to_string(rank - 1) + ", actually " + std::to_string(axis));
  }
  Stage* s = c.add_stage(StageType::GatherElements, c.inputs, {c.out()});
  GatherElementsParams p;
  p.axis = axis;
  p.row_indices_mode = c.inputs.size() == 3;
  s->set(p);
}

// quirk: whatever the axis, the updates must have the shape indices + data without its first axis. Axes are counted
// from the last one in messages, and scalars have one axis.
void check_scattered_shapes(LayerContext& c) {
  const auto reversed = [&](int port) {
    Shape s = c.node().input(port).shape();
    if (s.empty()) s = {1};
    std::ranges::reverse(s);
    return s;
  };
  const Shape data = reversed(0), indices = reversed(1), updates = reversed(2);
  c.require(updates.size() + 1 == data.size() + indices.size(),
            "incompatible shapes: indicesNDims=" + std::to_string(indices.size()) +
                ", updatesNDims=" + std::to_string(updates.size()) + ", outputNDims=" + std::to_string(data.size()));
  const auto check = [&](const char* what, size_t axis, int64_t wanted) {
    if (updates[axis] == wanted) return;
    c.fail("updates size must fit " + std::string(what) +
           " along corresponding axes, but for axis=" + std::to_string(axis) + ": " + what +
           " size=" + std::to_string(wanted) + ", updates size=" + std::to_string(updates[axis]));
  };
  for (size_t i = 0; i + 1 < data.size(); ++i) check("input", i, data[i]);
  for (size_t i = 0; i < indices.size(); ++i) check("indices", i + data.size() - 1, indices[i]);
}

void parse_scatter_update(LayerContext& c) {
  c.expect_ports(4, 1);
  check_scattered_shapes(c);
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
  ReverseSequenceSpec spec;
  spec.seq = c.axis_dim(c.in(), c.attrs().integer("seq_axis", 1));
  spec.batch = c.axis_dim(c.in(), c.attrs().integer("batch_axis", 0));
  s->set(spec);
}

constexpr ParserRow kRows[] = {
    {"Gather", parse_gather},
    {"GatherND", parse_gather_nd},
    {"GatherElements", parse_gather_elements},
    {"ExpGatherElements", parse_gather_elements},
    {"ScatterUpdate", parse_scatter_update},
    {"ScatterElementsUpdate", parse_scatter_elements_update},
    {"ReverseSequence", parse_reverse_sequence},
};

}  // namespace

std::span<const ParserRow> gather_scatter_parsers() { return kRows; }

}  // namespace blobsmith::vpu
