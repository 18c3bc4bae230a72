// DetectionOutput (SSD) and StaticShapeNMS (execution spec §9).
#include "vpu/format/detection.hpp"

#include "compute/non_max_suppression.hpp"
#include "compute/ssd_head.hpp"
#include "core/float16.hpp"
#include "emulator/kernels/shared.hpp"

namespace blobsmith::emulator {
namespace {

/// The numbers of an FP16 input, in memory order.
class InputNumbers {
 public:
  InputNumbers(StageRun& s, const View& input) : count_(input.count()), halves_(s, input, count_) {}
  InputNumbers(const InputNumbers&) = delete;
  InputNumbers& operator=(const InputNumbers&) = delete;
  compute::Numbers get() const {
    return {count_, [this](int64_t first, std::span<float> to) {
              halves_to_floats(halves_.data() + 2 * first, to.data(), to.size());
            }};
  }

 private:
  int64_t count_;
  CompactHalves halves_;
};

// Buffers: locations, scores, priors, [arm scores, arm locations], output, temp. Rows [image, class, score, box]; image
// -1 ends the list.
void run_detection_output(StageRun& s) {
  const auto& p = s.params<vpu::DetectionOutputParams>();
  s.check(p.num_priors > 0 && p.num_classes > 0 && p.num > 0, "a detection of nothing");
  const int64_t row = static_cast<int64_t>(p.num_priors) * (p.normalized ? 4 : 5);
  constexpr int kCorner = 1, kCornerSize = 3;

  compute::SsdHead head;
  head.images = p.num;
  head.prior_count = p.num_priors;
  head.classes = p.num_classes;
  head.background = p.background_label_id;
  head.share_location = p.share_location;
  head.best_class_only = p.decrease_label_id;
  head.clip_before_suppression = p.clip_before_nms;
  head.clip_after = p.clip_after_nms;
  head.code = p.code_type == kCorner       ? compute::BoxCode::Corner
              : p.code_type == kCornerSize ? compute::BoxCode::CornerSize
                                           : compute::BoxCode::CenterSize;
  head.top_k = p.top_k;
  head.keep_top_k = p.keep_top_k;
  head.confidence_threshold = p.confidence_threshold;
  head.nms_threshold = p.nms_threshold;
  head.objectness_score = p.objectness_score;
  head.normalized = p.normalized;
  head.image_width = p.image_width;
  head.image_height = p.image_height;
  const InputNumbers locations(s, s.in(0)), scores(s, s.in(1)), priors(s, s.in(2));
  head.locations = locations.get();
  head.scores = scores.get();
  head.priors = priors.get();
  head.variances = head.priors.count >= 2 * row && !p.variance_encoded_in_target;
  std::optional<InputNumbers> refined_scores, refined_locations;
  if (p.has_arm_inputs) {
    head.refined_scores = refined_scores.emplace(s, s.in(3)).get();
    head.refined_locations = refined_locations.emplace(s, s.in(4)).get();
  }
  s.check(
      p.image_width != 0 && p.image_height != 0 && head.fits() && (head.refined_scores.count == 0) == !p.has_arm_inputs,
      "fewer priors, boxes or scores than announced");
  const Grid out = framework_order(s.out(p.has_arm_inputs ? 5 : 3));
  write(out, head.rows(out.count()));
}

// Buffers: boxes, scores, most per class, IoU threshold, score threshold, indices, their shape.
void run_static_shape_nms(StageRun& s) {
  const auto& p = s.params<vpu::StaticShapeNmsParams>();
  const Grid box_grid = framework_order(s.in(0)), score_grid = framework_order(s.in(1));
  s.check(score_grid.rank == 3 && box_grid.rank == 3 && box_grid.dims[2] == 4 &&
              box_grid.dims[1] == score_grid.dims[2] && box_grid.dims[0] == score_grid.dims[0],
          "boxes and scores that don't fit");
  const std::vector<float> boxes = read_floats(box_grid), scores = read_floats(score_grid);
  const auto first = [&](int k) {
    const std::vector<float> v = read_floats(memory_order(s.in(k)));
    s.check(!v.empty(), "an empty parameter");
    return v[0];
  };
  const auto limit = static_cast<int64_t>(std::clamp(first(2), 0.0f, 1e9f));
  const Grid indices = memory_order(s.out_at_capacity(5));
  s.check(indices.rank == 2 && indices.dims[1] == 3, "an output of an unexpected shape");
  const int64_t count = box_grid.dims[1];
  std::vector<int64_t> rows;
  for (const auto& selected : compute::NonMaxSuppression{score_grid.dims[0], score_grid.dims[1], count, boxes, scores,
                                                         p.center_point_box != 0, limit, first(3), first(4)}
                                  .run())
    rows.insert(rows.end(), {selected.image, selected.label, selected.box});
  // The room of a dynamic output ends with its memory; the tensor ends where no more boxes can come.
  const bool dynamic = s.stage().buffers[5].desc.is_dynamic();
  const int64_t most = dynamic
                           ? std::min(indices.dims[0], score_grid.dims[0] * score_grid.dims[1] * std::min(count, limit))
                           : indices.dims[0];
  const auto found = std::min<int64_t>(static_cast<int64_t>(rows.size()) / 3, most);
  rows.resize(static_cast<size_t>(found * 3));
  rows.resize(static_cast<size_t>(most * 3), -1);
  const Grid filled = slice(indices, 0, 0, most);
  s.touch({5, true, false, filled});
  write(filled, rows);
  write(memory_order(s.out(6)), std::vector<int64_t>{found, 3});
}

constexpr KernelRow kRows[] = {
    {StageType::DetectionOutput, run_detection_output},
    {StageType::StaticShapeNMS, run_static_shape_nms},
};

}  // namespace

std::span<const KernelRow> detection_kernels() { return kRows; }

}  // namespace blobsmith::emulator
