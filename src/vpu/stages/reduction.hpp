// Parameters of reductions and TopK (stages spec §9).
#pragma once
#include "vpu/stages/params.hpp"

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

}  // namespace blobsmith::vpu
