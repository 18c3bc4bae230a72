// Parameters of a hardware stage: the list of operations of the convolution engine (stages spec §2). The word that
// tells of an injected stage and the injected stage's record follow them in the blob and belong to its reader and
// writer.
#pragma once
#include "vpu/format/stage_format.hpp"

namespace blobsmith::vpu {

enum class HwOpType : uint32_t { Conv = 0, ConvPool = 1, FullyConnected = 2, Pool = 4 };
enum class HwPoolType : uint32_t { Max = 0, Average = 1 };
/// Blocks of output channels x channels per block.
enum class HwOpMode : uint32_t { k1x256 = 0, k2x128 = 1, k4x64 = 2, k8x32 = 3, k16x16 = 4 };
/// Edges that repeat the border instead of zeros; the sum of these bits.
namespace hw_pad {
inline constexpr uint32_t kZeros = 0, kRepeatRight = 1, kRepeatBottom = 2, kRepeatTop = 4, kRepeatLeft = 8;
}

/// One descriptor. Which fields a blob holds depends on the type and on the with_* fields.
struct HwOp {
  HwOpType type = HwOpType::Conv;
  HwPoolType pool_type = HwPoolType::Max;
  HwOpMode mode = HwOpMode::k1x256;
  uint32_t with_pad = 0, pad_mode = 0;
  int32_t input_index = -1, output_index = -1, weights_index = -1, biases_index = -1,
          scales_index = -1;  ///< into the stage's buffers, -1 absent
  uint32_t out_channel_offset = 0, out_channels = 0;
  uint32_t fc_input_offset = 0, fc_inputs = 0, fc_output_offset = 0, fc_outputs = 0, fc_accumulate = 0;
  uint32_t kernel_width = 1, kernel_height = 1, kernel_stride = 1;
  uint32_t pool_kernel_width = 0, pool_kernel_height = 0;
  uint32_t with_relu = 0, t0 = 0, a0 = 0, a1 = 0;
  uint32_t with_clamp = 0;
  float clamp_max = 0;
  uint32_t reuse_data = 0, reuse_weights = 0;

  void fields(FieldArchive& a);
  bool operator==(const HwOp&) const = default;
};

struct HwOpParams : StageParams {
  std::vector<HwOp> ops;
  void fields(FieldArchive& a) override { list_field(a, "opCount", "ops", ops); }
};

std::string hw_op_role(const StageParams& params, int k, int count);

inline constexpr StageFormat kHwOpFormats[] = {
    {.type = StageType::MyriadXHwOp, .make_params = make_params_of<HwOpParams>, .role = hw_op_role},
};

}  // namespace blobsmith::vpu
