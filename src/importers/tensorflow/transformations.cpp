#include "importers/tensorflow/transformations.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "core/file.hpp"
#include "importers/tensorflow/builder.hpp"

namespace blobsmith::tensorflow_file {
namespace {

using Json = nlohmann::json;
using importers::SourceOperator;
using importers::SourceOutput;

Error bad(const std::string& what) { return Error(ErrorCode::BadOptionValue, "--transformations_config: " + what); }

// ---- files that OpenVINO ships: their numbers, by file ----

constexpr const char* kAnchors3 = "10,13,16,30,33,23,30,61,62,45,59,119,116,90,156,198,373,326";
constexpr const char* kMasks3 = "[6,7,8],[3,4,5],[0,1,2]";
struct ShippedRow {
  const char *name, *id;
  int classes, num;
  int softmax;  ///< of TFYOLO
  const char *anchors, *masks, *entry_points;
};
constexpr const char* kPoints3 =
    "\"detector/yolo-v3/Reshape\",\"detector/yolo-v3/Reshape_4\",\"detector/yolo-v3/Reshape_8\"";
constexpr ShippedRow kShipped[] = {
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

std::string shipped_text(const ShippedRow& r) {
  const auto list = [](const char* name, const char* values) {
    return *values ? std::string(",\"") + name + "\":[" + values + "]" : std::string();
  };
  return "[{\"id\":\"" + std::string(r.id) + "\",\"custom_attributes\":{\"classes\":" + std::to_string(r.classes) +
         ",\"coords\":4,\"num\":" + std::to_string(r.num) + ",\"do_softmax\":" + std::to_string(r.softmax) +
         list("anchors", r.anchors) + list("masks", r.masks) + list("entry_points", r.entry_points) + "}}]";
}

std::string text_of(const std::string& config) {
  if (file_exists(config)) {
    const Bytes bytes = read_file(config);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  const auto* row = std::ranges::find(kShipped, std::filesystem::path(config).stem().string(), &ShippedRow::name);
  if (row != std::end(kShipped)) return shipped_text(*row);
  std::string all;
  for (const ShippedRow& r : kShipped) all += (all.empty() ? "" : ", ") + std::string(r.name);
  throw Error(ErrorCode::FileNotFound, "--transformations_config: there is no file " + config)
      .hint("known without a file are: " + all);
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
        throw bad("TensorFlow YOLO V3 conversion mechanism was enabled. Entry points \"" + name +
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
    attributes["anchors"].reals = a.value("anchors", Json::array()).get<std::vector<double>>();
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

bool is_other_transformation(const std::string& id) {
  static constexpr const char* kKnown[] = {"ObjectDetectionAPI", "RetinaNetFilteredDetectionsReplacement",
                                           "AutomlEfficientDet", "SSDToolboxDetectionOutput"};
  return std::ranges::any_of(kKnown, [&](const char* known) { return id.starts_with(known); });
}

}  // namespace

void apply_transformations(Source& source, const std::string& config) {
  const Json list = Json::parse(text_of(config), nullptr, false);
  if (list.is_discarded() || !list.is_array())
    throw bad("Failed to parse custom replacements configuration file '" + config + "': it is no JSON list");
  try {
    for (const Json& item : list) {
      const auto id = item.at("id").get<std::string>();
      const Json attributes = item.value("custom_attributes", Json::object());
      if (id == "TFYOLOV3") Regions(source).add_version_3(attributes);
      if (id == "TFYOLO") Regions(source).add_versions_1_and_2(attributes);
      if (is_other_transformation(id))
        throw Error(ErrorCode::NotYetSupported, "not yet supported: the transformation " + id)
            .hint("--output states where the network ends: in front of what the transformation replaces");
    }
  } catch (const Json::exception& e) {
    throw bad("the file '" + config + "' is not as expected").because(e.what());
  }
}

}  // namespace blobsmith::tensorflow_file
