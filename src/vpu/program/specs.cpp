#include "vpu/program/specs.hpp"

namespace blobsmith::vpu {
namespace {

void show(FieldArchive& a, std::string_view name, int64_t v) {
  auto word = static_cast<int32_t>(v);
  a.word(name, word);
}
void show(FieldArchive& a, std::string_view name, double v) {
  auto real = static_cast<float>(v);
  a.word(name, real);
}
void show(FieldArchive& a, std::string_view name, const DimValues& v) {
  std::string text;
  v.for_each([&](Dim d, int64_t n) { text += (text.empty() ? "" : ", ") + to_string(d) + " : " + std::to_string(n); });
  a.text(name, text);
}

}  // namespace

void ReverseSequenceSpec::fields(FieldArchive& a) {
  a.text("seq_axis", to_string(seq));
  a.text("batch_axis", to_string(batch));
}

void PartsSpec::fields(FieldArchive& a) {
  for (const DimValues& o : offsets) show(a, "offsets", o);
  if (axis) a.text("axis", to_string(*axis));
}

void OffsetSpec::fields(FieldArchive& a) { show(a, "offset", offset); }

void CopySpec::fields(FieldArchive& a) {
  a.text("origin", origin);
  show(a, "optional", int64_t{optional});
  show(a, "CMX-to-DDR", int64_t{spill});
}

void PermuteSpec::fields(FieldArchive& a) {
  show(a, "permutation", permutation);
  if (output_order) a.text("outputOrder", output_order->name());
}

void PadSpec::fields(FieldArchive& a) {
  show(a, "pad_mode", static_cast<int64_t>(mode));
  show(a, "pad_value", value);
  show(a, "pads_begin", begin);
  show(a, "pads_end", end);
}

void EltwiseSpec::fields(FieldArchive& a) {
  show(a, "coeff1", coeff1);
  show(a, "coeff2", coeff2);
  a.text("postOperation", to_string(post_operation));
  show(a, "negativeSlope", negative_slope);
  show(a, "min_value", min_value);
  show(a, "max_value", max_value);
}

void StubSpec::fields(FieldArchive& a) {
  show(a, "kernelSizeX", window.kernel_x);
  show(a, "kernelSizeY", window.kernel_y);
  show(a, "kernelStrideX", window.stride_x);
  show(a, "kernelStrideY", window.stride_y);
  show(a, "padLeft", window.pad_left);
  show(a, "padRight", window.pad_right);
  show(a, "padTop", window.pad_top);
  show(a, "padBottom", window.pad_bottom);
  show(a, "dilationX", window.dilation_x);
  show(a, "dilationY", window.dilation_y);
  show(a, "groupSize", groups);
  show(a, "tryHW", int64_t{try_hw});
  show(a, "excludePad", int64_t{exclude_pad});
  show(a, "scaleFactor", scale_factor);
  show(a, "withReLU", int64_t{post.relu});
  show(a, "withClamp", int64_t{post.clamp});
  show(a, "withPool", int64_t{post.pool});
  show(a, "negativeSlope", post.negative_slope);
  show(a, "reluScale", post.relu_scale);
  show(a, "clampMax", post.clamp_max);
  show(a, "a0", int64_t{post.a0});
  show(a, "a1", int64_t{post.a1});
  if (conv_output) show(a, "origConvOutput", conv_output->dims);
}

}  // namespace blobsmith::vpu
