// The parameters of a MyriadXHwOp stage from tiling on, until finalize_hw_ops makes HwOpParams of them (hw-tiling spec
// §8, §9).
#pragma once
#include <vector>

#include "vpu/format/hw_op.hpp"
#include "vpu/nce/output_channel_tiling.hpp"
#include "vpu/nce/padding.hpp"
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

struct HwStage : StageParams {
  HwOpType op = HwOpType::Conv;
  HwPoolType pool_type = HwPoolType::Max;  ///< of Pool
  int64_t kernel_x = 1, kernel_y = 1, stride = 1;
  int64_t pool_kernel_x = 0, pool_kernel_y = 0;  ///< of ConvPool
  nce::Padding pad;
  nce::OutputChannelTiling tiling;  ///< Pool: mode, descriptors and channels per descriptor only
  bool partial = false;             ///< yields one of several addends: the activation comes behind the sum
  bool relu = false, clamp = false;
  uint32_t a0 = 0, a1 = 0;  ///< slopes of the ReLU below and above 0, of Conv and ConvPool
  float negative_slope = 0, clamp_max = 6, scale_factor = 1;

  bool is_conv() const { return op == HwOpType::Conv || op == HwOpType::ConvPool; }
  void fields(FieldArchive& a) override;
};

}  // namespace blobsmith::vpu
