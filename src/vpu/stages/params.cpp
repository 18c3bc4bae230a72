// Parameters whose fields depend on each other or on the bytes left.
#include "vpu/stages/params.hpp"

#include "vpu/stages/custom.hpp"
#include "vpu/stages/data_movement.hpp"
#include "vpu/stages/hw_op.hpp"
#include "vpu/stages/recurrent.hpp"

namespace blobsmith::vpu {
namespace {

template <class E>
void enum_field(FieldArchive& a, std::string_view name, E& v) {
  auto word = static_cast<uint32_t>(v);
  a.word(name, word);
  v = static_cast<E>(word);
}

}  // namespace

// The pairs have no count: what is left before the two last words.
void PadParams::fields(FieldArchive& a) {
  constexpr size_t kTail = sizeof pad_value + sizeof pad_mode, kPair = 8;
  if (a.reading()) pads.assign((a.remaining() < kTail ? 0 : a.remaining() - kTail) / kPair, {});
  for (Pair& p : pads) {
    a.word("begin", p.begin);
    a.word("end", p.end);
  }
  a.word("pad_value", pad_value);
  a.word("pad_mode", pad_mode);
}

void LoopParams::component_fields(FieldArchive& a) {
  auto n = static_cast<uint32_t>(components.size());
  a.word("componentCount", n);
  if (a.reading()) {
    if (a.remaining() == size_t{16} * n + 4) batch_dim_index = 0;
    components.clear();
  }
  if (batch_dim_index) a.word("batchDimInd", *batch_dim_index);
  for (uint32_t i = 0; i < n; ++i) {
    a.begin_item("components", static_cast<int>(i));
    if (a.reading()) components.emplace_back();
    components[i].fields(a);
    a.end_item();
  }
}

void CustomParams::fields(FieldArchive& a) {
  for (uint32_t& v : groups) a.word("groupsPerDim", v);
  for (uint32_t& v : local) a.word("localSize", v);
  for (uint32_t& v : offset) a.word("offset", v);
  a.word("maxShaves", max_shaves);
  a.word("kernelId", kernel_id);
  a.word("inputDataCount", input_data_count);
  a.word("bufferCount", buffer_count);
  list_field(a, "parameterCount", "arguments", arguments);
}

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

}  // namespace blobsmith::vpu
