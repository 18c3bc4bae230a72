// What depthai's decoders are told of a detector: a JSON file, or the heads of an NN archive. Facts:
// superblob-nnarchive spec, and the readers of depthai.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "blobsmith/detection_head.hpp"

namespace blobsmith {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kConfidence = 0.5, kOverlap = 0.5;
constexpr int kMostDetections = 300;

std::string text_of(const Json& j) { return j.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

/// "classes 0": the model does not name them.
Json labels_of(const DetectionHead& h) {
  if (!h.labels.empty()) return h.labels;
  Json names = Json::array();
  for (int i = 0; i < h.classes; ++i) names.push_back("class_" + std::to_string(i));
  return names;
}

/// A whole number without a point.
Json number(double v) {
  return v == static_cast<double>(static_cast<int64_t>(v)) ? Json(static_cast<int64_t>(v)) : Json(v);
}

/// All anchors behind each other, and by "sideW" (cells in a row) which of them are whose.
void add_anchors(Json& to, const DetectionHead& h) {
  Json all = Json::array(), masks = Json::object();
  int64_t next = 0;
  for (size_t i = 0; i < h.anchors.size(); ++i) {
    Json mask = Json::array();
    for (size_t k = 0; k < h.anchors[i].size(); k += 2) mask.push_back(next++);
    for (const double a : h.anchors[i]) all.push_back(number(a));
    masks["side" + std::to_string(h.width / h.strides[i])] = std::move(mask);
  }
  to["anchors"] = std::move(all);
  to["anchor_masks"] = std::move(masks);
}

std::string joined(const std::vector<int64_t>& numbers) {
  std::string s;
  for (const int64_t n : numbers) s += (s.empty() ? "" : ", ") + std::to_string(n);
  return s;
}

std::string reader_of(const DetectionHead& h) {
  switch (h.form) {
    case HeadForm::Anchors:
    case HeadForm::Distances:
    case HeadForm::Offsets:
      return h.subtype.empty() ? "to be decoded on the host" : "decoded by depthai's YoloDetectionNetwork";
    case HeadForm::Ssd: return "decoded by depthai's MobileNetDetectionNetwork";
    case HeadForm::Chosen:
      return h.can_be_reshaped
                 ? "boxes for the host, no NMS needed (--yolo-head for what depthai's YoloDetectionNetwork decodes)"
                 : "boxes for the host, no NMS needed";
    case HeadForm::Queries: return "boxes for the host, no NMS needed";
    case HeadForm::Boxes: break;
  }
  std::string text = "boxes for the host";
  if (h.can_be_reshaped) text += " (--yolo-head for what depthai's YoloDetectionNetwork decodes)";
  if (!h.score_outputs.empty() || !h.box_values.empty()) text += ", which chooses among them (NMS)";
  if (!h.box_values.empty()) text += ": " + h.box_values;
  return text;
}

}  // namespace

std::string describe(const DetectionHead& h) {
  std::string s = "head: " + h.family;
  if (h.classes > 0) s += ", " + std::to_string(h.classes) + (h.classes == 1 ? " class" : " classes");
  if (h.background) s += " with the background";
  if (!h.strides.empty()) s += ", strides " + joined(h.strides);
  s += "; " + reader_of(h);
  if (h.keypoints > 0) s += "; " + std::to_string(h.keypoints) + " key points";
  if (h.usual_anchors) s += "; the model does not hold its anchors: those of COCO are stated";
  return s;
}

namespace {

/// What a host needs to know that decodes lists of boxes.
Json for_host(const DetectionHead& h) {
  Json j{{"classes", h.classes}, {"background", h.background}, {"boxes", h.outputs}};
  j["scores"] = h.score_outputs.empty() ? h.outputs : h.score_outputs;
  if (!h.box_values.empty()) j["box_values"] = h.box_values;
  if (!h.strides.empty()) {
    j["strides"] = h.strides;
    j["boxes_of_cell"] = h.boxes_of_cell;
  }
  if (!h.keypoint_outputs.empty()) j["key_points"] = h.keypoint_outputs;
  if (!h.mask_outputs.empty()) j["mask_coefficients"] = h.mask_outputs;
  if (!h.prototype_output.empty()) j["mask_prototypes"] = h.prototype_output;
  return j;
}

}  // namespace

std::string camera_config(const DetectionHead& h) {
  Json config{{"output_format", h.camera_decodes() ? "detection" : "raw"}};
  if (h.camera_decodes()) config["NN_family"] = h.form == HeadForm::Ssd ? "mobilenet" : "YOLO";
  config["input_size"] = std::to_string(h.width) + "x" + std::to_string(h.height);
  Json specific = Json::object();
  if (h.form != HeadForm::Ssd && h.camera_decodes()) {
    specific["classes"] = h.classes;
    specific["coordinates"] = h.coordinates;
    add_anchors(specific, h);
    specific["iou_threshold"] = kOverlap;
  }
  if (h.camera_decodes()) {
    specific["confidence_threshold"] = kConfidence;
    config[h.form == HeadForm::Ssd ? "confidence_threshold" : "NN_specific_metadata"] =
        h.form == HeadForm::Ssd ? Json(kConfidence) : std::move(specific);
  }
  if (!h.camera_decodes() && !h.can_be_reshaped) config["host"] = for_host(h);
  return text_of({{"nn_config", std::move(config)}, {"mappings", {{"labels", labels_of(h)}}}});
}

std::string archive_heads(const DetectionHead& h) {
  if (!h.camera_decodes() || h.subtype.empty()) return {};
  Json metadata{{"classes", labels_of(h)},       {"n_classes", h.classes},     {"iou_threshold", kOverlap},
                {"conf_threshold", kConfidence}, {"max_det", kMostDetections}, {"anchors", nullptr}};
  Json outputs = h.outputs;
  if (h.form == HeadForm::Ssd) {
    metadata["boxes_outputs"] = h.outputs.at(0);
  } else {
    metadata["subtype"] = h.subtype;
    metadata["yolo_outputs"] = h.outputs;
  }
  if (!h.anchors.empty()) {
    Json all = Json::array();
    for (const std::vector<double>& level : h.anchors) {
      Json pairs = Json::array();
      for (size_t k = 0; k + 1 < level.size(); k += 2) pairs.push_back({number(level[k]), number(level[k + 1])});
      all.push_back(std::move(pairs));
    }
    metadata["anchors"] = std::move(all);
  }
  if (!h.prototype_output.empty()) {
    metadata["mask_outputs"] = h.mask_outputs;
    metadata["protos_outputs"] = h.prototype_output;
    metadata["is_softmax"] = true;
    for (const std::string& name : h.mask_outputs) outputs.push_back(name);
    outputs.push_back(h.prototype_output);
  }
  if (h.keypoints > 0) {
    metadata["n_keypoints"] = h.keypoints;
    metadata["keypoints_outputs"] = h.keypoint_outputs;
    for (const std::string& name : h.keypoint_outputs) outputs.push_back(name);
  }
  if (!h.angle_output.empty()) {
    metadata["angles_outputs"] = {h.angle_output};
    outputs.push_back(h.angle_output);
  }
  const bool usual_strides = h.strides == std::vector<int64_t>{8, 16, 32} ||
                             (h.subtype == "yolov3-tiny" && h.strides == std::vector<int64_t>{16, 32});
  if (h.form != HeadForm::Ssd && !usual_strides) metadata["strides"] = h.strides;
  const bool more = !h.prototype_output.empty() || h.keypoints > 0;
  const char* parser = h.form == HeadForm::Ssd ? "SSD" : more ? "YOLOExtendedParser" : "YOLO";
  return text_of(
      Json::array({Json{{"parser", parser}, {"metadata", std::move(metadata)}, {"outputs", std::move(outputs)}}}));
}

}  // namespace blobsmith
