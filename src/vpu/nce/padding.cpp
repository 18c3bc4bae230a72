// hwPadding: paddings that the convolution engine can't do become a Pad stage (hw-tiling spec §4.7).
#include "vpu/nce/padding.hpp"

#include "vpu/nce/passes.hpp"
#include "vpu/nce/stub.hpp"
#include "vpu/program/builders.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

/// quirk: even kernels over odd planes always get a Pad stage, of at least one pixel at the end.
bool widen_for_even_kernel(int64_t kernel, int64_t in, int64_t& pad_after) {
  if (kernel % 2 != 0 || in % 2 == 0) return false;
  if (pad_after == 0) pad_after = 1;
  return true;
}

bool conv_supported(const Window& w) {
  return nce::conv_padding_supported(w.kernel_x, w.kernel_y, {w.pad_left, w.pad_right, w.pad_top, w.pad_bottom});
}

bool pool_supported(const Stage& s, Window& w) {
  const DataDesc &in = s.input(0)->desc, &out = s.output()->desc;
  const bool forced_x = widen_for_even_kernel(w.kernel_x, in.dim(Dim::W), w.pad_right);
  const bool forced_y = widen_for_even_kernel(w.kernel_y, in.dim(Dim::H), w.pad_bottom);
  const nce::Padding needed =
      nce::required_padding({in.dim(Dim::W), in.dim(Dim::H)}, {out.dim(Dim::W), out.dim(Dim::H)}, w.kernel_x,
                            w.kernel_y, w.stride_x, w.pad_left, w.pad_top);
  return !forced_x && !forced_y && nce::pool_padding_supported(w.kernel_x, w.kernel_y, needed);
}

void add_pad_stage(Program& p, Stage* s, Window w) {
  Data* in = s->input(0);
  DataDesc desc = in->desc;
  desc.dims.set(Dim::W, desc.dim(Dim::W) + w.pad_left + w.pad_right);
  desc.dims.set(Dim::H, desc.dim(Dim::H) + w.pad_top + w.pad_bottom);
  Data* padded = p.duplicate(in, "@padded", desc);
  p.replace_input(s, 0, padded);
  const PadMode mode = s->is(StageType::StubMaxPool) ? PadMode::Edge : PadMode::Constant;
  add_pad(p, s->name + "@padding", s->layer, in, padded, mode, 0.0f, {{Dim::W, w.pad_left}, {Dim::H, w.pad_top}},
          {{Dim::W, w.pad_right}, {Dim::H, w.pad_bottom}});
  w.pad_left = w.pad_right = w.pad_top = w.pad_bottom = 0;
  s->change<StubSpec>([&](StubSpec& stub) { stub.window = w; });
}

}  // namespace

void hw_padding(Program& p) {
  p.for_each_stage([&](Stage* s) {
    const bool conv = nce::is_hw_stub(*s, StageType::StubConv);
    if (!conv && !nce::is_hw_pool_stub(*s)) return;
    Window w = window_of(*s);
    const bool supported = conv ? conv_supported(w) : pool_supported(*s, w);
    if (supported) return;
    add_pad_stage(p, s, w);
  });
}

}  // namespace blobsmith::vpu
