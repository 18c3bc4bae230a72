// Layers that move or rename elements: Reshape, Crop, StridedSlice, Tile, Permute, Pad, Convert (front-end spec §9).
#include "vpu/lowering/parsers/layer.hpp"

namespace blobsmith::vpu {
namespace {

void parse_reshape(LayerContext& c) {
  c.check(!c.inputs.empty() && c.inputs.size() <= 2, "inputs.size() == 1 || inputs.size() == 2");
  c.expect_ports(c.inputs.size(), 1);
  add_reshape(c.program, c.name(), c.origin, c.in(), c.out());
}

void parse_crop(LayerContext& c) {
  c.expect_ports(1, 1);
  const std::vector<int64_t>& axes = c.attrs().integers("axes");
  const std::vector<int64_t>& offsets = c.attrs().integers("offset");
  c.check(axes.size() == offsets.size(), "layer->axis.size() == layer->offset.size()");
  DimValues offset;
  for (size_t i = 0; i < axes.size(); ++i) offset.set(c.axis_dim(c.in(), axes[i]), offsets[i]);
  add_crop(c.program, c.name(), c.origin, c.in(), c.out(), offset);
}

/// Bit i of the words = entry i of the list; `flip` where the stage wants the opposite.
int64_t mask_word(const Attributes& attrs, std::string_view name, int64_t rank, bool flip) {
  const std::vector<int64_t> mask = attrs.get_or<std::vector<int64_t>>(name, {});
  int64_t word = 0;
  for (int64_t i = 0; i < rank; ++i) {
    const bool bit = i < static_cast<int64_t>(mask.size()) && mask[static_cast<size_t>(i)] != 0;
    if (bit != flip) word |= int64_t{1} << i;
  }
  return word;
}

void parse_strided_slice(LayerContext& c) {
  c.check(c.inputs.size() == 3 || c.inputs.size() == 4, "inputs.size() == 3 || inputs.size() == 4");
  c.expect_ports(c.inputs.size(), 1);
  std::vector<Data*> ins = c.inputs;
  if (ins.size() == 3) ins.push_back(c.program.add_fake());
  Stage* s = c.add_stage(StageType::StridedSlice, std::move(ins), {c.out()});
  const int64_t entries = c.inputs[1]->desc.element_count();
  StridedSliceParams p;
  p.begin_mask = mask_word(c.attrs(), "begin_mask", entries, true);
  p.end_mask = mask_word(c.attrs(), "end_mask", entries, true);
  p.new_axis_mask = mask_word(c.attrs(), "new_axis_mask", entries, false);
  p.shrink_axis_mask = mask_word(c.attrs(), "shrink_axis_mask", entries, false);
  p.ellipsis_mask = mask_word(c.attrs(), "ellipsis_mask", entries, false);
  s->set(p);
}

void parse_tile(LayerContext& c) {
  c.expect_ports(1, 1);
  Stage* s = c.add_stage(StageType::Tile);
  TileSpec spec;
  spec.dim = c.axis_dim(c.in(), c.attrs().integer("axis"));
  spec.tiles = c.attrs().integer("tiles");
  s->set(spec);
}

void parse_permute(LayerContext& c) {
  c.expect_ports(1, 1);
  const int rank = c.in()->desc.rank();
  const std::vector<int64_t> order = c.integers(1, "the order of a Transpose must be constant");
  c.check(static_cast<int>(order.size()) == rank, "order.size() == rank");
  DimValues permutation;
  for (int i = 0; i < rank; ++i)
    permutation.set(c.axis_dim(c.out(), i), static_cast<int64_t>(c.axis_dim(c.in(), order[static_cast<size_t>(i)])));
  add_permute(c.program, c.name(), c.origin, c.in(), c.out(), permutation);
}

void parse_pad(LayerContext& c) {
  c.expect_ports(1, 1);
  const int rank = c.in()->desc.rank();
  c.require(rank == 3 || rank == 4,
            "Layer " + c.name() + " support only 3D and 4D input, but " + std::to_string(rank) + "D provided");
  const std::string mode = c.text("pad_mode", "constant");
  const PadMode pad_mode = mode == "edge"        ? PadMode::Edge
                           : mode == "reflect"   ? PadMode::Reflect
                           : mode == "symmetric" ? PadMode::Symmetric
                                                 : PadMode::Constant;
  const std::vector<int64_t>& begin = c.attrs().integers("pads_begin");
  const std::vector<int64_t>& end = c.attrs().integers("pads_end");
  c.check(static_cast<int>(begin.size()) == rank && static_cast<int>(end.size()) == rank,
          "layer->pads_begin.size() == rank");
  // All four dimensions have a value, also those that the tensor lacks.
  DimValues begins{{Dim::W, 0}, {Dim::H, 0}, {Dim::C, 0}, {Dim::N, 0}}, ends = begins;
  for (int i = 0; i < rank; ++i) {
    begins.set(c.axis_dim(c.in(), i), begin[static_cast<size_t>(i)]);
    ends.set(c.axis_dim(c.in(), i), end[static_cast<size_t>(i)]);
  }
  add_pad(c.program, c.name(), c.origin, c.in(), c.out(), pad_mode, static_cast<float>(c.real("pad_value", 0.0)),
          begins, ends);
}

void parse_convert(LayerContext& c) {
  c.expect_ports(1, 1);
  add_convert(c.program, c.name(), c.origin, c.in(), c.out());
}

constexpr ParserRow kRows[] = {
    {"Reshape", parse_reshape},
    {"Flatten", parse_reshape},
    {"Squeeze", parse_reshape},
    {"Unsqueeze", parse_reshape},
    {"StaticShapeReshape", parse_reshape},
    {"Crop", parse_crop},
    {"StridedSlice", parse_strided_slice},
    {"Tile", parse_tile},
    {"Permute", parse_permute},
    {"Pad", parse_pad},
    {"Convert", parse_convert},
};

}  // namespace

std::span<const ParserRow> shape_parsers() { return kRows; }

}  // namespace blobsmith::vpu
