#include "serve/zoo/model_config.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace blobsmith::serve {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostBytes = 4 << 20, kMostNodes = 200000;
constexpr int kMostDepth = 40;

/// Plain scalars by what they look like, quoted ones as texts. Every visit counts, so that aliases of aliases end here.
Json to_json(const YAML::Node& node, size_t& visits, int depth) {
  if (++visits > kMostNodes) throw std::runtime_error("the YAML unfolds to too many nodes");
  if (depth > kMostDepth) throw std::runtime_error("the YAML is too deep");
  switch (node.Type()) {
    case YAML::NodeType::Undefined:
    case YAML::NodeType::Null: return nullptr;
    case YAML::NodeType::Sequence: {
      Json list = Json::array();
      for (const YAML::Node& n : node) list.push_back(to_json(n, visits, depth + 1));
      return list;
    }
    case YAML::NodeType::Map: {
      Json map = Json::object();
      for (const auto& pair : node) {
        if (!pair.first.IsScalar()) throw std::runtime_error("a key of the YAML is no text");
        map[pair.first.Scalar()] = to_json(pair.second, visits, depth + 1);
      }
      return map;
    }
    case YAML::NodeType::Scalar: break;
  }
  const std::string& text = node.Scalar();
  if (node.Tag() != "?") return text;
  if (text == "true") return true;
  if (text == "false") return false;
  if (text == "null" || text == "~") return nullptr;
  int64_t whole = 0;
  if (const auto [end, e] = std::from_chars(text.data(), text.data() + text.size(), whole);
      e == std::errc{} && end == text.data() + text.size())
    return whole;
  double real = 0;
  if (const auto [end, e] = std::from_chars(text.data(), text.data() + text.size(), real);
      e == std::errc{} && end == text.data() + text.size() && !text.empty() &&
      text.find_first_not_of("0123456789.eE+-") == std::string::npos)
    return real;
  return text;
}

std::string text_of(const Json& j) {
  if (j.is_string()) return j.get<std::string>();
  return j.is_null() || j.is_structured() ? "" : j.dump();
}

std::string member(const Json& map, const char* name) {
  const auto it = map.find(name);
  return it == map.end() ? "" : text_of(*it);
}

ConfigFile file_of(const Json& j) {
  if (!j.is_object()) throw std::runtime_error("an entry of \"files\" is no map");
  ConfigFile f;
  f.name = member(j, "name");
  if (const auto size = j.find("size"); size != j.end() && size->is_number_integer() && size->get<int64_t>() >= 0)
    f.size = size->get<uint64_t>();
  f.sha256 = member(j, "sha256");
  f.sha384 = member(j, "sha384");
  if (f.sha384.empty()) f.sha384 = member(j, "checksum");
  for (std::string* sum : {&f.sha256, &f.sha384})
    std::ranges::transform(*sum, sum->begin(), [](unsigned char c) { return std::tolower(c); });
  const auto source = j.find("source");
  if (source == j.end()) return f;
  if (source->is_object()) {
    f.source_type = member(*source, "$type");
    f.url = member(*source, f.source_type == "google_drive" ? "id" : "url");
    f.member = member(*source, "member");
  } else {
    f.source_type = "http";
    f.url = text_of(*source);
    f.plain_source = true;
  }
  return f;
}

}  // namespace

nlohmann::ordered_json yaml_to_json(const std::string& text) {
  if (text.size() > kMostBytes) throw std::runtime_error("the YAML is too large");
  size_t visits = 0;
  try {
    Json j = to_json(YAML::Load(text), visits, 0);
    static_cast<void>(j.dump());
    return j;
  } catch (const Json::exception&) {
    throw std::runtime_error("the YAML is not UTF-8");
  } catch (const YAML::Exception& e) {
    throw std::runtime_error(std::string("no valid YAML: ") + e.what());
  }
}

ModelConfig parse_model_config(const std::string& text) {
  const Json j = yaml_to_json(text);
  if (!j.is_object()) throw std::runtime_error("the model's configuration is no map");
  ModelConfig c;
  c.description = member(j, "description");
  c.license = member(j, "license");
  c.task = member(j, "task_type");
  c.framework = member(j, "framework");
  if (const auto files = j.find("files"); files != j.end() && files->is_array()) {
    c.has_files = true;
    for (const Json& f : *files) c.files.push_back(file_of(f));
  }
  if (const auto arguments = j.find("model_optimizer_args"); arguments != j.end() && arguments->is_array())
    for (const Json& a : *arguments) c.optimizer_arguments.push_back(text_of(a));
  if (const auto inputs = j.find("input_info"); inputs != j.end() && inputs->is_array())
    for (const Json& i : *inputs) {
      if (!i.is_object()) continue;
      c.input_names.push_back(member(i, "name"));
      const auto shape = i.find("shape");
      c.input_shapes.push_back(shape == i.end() || !shape->is_array() ? "" : shape->dump());
      c.input_layouts.push_back(member(i, "layout"));
    }
  return c;
}

std::vector<std::string> ModelConfig::precisions() const {
  std::vector<std::string> p;
  for (const ConfigFile& f : files) {
    const size_t slash = f.name.find('/');
    const std::string folder = slash == std::string::npos ? "" : f.name.substr(0, slash);
    if (folder.starts_with("FP") && std::ranges::find(p, folder) == p.end()) p.push_back(folder);
  }
  // A model of a framework is converted to FP16 whatever it is.
  if (p.empty() || framework != "dldt") p = {"FP16"};
  return p;
}

}  // namespace blobsmith::serve
