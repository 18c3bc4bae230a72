// Parameters of software poolings (stages spec §6).
#pragma once
#include "vpu/stages/params.hpp"

namespace blobsmith::vpu {

/// MaxPool, AvgPool, GlobalMaxPool.
struct PoolParams : StageParams {
  uint32_t kernel_x = 1, kernel_y = 1, stride_x = 1, stride_y = 1, pad_left = 0, pad_top = 0, exclude_pad = 0;
  void fields(FieldArchive& a) override {
    a.word("kernelX", kernel_x);
    a.word("kernelY", kernel_y);
    a.word("strideX", stride_x);
    a.word("strideY", stride_y);
    a.word("padLeft", pad_left);
    a.word("padTop", pad_top);
    a.word("excludePad", exclude_pad);
  }
};

/// Lists start with X.
struct PoolNDParams : StageParams {
  std::vector<int32_t> kernel, pads_begin, pads_end, strides;
  int32_t interleaved = 0;
  int32_t method = 1;    ///< 1 max, 2 average
  int32_t rounding = 3;  ///< 3 floor, 4 ceil
  int32_t exclude_pad = 0;
  void fields(FieldArchive& a) override {
    a.words("kernel", kernel);
    a.words("pads_begin", pads_begin);
    a.words("pads_end", pads_end);
    a.words("strides", strides);
    a.word("interleaved", interleaved);
    a.word("method", method);
    a.word("rounding", rounding);
    a.word("exclude_pad", exclude_pad);
  }
};

}  // namespace blobsmith::vpu
