#include "vpu/program/window.hpp"

namespace blobsmith::vpu {
namespace {

bool is_pooling(const Stage& s) {
  return s.is_any(StageType::StubMaxPool, StageType::StubAvgPool, StageType::MaxPool, StageType::AvgPool,
                  StageType::GlobalMaxPool);
}

}  // namespace

Window window_of(const Stage& s) {
  const Attrs& a = s.attrs;
  return {a.integer("kernelSizeX"),  a.integer("kernelSizeY"), a.integer("kernelStrideX"), a.integer("kernelStrideY"),
          a.integer("padLeft"),      a.integer("padRight"),    a.integer("padTop"),        a.integer("padBottom"),
          a.integer("dilationX", 1), a.integer("dilationY", 1)};
}

void set_window(Stage& s, const Window& w) {
  s.attrs.set("kernelSizeX", w.kernel_x);
  s.attrs.set("kernelSizeY", w.kernel_y);
  s.attrs.set("kernelStrideX", w.stride_x);
  s.attrs.set("kernelStrideY", w.stride_y);
  s.attrs.set("padLeft", w.pad_left);
  s.attrs.set("padRight", w.pad_right);
  s.attrs.set("padTop", w.pad_top);
  s.attrs.set("padBottom", w.pad_bottom);
  if (is_pooling(s)) return;
  s.attrs.set("dilationX", w.dilation_x);
  s.attrs.set("dilationY", w.dilation_y);
}

}  // namespace blobsmith::vpu
