// hwFinalization: the descriptors of every hardware stage (hw-tiling spec §14), after allocation.
#include "vpu/nce/hw_stage.hpp"
#include "vpu/nce/passes.hpp"

namespace blobsmith::vpu {
namespace {

constexpr int kOwnInputs = 4;  // data, weights, biases, scales; an injected stage's follow

/// Positions in the stage's list of buffers, which has no Fakes.
void set_buffer_indices(const Stage& s, HwOp& op) {
  int32_t next = 0;
  const auto index_of = [&](const Data* d) { return d->usage == DataUsage::Fake ? -1 : next++; };
  ensure(s.own_input_count() == kOwnInputs && s.own_output_count() == 1, "ports of hardware stage '" + s.name + "'");
  op.input_index = index_of(s.input(0));
  op.weights_index = index_of(s.input(1));
  op.biases_index = index_of(s.input(2));
  op.scales_index = index_of(s.input(3));
  op.output_index = next;
}

uint32_t pool_pad_mode(const HwStage& h) {
  if (h.pool_type != HwPoolType::Max) return hw_pad::kZeros;
  const auto bit = [](int64_t pad, uint32_t b) { return pad > 0 ? b : 0u; };
  return bit(h.pad.left, hw_pad::kRepeatLeft) | bit(h.pad.right, hw_pad::kRepeatRight) |
         bit(h.pad.top, hw_pad::kRepeatTop) | bit(h.pad.bottom, hw_pad::kRepeatBottom);
}

/// All but the channels.
HwOp common_op(const Stage& s, const HwStage& h) {
  HwOp op;
  op.type = h.op;
  op.mode = h.tiling.mode;
  op.with_pad = h.pad.enabled();
  set_buffer_indices(s, op);
  op.kernel_width = static_cast<uint32_t>(h.kernel_x);
  op.kernel_height = static_cast<uint32_t>(h.kernel_y);
  op.kernel_stride = static_cast<uint32_t>(h.stride);
  op.with_relu = h.relu;
  if (h.op == HwOpType::Pool) {
    op.pool_type = h.pool_type;
    op.pad_mode = h.pad.enabled() ? pool_pad_mode(h) : hw_pad::kZeros;
    op.a1 = h.relu ? 1 : 0;
    return op;
  }
  op.pool_kernel_width = static_cast<uint32_t>(h.pool_kernel_x);
  op.pool_kernel_height = static_cast<uint32_t>(h.pool_kernel_y);
  if (h.relu) {
    op.a0 = h.a0;
    op.a1 = h.a1;
  }
  op.with_clamp = h.clamp;
  op.clamp_max = h.clamp ? h.clamp_max : 0;
  return op;
}

/// Output channels of the stage: of a pooling those of all batch items, which the engine takes as one.
int64_t channels_of(const Stage& s, const HwStage& h) {
  if (h.is_conv()) return (h.tiling.descriptors - 1) * h.tiling.channels_per_descriptor + h.tiling.last_channels;
  const DataDesc& out = s.output()->desc;
  return out.dim(Dim::C) * out.dim(Dim::N, 1);
}

HwOpParams make_ops(const Stage& s) {
  const auto& h = s.get<HwStage>();
  const int64_t channels = channels_of(s, h);
  HwOp op = common_op(s, h);
  HwOpParams params;
  for (int64_t i = 0; i < h.tiling.descriptors; ++i) {
    const int64_t offset = i * h.tiling.channels_per_descriptor;
    op.out_channel_offset = static_cast<uint32_t>(offset);
    op.out_channels =
        static_cast<uint32_t>(i + 1 < h.tiling.descriptors ? h.tiling.channels_per_descriptor : channels - offset);
    params.ops.push_back(op);
  }
  return params;
}

}  // namespace

void finalize_hw_ops(Program& p) {
  for (Stage* s : p.stages())
    if (s->is(StageType::MyriadXHwOp)) s->set(make_ops(*s));
}

}  // namespace blobsmith::vpu
