// Proposal and the ExpDetectron stages (execution spec §9).
#include "compute/detectron.hpp"
#include "compute/proposal.hpp"
#include "emulator/kernels/shared.hpp"
#include "vpu/format/roi.hpp"

namespace blobsmith::emulator {
namespace {

std::vector<Box> read_boxes(const Grid& g) { return compute::boxes_of(read_floats(g)); }

/// As many values as fit, zeros behind.
template <class T>
void write_padded(const Grid& g, std::vector<T> v) {
  v.resize(static_cast<size_t>(g.count()));
  write(g, v);
}

// Buffers: scores, output, [output scores], box deltas, image info, temp.
void run_proposal(StageRun& s) {
  const auto& p = s.params<vpu::ProposalParams>();
  const Grid score_grid = planes(s.in(0)), delta_grid = planes(s.in(3));
  const std::vector<float> scores = read_floats(score_grid), deltas = read_floats(delta_grid),
                           info = read_floats(memory_order(s.in(4)));

  compute::Proposal proposal;
  proposal.base = p.base_size;
  proposal.stride = p.feat_stride;
  proposal.min_size = p.min_size;
  proposal.before = p.pre_nms_topn;
  proposal.after = p.post_nms_topn;
  proposal.ratios.assign(p.ratios.begin(), p.ratios.end());
  proposal.scales.assign(p.scales.begin(), p.scales.end());
  proposal.offset = p.coordinates_offset;
  proposal.round_ratios = p.round_ratios;
  proposal.centred_anchors = p.shift_anchors;
  proposal.rows_first = p.swap_xy;
  proposal.clip_anchors = p.initial_clip;
  proposal.clip_before = p.clip_before_nms;
  proposal.clip_after = p.clip_after_nms;
  proposal.normalize = p.normalize;
  proposal.coordinate_scale = p.box_coordinate_scale;
  proposal.size_scale = p.box_size_scale;
  proposal.nms_threshold = p.nms_thresh;
  proposal.height = score_grid.dims[2];
  proposal.width = score_grid.dims[3];
  proposal.scores = scores;
  proposal.deltas = deltas;
  proposal.image = info;
  const int64_t count = proposal.anchor_count();
  s.check(info.size() >= 3 && score_grid.dims[1] >= 2 * count && delta_grid.dims[1] >= 4 * count &&
              delta_grid.dims[2] * delta_grid.dims[3] == proposal.height * proposal.width,
          "scores and boxes that don't fit");

  const Grid out = framework_order(s.out(1));
  compute::Proposal::Regions found = proposal.run(out.count() / 5);
  write_padded(out, std::move(found.rows));
  if (s.has(2)) write_padded(framework_order(s.out(2)), std::move(found.probabilities));
}

// Buffers: image info, anchors, deltas, scores, boxes, their scores, temp.
void run_generate_proposals(StageRun& s) {
  const auto& p = s.params<vpu::ExpGenerateProposalsParams>();
  const std::vector<float> info = read_floats(memory_order(s.in(0))), deltas = read_floats(framework_order(s.in(2))),
                           scores = read_floats(framework_order(s.in(3)));
  const std::vector<Box> anchors = read_boxes(framework_order(s.in(1)));
  const View score_view = s.in(3);
  const int64_t count = score_view.dim(Dim::C), plane = score_view.dim(Dim::H) * score_view.dim(Dim::W);
  s.check(info.size() >= 2 && static_cast<int64_t>(anchors.size()) >= count * plane &&
              static_cast<int64_t>(deltas.size()) >= 4 * count * plane &&
              static_cast<int64_t>(scores.size()) == count * plane,
          "scores and boxes that don't fit");
  const compute::Found found =
      compute::ProposalSearch{p.min_size, p.nms_threshold, p.pre_nms_topn, p.post_nms_topn, compute::BoxPrecision::Half,
                              count,      plane,           info[0],        info[1],         deltas,
                              scores}
          .run(anchors);
  write_padded(framework_order(s.out(4)), compute::numbers_of(found.boxes));
  write_padded(framework_order(s.out(5)), found.scores);
}

// Buffers: boxes, deltas, scores, image info, output boxes, classes, scores.
void run_exp_detection_output(StageRun& s) {
  const auto& p = s.params<vpu::ExpDetectionOutputParams>();
  const std::vector<Box> regions = read_boxes(framework_order(s.in(0)));
  const std::vector<float> deltas = read_floats(framework_order(s.in(1))),
                           scores = read_floats(framework_order(s.in(2)));
  const auto classes = static_cast<size_t>(std::max(p.num_classes, 0));
  s.check(classes > 0 && deltas.size() >= regions.size() * classes * 4 && scores.size() >= regions.size() * classes,
          "fewer boxes or scores than regions");
  const compute::Found found =
      compute::RegionDetections{
          p.score_threshold,          p.nms_threshold,  p.max_delta_log_wh,          p.num_classes, p.post_nms_count,
          p.max_detections_per_image, p.deltas_weights, compute::BoxPrecision::Half, deltas,        scores}
          .run(regions);
  write_padded(framework_order(s.out(4)), compute::numbers_of(found.boxes));
  write_padded(framework_order(s.out(5)), found.classes);
  write_padded(framework_order(s.out(6)), found.scores);
}

// Buffers: boxes, probabilities, output.
void run_exp_top_k_rois(StageRun& s) {
  const std::vector<Box> boxes = read_boxes(framework_order(s.in(0)));
  const std::vector<float> probabilities = read_floats(memory_order(s.in(1)));
  s.check(boxes.size() == probabilities.size(), "boxes and probabilities that don't fit");
  write_padded(framework_order(s.out(2)), compute::numbers_of(compute::best_regions(
                                              boxes, probabilities, s.params<vpu::ExpTopKRoisParams>().max_rois)));
}

// Buffers: priors, feature map, image, output.
void run_prior_grid_generator(StageRun& s) {
  const auto& p = s.params<vpu::ExpPriorGridGeneratorParams>();
  const std::vector<Box> priors = read_boxes(framework_order(s.in(0)));
  const View map = s.in(1), image = s.in(2);
  const int64_t height = p.grid_h > 0 ? p.grid_h : map.dim(Dim::H), width = p.grid_w > 0 ? p.grid_w : map.dim(Dim::W);
  const Grid out = framework_order(s.out(3));
  s.check(height > 0 && width > 0 && height < 65536 && width < 65536 &&
              height * width * static_cast<int64_t>(priors.size()) * 4 == out.count(),
          "an output of another size than the grid");
  const float step_x = p.stride_w != 0 ? p.stride_w : static_cast<float>(image.dim(Dim::W)) / static_cast<float>(width);
  const float step_y =
      p.stride_h != 0 ? p.stride_h : static_cast<float>(image.dim(Dim::H)) / static_cast<float>(height);
  write(out, compute::numbers_of(compute::prior_grid(priors, height, width, step_x, step_y)));
}

constexpr KernelRow kRows[] = {
    {StageType::Proposal, run_proposal},
    {StageType::ExpGenerateProposals, run_generate_proposals},
    {StageType::ExpDetectionOutput, run_exp_detection_output},
    {StageType::ExpTopKROIs, run_exp_top_k_rois},
    {StageType::ExpPriorGridGenerator, run_prior_grid_generator},
};

}  // namespace

std::span<const KernelRow> proposals_kernels() { return kRows; }

}  // namespace blobsmith::emulator
