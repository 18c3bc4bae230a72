#include "importers/tensorflow/shipped_transformations.hpp"

#include <nlohmann/json.hpp>

#include "core/table.hpp"

namespace blobsmith::tensorflow_file {
namespace {

using Json = nlohmann::json;

constexpr const char* kAnchors3 = "10,13,16,30,33,23,30,61,62,45,59,119,116,90,156,198,373,326";
constexpr const char* kMasks3 = "[6,7,8],[3,4,5],[0,1,2]";
struct YoloRow {
  std::string_view name;
  const char* id;
  int classes, num;
  int softmax;  ///< of TFYOLO
  const char *anchors, *masks, *entry_points;
};
constexpr const char* kPoints3 =
    "\"detector/yolo-v3/Reshape\",\"detector/yolo-v3/Reshape_4\",\"detector/yolo-v3/Reshape_8\"";
constexpr YoloRow kYolo[] = {
    {"yolo_v1", "TFYOLO", 20, 3, 0, "", "", ""},
    {"yolo_v1_tiny", "TFYOLO", 20, 2, 0, "", "", ""},
    {"yolo_v2", "TFYOLO", 80, 5, 1, "0.57273,0.677385,1.87446,2.06253,3.33843,5.47434,7.88282,3.52778,9.77052,9.16828",
     "", ""},
    {"yolo_v2_voc", "TFYOLO", 20, 5, 1,
     "1.3221,1.73145,3.19275,4.00944,5.05587,8.09892,9.47112,4.84053,11.2364,10.0071", "", ""},
    {"yolo_v2_tiny", "TFYOLO", 80, 5, 1,
     "0.57273,0.677385,1.87446,2.06253,3.33843,5.47434,7.88282,3.52778,9.77052,9.16828", "", ""},
    {"yolo_v2_tiny_voc", "TFYOLO", 20, 5, 1, "1.08,1.19,3.42,4.41,6.63,11.38,9.42,5.11,16.62,10.52", "", ""},
    {"yolo_v3", "TFYOLOV3", 80, 9, 0, kAnchors3, kMasks3, kPoints3},
    {"yolo_v3_voc", "TFYOLOV3", 20, 9, 0, kAnchors3, kMasks3, kPoints3},
    {"yolo_v3_tiny", "TFYOLOV3", 80, 6, 0, "10,14,23,27,37,58,81,82,135,169,344,319", "[3,4,5],[0,1,2]",
     "\"detector/yolo-v3-tiny/Reshape\",\"detector/yolo-v3-tiny/Reshape_4\""},
};

Json yolo(const YoloRow& r) {
  Json a{{"classes", r.classes}, {"coords", 4}, {"num", r.num}, {"do_softmax", r.softmax}};
  for (const auto& [name, values] :
       {std::pair{"anchors", r.anchors}, {"masks", r.masks}, {"entry_points", r.entry_points}})
    if (*values) a[name] = Json::parse("[" + std::string(values) + "]");
  return {{"id", r.id}, {"custom_attributes", std::move(a)}};
}

// ---- the Object Detection API ----

/// How a version of the API (and of TensorFlow 2) wraps what scales pictures.
enum class Scaling { Scope, Nodes, Loop };

constexpr const char* kIn2 = "StatefulPartitionedCall/";  ///< in front of all names in TensorFlow 2

Json preprocessor(Scaling s) {
  if (s == Scaling::Scope)
    return {{"id", "ObjectDetectionAPIPreprocessorReplacement"},
            {"instances", {".*Preprocessor/"}},
            {"outputs", {{{"node", "sub$"}}, {{"node", "map/TensorArrayStack_1/TensorArrayGatherV3$"}}}}};
  const std::string in = kIn2;
  const auto between = [&](const char* start, std::vector<std::string> ends) {
    for (std::string& e : ends) e = in + e;
    return Json{{"id", "ObjectDetectionAPIPreprocessor2Replacement"},
                {"custom_attributes", {{"start_nodes", {in + start}}, {"end_nodes", std::move(ends)}}}};
  };
  if (s == Scaling::Nodes) return between("Preprocessor/unstack", {"Preprocessor/stack"});
  return between("map/TensorArrayUnstack/TensorListFromTensor",
                 {"map/TensorArrayV2Stack/TensorListStack", "map/TensorArrayV2Stack_1/TensorListStack"});
}

struct SsdRow {
  std::string_view name;
  Scaling scaling;
  const char *boxes, *scores, *anchors;  ///< nodes in the scope Postprocessor
  bool clips_before;                     ///< boxes, before they are filtered
};
constexpr SsdRow kSsd[] = {
    {"ssd_support", Scaling::Scope, "Shape", "Slice", "ExpandDims", true},
    {"ssd_v2_support", Scaling::Scope, "Shape", "scale_logits", "Tile", false},
    {"ssd_support_api_v1.14", Scaling::Scope, "Shape", "scale_logits", "Tile", false},
    {"ssd_support_api_v1.15", Scaling::Scope, "Shape", "scale_logits", "Tile", false},
    {"ssd_support_api_v2.0", Scaling::Nodes, "Reshape_1", "scale_logits", "Tile", false},
    {"ssd_support_api_v2.4", Scaling::Loop, "Reshape_1", "scale_logits", "Tile", false},
    {"efficient_det_support_api_v2.0", Scaling::Nodes, "Reshape_1", "scale_logits", "Tile", false},
    {"efficient_det_support_api_v2.4", Scaling::Loop, "Reshape_1", "scale_logits", "Tile", false},
};

Json ssd(const SsdRow& r) {
  const bool is_first = r.scaling == Scaling::Scope;
  const std::string in = (is_first ? std::string() : kIn2) + std::string("Postprocessor/");
  return {{"id", "ObjectDetectionAPISSDPostprocessorReplacement"},
          {"instances", {{"start_points", {in + r.boxes, in + r.scores, in + r.anchors}}}},
          {"custom_attributes",
           {{"clip_before_nms", r.clips_before},
            {"clip_after_nms", !r.clips_before},
            {"disable_prior_boxes_layers_generator", !is_first}}}};
}

/// What the first stage ends in.
enum class Joined { Reshape, Concat, ScopedConcat };

struct RegionsRow {
  std::string_view name;
  Scaling scaling;
  Joined joined;
  bool clips_before;
  const char *second_crop, *second_end;  ///< of Mask R-CNN: what cuts detected boxes out, and what comes out
};
constexpr const char *kSecondCrop = "CropAndResize_1/CropAndResize", *kSecondEnd = "Reshape_10";
constexpr RegionsRow kRegionDetectors[] = {
    {"faster_rcnn_support", Scaling::Scope, Joined::Reshape, true, "", ""},
    {"faster_rcnn_support_api_v1.7", Scaling::Scope, Joined::Concat, true, "", ""},
    {"faster_rcnn_support_api_v1.10", Scaling::Scope, Joined::Concat, false, "", ""},
    {"faster_rcnn_support_api_v1.13", Scaling::Scope, Joined::Concat, false, "", ""},
    {"faster_rcnn_support_api_v1.14", Scaling::Scope, Joined::Concat, false, "", ""},
    {"faster_rcnn_support_api_v1.15", Scaling::Scope, Joined::ScopedConcat, false, "", ""},
    {"faster_rcnn_support_api_v2.0", Scaling::Nodes, Joined::ScopedConcat, false, "", ""},
    {"faster_rcnn_support_api_v2.4", Scaling::Loop, Joined::ScopedConcat, false, "", ""},
    {"mask_rcnn_support", Scaling::Scope, Joined::Reshape, true, "CropAndResize_1", "CropAndResize_1"},
    {"mask_rcnn_support_api_v1.7", Scaling::Scope, Joined::Concat, true, "CropAndResize_1", "CropAndResize_1"},
    {"mask_rcnn_support_api_v1.11", Scaling::Scope, Joined::Concat, false, kSecondCrop, kSecondEnd},
    {"mask_rcnn_support_api_v1.13", Scaling::Scope, Joined::Concat, false, kSecondCrop, "Reshape_15"},
    {"mask_rcnn_support_api_v1.14", Scaling::Scope, Joined::Concat, false, kSecondCrop, kSecondEnd},
    {"mask_rcnn_support_api_v1.15", Scaling::Scope, Joined::ScopedConcat, false, kSecondCrop, kSecondEnd},
    {"mask_rcnn_support_api_v2.0", Scaling::Nodes, Joined::ScopedConcat, false, kSecondCrop, kSecondEnd},
    {"mask_rcnn_support_api_v2.4", Scaling::Loop, Joined::ScopedConcat, false, kSecondCrop, kSecondEnd},
};

Json regions(const RegionsRow& r) {
  const bool is_first = r.scaling == Scaling::Scope, has_masks = *r.second_crop != 0;
  const std::string in = is_first ? "" : kIn2;
  const auto within = [&](std::vector<std::string> names) {
    for (std::string& n : names) n = in + n;
    return names;
  };
  const auto points = [&](std::vector<std::string> starts, std::vector<std::string> ends) {
    return Json{{"start_points", within(std::move(starts))}, {"end_points", within(std::move(ends))}};
  };
  const auto first_stage = [&]() -> std::vector<std::string> {
    switch (r.joined) {
      case Joined::Reshape: return {"FirstStageBoxPredictor/Reshape", "FirstStageBoxPredictor/Reshape_1"};
      case Joined::Concat: return {"concat", "concat_1"};
      case Joined::ScopedConcat: break;
    }
    return {"concat/concat", "concat_1/concat"};
  };
  const Json clips{{"clip_before_nms", r.clips_before}, {"clip_after_nms", !r.clips_before}};
  Json all{preprocessor(r.scaling),
           {{"id", "ObjectDetectionAPIProposalReplacement"},
            {"instances", points(first_stage(), {is_first ? "map/TensorArrayStack/TensorArrayGatherV3" : "stack_3"})},
            {"custom_attributes", clips}}};
  Json output{{"id", "ObjectDetectionAPIDetectionOutputReplacement"}, {"custom_attributes", clips}};
  output["custom_attributes"]["coordinates_swap_method"] = "swap_weights";
  const char* ends = has_masks ? "SecondStageBoxPredictor_1/Conv_3/BiasAdd|SecondStageBoxPredictor_1/Conv_1/BiasAdd"
                               : "detection_boxes,detection_scores,num_detections";
  if (!is_first)
    ends = has_masks ? "mask_rcnn_keras_box_predictor/mask_rcnn_mask_head/MaskPredictor_last_conv2d/BiasAdd"
                     : "SecondStagePostprocessor/Cast_3";
  all.push_back({{"id", "ObjectDetectionAPIOutputReplacement"}, {"custom_attributes", {{"outputs", in + ends}}}});
  if (!has_masks) {
    output["instances"] = Json::array({".*SecondStagePostprocessor/"});
    output["inputs"] = Json::parse(R"([[{"node":"Reshape$"}],[{"node":"Reshape_1$"}]])");
    all.push_back(std::move(output));
  } else {
    const std::string predictor =
        is_first ? "SecondStageBoxPredictor" : "mask_rcnn_keras_box_predictor/mask_rcnn_mask_head/";
    const std::string nms = "BatchMultiClassNonMaxSuppression_1/";
    output["instances"] = is_first ? points({"SecondStageBoxPredictor/Reshape", "SecondStageBoxPredictor/Reshape_1"},
                                            {nms + "map/TensorArrayStack_2/TensorArrayGatherV3",
                                             nms + "map/TensorArrayStack/TensorArrayGatherV3"})
                                   : points({"Reshape_4", "Reshape_5"}, {nms + "stack_8", nms + "stack_6"});
    all.push_back(std::move(output));
    all.push_back({{"id", "ObjectDetectionAPIMaskRCNNROIPoolingSecondReplacement"},
                   {"instances", points({r.second_crop}, {r.second_end})}});
    all.push_back({{"id", "ObjectDetectionAPIMaskRCNNSigmoidReplacement"},
                   {"custom_attributes", {{"masks_node_prefix_name", in + predictor}}}});
  }
  if (is_first)
    all.push_back(
        {{"id", "ObjectDetectionAPIConstValueOverride"},
         {"custom_attributes", {{"replacements", Json::parse(R"([["mul/y","first_stage_max_proposals"]])")}}}});
  return all;
}

Json automl_efficientdet() {
  return {{"id", "AutomlEfficientDet"},
          {"custom_attributes",
           {{"preprocessing_input_node", "strided_slice_1"},
            {"preprocessing_output_node", "truediv"},
            {"aspect_ratios", {1.0, 1.0, 1.4, 0.7, 0.7, 1.4}},
            {"variance", {1.0, 1.0, 1.0, 1.0}},
            {"min_level", 3},
            {"num_scales", 3},
            {"anchor_scale", 4.0},
            {"num_classes", 90},
            {"nms_threshold", 0.6},
            {"confidence_threshold", 0.2}}}};
}

Json retinanet() {
  return {{"id", "RetinaNetFilteredDetectionsReplacement"},
          {"instances", {{"start_points", {"regression/concat", "classification/concat", "anchors/concat"}}}},
          {"custom_attributes",
           {{"code_type", "caffe.PriorBoxParameter.CORNER"},
            {"confidence_threshold", 0.05},
            {"top_k", 6000},
            {"keep_top_k", 300},
            {"variance", {0.2, 0.2, 0.2, 0.2}}}}};
}

/// `priors`: the node that holds them.
Json ssd_toolbox(const char* priors) {
  const std::string joined = "SSD/concat_reshape_softmax/";
  return {{"id", "SSDToolboxDetectionOutput"},
          {"instances", {{"start_points", {joined + "mbox_loc_final", joined + "mbox_conf_final", priors}}}},
          {"custom_attributes", {{"confidence_threshold", 0.01}, {"keep_top_k", 200}, {"nms_threshold", 0.45}}}};
}
Json ssd_toolbox_of_one_map() { return ssd_toolbox("SSD/fc7_priorbox"); }
Json ssd_toolbox_of_more_maps() { return ssd_toolbox("SSD/concat_reshape_softmax/mbox_priorbox"); }

/// They are refused, by what no other networks have.
Json rfcn() { return {{"id", "ObjectDetectionAPIPSROIPoolingReplacement"}}; }

struct SingleRow {
  std::string_view name;
  Json (*make)();
};
constexpr SingleRow kSingle[] = {{"automl_efficientdet", automl_efficientdet},
                                 {"retinanet", retinanet},
                                 {"ssd_toolbox_detection_output", ssd_toolbox_of_one_map},
                                 {"ssd_toolbox_multihead_detection_output", ssd_toolbox_of_more_maps},
                                 {"rfcn_support", rfcn},
                                 {"rfcn_support_api_v1.10", rfcn},
                                 {"rfcn_support_api_v1.13", rfcn},
                                 {"rfcn_support_api_v1.14", rfcn}};

}  // namespace

std::optional<Json> shipped_transformations(std::string_view name) {
  if (const auto* r = find_row(kYolo, name, &YoloRow::name)) return Json::array({yolo(*r)});
  if (const auto* r = find_row(kSsd, name, &SsdRow::name)) return Json::array({preprocessor(r->scaling), ssd(*r)});
  if (const auto* r = find_row(kRegionDetectors, name, &RegionsRow::name)) return regions(*r);
  if (const auto* r = find_row(kSingle, name, &SingleRow::name)) return Json::array({r->make()});
  return std::nullopt;
}

std::string shipped_transformation_names() {
  std::string all;
  const auto add = [&](std::string_view name) { all += (all.empty() ? "" : ", ") + std::string(name); };
  for (const YoloRow& r : kYolo) add(r.name);
  for (const SsdRow& r : kSsd) add(r.name);
  for (const RegionsRow& r : kRegionDetectors) add(r.name);
  for (const SingleRow& r : kSingle) add(r.name);
  return all;
}

}  // namespace blobsmith::tensorflow_file
