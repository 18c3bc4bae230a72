// A 16x1 kernel is more than the engine takes: two 8x1 convolutions and their sum (middle-end spec §3.22).
#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

constexpr int64_t kHalf = 8;

/// Taps [8 * half, 8 * half + 8) of every kernel row.
Bytes half_of_rows(const Bytes& weights, int64_t rows, int64_t half) {
  std::vector<Bytes> parts;
  for (int64_t r = 0; r < rows; ++r) parts.push_back(contents::slice(weights, r * 2 * kHalf + half * kHalf, kHalf));
  return contents::joined(parts);
}

// quirk: both halves carry the biases, the merged activation and the pads of the whole, so that the bias counts twice,
// the activation comes before the sum and the borders of a padded convolution are wrong.
void split(Program& p, Stage* conv) {
  Data *in = conv->input(0), *weights = conv->input(1), *biases = conv->input(2), *scales = conv->input(3),
       *out = conv->output();
  require_const(*conv, 1);
  const int64_t in_channels = in->desc.dim(Dim::C), out_channels = out->desc.dim(Dim::C);
  p.disconnect(conv);
  std::vector<Data*> halves;
  for (int64_t g = 0; g < 2; ++g) {
    const std::string postfix = "@subkernel=" + part_of(g + 1, 2);
    Data* cropped = p.duplicate(in, postfix, in->desc.with_dim(Dim::W, in->desc.dim(Dim::W) - kHalf));
    add_crop(p, conv->name + "@crop" + postfix, conv->layer, in, cropped, DimValues{{Dim::W, kHalf * g}});
    Data* half_weights = p.duplicate(weights, postfix, DataDesc({kHalf, 1, in_channels, out_channels}),
                                     half_of_rows(weights->content, in_channels * out_channels, g));
    halves.push_back(p.duplicate(out, postfix));
    Stage* half = p.duplicate(conv, postfix, {cropped, half_weights, biases, scales}, {halves.back()});
    half->change<StubSpec>([](StubSpec& stub) { stub.window.kernel_x = kHalf; });
  }
  add_sum(p, conv->name + "@sum", conv->layer, halves[0], halves[1], out);
  p.remove(conv);
}

}  // namespace

void split_large_kernel_conv(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (!s->is(StageType::StubConv) || !tries_hw(*s) || s->get<StubSpec>().groups != 1) return;
    const Window w = window_of(*s);
    if (w.kernel_x == 2 * kHalf && w.kernel_y == 1) split(p, s);
  });
}

}  // namespace blobsmith::vpu
