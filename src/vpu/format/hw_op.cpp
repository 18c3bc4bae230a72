#include "vpu/format/hw_op.hpp"

namespace blobsmith::vpu {

namespace {

template <class E>
void enum_field(FieldArchive& a, std::string_view name, E& v) {
  auto word = static_cast<uint32_t>(v);
  a.word(name, word);
  v = static_cast<E>(word);
}

}  // namespace

void HwOp::fields(FieldArchive& a) {
  enum_field(a, "opType", type);
  const bool fc = type == HwOpType::FullyConnected;
  if (type == HwOpType::Pool) enum_field(a, "poolType", pool_type);
  enum_field(a, "opMode", mode);
  a.word("withPad", with_pad);
  if (with_pad) a.word("padMode", pad_mode);
  a.word("inputInd", input_index);
  a.word("outputInd", output_index);
  a.word("coeffsInd", weights_index);
  a.word("biasesInd", biases_index);
  a.word("scalesInd", scales_index);
  if (fc) {
    a.word("fcInputOffset", fc_input_offset);
    a.word("fcInputNum", fc_inputs);
    a.word("fcOutputOffset", fc_output_offset);
    a.word("fcOutputNum", fc_outputs);
    a.word("fcAccum", fc_accumulate);
  } else {
    a.word("outChanOffset", out_channel_offset);
    a.word("outNumChans", out_channels);
    a.word("kernelWidth", kernel_width);
    a.word("kernelHeight", kernel_height);
    a.word("kernelStride", kernel_stride);
  }
  if (type == HwOpType::ConvPool) {
    a.word("poolKernelWidth", pool_kernel_width);
    a.word("poolKernelHeight", pool_kernel_height);
  }
  a.word("withReLU", with_relu);
  if (with_relu) {
    a.word("t0", t0);
    a.word("a0", a0);
    a.word("a1", a1);
  }
  a.word("withClamp", with_clamp);
  if (with_clamp) a.word("clampMaxVal", clamp_max);
  a.word("reuseData", reuse_data);
  a.word("reuseCoeff", reuse_weights);
}

/// "input", "weights", "biases", "scales", "output", by the indices in the operations.
std::string hw_op_role(const StageParams& params, int k, int) {
  for (const HwOp& op : dynamic_cast<const HwOpParams&>(params).ops) {
    if (k == op.input_index) return "input";
    if (k == op.output_index) return "output";
    if (k == op.weights_index) return "weights";
    if (k == op.biases_index) return "biases";
    if (k == op.scales_index) return "scales";
  }
  return "";
}

}  // namespace blobsmith::vpu
