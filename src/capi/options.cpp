#include "capi/options.hpp"

#include <algorithm>

#include "blobsmith/files.hpp"
#include "reports/nearest.hpp"

namespace blobsmith::capi {
namespace {

[[noreturn]] void wrong_type(const std::string& name, const char* expected) {
  throw Error(ErrorCode::BadOptionValue, "option \"" + name + "\" is not " + expected);
}

TensorType parsed_precision(const std::string& name, const Json& v) {
  if (v.is_string())
    if (const auto t = parse_tensor_type(v.get<std::string>())) return *t;
  wrong_type(name, "one of FP32, FP16, U8, I8, I32");
}

}  // namespace

Options::Options(const char* text) {
  members_ = text && *text ? Json::parse(text, nullptr, false) : Json::object();
  if (!members_.is_object()) throw Error(ErrorCode::BadOptionValue, "the options are no JSON object");
}

bool Options::has(const std::string& name) { return !value(name).is_null(); }

Json Options::value(const std::string& name) {
  known_.insert(name);
  const auto it = members_.find(name);
  return it == members_.end() ? Json() : *it;
}

std::string Options::text(const std::string& name, const std::string& otherwise) {
  const Json v = value(name);
  if (v.is_null()) return otherwise;
  if (!v.is_string()) wrong_type(name, "a text");
  return v.get<std::string>();
}

int64_t Options::integer(const std::string& name, int64_t otherwise) {
  const Json v = value(name);
  if (v.is_null()) return otherwise;
  if (!v.is_number_integer()) wrong_type(name, "a whole number");
  return v.get<int64_t>();
}

double Options::number(const std::string& name, double otherwise) {
  const Json v = value(name);
  if (v.is_null()) return otherwise;
  if (!v.is_number()) wrong_type(name, "a number");
  return v.get<double>();
}

bool Options::flag(const std::string& name, bool otherwise) {
  const Json v = value(name);
  if (v.is_null()) return otherwise;
  if (!v.is_boolean()) wrong_type(name, "true or false");
  return v.get<bool>();
}

std::optional<TensorType> Options::precision(const std::string& name) {
  const Json v = value(name);
  if (v.is_null()) return std::nullopt;
  return parsed_precision(name, v);
}

std::map<std::string, TensorType> Options::precisions(const std::string& name) {
  std::map<std::string, TensorType> r;
  const Json v = value(name);
  if (!v.is_null() && !v.is_object()) wrong_type(name, "an object of precisions by name");
  for (const auto& [key, one] : v.items()) r[key] = parsed_precision(name + "." + key, one);
  return r;
}

std::map<std::string, std::string> Options::texts(const std::string& name) {
  std::map<std::string, std::string> r;
  const Json v = value(name);
  if (!v.is_null() && !v.is_object()) wrong_type(name, "an object of texts");
  for (const auto& [key, one] : v.items()) r[key] = one.is_string() ? one.get<std::string>() : one.dump();
  return r;
}

std::vector<std::string> Options::list(const std::string& name) {
  std::vector<std::string> r;
  const Json v = value(name);
  if (v.is_null()) return r;
  if (!v.is_array()) wrong_type(name, "a list of texts");
  for (const Json& one : v) {
    if (!one.is_string()) wrong_type(name, "a list of texts");
    r.push_back(one.get<std::string>());
  }
  return r;
}

std::map<std::string, Shape> Options::shapes(const std::string& name) {
  std::map<std::string, Shape> r;
  const Json v = value(name);
  if (!v.is_null() && !v.is_object()) wrong_type(name, "an object of shapes by input");
  for (const auto& [key, shape] : v.items()) {
    if (!shape.is_array()) wrong_type(name, "an object of shapes by input");
    for (const Json& d : shape) {
      if (!d.is_number_integer() || d.get<int64_t>() <= 0) wrong_type(name, "an object of shapes of positive numbers");
      r[key].push_back(d.get<int64_t>());
    }
  }
  return r;
}

std::map<std::string, double> Options::numbers(const std::string& name) {
  std::map<std::string, double> r;
  const Json v = value(name);
  if (!v.is_null() && !v.is_object()) wrong_type(name, "an object of numbers");
  for (const auto& [key, one] : v.items()) {
    if (!one.is_number()) wrong_type(name, "an object of numbers");
    r[key] = one.get<double>();
  }
  return r;
}

void Options::finish() const {
  for (const auto& [name, v] : members_.items()) {
    if (known_.contains(name)) continue;
    Error e(ErrorCode::UnknownOption, "there is no option \"" + name + "\"");
    const std::vector<std::string> known(known_.begin(), known_.end());
    if (const std::string meant = reports::nearest(name, known); !meant.empty())
      e.hint("did you mean \"" + meant + "\"?");
    throw e;
  }
}

ModelFile model_file(Options& o, std::span<const blobsmith_file> files) {
  const std::string path = o.text("model");
  if (files.empty()) {
    if (path.empty())
      throw Error(ErrorCode::BadOptionValue, "no model: neither a path (\"model\") nor a file in memory");
    return path;
  }
  const auto bytes = [](const blobsmith_file& f) {
    const auto* begin = static_cast<const uint8_t*>(f.data);
    return ModelFile::Contents(begin, begin + f.size);
  };
  std::map<std::string, ModelFile::Contents> beside;
  for (const blobsmith_file& f : files.subspan(1)) beside[f.name ? f.name : ""] = bytes(f);
  return {files[0].name ? files[0].name : "", bytes(files[0]), std::move(beside)};
}

std::vector<uint8_t> one_file(Options& o, const std::string& name, std::span<const blobsmith_file> files) {
  const std::string path = o.text(name);
  if (files.empty()) {
    if (path.empty())
      throw Error(ErrorCode::BadOptionValue, "no file: neither a path (\"" + name + "\") nor one in memory");
    return load_file(path);
  }
  const auto* begin = static_cast<const uint8_t*>(files[0].data);
  return {begin, begin + files[0].size};
}

ConversionOptions conversion_options(Options& o) {
  return {.inputs = o.text("inputs"),
          .outputs = o.text("outputs"),
          .shapes = o.text("shapes"),
          .batch = o.integer("batch", 0),
          .mean_values = o.text("mean_values"),
          .scale_values = o.text("scale_values"),
          .layout = o.text("layout"),
          .reverse_input_channels = o.flag("reverse_input_channels", false),
          .strip_quant = o.flag("strip_quant", false),
          .yolo_head = o.flag("yolo_head", false)};
}

CameraOptions camera_options(Options& o) {
  CameraOptions c;
  c.shaves = static_cast<int>(std::clamp<int64_t>(o.integer("shaves", c.shaves), -1, 1000));
  c.slices = static_cast<int>(std::clamp<int64_t>(o.integer("slices", 0), -1, 1000));
  if (const auto t = o.precision("input_precision")) c.input_precision = *t;
  c.output_precision = o.precision("output_precision");
  c.io_precision = o.precisions("io_precision");
  for (auto& [key, value] : o.texts("config")) c.config.emplace_back(key, value);
  return c;
}

ConvertOptions convert_options(Options& o) {
  ConvertOptions c;
  c.input_shapes = o.shapes("input_shapes");
  c.conversion = conversion_options(o);
  c.camera = camera_options(o);
  c.quirks = o.flag("quirks", false);
  c.target = o.text("target", c.target);
  c.ir_folder = o.text("ir_folder");
  c.ir_version = static_cast<int>(o.integer("ir_version", c.ir_version));
  return c;
}

CompileOptions compile_options(Options& o) {
  CompileOptions c;
  for (auto& [key, value] : o.texts("config")) c.config.emplace_back(key, value);
  if (o.has("shaves")) c.shaves = std::to_string(o.integer("shaves", 0));
  if (o.has("slices")) c.slices = std::to_string(o.integer("slices", 0));
  c.input_precision = o.precision("input_precision");
  c.output_precision = o.precision("output_precision");
  c.io_precision = o.precisions("io_precision");
  c.input_layout = o.text("input_layout");
  c.output_layout = o.text("output_layout");
  c.io_layout = o.texts("io_layout");
  c.quirks = o.flag("quirks", true);
  c.target = o.text("target");
  return c;
}

}  // namespace blobsmith::capi
