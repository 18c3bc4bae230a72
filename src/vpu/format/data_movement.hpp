// Parameters of the stages that move data without computing (stages spec §5). Copy, None, NonZero, HwFcRelayout,
// ScatterUpdate and ScatterElementsUpdate have none.
#pragma once
#include <array>

#include "vpu/format/stage_format.hpp"

namespace blobsmith::vpu {

struct PermuteParams : StageParams {
  std::array<int32_t, 8> permutation{};  ///< output position -> input position, -1 beyond the rank
  void fields(FieldArchive& a) override {
    for (int32_t& p : permutation) a.word("permutation", p);
  }
};

struct ConvertParams : StageParams {
  float scale = 1, bias = 0;
  int32_t convert_from_det_output = 0, have_batch = 1;
  void fields(FieldArchive& a) override {
    a.word("scale", scale);
    a.word("bias", bias);
    a.word("convertFromDetOutput", convert_from_det_output);
    a.word("haveBatch", have_batch);
  }
};

struct ConcatParams : StageParams {
  uint32_t axis = 0, num_inputs = 0;
  void fields(FieldArchive& a) override {
    a.word("axis", axis);
    a.word("numInputs", num_inputs);
  }
};

struct BroadcastParams : StageParams {
  int32_t mode = 0;  ///< 0 numpy, 1 explicit, 2 bidirectional
  void fields(FieldArchive& a) override { a.word("mode", mode); }
};

struct TileParams : StageParams {
  int32_t axis = 0, tiles = 1;
  void fields(FieldArchive& a) override {
    a.word("axis", axis);
    a.word("tiles", tiles);
  }
};

struct PadParams : StageParams {
  struct Pair {
    uint32_t begin = 0, end = 0;
  };
  std::vector<Pair> pads;  ///< per position, at least four
  float pad_value = 0;
  uint32_t pad_mode = 0;  ///< 0 constant, 1 edge, 2 reflect, 3 symmetric
  void fields(FieldArchive& a) override;
};

struct StridedSliceParams : StageParams {
  uint32_t begin_mask = 0, end_mask = 0, new_axis_mask = 0, shrink_axis_mask = 0, ellipsis_mask = 0;
  void fields(FieldArchive& a) override {
    a.word("beginMask", begin_mask);
    a.word("endMask", end_mask);
    a.word("newAxisMask", new_axis_mask);
    a.word("shrinkAxisMask", shrink_axis_mask);
    a.word("ellipsisMask", ellipsis_mask);
  }
};

/// Zero insertion in front of a convolution that stands for a deconvolution.
struct UpsamplingParams : StageParams {
  int32_t scale_x = 1, scale_y = 1, scale_z = 1;
  int32_t pad_left_x = 0, pad_right_x = 0, pad_left_y = 0, pad_right_y = 0, pad_left_z = 0, pad_right_z = 0;
  void fields(FieldArchive& a) override {
    a.word("scaleX", scale_x);
    a.word("scaleY", scale_y);
    a.word("scaleZ", scale_z);
    a.word("padLeftX", pad_left_x);
    a.word("padRightX", pad_right_x);
    a.word("padLeftY", pad_left_y);
    a.word("padRightY", pad_right_y);
    a.word("padLeftZ", pad_left_z);
    a.word("padRightZ", pad_right_z);
  }
};

inline constexpr StageFormat kDataMovementFormats[] = {
    {.type = StageType::None, .buffer_order = ""},
    {.type = StageType::Permute, .make_params = make_params_of<PermuteParams>},
    {.type = StageType::Convert, .make_params = make_params_of<ConvertParams>},
    {.type = StageType::Concat, .make_params = make_params_of<ConcatParams>, .buffer_order = "in* out0"},
    {.type = StageType::Broadcast, .make_params = make_params_of<BroadcastParams>, .buffer_order = "in* out0"},
    {.type = StageType::Tile, .make_params = make_params_of<TileParams>},
    {.type = StageType::Pad, .make_params = make_params_of<PadParams>},
    {.type = StageType::StridedSlice,
     .make_params = make_params_of<StridedSliceParams>,
     .buffer_order = "in0 in1 in2 in3 out0"},
    {.type = StageType::Upsampling, .make_params = make_params_of<UpsamplingParams>},
};

}  // namespace blobsmith::vpu
