// Two-stage detectors. Between the stages many small operators decode boxes of the first one, filter and sort them;
// they become one Proposal. Behind the second stage they become one DetectionOutput:
//
//   boxes, scores of the first stage, image_info → proposals → x before y ┬→ CropAndResize → second stage
//                                                                         └→ crop_proposals (no picture numbers)
//   boxes of the second stage → reshape_loc → (of the background too) → scale_locs → do_reshape_locs  ┐
//   its scores                → Softmax                                            → do_reshape_conf  ├→
//   detection_output
//                                                               crop_proposals → reshape_priors       ┘
//
// Mask R-CNN goes on from there: boxes of detection_output are cut out of the features, and become masks.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>

#include "importers/tensorflow/object_detection.hpp"

namespace blobsmith::tensorflow_file {
namespace {

using importers::SourceOperator;
using Json = nlohmann::json;

constexpr const char* kCrops = "crop_proposals";
constexpr const char* kRegions = "reshape_swap_proposals_2d";
constexpr const char* kDetections = "detection_output";
const std::set<std::string_view> kSums{"BiasAdd", "Add", "AddV2"};
const std::set<std::string_view> kViews{"Reshape", "Squeeze", "ExpandDims"};

Json own_attributes(const Json& entry) { return entry.value("custom_attributes", Json::object()); }

std::string view(Editor& e, const std::string& name, const std::string& key, std::vector<int64_t> shape) {
  return e.add("DetectorReshape", name, {key}, {{"pattern", integers_attribute(std::move(shape))}});
}
std::string part(Editor& e, const std::string& name, const std::string& key, int64_t axis, int64_t begin, int64_t end) {
  return e.add(
      "DetectorCrop", name, {key},
      {{"axis", integer_attribute(axis)}, {"begin", integer_attribute(begin)}, {"end", integer_attribute(end)}});
}
std::string swapped(Editor& e, const std::string& name, const std::string& key, int64_t numbers) {
  return e.add("SwapCoordinates", name, {key}, {{"numbers", integer_attribute(numbers)}});
}

std::string named_before(const Editor& e, const std::string& name, const char* what) {
  if (const SourceOperator* op = e.find(name)) return op->outputs.at(0);
  throw bad_transformation(std::string("the file does not state ") + what + " in front of what reads it");
}

const SourceOperator& map_before(const Editor& e, const std::string& node) {
  const std::vector<std::string> sums = e.nearest_before(e.at(node).outputs.at(0), kSums);
  if (sums.empty()) throw bad_transformation("no convolution with a bias is in front of \"" + node + "\"");
  return e.at(sums[0]);
}

std::vector<std::string> points(const Json& entry, const char* which, size_t least) {
  auto names = entry.at("instances").at(which).get<std::vector<std::string>>();
  if (names.size() < least) throw bad_transformation(std::string(which) + " are not those of a two-stage detector");
  return names;
}

int64_t proposal_count(const DetectionPipeline& p) { return p.needed_integer("first_stage_max_proposals"); }

std::vector<double> needed_reals(const DetectionPipeline& p, const std::string& path) {
  std::vector<double> list = p.reals(path);
  if (list.empty()) p.needed_real(path);  // throws
  for (const double v : list)
    if (!(v > 0) || !std::isfinite(v))
      throw Error(ErrorCode::BadOptionValue,
                  "--tensorflow_object_detection_api_pipeline_config: " + path + " is not positive");
  return list;
}

/// The layer has one number for both axes.
double same_for_both(const DetectionPipeline& p, const std::string& at, const char* rows, const char* columns,
                     double usual) {
  const double v = p.real(at + rows, usual);
  if (v != p.real(at + columns, usual))
    throw Error(ErrorCode::NotYetSupported, std::string("not yet supported: ") + rows + " and " + columns +
                                                " of pipeline.config that differ, Proposal has one number for both");
  return v;
}

/// The crop nearest behind the proposals gets its regions from them.
void crop_proposals(Editor& e, const std::string& proposals, const std::string& regions) {
  std::set<std::string> behind{proposals};
  for (const SourceOperator& op : e.source().model.operators) {
    if (std::ranges::none_of(op.inputs, [&](const std::string& i) { return behind.contains(i); })) continue;
    behind.insert(op.outputs.begin(), op.outputs.end());
    if (op.type != "CropAndResize") continue;
    const std::string key = op.outputs.at(0);
    const std::string crop = e.add("CropRegions", op.name + "/ROIPooling", {op.inputs.at(0), regions, op.inputs.at(3)});
    e.redirect(key, crop);
    return;
  }
}

std::string converted(Editor& e, const DetectionPipeline& p, const std::string& logits) {
  const std::string converter = p.needed_text("second_stage_post_processing/score_converter");
  const std::string name = logits.substr(0, logits.rfind(':'));
  if (converter == "SIGMOID") return e.add("Sigmoid", name + "/sigmoid", {logits});
  if (converter == "SOFTMAX") return e.add("Softmax", name + "/softmax", {logits});
  if (converter != "IDENTITY")
    throw Error(ErrorCode::BadOptionValue, "unknown post-processing activation function \"" + converter + "\"");
  return logits;
}

/// One box for all classes, or one for each.
bool shares_boxes(const DetectionPipeline& p) {
  for (const char* predictor : {"mask_rcnn_box_predictor", "rfcn_box_predictor", "convolutional_box_predictor"})
    if (p.flag(std::string("second_stage_box_predictor/") + predictor + "/share_box_across_classes", false))
      return true;
  return false;
}

/// The nodes that read boxes and scores of the second stage: named, or by their endings in a scope.
std::pair<std::string, std::string> second_stage_ends(const Editor& e, const Json& entry) {
  if (entry.at("instances").is_object()) {
    const std::vector<std::string> names = points(entry, "start_points", 2);
    return {names[0], names[1]};
  }
  const std::string scope = find_scope(e, entry.at("instances"));
  const auto input = [&](size_t i) {
    auto ending = entry.at("inputs").at(i).at(0).at("node").get<std::string>();
    if (ending.ends_with('$')) ending.pop_back();
    return scope + ending;
  };
  return {input(0), input(1)};
}

}  // namespace

void override_constants(Detector& d, const Json& entry) {
  for (const Json& pair : own_attributes(entry).at("replacements")) {
    const std::string key = pair.at(0).get<std::string>() + ":0";
    const Tensor* t = d.editor.constant(key);
    if (!t) continue;
    const double v = d.pipeline.needed_real(pair.at(1).get<std::string>());
    const std::vector<double> values(static_cast<size_t>(element_count(t->shape)), v);
    d.editor.set_constant(key, Tensor::reals(t->type, t->shape, values));
  }
}

void choose_outputs(Editor& e, const Json& entry) {
  std::vector<importers::SourceOutput> outputs;
  std::string name;
  bool found = false;  // of these alternatives
  for (const char letter : own_attributes(entry).at("outputs").get<std::string>() + ",") {
    if (letter != ',' && letter != '|') {
      name += letter;
      continue;
    }
    const std::optional<std::string> key = found ? std::nullopt : e.output_named(name);
    if (key) outputs.push_back({*key, {}});
    found = letter == '|' && (found || key);
    name.clear();
  }
  if (!outputs.empty()) e.set_outputs(std::move(outputs));
}

void add_proposals(Detector& d, const Json& entry) {
  Editor& e = d.editor;
  const DetectionPipeline& p = d.pipeline;
  const Json own = own_attributes(entry);
  const std::vector<std::string> starts = points(entry, "start_points", 2);
  const std::string end = e.at(points(entry, "end_points", 1)[0]).outputs.at(0);
  const std::string at = "first_stage_anchor_generator/grid_anchor_generator/",
                    coder = "box_coder/faster_rcnn_box_coder/";
  const std::vector<double> ratios = needed_reals(p, at + "aspect_ratios"), scales = needed_reals(p, at + "scales");
  const int64_t count = proposal_count(p);
  p.variances();  // throws where boxes are coded in another way
  const std::string info = e.add_input("image_info", ElementType::f32, {1, 3});
  std::string boxes = e.add(
      "RegionProposals", "proposals", {map_before(e, starts[1]).outputs[0], map_before(e, starts[0]).outputs[0], info},
      {{"anchors", integer_attribute(std::ssize(ratios) * std::ssize(scales))},
       {"ratio", reals_attribute(ratios)},
       {"scale", reals_attribute(scales)},
       {"base_size", real_attribute(same_for_both(p, at, "height", "width", 256))},
       {"feat_stride", real_attribute(same_for_both(p, at, "height_stride", "width_stride", 16))},
       {"post_nms_topn", integer_attribute(count)},
       {"nms_thresh", real_attribute(p.needed_real("first_stage_nms_iou_threshold"))},
       {"box_size_scale", real_attribute(same_for_both(p, coder, "height_scale", "width_scale", 5))},
       {"box_coordinate_scale", real_attribute(same_for_both(p, coder, "x_scale", "y_scale", 10))},
       {"clip_before_nms", flag_attribute(own.value("clip_before_nms", true))},
       {"clip_after_nms", flag_attribute(own.value("clip_after_nms", false))}});
  // Crops by products of matrices read the coordinates in their order.
  const bool swaps = !own.value("do_not_swap_proposals", false) && !p.flag("use_matmul_crop_and_resize", false);
  if (swaps) boxes = swapped(e, "proposals/swapped", boxes, 5);
  const std::string regions = view(e, kRegions, boxes, {-1, 5});
  const std::string crop = part(e, kCrops, view(e, "reshape_proposal_4d", boxes, {-1, 1, count, 5}), 3, 1, 5);
  if (swaps) crop_proposals(e, end, regions);
  e.redirect(end, view(e, "reshape_crop_3d", crop, {0, -1, 4}));
}

void add_region_output(Detector& d, const Json& entry) {
  Editor& e = d.editor;
  const DetectionPipeline& p = d.pipeline;
  const Json own = own_attributes(entry);
  const auto [box_reader, score_reader] = second_stage_ends(e, entry);
  const int64_t classes = p.needed_integer("num_classes"), count = proposal_count(p);
  const bool shared = shares_boxes(p);

  const std::string scores = converted(e, p, e.in_front_of(e.at(score_reader).inputs.at(0)));
  const std::string conf = view(e, "do_reshape_conf", scores, {-1, (classes + 1) * count});
  std::string loc =
      view(e, "reshape_loc", e.in_front_of(e.at(box_reader).inputs.at(0), kViews), {-1, shared ? 1 : classes, 1, 4});
  if (!shared) loc = e.add("BackgroundBoxes", "reshape_loc/locs_with_fake_background", {loc});
  loc = view(e, "reshape_locs_2d", loc, {-1, 4});
  const std::string variances =
      e.add_constant("scale_locs/variances", Tensor::reals(ElementType::f32, {4}, p.variances()));
  loc = e.add("Mul", "scale_locs", {loc, variances});
  const bool swaps_weights = own.value("coordinates_swap_method", "add_convolution") == std::string("swap_weights");
  if (!swaps_weights) loc = swapped(e, "scale_locs/swapped", loc, 4);
  loc = view(e, "do_reshape_locs", loc, {-1, (shared ? 1 : classes + 1) * count * 4});

  std::string priors = named_before(e, kCrops, "ObjectDetectionAPIProposalReplacement");
  if (own.value("swap_proposals", false)) priors = swapped(e, "crop_proposals/swapped", priors, 4);
  priors = view(e, "DetectionOutput_reshape_priors_", priors, {-1, 1, count * 4});
  if (p.flag("use_matmul_crop_and_resize", false)) priors = e.add("SwapPairs", "priors/swapped", {priors});

  const std::string nms = "second_stage_post_processing/batch_non_max_suppression/";
  // Where masks follow, they read what was found; else nothing does.
  const bool goes_on = entry.at("instances").is_object();
  if (!goes_on) e.remove_outputs_behind({box_reader, score_reader});
  const std::string output = e.add("DetectionOutput", kDetections, {loc, conf, priors},
                                   {{"num_classes", integer_attribute(classes + 1)},
                                    {"background_label_id", integer_attribute(own.value("background_label_id", 0))},
                                    {"variance_encoded_in_target", flag_attribute(true)},
                                    {"share_location", flag_attribute(shared)},
                                    {"confidence_threshold", real_attribute(p.needed_real(nms + "score_threshold"))},
                                    {"nms_threshold", real_attribute(p.needed_real(nms + "iou_threshold"))},
                                    {"top_k", integer_attribute(p.needed_integer(nms + "max_detections_per_class"))},
                                    {"keep_top_k", integer_attribute(p.needed_integer(nms + "max_total_detections"))},
                                    {"clip_before_nms", flag_attribute(own.value("clip_before_nms", false))},
                                    {"clip_after_nms", flag_attribute(own.value("clip_after_nms", false))}});
  if (swaps_weights) exchange_coordinates(e, loc);
  if (goes_on)
    for (const std::string& end : points(entry, "end_points", 1))
      if (const SourceOperator* op = e.find(end)) e.redirect(op->outputs.at(0), output);
  e.add_output(output);
}

void pool_detected_regions(Detector& d, const Json& entry) {
  Editor& e = d.editor;
  const SourceOperator& crop = e.at(points(entry, "start_points", 1)[0]);
  const std::string end = e.at(points(entry, "end_points", 1)[0]).outputs.at(0), features = crop.inputs.at(0);
  const std::string found = named_before(e, kDetections, "ObjectDetectionAPIDetectionOutputReplacement");
  const int64_t size = d.pipeline.needed_integer("initial_crop_size");
  const std::string picture = part(e, "crop_do_batch_ids", found, 3, 0, 1),
                    box = part(e, "crop_do_coords", found, 3, 3, 7);
  const std::string regions =
      e.add("DetectorConcat", "batch_and_coords", {picture, box}, {{"axis", integer_attribute(3)}});
  const std::string sizes = e.add_constant("ROI_pooling_2/size", Tensor::i64({size, size}));
  e.redirect(end, e.add("CropRegions", "ROI_pooling_2", {features, view(e, "reshape_do", regions, {-1, 5}), sizes}));
  const std::string flat = view(e, "reshape_do_2d", found, {-1, 7});
  e.replace_output(found, flat);
}

void add_mask_sigmoid(Editor& e, const Json& entry) {
  const std::string prefix = own_attributes(entry).value("masks_node_prefix_name", "SecondStageBoxPredictor");
  for (const importers::SourceOutput& o : std::vector(e.source().model.outputs)) {
    const SourceOperator* op = e.producer(e.in_front_of(o.key));
    if (op && op->name.starts_with(prefix)) e.replace_output(o.key, e.add("Sigmoid", "masks", {o.key}));
  }
}

}  // namespace blobsmith::tensorflow_file
