// splitHwConvAndPool: a convolution whose output is too large for the CMX, and the pooling behind it, are done for some
// channels at a time (hw-tiling spec §4.6).
#include "vpu/nce/passes.hpp"
#include "vpu/nce/stub.hpp"
#include "vpu/nce/tiles.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

/// Output channels per part; 0: leave the pair alone. quirk: the batch counts in the whole, not in a part, so that one
/// part may come out.
int64_t channels_per_part(const DataDesc& conv_output, int64_t limit) {
  const int64_t channels = conv_output.dim(Dim::C);
  for (const int64_t tile : {128, 64, 32})
    if (channels >= tile && channels % tile == 0 &&
        nce::buffer_bytes(conv_output.dim(Dim::W), conv_output.dim(Dim::H), tile) <= limit)
      return tile;
  return 0;
}

void split(Program& p, Stage* conv, Stage* pool, int64_t tile) {
  Data *input = conv->input(nce::kData), *weights = conv->input(nce::kWeights), *biases = conv->input(nce::kBiases),
       *scales = conv->input(nce::kScales);
  Data *conv_output = conv->output(), *pool_output = pool->output();
  p.disconnect(conv);
  p.disconnect(pool);
  const auto parts = static_cast<size_t>(conv_output->desc.dim(Dim::C) / tile);
  const DataDesc weights_desc = weights->desc.with_dim(Dim::N, tile);
  std::vector<Data*> outputs;
  for (size_t i = 0; i < parts; ++i) {
    const std::string suffix = nce::plain_tile_suffix(i, parts);
    const int64_t first = static_cast<int64_t>(i) * tile;
    Data* conv_part = p.duplicate(conv_output, suffix, conv_output->desc.with_dim(Dim::C, tile));
    outputs.push_back(p.duplicate(pool_output, suffix, pool_output->desc.with_dim(Dim::C, tile)));
    Data* part_weights = slice_const(p, weights, suffix, weights_desc,
                                     first * (weights->desc.element_count() / weights->desc.dim(Dim::N)));
    Data* part_biases = slice_vector(p, biases, suffix, first, tile);
    Data* part_scales = slice_vector(p, scales, suffix, first, tile);
    p.duplicate(conv, suffix, {input, part_weights, part_biases, part_scales}, {conv_part});
    p.duplicate(pool, suffix, {conv_part}, {outputs.back()});
  }
  add_concat(p, pool->name + "@concat", pool->layer, Dim::C, outputs, pool_output);
  p.remove(conv);
  p.remove(pool);
}

}  // namespace

void split_hw_conv_and_pool(Program& p) {
  const int64_t limit = p.resources.tiling_cmx_limit;
  p.for_each_stage([&](Stage* s) {
    if (!nce::is_hw_stub(*s, StageType::StubConv)) return;
    const Data* out = s->output();
    if (out->usage != DataUsage::Intermediate || nce::hw_bytes(out->desc) <= limit) return;
    Stage* pool = out->single_consumer();
    if (!pool || !nce::is_hw_pool_stub(*pool)) return;
    if (const int64_t tile = channels_per_part(out->desc, limit)) split(p, s, pool, tile);
  });
}

}  // namespace blobsmith::vpu
