// Parameters of software poolings (stages spec §6).
#pragma once
#include "vpu/format/sliding_window.hpp"

namespace blobsmith::vpu {

/// MaxPool, AvgPool, GlobalMaxPool, GlobalAvgPool.
struct PoolParams : SlidingWindowParams {
  uint32_t exclude_pad = 0;
  void fields(FieldArchive& a) override {
    SlidingWindowParams::fields(a);
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

inline constexpr StageFormat kPoolingFormats[] = {
    {.type = StageType::MaxPool, .make_params = make_params_of<PoolParams>},
    {.type = StageType::AvgPool, .make_params = make_params_of<PoolParams>},
    {.type = StageType::GlobalAvgPool, .make_params = make_params_of<PoolParams>},
    {.type = StageType::GlobalMaxPool, .make_params = make_params_of<PoolParams>},
    {.type = StageType::PoolND, .make_params = make_params_of<PoolNDParams>},
};

}  // namespace blobsmith::vpu
