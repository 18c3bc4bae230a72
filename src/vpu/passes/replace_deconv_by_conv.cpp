// replaceDeconvByConv (middle-end spec §3.14): a deconvolution is a convolution with the flipped kernel over the
// input with zeros put in between. Upsampling does the latter: stride - 1 zeros between neighbours, kernel - 1 - pad
// around.
//
//   stride 2, kernel 3, pad 0, in one dimension:   a b   ->   0 0 a 0 b 0 0   -> convolution with (k2 k1 k0), 5 results
//
// Deconvolutions that the engine could not do as a convolution (a kernel above 15, uneven pads, groups) stay as they
// are for sw_deconv_adaptation.
#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

constexpr int64_t kMaxKernel = 15;

bool fits_axis(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t begin, int64_t end) {
  return stride * (in - 1) + kernel - begin - end == out;
}

bool is_replaceable(const Program& p, const Stage& s) {
  const Window w = window_of(s);
  const DataDesc &in = s.input(0)->desc, &out = s.output()->desc;
  if (w.pad_left >= w.kernel_x || w.pad_right >= w.kernel_x || w.pad_top >= w.kernel_y || w.pad_bottom >= w.kernel_y)
    return false;
  if (s.get<StubSpec>().groups != 1 || w.pad_top != w.pad_bottom || w.pad_left != w.pad_right) return false;
  if (w.kernel_x > kMaxKernel || w.kernel_y > kMaxKernel) return false;
  if (s.layer && p.options.hw_disabled(s.layer->name)) return false;
  if (out.rank() < 4) return false;
  return fits_axis(in.dim(Dim::W), out.dim(Dim::W), w.kernel_x, w.stride_x, w.pad_left, w.pad_right) &&
         fits_axis(in.dim(Dim::H), out.dim(Dim::H), w.kernel_y, w.stride_y, w.pad_top, w.pad_bottom);
}

DataDesc upsampled_desc(const DataDesc& in, const DataDesc& out, const Window& w) {
  DataDesc r = out;
  r.dims.set(Dim::W, (in.dim(Dim::W) - 1) * w.stride_x + 1 + 2 * (w.kernel_x - 1) - w.pad_left - w.pad_right);
  r.dims.set(Dim::H, (in.dim(Dim::H) - 1) * w.stride_y + 1 + 2 * (w.kernel_y - 1) - w.pad_top - w.pad_bottom);
  r.dims.set(Dim::C, in.dim(Dim::C));
  r.dims.set(Dim::N, in.dim(Dim::N));
  return r;
}

std::string base_name(const Stage& deconv) { return deconv.layer ? deconv.layer->name : deconv.name; }

void add_upsampling(Program& p, const Stage& deconv, Data* in, Data* out, const Window& w) {
  UpsamplingParams u;
  u.scale_x = static_cast<int32_t>(w.stride_x);
  u.scale_y = static_cast<int32_t>(w.stride_y);
  u.pad_left_x = static_cast<int32_t>(w.kernel_x - 1 - w.pad_left);
  u.pad_right_x = static_cast<int32_t>(w.kernel_x - 1 - w.pad_right);
  u.pad_left_y = static_cast<int32_t>(w.kernel_y - 1 - w.pad_top);
  u.pad_right_y = static_cast<int32_t>(w.kernel_y - 1 - w.pad_bottom);
  p.add_stage(base_name(deconv) + "@Upsample", StageType::Upsampling, deconv.layer, {in}, {out})->set(u);
}

void replace_deconv(Program& p, Stage* deconv) {
  const Window w = window_of(*deconv);
  Data *in = deconv->input(0), *weights = deconv->input(1), *biases = deconv->input(2), *scales = deconv->input(3),
       *out = deconv->output();
  require_const(*deconv, 1);
  p.disconnect(deconv);
  Data* upsampled = p.duplicate(out, "@upsampleData", upsampled_desc(in->desc, out->desc, w));
  const Bytes flipped =
      contents::deconv_as_conv(weights->content, in->desc.dim(Dim::C), out->desc.dim(Dim::C), w.kernel_x * w.kernel_y);
  Data* conv_weights = p.duplicate(weights, "@upsampleData", weights->desc, flipped);
  add_upsampling(p, *deconv, in, upsampled, w);
  Stage* conv = add_convolution(p, base_name(*deconv) + "@UpsampleConv", deconv->layer, upsampled, conv_weights, biases,
                                scales, out);
  StubSpec stub;
  stub.window = {.kernel_x = w.kernel_x, .kernel_y = w.kernel_y};
  stub.try_hw = true;
  stub.scale_factor = deconv->get<StubSpec>().scale_factor;
  conv->set(stub);
  p.remove(deconv);
}

}  // namespace

void replace_deconv_by_conv(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (s->is(StageType::StubDeconv) && is_replaceable(p, *s)) replace_deconv(p, s);
  });
}

}  // namespace blobsmith::vpu
