// Parameters of software convolutions, deconvolutions and matrix products (stages spec §6). FC has none.
#pragma once
#include "vpu/stages/sliding_window.hpp"

namespace blobsmith::vpu {

/// Conv, Im2ColConvolution, DepthConv, RefConvolution.
struct ConvParams : SlidingWindowParams {
  uint32_t dilation_x = 1, dilation_y = 1;
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

}  // namespace blobsmith::vpu
