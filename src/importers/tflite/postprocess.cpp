// TFLite_Detection_PostProcess, in which detectors for mobiles end: boxes are decoded with anchors that the file has,
// filtered and sorted. It becomes the layer that the chip has for this, with one output instead of four:
// [1, 1, boxes, 7] of picture, class, score, x0, y0, x1, y1, as detectors of other frameworks have it.
#include <flatbuffers/base.h>
#undef FLATBUFFERS_LOCALE_INDEPENDENT
#define FLATBUFFERS_LOCALE_INDEPENDENT 0  // texts as numbers, which options are not, would need the library
#include <flatbuffers/flexbuffers.h>

#include <cmath>

#include "importers/tflite/translator.hpp"

namespace blobsmith::tflite_import {
namespace {

using namespace tensorflow_file;

/// Options are a FlexBuffer: names and numbers.
class PostprocessOptions {
 public:
  PostprocessOptions(Translator& t, const Bytes& raw) : t_(t) {
    if (raw.size() == 0 || !flexbuffers::VerifyBuffer(raw.data(), raw.size())) t.refuse("its options are damaged");
    const flexbuffers::Reference root = flexbuffers::GetRoot(raw.data(), raw.size());
    if (!root.IsMap()) t.refuse("its options are not known");
    map_ = root.AsMap();
  }

  double number(const char* name, double fallback) const {
    const flexbuffers::Reference r = map_[name];
    if (r.IsNull()) return fallback;
    const double v = r.IsBool() ? (r.AsBool() ? 1 : 0) : r.AsDouble();
    if (!std::isfinite(v) || std::abs(v) > 1e6) t_.refuse(std::string(name) + " is no usable number");
    return v;
  }
  int64_t count(const char* name, double fallback) const { return std::llround(number(name, fallback)); }

 private:
  Translator& t_;
  flexbuffers::Map map_ = flexbuffers::Map::EmptyMap();
};

/// [.., 4] as middle and size, y first, to corners, y first.
Tensor corners(Translator& t, const Tensor& anchors) {
  std::vector<float> v = anchors.to_f32();
  if (v.empty() || v.size() % 4 != 0) t.refuse("its anchors have the shape " + to_string(anchors.shape));
  for (size_t i = 0; i < v.size(); i += 4)
    for (const size_t axis : {i, i + 1}) {
      const float middle = v[axis], half = v[axis + 2] / 2;
      v[axis] = middle - half;
      v[axis + 2] = middle + half;
    }
  return Tensor::of(ElementType::f32, {static_cast<int64_t>(v.size() / 4), 4}, std::move(v));
}

}  // namespace

void detection_postprocess(Translator& t) {
  const PostprocessOptions o(t, t.op().custom_options);
  const Shape &boxes = t.input_tensor(0).shape, &scores = t.input_tensor(1).shape;
  const int64_t classes = o.count("num_classes", 0);
  if (boxes.size() != 3 || scores.size() != 3 || boxes[2] != 4 || scores[1] != boxes[1] || classes < 1)
    t.refuse("its inputs have the shapes " + to_string(boxes) + " and " + to_string(scores));
  const int64_t background = scores[2] - classes;  // columns in front of those of the classes
  if (background < 0 || background > 1)
    t.refuse("it has " + std::to_string(scores[2]) + " scores for " + std::to_string(classes) + " classes");
  std::vector<double> variances;
  for (const char* scale : {"y_scale", "x_scale", "h_scale", "w_scale"}) {
    const double v = o.number(scale, 0);
    if (v <= 0) t.refuse(std::string(scale) + " is not positive");
    variances.push_back(1 / v);
  }
  const auto flat = [](int64_t batch) { return NamedAttributes{{"pattern", integers_attribute({batch, -1})}}; };
  const std::string turned = t.add("SwapPairs", {t.input(0)}, {}, "/x_first");
  const std::string loc = t.add("DetectorReshape", {turned}, flat(boxes[0]), "/boxes");
  const std::string conf = t.add("DetectorReshape", {t.input(1)}, flat(scores[0]), "/scores");
  const std::string anchors = t.builder().constant(t.name() + "/corners", corners(t, t.constant(2, "anchors")));
  const std::string priors =
      t.add("PriorBoxes", {anchors}, {{"variance", reals_attribute(std::move(variances))}}, "/priors");
  t.set_joined_output(
      t.add("DetectionOutput", {loc, conf, priors},
            {{"num_classes", integer_attribute(scores[2])},
             {"background_label_id", integer_attribute(background ? 0 : scores[2])},
             {"confidence_threshold", real_attribute(o.number("nms_score_threshold", 0))},
             {"nms_threshold", real_attribute(o.number("nms_iou_threshold", 0.5))},
             {"top_k", integer_attribute(o.count("detections_per_class", 100))},
             {"keep_top_k", integer_attribute(o.count("max_detections", 10))}}),
      "one output [1, 1, boxes, 7] holds picture, class, score, x0, y0, x1, y1 of each box, instead of four" +
          std::string(background ? "; class 0 is the background, so classes count from 1" : ""));
}

}  // namespace blobsmith::tflite_import
