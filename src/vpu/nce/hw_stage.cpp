#include "vpu/nce/hw_stage.hpp"

namespace blobsmith::vpu {
namespace {

const char* name_of(HwOpType t) {
  switch (t) {
    case HwOpType::Conv: return "CONV";
    case HwOpType::ConvPool: return "CONV_POOL";
    case HwOpType::FullyConnected: return "FC";
    case HwOpType::Pool: return "POOL";
  }
  return "?";
}

const char* name_of(HwOpMode m) {
  constexpr const char* kNames[] = {"MODE_1_256", "MODE_2_128", "MODE_4_64", "MODE_8_32", "MODE_16_16"};
  return kNames[static_cast<size_t>(m)];
}

}  // namespace

void HwStage::fields(FieldArchive& a) {
  const auto show = [&](const char* name, int64_t v) {
    auto word = static_cast<int32_t>(v);
    a.word(name, word);
  };
  a.text("hwOpType", name_of(op));
  if (op == HwOpType::Pool) a.text("poolType", pool_type == HwPoolType::Max ? "MAX" : "AVERAGE");
  show("kernelSizeX", kernel_x);
  show("kernelSizeY", kernel_y);
  show("kernelStride", stride);
  if (op == HwOpType::ConvPool) {
    show("poolKernelSizeX", pool_kernel_x);
    show("poolKernelSizeY", pool_kernel_y);
  }
  for (int64_t p : {pad.left, pad.right, pad.top, pad.bottom}) show("pad", p);
  a.text("tiling.mode", name_of(tiling.mode));
  show("tiling.numDescr", tiling.descriptors);
  show("tiling.chansPerDescr", tiling.channels_per_descriptor);
  show("tiling.lastOutChans", tiling.last_channels);
  show("tiling.extendedInputDimC", tiling.extended_in_channels);
  show("tiling.extendedOutputDimC", tiling.extended_out_channels);
  show("tiling.cost", tiling.cost);
  show("withReLU", relu);
  show("withClamp", clamp);
  show("a0", a0);
  show("a1", a1);
  a.word("negativeSlope", negative_slope);
  a.word("clampMax", clamp_max);
  a.word("scaleFactor", scale_factor);
}

}  // namespace blobsmith::vpu
