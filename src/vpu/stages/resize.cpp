// Resizing (stages spec §8).
// Attributes: Interp: align_corners, mode, coordinate_transformation_mode integers. Resample: antialias, factor real,
// type (0), coordinate_transformation_mode, nearest_mode integers.
#include "vpu/format/resize.hpp"

#include "vpu/stages/rules.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

std::unique_ptr<StageParams> encode_interp(const Stage& s) {
  auto p = std::make_unique<InterpParams>();
  p->align_corners = word(s, "align_corners");
  p->mode = uword(s, "mode");
  p->coordinate_mode = uword(s, "coordinate_transformation_mode");
  return p;
}

std::unique_ptr<StageParams> encode_resample(const Stage& s) {
  auto p = std::make_unique<ResampleParams>();
  p->antialias = word(s, "antialias");
  p->factor = real(s, "factor");
  p->type = uword(s, "type", 0);
  p->coordinate_mode = uword(s, "coordinate_transformation_mode");
  p->nearest_mode = uword(s, "nearest_mode");
  return p;
}

constexpr StageDef kDefs[] = {
    {.type = StageType::Interp,
     .order = output_keeps_order,
     .batch = split_batch,
     .types = "FP16 -> FP16",
     .encode = encode_interp},
    {.type = StageType::Resample,
     .order = output_keeps_order,
     .batch = split_batch,
     .types = "FP16 -> FP16",
     .encode = encode_resample},
};

}  // namespace

std::span<const StageDef> resize_defs() { return kDefs; }

}  // namespace blobsmith::vpu
