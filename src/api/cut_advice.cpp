#include "api/cut_advice.hpp"

#include <algorithm>

#include "importers/common/model_files.hpp"
#include "importers/onnx/file.hpp"

namespace blobsmith::api {
namespace {

bool has_operator(const std::vector<onnx_file::Node>& nodes, const std::string& type) {
  return std::ranges::any_of(nodes, [&](const onnx_file::Node& n) {
    if (n.op_type == type) return true;
    return std::ranges::any_of(n.attributes, [&](const auto& attribute) {
      return attribute.second.graph && has_operator(attribute.second.graph->nodes, type);
    });
  });
}

/// The number of boxes is only known when they are computed, which no blob can give on to what follows.
bool suppresses_boxes(const ModelFile& model) {
  try {
    return has_operator(onnx_file::read_model(importers::contents_of(model), importers::files_beside(model)).nodes,
                        "NonMaxSuppression");
  } catch (const Error&) {
    return false;
  }
}

bool is_of_layers(const Error& e) {
  return e.code() == ErrorCode::UnknownOperation || e.code() == ErrorCode::UnsupportedLayer ||
         e.code() == ErrorCode::NotYetSupported;
}

}  // namespace

Error advise_cut(const ModelFile& model, const ConvertOptions& o, Error e) {
  const bool can_be_cut = !o.quirks && o.conversion.inputs.empty() && o.conversion.outputs.empty() && is_of_layers(e);
  if (!can_be_cut) return e;
  std::string advice =
      "convert --cut-unsupported makes a blob of the largest part that can be, and a model of the rest for the host";
  if (model.path().ends_with(".onnx") && suppresses_boxes(model))
    advice =
        "the model chooses among its boxes (NonMaxSuppression): export it without (Ultralytics: nms=False), or leave "
        "that to the host: " +
        advice;
  e.hint(e.hint().empty() ? advice : e.hint() + "; " + advice);
  return e;
}

}  // namespace blobsmith::api
