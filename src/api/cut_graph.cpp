#include "api/cut_graph.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "api/model.hpp"
#include "core/chunked_bytes.hpp"
#include "graph/ops/known_value.hpp"
#include "graph/split.hpp"
#include "importers/openvino_ir/writer.hpp"
#include "transforms/pipeline.hpp"

namespace blobsmith::api {
namespace {

constexpr int kMostRounds = 40;  ///< of finding layers that can't be compiled

ModelPart part_of(const Graph& graph) {
  ModelPart part{.is_ir = true};
  if (graph.results().empty()) return part;
  const WrittenIr ir = write_openvino_ir(graph, {.version = 11, .producer = "blobsmith", .parameters = {}});
  part.model.assign(ir.xml.begin(), ir.xml.end());
  part.weights = ir.weights.joined();
  return part;
}

/// The node of the graph that a layer of a check is; all that come from the same place of the file where none has its
/// name.
std::vector<const Node*> nodes_of(const CheckedLayer& layer, const std::vector<Node*>& all) {
  std::vector<const Node*> same_source;
  for (const Node* n : all) {
    if (!is_layer(*n)) continue;
    if (n->name == layer.name) return {n};
    if (!layer.source.empty() && n->source == layer.source) same_source.push_back(n);
  }
  return same_source;
}

bool ends_open(const Graph& graph) {
  return std::ranges::any_of(graph.results(), [](const Node* r) { return !is_static(r->input(0).shape()); });
}

/// Sizes that the data decide are the host's, with what computes them.
std::vector<const Node*> open_outputs(const Graph& chip, const std::vector<Node*>& all) {
  std::vector<const Node*> list;
  for (const Node* r : chip.results())
    if (!is_static(r->input(0).shape()))
      for (const Node* n : all)
        if (n->id() == r->input(0).node->id()) list.push_back(n);
  return list;
}

// ---- layers that nobody knows ----

std::string place_of(Value v) {
  const std::vector<std::string>& tensors = v.node->output(v.port).tensor_names;
  return tensors.empty() ? v.node->name : tensors.front();
}

/// The tensors at which a model ends where what follows can't be read: those that unknown layers read, and the results
/// that need none of them.
std::string ends_before_unknown(const ModelFile& file, const CheckOptions& o, std::vector<Error>& unknown) {
  Diagnostics read;
  const Graph graph = read_graph(file, {.input_shapes = o.input_shapes, .conversion = o.conversion}, read, true).graph;
  std::vector<const Node*> stand_ins;
  for (const Node* p : graph.parameters())
    for (const Remark& r : read.remarks)
      if (r.kind == Remark::Kind::Unreadable && (p->name == r.layer || p->name.starts_with(r.layer + ".")))
        stand_ins.push_back(p);
  const std::set<const Node*> behind = nodes_behind(graph, stand_ins);
  std::vector<std::string> places;
  const auto add = [&](Value v) {
    if (behind.contains(v.node) || !is_layer(*v.node) || known_value(v)) return;
    std::string place = place_of(v);
    if (std::ranges::find(places, place) == places.end()) places.push_back(std::move(place));
  };
  std::map<std::string, Value> by_name;
  for (Node* n : graph.ordered())
    for (int k = 0; k < n->output_count(); ++k) {
      by_name.emplace(n->name, n->value(k));
      for (const std::string& name : n->output(k).tensor_names) by_name.emplace(name, n->value(k));
    }
  for (const auto& [source, names] : read.reads)
    for (const std::string& name : names)
      if (const auto it = by_name.find(name); it != by_name.end()) add(it->second);
  for (const Node* r : graph.results()) add(r->input(0));
  unknown = std::move(read.problems);
  std::string joined;
  for (const std::string& place : places) joined += (joined.empty() ? "" : ",") + place;
  return joined;
}

Graph read_whole(const ModelFile& file, const CheckOptions& o) {
  Diagnostics ignored;
  return read_graph(file, {.input_shapes = o.input_shapes, .conversion = o.conversion, .half_precision = false},
                    ignored)
      .graph;
}

}  // namespace

CutGraph cut_graph(const ModelFile& file, const CheckOptions& options) {
  CutGraph result;
  CheckOptions o = options;
  CheckResult checked = check(file, o);
  const auto is_unknown = [&](const CheckProblem& p) {  // it could not even be read
    return p.layer >= 0 && checked.layers[static_cast<size_t>(p.layer)].outputs.empty();
  };
  if (std::ranges::any_of(checked.problems, is_unknown)) {
    o.conversion.outputs = ends_before_unknown(file, o, result.refused);
    if (o.conversion.outputs.empty()) throw ErrorList(result.refused);
    result.ends_at = o.conversion.outputs;
    checked = check(file, o);
  }
  if (checked.compiles()) return result;
  const Graph whole = read_whole(file, o);
  const std::vector<Node*> all = whole.ordered();
  if (std::ranges::any_of(all, [](const Node* n) { return n->is("Assign"); }))
    throw Error(ErrorCode::NotYetSupported, "a network that keeps states can't be cut").in_file(file.path());
  std::set<const Node*> refused;
  for (int round = 0; round < kMostRounds; ++round) {
    std::vector<Error> errors;
    std::vector<const Node*> more;
    for (const CheckProblem& p : checked.problems) {
      errors.push_back(p.error);
      if (p.layer < 0) continue;
      std::ranges::copy(nodes_of(checked.layers[static_cast<size_t>(p.layer)], all), std::back_inserter(more));
    }
    const size_t before = refused.size();
    refused.insert(more.begin(), more.end());
    if (refused.size() == before) throw ErrorList(std::move(errors));
    std::ranges::move(errors, std::back_inserter(result.refused));
    GraphParts parts = split(whole, refused);
    while (ends_open(parts.chip)) {
      const std::vector<const Node*> open = open_outputs(parts.chip, all);
      refused.insert(open.begin(), open.end());
      parts = split(whole, refused);
    }
    if (parts.chip.results().empty()) throw ErrorList(result.refused);
    result.chip = part_of(parts.chip);
    result.inputs = inputs_of(parts.chip);
    result.from_chip = outputs_of(parts.chip);
    result.to_chip.clear();
    const auto is_given = [&](const TensorInfo& t) {
      return std::ranges::find(whole.parameters(), t.name, &Node::name) != whole.parameters().end();
    };
    for (const TensorInfo& t : result.inputs)
      if (!is_given(t)) result.to_chip.push_back(t.name);
    const CameraOptions camera = for_chip(o.camera, result.inputs, result.from_chip, result.to_chip);
    checked = check(file_of(result.chip, "chip"), {.camera = camera, .fix = o.fix, .control = o.control});
    if (!checked.compiles()) continue;
    result.before = part_of(parts.before);
    result.after = part_of(parts.after);
    return result;
  }
  throw ErrorList(result.refused);
}

ModelFile file_of(const ModelPart& part, const std::string& name) {
  if (!part.is_ir) return ModelFile(name + ".onnx", part.model);
  return ModelFile(name + ".xml", part.model, {{name + ".bin", part.weights}});
}

CameraOptions for_chip(CameraOptions camera, const std::vector<TensorInfo>& inputs,
                       const std::vector<TensorInfo>& outputs, const std::vector<std::string>& from_host) {
  const auto has = [](const std::vector<TensorInfo>& list, const std::string& name) {
    return std::ranges::find(list, name, &TensorInfo::name) != list.end();
  };
  std::erase_if(camera.io_precision,
                [&](const auto& pair) { return !has(inputs, pair.first) && !has(outputs, pair.first); });
  for (const TensorInfo& t : inputs)
    if (t.type == TensorType::FP32 && std::ranges::find(from_host, t.name) != from_host.end())
      camera.io_precision.emplace(t.name, TensorType::FP16);
  return camera;
}

}  // namespace blobsmith::api
