// Parameters of the resizing stages (stages spec §8).
// Coordinate modes: 0 half_pixel, 1 pytorch_half_pixel, 2 asymmetric, 3 tf_half_pixel_for_nn, 4 align_corners.
#pragma once
#include "vpu/format/stage_format.hpp"

namespace blobsmith::vpu {

/// Linear.
struct InterpParams : StageParams {
  int32_t align_corners = 0;
  uint32_t mode = 1;  ///< 1 linear, 3 linear_onnx
  uint32_t coordinate_mode = 0;
  void fields(FieldArchive& a) override {
    a.word("align_corners", align_corners);
    a.word("mode", mode);
    a.word("coordMode", coordinate_mode);
  }
};

/// Nearest.
struct ResampleParams : StageParams {
  int32_t antialias = 0;
  float factor = -1;  ///< -1: take the sizes
  uint32_t type = 0;
  uint32_t coordinate_mode = 0;
  uint32_t nearest_mode = 0;  ///< 0 round_prefer_floor, 1 round_prefer_ceil, 2 floor, 3 ceil, 4 simple
  void fields(FieldArchive& a) override {
    a.word("antialias", antialias);
    a.word("factor", factor);
    a.word("type", type);
    a.word("coordMode", coordinate_mode);
    a.word("nearestMode", nearest_mode);
  }
};

inline constexpr StageFormat kResizeFormats[] = {
    {.type = StageType::Interp, .make_params = make_params_of<InterpParams>},
    {.type = StageType::Resample, .make_params = make_params_of<ResampleParams>},
};

}  // namespace blobsmith::vpu
