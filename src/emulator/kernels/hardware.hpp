// The parts of hardware stages (execution spec §2).
#pragma once
#include <algorithm>
#include <optional>
#include <span>

#include "emulator/convolution.hpp"
#include "emulator/stage_run.hpp"
#include "vpu/format/hw_op.hpp"

namespace blobsmith::emulator {

/// The operation ops[next], with those behind it that only continue a convolution with further output channels; `next`
/// becomes the number of the one behind them.
vpu::HwOp merged_operation(const std::vector<vpu::HwOp>& ops, size_t& next);

void run_hardware_convolution(StageRun& s, const vpu::HwOp& op);

/// Runs the stages of a StageGroup of kind Joined.
void run_joined_stages(Machine& machine, std::span<const vpu::BlobStage> stages);

/// Rows of x that `rows` rows of the result need; columns alike.
inline int64_t reach(int64_t size, int64_t results, int64_t kernel, int64_t stride, int64_t pad) {
  return std::clamp<int64_t>((results - 1) * stride - pad + kernel, 0, size);
}

/// What the operation says of the activation behind it.
Finish activation_of(const vpu::HwOp& op);
/// One FP16 number per channel, or none.
std::vector<float> channel_vector(StageRun& s, int32_t index);
void check_weights(StageRun& s, const View& k, int64_t area, int64_t last_channel);

}  // namespace blobsmith::emulator
