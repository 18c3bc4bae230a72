// Detection heads: RegionYolo and DetectionOutput (opset 1).
#include "compute/ssd_head.hpp"
#include "compute/yolo.hpp"
#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

Outputs run_region_yolo(const Call& c) {
  const Attributes& a = c.attrs();
  const bool softmax = a.flag("do_softmax");
  const compute::YoloRegions regions{softmax ? a.integer("num") : static_cast<int64_t>(a.integers("mask").size()),
                                     a.integer("coords"), a.integer("classes"), softmax};
  c.require(regions.fit(c.dim(0, 1)), "more regions than channels");
  std::vector<float> v(c.floats(0).begin(), c.floats(0).end());
  regions.activate(v, c.dim(0, 0), c.dim(0, 1), c.dim(0, 2) * c.dim(0, 3));
  v.resize(static_cast<size_t>(c.out_count()));
  return {float_tensor(c.out_shape(), std::move(v))};
}

compute::BoxCode box_code(const std::string& name) {
  return name.ends_with("CORNER_SIZE")   ? compute::BoxCode::CornerSize
         : name.ends_with("CENTER_SIZE") ? compute::BoxCode::CenterSize
                                         : compute::BoxCode::Corner;
}

/// Inputs: locations, scores, priors, and scores and locations of a refinement of the priors.
Outputs run_detection_output(const Call& c) {
  const Attributes& a = c.attrs();
  compute::SsdHead head;
  head.images = c.dim(0, 0);
  head.prior_count = c.dim(2, 2) / (a.flag("normalized") ? 4 : 5);
  head.classes = a.integer("num_classes");
  head.background = a.integer("background_label_id");
  c.require(head.classes > (head.background == 0 ? 1 : 0), "it has no classes");
  c.require(c.dim(2, 0) == 1 || c.dim(2, 0) == head.images, "priors of another batch");
  head.share_location = a.flag("share_location");
  head.best_class_only = a.flag("decrease_label_id");
  head.clip_before_suppression = a.flag("clip_before_nms");
  head.clip_after = a.flag("clip_after_nms");
  head.code = box_code(a.text("code_type"));
  head.top_k = a.integer("top_k");
  head.keep_top_k = a.integers("keep_top_k").at(0);
  head.confidence_threshold = static_cast<float>(a.real("confidence_threshold"));
  head.nms_threshold = static_cast<float>(a.real("nms_threshold"));
  head.objectness_score = static_cast<float>(a.real("objectness_score"));
  head.normalized = a.flag("normalized");
  head.image_width = a.integer("input_width");
  head.image_height = a.integer("input_height");
  head.variances = !a.flag("variance_encoded_in_target");
  c.require(!head.variances || c.dim(2, 1) > 1, "the priors have no variances");
  head.prior_tables = c.dim(2, 0);
  head.table_numbers = c.dim(2, 1) * c.dim(2, 2);
  head.priors = compute::Numbers::of(c.floats(2));
  head.locations = compute::Numbers::of(c.floats(0));
  head.scores = compute::Numbers::of(c.floats(1));
  if (c.input_count() > 4) {
    head.refined_scores = compute::Numbers::of(c.floats(3));
    head.refined_locations = compute::Numbers::of(c.floats(4));
  }
  c.require(head.fits(), "a refinement of other priors");
  return {float_tensor(c.out_shape(), head.rows(c.out_count()))};
}

constexpr OperationRow kOperations[] = {
    {"RegionYolo", kAnyVersion, run_region_yolo},
    {"DetectionOutput", kAnyVersion, run_detection_output},
};

}  // namespace

std::span<const OperationRow> detection_operations() { return kOperations; }

}  // namespace blobsmith::reference
