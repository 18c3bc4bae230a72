#include "vpu/format/stage_type.hpp"

namespace blobsmith::vpu {

const char* to_string(StageType t) {
  switch (t) {
#define X(name, id) \
  case StageType::name: return #name;
    BLOBSMITH_STAGE_TYPES(X)
#undef X
  }
  return "?";
}

std::optional<StageType> stage_type_from_id(int32_t id) {
  switch (id) {
#define X(name, number) \
  case number: return StageType::name;
    BLOBSMITH_STAGE_TYPES(X)
#undef X
    default: return std::nullopt;
  }
}

StageCategory category(StageType t) {
  if (static_cast<int32_t>(t) < 0) return StageCategory::Special;
  if (t == StageType::MyriadXHwOp) return StageCategory::HW;
  if (t == StageType::Copy || t == StageType::LoopStart || t == StageType::LoopEnd) return StageCategory::DMA;
  return StageCategory::SHAVE;
}

}  // namespace blobsmith::vpu
