// Detectors that join the boxes and scores of all maps themselves: RetinaNet of Keras, and the SSD of Intel's toolbox
// for training. One DetectionOutput takes the place of what decodes and filters them.
#include <nlohmann/json.hpp>

#include "importers/tensorflow/object_detection.hpp"

namespace blobsmith::tensorflow_file {
namespace {

using importers::SourceOperator;
using Json = nlohmann::json;

std::vector<std::string> starts_of(const Editor& e, const Json& entry) {
  std::vector<std::string> keys;
  for (const Json& name : entry.at("instances").at("start_points"))
    keys.push_back(e.at(name.get<std::string>()).outputs.at(0));
  if (keys.size() < 3) throw bad_transformation("start_points are not boxes, scores and anchors");
  return keys;
}

std::string reshaped(Editor& e, const std::string& name, const std::string& key, std::vector<int64_t> pattern) {
  return e.add("DetectorReshape", name, {key}, {{"pattern", integers_attribute(std::move(pattern))}});
}

NamedAttributes filter(const Json& own, double overlap) {
  NamedAttributes a{{"confidence_threshold", real_attribute(own.value("confidence_threshold", 0.0))},
                    {"nms_threshold", real_attribute(overlap)}};
  for (const char* name : {"top_k", "keep_top_k", "background_label_id"})
    if (own.contains(name)) a[name] = integer_attribute(own.at(name).get<int64_t>());
  if (own.contains("code_type")) a["code_type"] = text_attribute(own.at("code_type").get<std::string>());
  return a;
}

/// How much boxes may overlap, as the graph has it.
double overlap_of(const Editor& e) {
  for (const SourceOperator& op : e.source().model.operators) {
    if (!op.type.starts_with("NonMaxSuppression") || op.inputs.size() < 4) continue;
    const Tensor* t = e.constant(op.inputs[3]);
    if (t && element_count(t->shape) == 1) return t->to_f32().at(0);
  }
  throw bad_transformation("the graph states no overlap of boxes").hint(kOtherNetwork);
}

}  // namespace

void add_retinanet_output(Editor& e, const Json& entry) {
  const Json own = entry.at("custom_attributes");
  const std::vector<std::string> starts = starts_of(e, entry);
  if (e.source().model.inputs.size() != 1) throw bad_transformation("the network has not one input");
  const double overlap = overlap_of(e);
  // Boxes come as parts of the widths and heights of their anchors, and the layer adds them to corners.
  e.add("AnchorCorners", "priors", {starts[2], e.source().model.inputs[0].key},
        {{"variance", reals_attribute(own.at("variance").get<std::vector<double>>())}}, 2);
  const std::string moved = e.add("Mul", "final_regressions", {"priors:1", starts[0]});
  NamedAttributes a = filter(own, overlap);
  a["clip_after_nms"] = flag_attribute(true);
  a["background_label_id"] = integer_attribute(1000);  // there is none
  e.set_outputs({{e.add("DetectionOutput", "DetectionOutput",
                        {reshaped(e, "reshape_regression", moved, {0, -1}),
                         reshaped(e, "do_reshape_classes", starts[1], {0, -1}), "priors:0"},
                        std::move(a)),
                  {}}});
}

void add_toolbox_output(Editor& e, const Json& entry) {
  const Json own = entry.at("custom_attributes");
  const std::vector<std::string> starts = starts_of(e, entry);
  const std::string loc = reshaped(e, "DetectionOutput_Reshape_loc_", starts[0], {0, -1});
  const std::string conf = reshaped(e, "DetectionOutput_Reshape_conf_", starts[1], {0, -1});
  const std::string priors = reshaped(e, "DetectionOutput_Reshape_priors_", starts[2], {1, 2, -1});
  std::set<std::string> names;
  for (const Json& name : entry.at("instances").at("start_points")) names.insert(name.get<std::string>());
  e.remove_outputs_behind(names);
  e.add_output(
      e.add("DetectionOutput", "DetectionOutput_", {loc, conf, priors}, filter(own, own.value("nms_threshold", 0.0))));
}

}  // namespace blobsmith::tensorflow_file
