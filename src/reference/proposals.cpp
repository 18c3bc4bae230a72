// Proposal of Faster R-CNN (opset 1, 4) and the operations of Detectron's networks (opset 6).
#include "compute/detectron.hpp"
#include "compute/proposal.hpp"
#include "compute/regions.hpp"
#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

using compute::Box;

std::vector<float> reals(const Attributes& a, std::string_view name) {
  const auto& list = a.get<std::vector<double>>(name);
  return {list.begin(), list.end()};
}

float real(const Attributes& a, std::string_view name) { return static_cast<float>(a.real(name)); }

/// Scores [1][2A][H][W], box deltas [1][4A][H][W], the image's size and scales. Comes in Caffe's form and in
/// TensorFlow's, which has no pixel at the end, centres its anchors and counts coordinates rows first.
Outputs run_proposal(const Call& c) {
  const Attributes& a = c.attrs();
  const bool tensorflow = a.text("framework", "") == "tensorflow";
  compute::Proposal p;
  p.base = a.integer("base_size");
  p.stride = a.integer("feat_stride");
  p.min_size = a.integer("min_size");
  p.before = a.integer("pre_nms_topn");
  p.after = a.integer("post_nms_topn");
  p.ratios = reals(a, "ratio");
  p.scales = reals(a, "scale");
  p.offset = tensorflow ? 0 : 1;
  p.round_ratios = !tensorflow;
  p.centred_anchors = p.rows_first = p.clip_anchors = tensorflow;
  p.clip_before = a.flag("clip_before_nms", true);
  p.clip_after = a.flag("clip_after_nms");
  p.normalize = a.flag("normalize");
  p.coordinate_scale = static_cast<float>(a.real("box_coordinate_scale", 1));
  p.size_scale = static_cast<float>(a.real("box_size_scale", 1));
  p.nms_threshold = real(a, "nms_thresh");
  p.height = c.dim(0, 2);
  p.width = c.dim(0, 3);
  p.scores = c.floats(0);
  p.deltas = c.floats(1);
  p.image = c.floats(2);
  c.require(c.dim(0, 0) == 1, "not yet supported: a batch of images");
  c.require(c.dim(0, 1) >= 2 * p.anchor_count() && c.dim(1, 1) >= 4 * p.anchor_count() &&
                c.dim(1, 2) * c.dim(1, 3) == p.height * p.width,
            "scores and boxes that don't fit");
  compute::Proposal::Regions found = p.run(c.out_count() / 5);
  Outputs out{float_tensor(c.out_shape(), std::move(found.rows))};
  if (c.node().output_count() > 1) out.push_back(float_tensor(c.out_shape(1), std::move(found.probabilities)));
  return out;
}

/// What was found, filled up with zeros.
Tensor padded(const Call& c, int output, std::vector<float> values) {
  values.resize(static_cast<size_t>(c.out_count(output)));
  return float_tensor(c.out_shape(output), std::move(values));
}

/// The image's height, width and scale; anchors [H*W*A][4]; deltas [4A][H][W]; scores [A][H][W].
Outputs run_generate_proposals(const Call& c) {
  const auto image = c.floats(0);
  const std::vector<Box> anchors = compute::boxes_of(c.floats(1));
  c.require(c.shape(2).size() == 3 && c.shape(3).size() == 3 && image.size() >= 2, "scores and boxes that don't fit");
  const int64_t count = c.dim(3, 0), plane = c.dim(3, 1) * c.dim(3, 2);
  c.require(static_cast<int64_t>(anchors.size()) == count * plane &&
                static_cast<int64_t>(c.floats(2).size()) == 4 * count * plane,
            "scores and boxes that don't fit");
  const Attributes& a = c.attrs();
  const compute::Found found = compute::ProposalSearch{.min_size = real(a, "min_size"),
                                                       .nms_threshold = real(a, "nms_threshold"),
                                                       .before = a.integer("pre_nms_count"),
                                                       .after = a.integer("post_nms_count"),
                                                       .count = count,
                                                       .plane = plane,
                                                       .height = image[0],
                                                       .width = image[1],
                                                       .deltas = c.floats(2),
                                                       .scores = c.floats(3)}
                                   .run(anchors);
  return {padded(c, 0, compute::numbers_of(found.boxes)), padded(c, 1, found.scores)};
}

/// Regions [N][4], deltas [N][classes * 4], scores [N][classes], the image's size. class_agnostic_box_regression
/// changes nothing, in OpenVINO neither.
Outputs run_experimental_detection_output(const Call& c) {
  const Attributes& a = c.attrs();
  const std::vector<Box> regions = compute::boxes_of(c.floats(0));
  const std::vector<float> weights = reals(a, "deltas_weights");
  const int64_t classes = a.integer("num_classes"), count = static_cast<int64_t>(regions.size());
  c.require(weights.size() == 4 && classes > 0 && static_cast<int64_t>(c.floats(1).size()) >= count * classes * 4 &&
                static_cast<int64_t>(c.floats(2).size()) >= count * classes,
            "boxes and scores that don't fit");
  const compute::Found found = compute::RegionDetections{.score_threshold = real(a, "score_threshold"),
                                                         .nms_threshold = real(a, "nms_threshold"),
                                                         .max_delta = real(a, "max_delta_log_wh"),
                                                         .classes = classes,
                                                         .per_class = a.integer("post_nms_count"),
                                                         .limit = a.integer("max_detections_per_image"),
                                                         .weights = {weights[0], weights[1], weights[2], weights[3]},
                                                         .deltas = c.floats(1),
                                                         .scores = c.floats(2)}
                                   .run(regions);
  std::vector<int64_t> labels = found.classes;
  labels.resize(static_cast<size_t>(c.out_count(1)));
  return {padded(c, 0, compute::numbers_of(found.boxes)),
          integer_tensor(c.node().element_type(1), c.out_shape(1), labels), padded(c, 2, found.scores)};
}

Outputs run_top_k_rois(const Call& c) {
  const std::vector<Box> regions = compute::boxes_of(c.floats(0));
  const std::vector<float> probabilities(c.floats(1).begin(), c.floats(1).end());
  c.require(regions.size() == probabilities.size(), "regions and probabilities that don't fit");
  return {
      padded(c, 0, compute::numbers_of(compute::best_regions(regions, probabilities, c.attrs().integer("max_rois"))))};
}

/// Priors [N][4], a feature map, an image; of the latter two only the sizes matter.
Outputs run_prior_grid(const Call& c) {
  const Attributes& a = c.attrs();
  const auto cells = [&](const char* name, size_t axis) { return a.integer(name) ? a.integer(name) : c.dim(1, axis); };
  const int64_t height = cells("h", 2), width = cells("w", 3);
  const auto step = [&](const char* name, size_t axis, int64_t count) {
    return a.real(name) != 0 ? real(a, name) : static_cast<float>(c.dim(2, axis)) / static_cast<float>(count);
  };
  return {padded(c, 0,
                 compute::numbers_of(compute::prior_grid(compute::boxes_of(c.floats(0)), height, width,
                                                         step("stride_x", 3, width), step("stride_y", 2, height))))};
}

/// Regions [N][4], then the levels of a feature pyramid; which one a region is taken from follows from its size.
Outputs run_roi_features(const Call& c) {
  const Attributes& a = c.attrs();
  const std::vector<int64_t>& scales = a.integers("pyramid_scales");
  const int64_t levels = c.input_count() - 1, size = a.integer("output_size");
  c.require(std::cmp_greater_equal(scales.size(), levels), "not every level has a scale");
  c.require(c.dim(0, 1) == 4 && size > 0, "regions or an output of no size");
  std::vector<float> y(static_cast<size_t>(c.out_count()));
  float* to = y.data();
  for (const Box& r : compute::boxes_of(c.floats(0))) {
    float* const first = to;
    to += c.dim(1, 1) * size * size;
    if (!((r.x2 - r.x1) * (r.y2 - r.y1) > 0)) continue;
    const auto level = static_cast<int>(compute::pyramid_level(r, levels));
    const compute::FeatureMaps m = feature_maps(c, 1 + level);
    const auto scale = static_cast<float>(scales[static_cast<size_t>(level)]);
    c.require(scale != 0 && m.channels == c.dim(1, 1), "a level that doesn't fit");
    const compute::RegionSamples samples(m, {r.x1 / scale, r.y1 / scale, r.x2 / scale, r.y2 / scale}, {size, size},
                                         a.integer("sampling_ratio"), a.flag("aligned"));
    c.require(samples.sensible(), "a region of senseless size");
    for (int64_t k = 0; k < m.channels; ++k) samples.pool(m.plane(0, k), true, first + k * size * size);
  }
  return {float_tensor(c.out_shape(), std::move(y)), c.input(0)};
}

constexpr OperationRow kOperations[] = {
    {"Proposal", kAnyVersion, run_proposal},
    {"ExperimentalDetectronGenerateProposalsSingleImage", kAnyVersion, run_generate_proposals},
    {"ExperimentalDetectronDetectionOutput", kAnyVersion, run_experimental_detection_output},
    {"ExperimentalDetectronTopKROIs", kAnyVersion, run_top_k_rois},
    {"ExperimentalDetectronPriorGridGenerator", kAnyVersion, run_prior_grid},
    {"ExperimentalDetectronROIFeatureExtractor", kAnyVersion, run_roi_features},
};

}  // namespace

std::span<const OperationRow> proposal_operations() { return kOperations; }

}  // namespace blobsmith::reference
