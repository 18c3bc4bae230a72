#include "blobsmith/check.hpp"

#include <algorithm>

#include "api/model.hpp"
#include "compare/known_faults.hpp"
#include "importers/onnx/refusals.hpp"
#include "vpu/check.hpp"
#include "vpu/lowering/advice.hpp"

namespace blobsmith {

namespace {

/// A layer that can't be read has become an input of the rest.
bool stands_for_a_layer(const std::string& input, const Diagnostics& read) {
  return std::ranges::any_of(read.remarks, [&](const Remark& r) {
    return r.kind == Remark::Kind::Unreadable && (input == r.layer || input.starts_with(r.layer + "."));
  });
}

/// What there is to say of layers of a type that are refused: of the framework's, else of the compiler's.
std::string nearest_form(const std::string& type) {
  std::string_view form = onnx_import::nearest_form(type);
  if (form.empty()) form = vpu::advice_for(type);
  return std::string(form);
}

CheckResult check_with(const ModelFile& model, const CheckOptions& o, const api::Departure* departure) {
  Diagnostics read;
  Graph graph = api::read_graph(model,
                                {.input_shapes = o.input_shapes,
                                 .conversion = o.conversion,
                                 .quirks = !o.fix,
                                 .control = part_of(o.control, 0, 0.2)},
                                read, true)
                    .graph;
  std::vector<TensorInfo> inputs = api::inputs_of(graph), outputs = api::outputs_of(graph);
  std::erase_if(inputs, [&](const TensorInfo& t) { return stands_for_a_layer(t.name, read); });
  std::vector<Remark> faults = comparison::remaining_faults(graph, !o.fix);
  vpu::CompileOptions options = api::camera_options(o.camera, graph, !o.fix);
  if (departure) departure->apply(options);
  const Control rest = part_of(o.control, 0.2, 1);
  CheckResult result =
      api::in_file(model.path(), [&] { return vpu::check(std::move(graph), read, options, o.fix, rest); });
  for (CheckProblem& p : result.problems)
    if (p.layer >= 0) p.nearest = nearest_form(result.layers[static_cast<size_t>(p.layer)].type);
  result.inputs = std::move(inputs);
  result.outputs = std::move(outputs);
  result.remarks = std::move(faults);
  return result;
}

}  // namespace

/// As convert() tries.
CheckResult check(const ModelFile& model, const CheckOptions& o) {
  CheckResult result = check_with(model, o, nullptr);
  const auto lacks_memory = [](const CheckProblem& p) { return api::lacks_memory(p.error); };
  if (!o.fix || result.problems.empty() || !std::ranges::all_of(result.problems, lacks_memory)) return result;
  for (const api::Departure& d : api::departures(o.camera)) {
    CheckResult other = check_with(model, o, &d);
    if (other.problems.empty()) return other;
  }
  return result;
}

int CheckResult::count(CheckedLayer::Status s) const {
  return static_cast<int>(std::ranges::count(layers, s, &CheckedLayer::status));
}

const char* to_string(CheckedLayer::Status s) {
  switch (s) {
    case CheckedLayer::Status::Supported: return "supported";
    case CheckedLayer::Status::Fixed: return "fixed";
    case CheckedLayer::Status::Unsupported: return "unsupported";
    case CheckedLayer::Status::NotChecked: return "not checked";
  }
  return "?";
}

}  // namespace blobsmith
