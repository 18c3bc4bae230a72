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

template <class T>
const T& structured(const Stage& s, std::string_view attribute) {
  const T* t = std::any_cast<T>(&s.attrs.get<std::any>(attribute));
  ensure(t != nullptr, "stage '" + s.name + "': attribute of another type");
  return *t;
}

}  // namespace

const HwStage& hw_stage(const Stage& s) { return structured<HwStage>(s, "hwStage"); }
const std::vector<HwOp>& hw_ops(const Stage& s) { return structured<std::vector<HwOp>>(s, "hwOps"); }

void set_hw_stage(Stage& s, const HwStage& h) {
  Attrs& a = s.attrs;
  a.set("hwStage", std::any(h));
  a.set("hwOpType", name_of(h.op));
  a.set("kernelSizeX", h.kernel_x);
  a.set("kernelSizeY", h.kernel_y);
  a.set("kernelStride", h.stride);
  a.set("pad.enable", h.pad.enabled());
  a.set("pad", std::vector<int64_t>{h.pad.left, h.pad.right, h.pad.top, h.pad.bottom});
  a.set("tiling.mode", name_of(h.tiling.mode));
  a.set("tiling.numDescr", h.tiling.descriptors);
  a.set("withReLU", h.relu);
  if (h.op == HwOpType::Pool) {
    a.set("poolType", h.pool_type == HwPoolType::Max ? "MAX" : "AVERAGE");
    a.set("tiling.chansPerDescr", h.tiling.channels_per_descriptor);
    return;
  }
  if (h.op == HwOpType::ConvPool) {
    a.set("poolKernelSizeX", h.pool_kernel_x);
    a.set("poolKernelSizeY", h.pool_kernel_y);
  }
  a.set("tiling.outChansPerDescr", h.tiling.channels_per_descriptor);
  a.set("tiling.lastOutChans", h.tiling.last_channels);
  a.set("tiling.extendedInputDimC", h.tiling.extended_in_channels);
  a.set("tiling.extendedOutputDimC", h.tiling.extended_out_channels);
  a.set("tiling.cost", h.tiling.cost);
  a.set("withClamp", h.clamp);
  a.set("scaleFactor", h.scale_factor);
  if (h.partial) return;
  a.set("a0", h.a0);
  a.set("a1", h.a1);
  a.set("negativeSlope", h.negative_slope);
  a.set("clampMax", h.clamp_max);
}

}  // namespace blobsmith::vpu
