// mergeHwStages (middle-end spec §3.19): what the convolution engine can do on its way out becomes part of the stub
// before it: ReLU, leaky ReLU with a slope of 1/n, clamp from 0, and a 2x2 max pooling with stride 2 behind a 3x3
// convolution.
//
//   conv 3x3 -> ReLU -> MaxPool 2x2        =>        conv 3x3 {relu, pool}
//
// Only the single reader of an intermediate output is merged. The stub notes its own output's size before the
// pooling (StubSpec::conv_output), in case that the tiling takes them apart again.
#include <cmath>
#include <limits>

#include "vpu/options/faults.hpp"
#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

bool is_zero(float v) { return std::abs(v) <= std::numeric_limits<float>::epsilon(); }

/// The engine multiplies negative values by 1/n: the slope's reciprocal must be a whole number.
bool is_hw_slope(float slope) {
  if (slope == 0.0f) return true;
  const float r = 1.0f / slope;
  return is_zero(std::abs(std::ceil(r) - r));
}

Stage* mergeable_post_op(const Stage& s) {
  Stage* op = s.is(StageType::StubConv) ? single_next(s, {StageType::Relu, StageType::LeakyRelu, StageType::Clamp})
                                        : single_next(s, {StageType::Relu});
  if (!op) return nullptr;
  if (op->is(StageType::Clamp) && !is_zero(op->get<ClampParams>().min_value)) return nullptr;
  if (op->is(StageType::LeakyRelu) && !is_hw_slope(op->get<ReluParams>().negative_slope)) return nullptr;
  return op;
}

/// quirk: a deconvolution that is not a convolution by now stays in software, where nothing looks at a merged ReLU: it
/// is lost. True where that is to be avoided.
bool avoids_loss(Program& p, const Stage& s) {
  if (reproduces(p.options, Fault::LostRelu) || !s.is(StageType::StubDeconv)) return false;
  p.remark_not_as_intel(s.layer.get(), "the ReLU behind the deconvolution is kept");
  return true;
}

void merge_post_op(Program& p, Stage* s, Stage* op) {
  s->change<StubSpec>([&](StubSpec& stub) {
    PostOps& post = stub.post;
    if (op->is(StageType::Clamp)) {
      post.clamp = true;
      post.clamp_max = op->get<ClampParams>().max_value;
      return;
    }
    const bool leaky = op->is(StageType::LeakyRelu);
    const float slope = op->get<ReluParams>().negative_slope;
    post.relu = true;
    post.negative_slope = slope;
    post.a0 = leaky ? 1 : 0;
    post.a1 = leaky ? static_cast<uint32_t>(1.0f / slope) : 1;
    post.relu_scale = leaky ? slope : 1.0f;
  });
  absorb(p, s, op);
}

bool even(const DataDesc& d) { return d.dim(Dim::W) % 2 == 0 && d.dim(Dim::H) % 2 == 0; }

Stage* mergeable_pool(const Stage& conv) {
  Stage* pool = single_next(conv, {StageType::StubMaxPool});
  if (!pool || !tries_hw(*pool)) return nullptr;
  const Window c = window_of(conv), w = window_of(*pool);
  const bool conv_fits = c.kernel_x == 3 && c.kernel_y == 3 && c.stride_x == 1 && c.pad_left == 1 && c.pad_right == 1 &&
                         c.pad_top == 1 && c.pad_bottom == 1;
  const bool pool_fits = w.kernel_x == 2 && w.kernel_y == 2 && w.stride_x == 2 && w.no_pads();
  return conv_fits && pool_fits && even(conv.input(0)->desc) && even(conv.output()->desc) && even(pool->output()->desc)
             ? pool
             : nullptr;
}

/// The reference fails on a merged pool when it takes a batch apart.
bool is_batched(const Stage& conv) { return conv.output()->desc.dim(Dim::N, 1) > 1; }

void merge_pool(Program& p, Stage* conv, Stage* pool) {
  conv->change<StubSpec>([&](StubSpec& stub) {
    stub.post.pool = true;
    stub.post.pool_window = window_of(*pool);
  });
  absorb(p, conv, pool);
}

}  // namespace

void merge_hw_stages(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (!tries_hw(*s)) return;
    const bool conv = s->is(StageType::StubConv);
    if (conv) s->change<StubSpec>([&](StubSpec& stub) { stub.conv_output = s->output()->desc; });
    if (Stage* op = mergeable_post_op(*s); op && !avoids_loss(p, *s)) merge_post_op(p, s, op);
    if (!conv || !p.options.hw_pool_conv_merge || (!reproduces(p.options, Fault::BatchedPool) && is_batched(*s)))
      return;
    if (Stage* pool = mergeable_pool(*s)) merge_pool(p, s, pool);
  });
}

}  // namespace blobsmith::vpu
