// Parameters of reductions and TopK (stages spec §9).
#pragma once
#include "vpu/format/stage_format.hpp"

namespace blobsmith::vpu {

/// ReduceAnd, ReduceMin, ReduceMax, ReduceSum, ReduceMean.
struct ReduceParams : StageParams {
  int32_t keep_dims = 0;
  void fields(FieldArchive& a) override { a.word("keep_dims", keep_dims); }
};

struct TopKParams : StageParams {
  int32_t axis = 0;
  int32_t mode = 0;  ///< 0 max, 1 min
  int32_t sort = 0;  ///< 0 none, 1 value, 2 index
  int32_t values_present = 0, indices_present = 0;
  void fields(FieldArchive& a) override {
    a.word("axis", axis);
    a.word("mode", mode);
    a.word("sort", sort);
    a.word("valuesPresent", values_present);
    a.word("indicesPresent", indices_present);
  }
};

inline constexpr StageFormat kReductionFormats[] = {
    {.type = StageType::ReduceAnd, .make_params = make_params_of<ReduceParams>, .buffer_order = "in0 out0 in1"},
    {.type = StageType::ReduceMin, .make_params = make_params_of<ReduceParams>, .buffer_order = "in0 out0 in1"},
    {.type = StageType::ReduceMax, .make_params = make_params_of<ReduceParams>, .buffer_order = "in0 out0 in1"},
    {.type = StageType::ReduceSum, .make_params = make_params_of<ReduceParams>, .buffer_order = "in0 out0 in1"},
    {.type = StageType::ReduceMean, .make_params = make_params_of<ReduceParams>, .buffer_order = "in0 out0 in1"},
    {.type = StageType::TopK, .make_params = make_params_of<TopKParams>, .buffer_order = "in0 in1 out*"},
};

}  // namespace blobsmith::vpu
