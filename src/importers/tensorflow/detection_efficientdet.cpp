// EfficientDet of the AutoML repository: normalised pictures go to the first convolution, and its last maps, whose
// boxes and classes are joined already (concat_1, concat), to one DetectionOutput with anchors that the entry of
// --transformations_config describes.
#include <cmath>
#include <nlohmann/json.hpp>

#include "importers/tensorflow/object_detection.hpp"

namespace blobsmith::tensorflow_file {
namespace {

using importers::SourceInput;
using importers::SourceOperator;
using Json = nlohmann::json;

constexpr int kMostLevels = 64;

/// The picture is read by what normalises it, and that by the first convolution: no scaling, no frame around it.
std::string normalise_only(Editor& e, const Json& own) {
  const std::string scaled = e.at(own.at("preprocessing_input_node").get<std::string>()).outputs.at(0);
  const std::string normalised = e.at(own.at("preprocessing_output_node").get<std::string>()).outputs.at(0);
  if (e.source().model.inputs.size() != 1) throw bad_transformation("the network has not one input");
  SourceInput& picture = e.source().model.inputs[0];
  picture.type = ElementType::f32;
  for (const std::string& reader : e.readers(scaled)) {
    const SourceOperator& op = e.at(reader);
    for (size_t i = 0; i < op.inputs.size(); ++i)
      if (e.in_front_of(op.inputs[i]) == scaled) e.set_input(reader, i, picture.key);
  }
  for (const SourceOperator& op : e.source().model.operators)
    if (op.type == "Conv2D") {
      e.set_input(op.name, 0, normalised);
      return picture.key;
    }
  throw bad_transformation("the network has no convolution");
}

std::string anchors(Editor& e, const Json& own, const std::string& picture) {
  const auto ratios = own.at("aspect_ratios").get<std::vector<double>>();
  const auto scales = own.at("num_scales").get<int>();
  const auto first = own.at("min_level").get<int>();
  const auto size = own.at("anchor_scale").get<double>();
  if (ratios.empty() || ratios.size() % 2 != 0 || scales < 1 || scales > kMostLevels)
    throw bad_transformation("aspect_ratios are no pairs, or num_scales is not from 1 to " +
                             std::to_string(kMostLevels));
  std::vector<std::string> priors;
  for (int level = 0; level < kMostLevels; ++level) {
    const SourceOperator* head =
        e.find("box_net/box-predict" + (level ? "_" + std::to_string(level) : "") + "/BiasAdd");
    if (!head) break;
    std::vector<double> widths, heights;
    for (int s = 0; s < scales; ++s)
      for (size_t i = 0; i < ratios.size(); i += 2) {
        const double side = std::exp2(first + level) * size * std::exp2(static_cast<double>(s) / scales);
        widths.push_back(side * ratios[i]);
        heights.push_back(side * ratios[i + 1]);
      }
    priors.push_back(e.add("PriorBoxClustered", "PriorBoxClustered_" + std::to_string(level),
                           {head->outputs[0], picture},
                           {{"width", reals_attribute(std::move(widths))},
                            {"height", reals_attribute(std::move(heights))},
                            {"variance", reals_attribute(own.at("variance").get<std::vector<double>>())}}));
  }
  if (priors.empty()) e.at("box_net/box-predict/BiasAdd");  // throws
  return e.add("ConcatPriorBoxes", "ConcatPriorBoxesClustered", priors);
}

}  // namespace

void add_efficientdet_output(Editor& e, const Json& entry) {
  const Json own = entry.at("custom_attributes");
  const std::string picture = normalise_only(e, own);
  const auto classes = own.at("num_classes").get<int64_t>();
  const NamedAttributes flat{{"pattern", integers_attribute({0, -1})}};
  const std::string scores = e.add("Sigmoid", "concat/sigmoid", {e.at("concat").outputs.at(0)});
  const std::string conf = e.add("DetectorReshape", "concat/sigmoid/Flatten", {scores}, flat);
  const std::string loc = e.add("DetectorReshape", "concat_1/Flatten", {e.at("concat_1").outputs.at(0)}, flat);
  exchange_coordinates(e, loc);
  e.remove("detections");
  e.set_outputs({{e.add("DetectionOutput", "detections", {loc, conf, anchors(e, own, picture)},
                        {{"num_classes", integer_attribute(classes)},
                         {"background_label_id", integer_attribute(classes + 1)},
                         {"confidence_threshold", real_attribute(own.at("confidence_threshold").get<double>())},
                         {"nms_threshold", real_attribute(own.at("nms_threshold").get<double>())},
                         {"top_k", integer_attribute(100)},
                         {"keep_top_k", integer_attribute(100)}}),
                  {}}});
}

}  // namespace blobsmith::tensorflow_file
