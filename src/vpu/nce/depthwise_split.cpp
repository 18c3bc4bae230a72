// splitHwDepthConv (hw-tiling spec §4.5): the engine has no depthwise convolution. It becomes dense ones over a few
// channels each, whose filters are 0 off the diagonal: 40 channels in tiles of 16 are
//
//   channels 0..15  -> 16 x 16 dense      channels 16..31 -> 16 x 16 dense      channels 32..39 -> 8 x 8 dense
//
// between a Split and a Concat. The tile with the least total cost is taken (best_depthwise_tile); one that holds
// all channels needs neither Split nor Concat. Where Intel's faults need not be reproduced, the time that is modelled
// decides (fastest_depthwise_tile): the reference counts half of what a mode costs per position, nothing for a stage.
#include <algorithm>

#include "vpu/nce/output_channel_tiling.hpp"
#include "vpu/nce/passes.hpp"
#include "vpu/nce/stub.hpp"
#include "vpu/nce/tiles.hpp"
#include "vpu/nce/weights_layout.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

struct Constants {
  Data *weights, *biases, *scales;
};

Constants constants_of(const Stage& s) {
  require_const(s, nce::kWeights);
  return {s.input(nce::kWeights), s.input(nce::kBiases), s.input(nce::kScales)};
}

/// Constants of a dense convolution over `count` channels.
Constants dense_constants(Program& p, const Constants& from, const std::string& suffix, int64_t first, int64_t count) {
  const int64_t kernel_x = from.weights->desc.dim(Dim::W), kernel_y = from.weights->desc.dim(Dim::H);
  const Bytes& weights = from.weights->content;
  const int64_t positions = kernel_x * kernel_y;
  Bytes content = p.computed("diagonal_weights", weights, {first, count, positions},
                             [&] { return nce::diagonal_weights(weights, first, count, positions); });
  Constants r{};
  r.weights = p.duplicate(from.weights, suffix, DataDesc({kernel_x, kernel_y, count, count}), std::move(content));
  r.biases = slice_vector(p, from.biases, suffix, first, count);
  r.scales = slice_vector(p, from.scales, suffix, first, count);
  return r;
}

void make_dense(Program& p, Stage* s, int64_t channels) {
  const Constants c = dense_constants(p, constants_of(*s), "", 0, channels);
  p.replace_input(s, nce::kWeights, c.weights);
  p.replace_input(s, nce::kBiases, c.biases);
  p.replace_input(s, nce::kScales, c.scales);
  s->change<StubSpec>([](StubSpec& stub) { stub.groups = 1; });
}

void split(Program& p, Stage* s, int64_t channels, int64_t tile) {
  Data *input = s->input(nce::kData), *output = s->output();
  const auto tiles = static_cast<size_t>(ceil_div(channels, tile));
  const Constants constants = constants_of(*s);
  p.disconnect(s);
  std::vector<Data*> inputs, outputs;
  for (size_t i = 0; i < tiles; ++i) {
    const int64_t first = static_cast<int64_t>(i) * tile, count = std::min(tile, channels - first);
    const std::string suffix = nce::plain_tile_suffix(i, tiles);
    inputs.push_back(p.duplicate(input, suffix, input->desc.with_dim(Dim::C, count)));
    outputs.push_back(p.duplicate(output, suffix, output->desc.with_dim(Dim::C, count)));
    const Constants c = dense_constants(p, constants, suffix, first, count);
    Stage* t = p.duplicate(s, suffix, {inputs.back(), c.weights, c.biases, c.scales}, {outputs.back()});
    t->change<StubSpec>([](StubSpec& stub) { stub.groups = 1; });
  }
  add_split(p, s->name + "@split", s->layer, Dim::C, input, inputs);
  add_concat(p, s->name + "@concat", s->layer, Dim::C, outputs, output);
  p.remove(s);
}

}  // namespace

void split_hw_depth_conv(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (!nce::is_hw_stub(*s, StageType::StubConv)) return;
    const DataDesc& in = s->input(nce::kData)->desc;
    const int64_t channels = in.dim(Dim::C);
    if (channels != s->output()->desc.dim(Dim::C) || channels != s->get<StubSpec>().groups) return;
    const nce::PlaneGeometry g = nce::conv_geometry_of(*s).plane;
    int64_t tile = nce::best_depthwise_tile(g.in.w, g.in.h, channels, g.kernel_x, g.kernel_y, g.stride);
    if (!p.options.quirks && !g.with_pool) tile = nce::fastest_depthwise_tile(g, channels, tile);
    if (tile >= channels)
      make_dense(p, s, channels);
    else
      split(p, s, channels, tile);
  });
}

}  // namespace blobsmith::vpu
