// Parameters of LSTM cells and of loops (stages spec §11).
#pragma once
#include <optional>

#include "vpu/format/stage_format.hpp"

namespace blobsmith::vpu {

struct LstmCellParams : StageParams {
  int32_t forward = 1, n_cells = 1, n_batches = 1, use_cell_state = 0, outputs = 1;
  void fields(FieldArchive& a) override {
    a.word("RNNForward", forward);
    a.word("nCells", n_cells);
    a.word("nBatches", n_batches);
    a.word("useCellState", use_cell_state);
    a.word("numOutputs", outputs);
  }
};

/// One tensor that a loop slices along an axis (a memory position).
struct LoopSlice {
  int32_t axis = 0, start = 0, stride = 1, end = -1;
  void fields(FieldArchive& a) {
    a.word("axis", axis);
    a.word("start", start);
    a.word("stride", stride);
    a.word("end", end);
  }
  auto operator<=>(const LoopSlice&) const = default;
};

/// What LoopStart and LoopEnd share: the iterations, the slices and, for a dynamic batch, where the batch stands.
struct LoopParams : StageParams {
  int32_t iterations = -1;                  ///< -1: dynamic
  std::optional<uint32_t> batch_dim_index;  ///< position of the batch in the shape tensor of the first buffer
  std::vector<LoopSlice> components;

 protected:
  void component_fields(FieldArchive& a);
};

struct LoopStartParams : LoopParams {
  uint32_t stages_count = 0;  ///< stages of the blob from LoopStart to LoopEnd, both included
  void fields(FieldArchive& a) override {
    a.word("iterations", iterations);
    a.word("stagesCount", stages_count);
    component_fields(a);
  }
};

struct LoopEndParams : LoopParams {
  void fields(FieldArchive& a) override {
    a.word("iterations", iterations);
    component_fields(a);
  }
};

std::string lstm_role(const StageParams& params, int k, int count);
std::string loop_role(const StageParams& params, int k, int count);

inline constexpr StageFormat kRecurrentFormats[] = {
    {.type = StageType::LSTMCell, .make_params = make_params_of<LstmCellParams>, .role = lstm_role},
    {.type = StageType::LoopStart, .make_params = make_params_of<LoopStartParams>, .role = loop_role},
    {.type = StageType::LoopEnd, .make_params = make_params_of<LoopEndParams>, .role = loop_role},
};

}  // namespace blobsmith::vpu
