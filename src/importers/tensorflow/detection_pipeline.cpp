#include "importers/tensorflow/detection_pipeline.hpp"

#include <charconv>
#include <cmath>

#include "core/file.hpp"

namespace blobsmith::tensorflow_file {
namespace {

using importers::Message;

constexpr const char* kOption = "--tensorflow_object_detection_api_pipeline_config";

Error in_pipeline(const std::string& what) {
  return Error(ErrorCode::BadOptionValue, std::string(kOption) + ": " + what);
}

template <class T>
T number_of(const std::string& path, const std::string& text) {
  T v{};
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (text.empty() || ec != std::errc{} || end != text.data() + text.size())
    throw in_pipeline(path + " is '" + text + "', which is not a number");
  return v;
}

Error missing(const std::string& path) {
  return in_pipeline("the file does not state " + path).hint("is it the pipeline.config that lies beside the model?");
}

}  // namespace

DetectionPipeline DetectionPipeline::read(const std::string& path) {
  if (path.empty())
    throw Error(ErrorCode::BadOptionValue,
                "to convert the model specify path to the pipeline configuration file which was used to generate it")
        .hint(std::string(kOption) + " FILE: it lies beside the frozen graph, and is called pipeline.config");
  const Bytes bytes = read_file(path);
  try {
    return parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  } catch (Error& e) {
    throw e.from(path);
  }
}

DetectionPipeline DetectionPipeline::parse(std::string_view text) {
  DetectionPipeline p;
  p.file_ = std::make_shared<const Message>(importers::parse_text(text));
  const Message* model = p.file_->message("model");
  if (model)
    for (const Message::Field& f : model->fields())
      if (f.message && !p.model_) p.model_ = f.message.get(), p.architecture_ = f.name;
  if (!p.model_)
    throw in_pipeline("the \"model\" key is not found in the configuration file")
        .hint("is it the pipeline.config that lies beside the model?");
  return p;
}

std::vector<std::string> DetectionPipeline::find(const std::string& path) const {
  const Message* m = model_;
  std::string rest = path;
  for (size_t slash; m && (slash = rest.find('/')) != std::string::npos; rest.erase(0, slash + 1))
    m = m->message(rest.substr(0, slash));
  std::vector<std::string> texts;
  if (m)
    for (const Message::Field& f : m->fields())
      if (f.name == rest) texts.push_back(f.text);
  return texts;
}

std::optional<std::string> DetectionPipeline::text(const std::string& path) const {
  const std::vector<std::string> all = find(path);
  return all.empty() ? std::nullopt : std::optional(all.back());
}

std::optional<double> DetectionPipeline::real(const std::string& path) const {
  const auto t = text(path);
  return t ? std::optional(number_of<double>(path, *t)) : std::nullopt;
}

std::vector<double> DetectionPipeline::reals(const std::string& path) const {
  std::vector<double> values;
  for (const std::string& t : find(path)) values.push_back(number_of<double>(path, t));
  return values;
}

std::optional<int64_t> DetectionPipeline::integer(const std::string& path) const {
  const auto t = text(path);
  return t ? std::optional(number_of<int64_t>(path, *t)) : std::nullopt;
}

bool DetectionPipeline::flag(const std::string& path, bool fallback) const {
  const auto t = text(path);
  return t ? *t == "true" || *t == "True" || *t == "t" || *t == "1" : fallback;
}

double DetectionPipeline::needed_real(const std::string& path) const {
  if (const auto v = real(path)) return *v;
  throw missing(path);
}
int64_t DetectionPipeline::needed_integer(const std::string& path) const {
  if (const auto v = integer(path)) return *v;
  throw missing(path);
}
std::string DetectionPipeline::needed_text(const std::string& path) const {
  if (const auto v = text(path)) return *v;
  throw missing(path);
}

std::vector<double> DetectionPipeline::variances() const {
  if (has("box_coder") && !has("box_coder/faster_rcnn_box_coder"))
    throw in_pipeline(
        "its boxes are coded in another way than that of Faster R-CNN, which is the only one that "
        "DetectionOutput reads");
  std::vector<double> v;
  for (const auto& [name, usual] : std::initializer_list<std::pair<const char*, double>>{
           {"x_scale", 10}, {"y_scale", 10}, {"width_scale", 5}, {"height_scale", 5}}) {
    const double scale = real(std::string("box_coder/faster_rcnn_box_coder/") + name, usual);
    if (!(scale > 0) || !std::isfinite(scale)) throw in_pipeline(std::string(name) + " is not positive");
    v.push_back(1 / scale);
  }
  return v;
}

}  // namespace blobsmith::tensorflow_file
