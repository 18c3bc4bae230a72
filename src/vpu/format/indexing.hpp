// Parameters of the stages driven by indices or shapes (stages spec §5).
#pragma once
#include "vpu/format/stage_format.hpp"

namespace blobsmith::vpu {

struct GatherParams : StageParams {
  int32_t axis = 0;  ///< position in the data
  void fields(FieldArchive& a) override { a.word("axis", axis); }
};

struct GatherNDParams : StageParams {
  int32_t batch_dims = 0;
  void fields(FieldArchive& a) override { a.word("batch_dims", batch_dims); }
};

struct GatherElementsParams : StageParams {
  int32_t axis = 0;  ///< framework axis, 0 = outermost
  int32_t row_indices_mode = 0;
  void fields(FieldArchive& a) override {
    a.word("axis", axis);
    a.word("rowIndicesMode", row_indices_mode);
  }
};

struct ReverseSequenceParams : StageParams {
  int32_t seq_axis = 0, batch_axis = 0;
  void fields(FieldArchive& a) override {
    a.word("seq_axis", seq_axis);
    a.word("batch_axis", batch_axis);
  }
};

struct OneHotParams : StageParams {
  int32_t axis = 0;
  uint32_t depth = 0;
  float on_value = 1, off_value = 0;
  void fields(FieldArchive& a) override {
    a.word("axis", axis);
    a.word("depth", depth);
    a.word("on_value", on_value);
    a.word("off_value", off_value);
  }
};

struct OutShapeOfReshapeParams : StageParams {
  int32_t special_zero = 0;
  void fields(FieldArchive& a) override { a.word("specialZero", special_zero); }
};

inline constexpr StageFormat kIndexingFormats[] = {
    {.type = StageType::Gather, .make_params = make_params_of<GatherParams>},
    {.type = StageType::GatherND, .make_params = make_params_of<GatherNDParams>},
    {.type = StageType::GatherElements, .make_params = make_params_of<GatherElementsParams>},
    {.type = StageType::ReverseSequence,
     .make_params = make_params_of<ReverseSequenceParams>,
     .buffer_order = "in0 in1 out0"},
    {.type = StageType::OneHot, .make_params = make_params_of<OneHotParams>},
    {.type = StageType::NonZero, .buffer_order = "in0 out0 out1"},
    {.type = StageType::OutShapeOfReshape,
     .make_params = make_params_of<OutShapeOfReshapeParams>,
     .buffer_order = "in0 in1 out0"},
};

}  // namespace blobsmith::vpu
