#include "importers/tensorflow/transformations.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "core/file.hpp"
#include "importers/tensorflow/object_detection.hpp"
#include "importers/tensorflow/shipped_transformations.hpp"

namespace blobsmith::tensorflow_file {
namespace {

using Json = nlohmann::json;
using importers::SourceOperator;
using importers::SourceOutput;

Json json_of(const std::string& config) {
  if (file_exists(config)) {
    const Bytes bytes = read_file(config);
    const auto* first = reinterpret_cast<const char*>(bytes.data());
    return Json::parse(first, first + bytes.size(), nullptr, false);
  }
  std::string name = std::filesystem::path(config).filename().string();
  if (name.ends_with(".json")) name.resize(name.size() - 5);
  if (auto shipped = shipped_transformations(name)) return *std::move(shipped);
  throw Error(ErrorCode::FileNotFound, "--transformations_config: there is no file " + config)
      .hint("known without a file are: " + shipped_transformation_names());
}

// ---- YOLO ----

class Regions {
 public:
  explicit Regions(Source& s) : s_(s) {
    for (const SourceOperator& op : s.model.operators)
      for (const std::string& key : op.outputs) producers_[key] = op.name;
  }

  /// At every entry point, behind what it reads.
  void add_version_3(const Json& a) {
    const Json &points = a.at("entry_points"), &masks = a.at("masks");
    for (size_t i = 0; i < points.size(); ++i) {
      const auto name = points[i].get<std::string>();
      const auto op = std::ranges::find(s_.model.operators, name, &SourceOperator::name);
      if (op == s_.model.operators.end() || op->inputs.empty())
        throw bad_transformation("TensorFlow YOLO V3 conversion mechanism was enabled. Entry points \"" + name +
                                 "\" were provided in the configuration file, but the graph has no such node");
      const std::string key = op->inputs[0];
      add(key, name_of(key), a, masks.at(i), false);
    }
    finish();
  }

  /// Behind every output, under the name of what passes it on last.
  void add_versions_1_and_2(const Json& a) {
    const Json flag = a.value("do_softmax", Json(1));
    const bool softmax = flag.is_boolean() ? flag.get<bool>() : flag.get<int64_t>() != 0;
    for (const SourceOutput& o : std::vector<SourceOutput>(s_.model.outputs)) {
      std::string name = name_of(o.key), key = o.key;
      for (const SourceOperator& op : s_.model.operators)
        if (op.type == "Identity" && op.inputs.size() == 1 && op.inputs[0] == key && !op.outputs.empty()) {
          key = op.outputs[0];
          name = op.name;
        }
      add(o.key, name, a, Json::array(), softmax);
    }
    finish();
  }

 private:
  std::string name_of(const std::string& key) const {
    const auto it = producers_.find(key);
    return it == producers_.end() ? key.substr(0, key.rfind(':')) : it->second;
  }

  void add(const std::string& key, const std::string& producer, const Json& a, const Json& mask, bool softmax) {
    NamedAttributes attributes{{"coords", integer_attribute(a.at("coords").get<int64_t>())},
                               {"classes", integer_attribute(a.at("classes").get<int64_t>())},
                               {"num", integer_attribute(a.at("num").get<int64_t>())},
                               {"do_softmax", flag_attribute(softmax)},
                               {"mask", integers_attribute(mask.get<std::vector<int64_t>>())}};
    attributes["anchors"] = reals_attribute(a.value("anchors", Json::array()).get<std::vector<double>>());
    const std::string name = producer + "/YoloRegion";
    s_.model.operators.push_back(
        {s_.nodes.size(), name, "RegionYolo", "node \"" + name + "\" (RegionYolo)", {key}, {name + ":0"}});
    s_.nodes.push_back({name, "RegionYolo", {key}, std::move(attributes)});
    regions_.push_back({name + ":0", {}});
  }

  /// Nothing else is an output.
  void finish() {
    s_.model.outputs = std::move(regions_);
    s_.model.only_stated_outputs = true;
    keep_needed(s_.model);
  }

  Source& s_;
  std::map<std::string, std::string> producers_;  ///< names of operators by key
  std::vector<SourceOutput> regions_;
};

// ---- the ids ----

struct Use {
  Source& source;
  const Json& entry;
  const TransformationOptions& options;
  std::optional<DetectionPipeline>& pipeline;  ///< once it was read
};

void yolo(const Use& u) { Regions(u.source).add_versions_1_and_2(u.entry.value("custom_attributes", Json::object())); }
void yolo_3(const Use& u) { Regions(u.source).add_version_3(u.entry.value("custom_attributes", Json::object())); }

template <void (*kPart)(Detector&, const Json&)>
void detector(const Use& u) {
  if (!u.pipeline) u.pipeline = DetectionPipeline::read(u.options.pipeline);
  Editor editor(u.source);
  Detector d{editor, *u.pipeline, u.options.has_stated_shape};
  kPart(d, u.entry);
  editor.finish();
}

template <void (*kPart)(Editor&, const Json&)>
void edited(const Use& u) {
  Editor editor(u.source);
  kPart(editor, u.entry);
  editor.finish();
}
void outputs(const Use& u) {
  if (!u.options.has_stated_outputs) edited<choose_outputs>(u);
}

struct IdRow {
  std::string_view id;
  void (*apply)(const Use&);  ///< null: the chip can't do it
};
/// In the order in which they are applied, whatever the order in the file.
constexpr IdRow kIds[] = {
    {"TFYOLOV3", yolo_3},
    {"TFYOLO", yolo},
    {"ObjectDetectionAPIOutputReplacement", outputs},
    {"ObjectDetectionAPIConstValueOverride", detector<override_constants>},
    {"ObjectDetectionAPIPreprocessorReplacement", detector<remove_preprocessor>},
    {"ObjectDetectionAPIPreprocessor2Replacement", detector<remove_loop_preprocessor>},
    {"ObjectDetectionAPISSDPostprocessorReplacement", detector<add_ssd_output>},
    {"ObjectDetectionAPIProposalReplacement", detector<add_proposals>},
    {"ObjectDetectionAPIPSROIPoolingReplacement", nullptr},
    {"ObjectDetectionAPIDetectionOutputReplacement", detector<add_region_output>},
    {"ObjectDetectionAPIMaskRCNNROIPoolingSecondReplacement", detector<pool_detected_regions>},
    {"ObjectDetectionAPIMaskRCNNSigmoidReplacement", edited<add_mask_sigmoid>},
    {"RetinaNetFilteredDetectionsReplacement", edited<add_retinanet_output>},
    {"AutomlEfficientDet", edited<add_efficientdet_output>},
    {"SSDToolboxDetectionOutput", edited<add_toolbox_output>},
};

}  // namespace

void apply_transformations(Source& source, const TransformationOptions& options) {
  const Json list = json_of(options.config);
  if (list.is_discarded() || !list.is_array())
    throw bad_transformation("Failed to parse custom replacements configuration file '" + options.config +
                             "': it is no JSON list");
  std::optional<DetectionPipeline> pipeline;
  try {
    for (const IdRow& row : kIds)
      for (const Json& item : list) {
        if (item.at("id").get<std::string>() != row.id) continue;
        if (!row.apply)
          throw Error(ErrorCode::NotYetSupported, "not yet supported: the transformation " + std::string(row.id))
              .because("R-FCN takes its scores from bilinear parts of maps, the chip's PSROIPooling averages them")
              .hint(
                  "--output states where the network ends: at the maps of scores and boxes, with what reads them on "
                  "the host; Faster R-CNN and SSD run on the chip");
        row.apply({source, item, options, pipeline});
      }
  } catch (const Json::exception& e) {
    throw bad_transformation("the file '" + options.config + "' is not as expected").because(e.what());
  }
}

}  // namespace blobsmith::tensorflow_file
