// Parameters of software convolutions, deconvolutions and matrix products (stages spec §6). FC has none.
#pragma once
#include "vpu/format/sliding_window.hpp"

namespace blobsmith::vpu {

/// Conv, Im2ColConvolution, DepthConv, RefConvolution.
struct ConvParams : SlidingWindowParams {
  uint32_t dilation_x = 1, dilation_y = 1;
  Window window() const {
    Window w = SlidingWindowParams::window();
    w.dilation_x = dilation_x;
    w.dilation_y = dilation_y;
    return w;
  }
  void set_window(const Window& w) {
    SlidingWindowParams::set_window(w);
    dilation_x = static_cast<uint32_t>(w.dilation_x);
    dilation_y = static_cast<uint32_t>(w.dilation_y);
  }
  void fields(FieldArchive& a) override {
    SlidingWindowParams::fields(a);
    a.word("dilationX", dilation_x);
    a.word("dilationY", dilation_y);
  }
};

/// Deconvolution, DepthDeconv.
struct DeconvParams : SlidingWindowParams {};

/// Lists start with X.
struct ConvNDParams : StageParams {
  std::vector<int32_t> pads_begin, pads_end, strides, dilations;
  int32_t groups = 1;
  void fields(FieldArchive& a) override {
    a.words("pads_begin", pads_begin);
    a.words("pads_end", pads_end);
    a.words("strides", strides);
    a.words("dilations", dilations);
    a.word("groups", groups);
  }
};

struct GemmParams : StageParams {
  float alpha = 1, beta = 1;
  int32_t has_three_inputs = 0, transpose_a = 0, transpose_b = 0;
  void fields(FieldArchive& a) override {
    a.word("alpha", alpha);
    a.word("beta", beta);
    a.word("hasThreeInputs", has_three_inputs);
    a.word("transposeA", transpose_a);
    a.word("transposeB", transpose_b);
  }
};

inline constexpr StageFormat kConvolutionFormats[] = {
    {.type = StageType::Conv, .make_params = make_params_of<ConvParams>, .buffer_order = "in0 out0 in1 temp*"},
    {.type = StageType::Im2ColConvolution,
     .make_params = make_params_of<ConvParams>,
     .buffer_order = "in0 out0 in1 temp*"},
    {.type = StageType::DepthConv, .make_params = make_params_of<ConvParams>, .buffer_order = "in0 out0 in1 temp*"},
    {.type = StageType::RefConvolution,
     .make_params = make_params_of<ConvParams>,
     .buffer_order = "in0 out0 in1 temp*"},
    {.type = StageType::Deconvolution,
     .make_params = make_params_of<DeconvParams>,
     .buffer_order = "in0 out0 in1 temp*"},
    {.type = StageType::DepthDeconv, .make_params = make_params_of<DeconvParams>, .buffer_order = "in0 out0 in1 temp*"},
    {.type = StageType::ConvND, .make_params = make_params_of<ConvNDParams>, .buffer_order = "in0 out0 in1 in2"},
    {.type = StageType::GEMM, .make_params = make_params_of<GemmParams>, .buffer_order = "in* out0"},
};

}  // namespace blobsmith::vpu
