#include "vpu/format/recurrent.hpp"

namespace blobsmith::vpu {

namespace {
constexpr int kLstmInputs = 5;
}

std::string lstm_role(const StageParams& params, int k, int) {
  const int64_t outputs = dynamic_cast<const LstmCellParams&>(params).outputs;
  if (k < kLstmInputs) return "in" + std::to_string(k);
  k -= kLstmInputs;
  return k < outputs ? "out" + std::to_string(k) : "temp" + std::to_string(k - outputs);
}

void LoopParams::component_fields(FieldArchive& a) {
  auto n = static_cast<uint32_t>(components.size());
  a.word("componentCount", n);
  if (a.reading()) {
    if (a.remaining() == size_t{16} * n + 4) batch_dim_index = 0;
    components.clear();
  }
  if (batch_dim_index) a.word("batchDimInd", *batch_dim_index);
  for (uint32_t i = 0; i < n; ++i) {
    a.begin_item("components", static_cast<int>(i));
    if (a.reading()) components.emplace_back();
    components[i].fields(a);
    a.end_item();
  }
}

/// "batch", then "outer0 inner0 outer1 inner1".
std::string loop_role(const StageParams& params, int k, int) {
  if (dynamic_cast<const LoopParams&>(params).batch_dim_index && k-- == 0) return "batch";
  return (k % 2 == 0 ? "outer" : "inner") + std::to_string(k / 2);
}

}  // namespace blobsmith::vpu
