// An SSD ends in many small operators that decode boxes, filter and sort them. They become one DetectionOutput:
//
//   BoxPredictor_i/BoxEncodingPredictor → Reshape [0,-1,1,4] → concat   → do_reshape_loc [N, 4 · boxes]  ┐
//   BoxPredictor_i/ClassPredictor       → Reshape [0,-1,C]   → concat_1 → Sigmoid → do_reshape_conf      ├
//   DetectionOutput sizes of the maps, of the picture   → PriorBoxClustered_i → ConcatPriorBoxesClustered ┘
//
// Anchors come from pipeline.config where they are those of the usual generators, else from the graph, as constants.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "importers/model_optimizer/layout.hpp"
#include "importers/tensorflow/object_detection.hpp"

namespace blobsmith::tensorflow_file {
namespace {

using importers::SourceOperator;
using Json = nlohmann::json;

constexpr size_t kMostMaps = 64;
const std::set<std::string_view> kReshaping{"Reshape", "Squeeze", "ExpandDims"};

NamedAttributes pattern(std::vector<int64_t> p) { return {{"pattern", integers_attribute(std::move(p))}}; }
/// The anchors of one map, in pixels.
struct Anchors {
  std::vector<double> widths, heights;

  void add(double scale, double aspect_ratio) {
    widths.push_back(scale * std::sqrt(aspect_ratio));
    heights.push_back(scale / std::sqrt(aspect_ratio));
  }
};

/// ssd_anchor_generator: a scale for each map, relative to the picture.
std::vector<Anchors> ssd_anchors(const DetectionPipeline& p) {
  const std::string at = "anchor_generator/ssd_anchor_generator/";
  const int64_t count = p.integer(at + "num_layers", 6);
  const double least = p.real(at + "min_scale", 0.2), most = p.real(at + "max_scale", 0.95);
  std::vector<double> scales = p.reals(at + "scales");
  if (scales.empty())
    for (int64_t i = 0; i < std::min<int64_t>(count, kMostMaps); ++i)
      scales.push_back(count == 1 ? least
                                  : least + (most - least) * static_cast<double>(i) / static_cast<double>(count - 1));
  const size_t maps = scales.size();
  scales.push_back(1);
  const double rows = p.needed_real("image_resizer/fixed_shape_resizer/height");
  const double columns = p.needed_real("image_resizer/fixed_shape_resizer/width");
  const double base_height = std::min(rows, columns) / rows * p.real(at + "base_anchor_height", 1);
  const double base_width = std::min(rows, columns) / columns * p.real(at + "base_anchor_width", 1);
  const double between = p.real(at + "interpolated_scale_aspect_ratio", 1);
  std::vector<Anchors> all(maps);
  for (size_t i = 0; i < maps; ++i) {
    Anchors& a = all[i];
    if (i == 0 && p.flag(at + "reduce_boxes_in_lowest_layer", true)) {
      a.widths.push_back(0.1), a.heights.push_back(0.1);
      a.add(scales[0], 2);
      a.add(scales[0], 0.5);
    } else {
      for (const double ratio : p.reals(at + "aspect_ratios")) a.add(scales[i], ratio);
      if (between > 0) a.add(std::sqrt(scales[i] * scales[i + 1]), between);
    }
    for (double& w : a.widths) w *= columns * base_width;
    for (double& h : a.heights) h *= rows * base_height;
  }
  return all;
}

/// multiscale_anchor_generator: sizes that double from map to map.
std::vector<Anchors> multiscale_anchors(const DetectionPipeline& p) {
  const std::string at = "anchor_generator/multiscale_anchor_generator/";
  const int64_t first = p.integer(at + "min_level", 3), last = p.integer(at + "max_level", 7);
  const int64_t per_octave = std::min<int64_t>(p.integer(at + "scales_per_octave", 2), kMostMaps);
  std::vector<double> ratios = p.reals(at + "aspect_ratios");
  if (ratios.empty()) ratios = {1, 2, 0.5};
  std::vector<Anchors> all;
  for (int64_t level = first; level <= last && all.size() < kMostMaps; ++level) {
    const double base = std::exp2(static_cast<double>(level)) * p.real(at + "anchor_scale", 4);
    Anchors& a = all.emplace_back();
    for (const double ratio : ratios)
      for (int64_t i = 0; i < per_octave; ++i)
        a.add(base * std::exp2(static_cast<double>(i) / static_cast<double>(per_octave)), ratio);
  }
  return all;
}

/// None where the generator is another, or has offsets of its own: then the graph says what it makes.
std::vector<Anchors> anchors_of(const DetectionPipeline& p) {
  const std::string ssd = "anchor_generator/ssd_anchor_generator/";
  if (p.has("anchor_generator/ssd_anchor_generator")) {
    for (const char* own : {"height_stride", "width_stride", "height_offset", "width_offset"})
      if (p.has(ssd + own)) return {};
    return p.has("image_resizer/fixed_shape_resizer") ? ssd_anchors(p) : std::vector<Anchors>();
  }
  return p.has("anchor_generator/multiscale_anchor_generator") ? multiscale_anchors(p) : std::vector<Anchors>();
}

/// The last operator of map i's predictor of boxes or of classes; null: it is built in another way.
const SourceOperator* head(const Editor& e, size_t i, bool of_boxes) {
  const std::string number = std::to_string(i), shared = "WeightSharedConvolutionalBoxPredictor";
  const std::string plain = "BoxPredictor_" + number + (of_boxes ? "/BoxEncodingPredictor" : "/ClassPredictor");
  if (const SourceOperator* op = e.find(plain + "/BiasAdd")) return op;
  return e.find(shared + (i ? "_" + number : "") + (of_boxes ? "/BoxPredictor" : "/ClassPredictor") + "/BiasAdd");
}

/// The Reshape behind a predictor, whose number of boxes may be a constant of the graph, by one for any size.
void reshape_anew(Editor& e, const SourceOperator& predictor, std::vector<int64_t> shape) {
  const std::string key = predictor.outputs[0], name = predictor.name + "/Reshape";
  for (const std::string& reader : e.readers(key, {"FakeQuantWithMinMaxVars"})) {
    if (e.at(reader).type != "Reshape") continue;
    const std::string old = e.at(reader).outputs[0];
    e.redirect(old, e.add("DetectorReshape", name, {key}, pattern(shape)));
    return;
  }
}

/// Empty where the graph or pipeline.config are not those of an SSD whose maps are known.
std::string generated_priors(Detector& d, int64_t classes) {
  Editor& e = d.editor;
  const std::vector<Anchors> anchors = anchors_of(d.pipeline);
  for (size_t i = 0; i < anchors.size(); ++i) {
    if (!head(e, i, true) || !head(e, i, false)) return {};
    for (const std::vector<double>& sizes : {anchors[i].widths, anchors[i].heights})
      if (std::ranges::any_of(sizes, [](double v) { return !std::isfinite(v) || v <= 0; }))
        throw Error(ErrorCode::BadOptionValue, "--tensorflow_object_detection_api_pipeline_config: anchors of map " +
                                                   std::to_string(i) + " have sizes that are not positive");
  }
  std::vector<std::string> priors;
  const std::string picture = picture_as_floats(e);
  for (size_t i = 0; i < anchors.size(); ++i) {
    const std::string boxes = head(e, i, true)->outputs[0];
    reshape_anew(e, *head(e, i, true), {0, -1, 1, 4});
    reshape_anew(e, *head(e, i, false), {0, -1, classes});
    priors.push_back(e.add("PriorBoxClustered", "PriorBoxClustered_" + std::to_string(i), {boxes, picture},
                           {{"width", reals_attribute(anchors[i].widths)},
                            {"height", reals_attribute(anchors[i].heights)},
                            {"variance", reals_attribute(d.pipeline.variances())}}));
  }
  if (priors.size() < 2) return priors.empty() ? "" : priors[0];
  return e.add("ConcatPriorBoxes", "ConcatPriorBoxesClustered", priors);
}

std::string scores(Detector& d, const std::string& logits, int64_t classes) {
  Editor& e = d.editor;
  std::string key = e.add("DetectorReshape", "do_ExpandDims_conf", {logits}, pattern({0, 1, -1, classes}));
  if (const double scale = d.pipeline.real("post_processing/logit_scale", 1); scale != 1) {
    const std::vector<double> divisor{scale};
    key = e.add("RealDiv", "do_ExpandDims_conf/scaled",
                {key, e.add_constant("logit_scale", Tensor::reals(ElementType::f32, {}, divisor))});
  }
  const std::string converter = d.pipeline.needed_text("post_processing/score_converter");
  if (converter == "SIGMOID") return e.add("Sigmoid", "do_ExpandDims_conf/sigmoid", {key});
  if (converter == "SOFTMAX") return e.add("Softmax", "do_ExpandDims_conf/softmax", {key});
  if (converter != "IDENTITY")
    throw Error(ErrorCode::BadOptionValue, "unknown post-processing activation function \"" + converter + "\"");
  return key;
}

Tensor with_pairs_exchanged(const Tensor& t, const std::string& of) {
  if (t.shape.empty() || t.shape.back() % 2 != 0 || t.bytes.empty())
    throw Error(ErrorCode::BadOptionValue, of + " has no pairs of coordinates");
  const size_t width = t.bytes.size() / static_cast<size_t>(element_count(t.shape));
  std::vector<uint8_t> turned;
  for (size_t i = 0; i + 2 * width <= t.bytes.size(); i += 2 * width)
    for (const size_t from : {i + width, i}) {
      const auto element = t.bytes.span().subspan(from, width);
      turned.insert(turned.end(), element.begin(), element.end());
    }
  return {t.type, t.shape, Bytes::adopt(std::move(turned))};
}

/// `of`: the key of a constant. Once for all that read it.
std::string exchanged(Editor& e, std::map<std::string, std::string>& done, const std::string& of) {
  const std::string key = e.in_front_of(of, {"ReadVariableOp"});
  const auto [it, is_new] = done.emplace(key, "");
  if (!is_new) return it->second;
  const Tensor* t = e.constant(key);
  if (!t)
    throw bad_transformation("the weights of boxes, '" + key +
                             "', are no constants, so their coordinates can't be exchanged");
  const SourceOperator* producer = e.producer(of);
  const std::string name = producer ? producer->name : key.substr(0, key.rfind(':'));
  return it->second = e.add_constant(name + "/ReshapeBack", with_pairs_exchanged(*t, "'" + name + "'"));
}

/// Lists of boxes are no maps, though they may have as many dimensions.
void keep_order_of_boxes(Editor& e, const std::string& boxes) {
  std::vector<std::string> keys{boxes};
  std::set<std::string> seen;
  for (size_t i = 0; i < keys.size(); ++i) {
    const SourceOperator* op = e.producer(keys[i]);
    if (!op || op->type == "Conv2D" || !seen.insert(op->name).second) continue;
    if (op->type == "Reshape") e.set_attribute(op->name, model_optimizer::kKeepsOrder, flag_attribute(true));
    keys.insert(keys.end(), op->inputs.begin(), op->inputs.end());
  }
}

}  // namespace

void exchange_coordinates(Editor& e, const std::string& boxes) {
  std::map<std::string, std::string> done;
  const std::vector<std::string> last = e.nearest_before(boxes, {"Conv2D", "MatMul"});
  if (last.empty()) throw bad_transformation("no convolution computes the boxes");
  for (const std::string& name : last) {
    // What quantizes the weights stays between.
    std::string at = name;
    size_t port = 1;
    for (const SourceOperator* q = e.producer(e.in_front_of(e.at(name).inputs.at(1)));
         q && q->type == "FakeQuantWithMinMaxVars"; q = e.producer(e.in_front_of(q->inputs.at(0))))
      at = q->name, port = 0;
    e.set_input(at, port, exchanged(e, done, e.at(at).inputs[port]));
    for (const std::string& reader : e.readers(e.at(name).outputs[0])) {
      const SourceOperator& op = e.at(reader);
      if (op.type != "BiasAdd" && op.type != "Add" && op.type != "AddV2") continue;
      const size_t constant = e.constant(op.inputs.at(1)) ? 1 : 0;
      e.set_input(reader, constant, exchanged(e, done, op.inputs.at(constant)));
    }
  }
}

void add_ssd_output(Detector& d, const Json& entry) {
  Editor& e = d.editor;
  const DetectionPipeline& p = d.pipeline;
  const Json own = entry.value("custom_attributes", Json::object());
  const auto starts = entry.at("instances").at("start_points").get<std::vector<std::string>>();
  if (starts.size() < 3) throw bad_transformation("start_points are not those of an SSD");
  const std::string boxes = e.in_front_of(e.at(starts[0]).inputs.at(0), kReshaping);
  const std::string logits = e.at(starts[1]).inputs.at(0), anchors = e.at(starts[2]).inputs.at(0);
  const bool has_background = p.flag("add_background_class", true);
  const int64_t classes = p.needed_integer("num_classes") + (has_background ? 1 : 0);
  e.remove_outputs_behind({starts.begin(), starts.end()});

  const std::string conf = e.add("DetectorReshape", "do_reshape_conf", {scores(d, logits, classes)}, pattern({0, -1}));
  const std::string loc = e.add("DetectorReshape", "do_reshape_loc", {boxes}, pattern({0, -1}));
  std::string priors;
  if (!own.value("disable_prior_boxes_layers_generator", false)) priors = generated_priors(d, classes);
  if (priors.empty())
    priors = e.add("PriorBoxes", "prior_boxes", {anchors}, {{"variance", reals_attribute(p.variances())}});
  const std::string nms = "post_processing/batch_non_max_suppression/";
  const std::string output = e.add("DetectionOutput", "DetectionOutput", {loc, conf, priors},
                                   {{"num_classes", integer_attribute(classes)},
                                    {"has_background", flag_attribute(has_background)},
                                    {"confidence_threshold", real_attribute(p.real(nms + "score_threshold", 0))},
                                    {"nms_threshold", real_attribute(p.real(nms + "iou_threshold", 0.6))},
                                    {"top_k", integer_attribute(p.integer(nms + "max_detections_per_class", 100))},
                                    {"keep_top_k", integer_attribute(p.integer(nms + "max_total_detections", 100))},
                                    {"clip_before_nms", flag_attribute(own.value("clip_before_nms", false))},
                                    {"clip_after_nms", flag_attribute(own.value("clip_after_nms", true))}});
  exchange_coordinates(e, loc);
  keep_order_of_boxes(e, loc);
  e.add_output(output);
}

}  // namespace blobsmith::tensorflow_file
