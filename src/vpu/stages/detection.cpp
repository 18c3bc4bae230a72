// Detection heads: SSD, NMS, YOLO, CTC (stages spec §10).
#include "vpu/format/detection.hpp"

#include <array>

#include "vpu/stages/rules.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

// ---- DetectionOutput ----

// ---- StaticShapeNMS ----

struct NmsLists {
  int64_t boxes, indices, scores;  // bytes
  explicit NmsLists(int64_t n) : boxes(8 * n), indices(2 * n), scores(4 * n) {}
  int64_t total() const { return boxes + indices + scores; }
};

/// Two sets of lists and a small buffer, each whole in one of the slices.
bool fits_in_slices(const NmsLists& l, int64_t slices) {
  constexpr int64_t kSliceBytes = 100 * 1024, kSmallBuffer = 4096;
  int64_t used = 0, left = slices - 1;
  for (int64_t size : std::array{l.boxes, l.indices, l.scores, l.boxes, l.indices, l.scores, kSmallBuffer}) {
    if (used + size < kSliceBytes) {
      used += size;
    } else if (left > 0 && size < kSliceBytes) {
      --left;
      used = size;
    } else {
      return false;
    }
  }
  return true;
}

int64_t nms_boxes(const Stage& s) { return s.input(0)->desc.dim(Dim::H); }  // [batch, boxes, 4]

ShaveRequirement nms_shaves(const Stage& s) {
  return fits_in_slices(NmsLists(nms_boxes(s)), 1) ? ShaveRequirement::OnlyOne : ShaveRequirement::NeedMax;
}

void finalize_nms(Program& p, Stage& s) {
  const NmsMemory m = nms_memory(nms_boxes(s), p.resources.shaves);
  if (m.in_ddr)
    p.add_temp(&s, m.ddr_elements * element_size(DataType::FP16))->desc = DataDesc(DataType::FP16, {m.ddr_elements});
}

std::unique_ptr<StageParams> encode_nms(const Stage& s) {
  auto p = std::make_unique<StaticShapeNmsParams>(s.get<StaticShapeNmsParams>());
  p->use_ddr_buffer = !s.temps().empty();
  return p;
}

// ---- YOLO, CTC ----

void region_yolo_strides(const Stage& s, StrideRequirements& w) {
  if (s.get<RegionYoloParams>().do_softmax) w.inputs.at(0) = StridesRequirement::standard().set(2, StrideRule::Compact);
}

void ctc_order(const Stage& s, OrderRequirements& w) {
  w.outputs.at(0) = channels_at(s.output(0)->desc.order, position(s, Dim::C, s.input(0)));
}

constexpr StageRow kDefs[] = {
    {.type = StageType::DetectionOutput, .strides = compact_all, .types = "FP16 FP16 FP16 FP16* -> FP16"},
    {.type = StageType::StaticShapeNMS,
     .shaves = nms_shaves,
     .finalize_layout = finalize_nms,
     .types = "FP16 FP16 S32 FP16 FP16 -> S32 S32",
     .encode = encode_nms},
    {.type = StageType::RegionYolo, .strides = region_yolo_strides, .batch = split_batch, .types = "FP16 -> FP16"},
    {.type = StageType::ReorgYolo,
     .order = output_keeps_order,
     .strides = compact_if_channel_minor,
     .batch = split_batch,
     .types = "FP16 -> FP16"},
    {.type = StageType::CTCDecoder,
     .shaves = only_one,
     .order = ctc_order,
     .strides = compact_first,
     .batch = split_batch,
     .types = "FP16 FP16 -> FP16"},
    {.type = StageType::CTCGreedyDecoderSeqLen,
     .shaves = only_one,
     .order = default_orders,
     .strides = compact_all,
     .types = "FP16 S32 S32* -> S32 S32"},
    {.type = StageType::MTCNN, .batch = split_batch},
};

}  // namespace

int64_t detection_output_temp_bytes(int64_t images, int64_t classes, int64_t priors, int64_t shaves) {
  const int64_t scores = images * classes * priors;
  int64_t total = 0;
  for (int64_t bytes : std::array{8 * scores, 4 * scores, 4 * scores, 4 * images * classes, 2 * classes * priors,
                                  2 * scores, 4 * images, 2 * shaves * (priors + 8) * 5})
    total += bytes + kScratchSlack;
  return total;
}

NmsMemory nms_memory(int64_t boxes, int64_t shaves) {
  const NmsLists lists(boxes);
  NmsMemory m;
  m.one_slice = fits_in_slices(lists, 1);
  m.in_ddr = !m.one_slice && !fits_in_slices(lists, shaves);
  if (m.in_ddr) m.ddr_elements = 2 * lists.total() + 128;
  return m;
}

std::span<const StageRow> detection_defs() { return kDefs; }

}  // namespace blobsmith::vpu
