// Batch detection: a network whose inputs all have the same dimension 0 is compiled for one item (front-end spec
// §5.1). quirk: the reference does not ask whether the items are independent of each other.
//
// Inputs of [8, 3, 224, 224] become [1, 3, 224, 224] and all shapes are inferred again; the blob says batch 8, and the
// device runs it once per item. An output whose shape did not change with that (a constant, shapes stated as numbers)
// is "unbatched". What works across the items (a mean over axis 0) now sees one item alone: batch_mixing.cpp finds such
// layers by comparing the shapes before and after.
#include <algorithm>
#include <map>

#include "core/error.hpp"
#include "transforms/conversion/batch_mixing.hpp"
#include "transforms/conversion/passes.hpp"
#include "transforms/pipeline.hpp"

namespace blobsmith {
namespace {

std::vector<Node*> parameters_by_name(const Graph& graph) {
  std::vector<Node*> list = graph.parameters();
  std::ranges::sort(list, {}, &Node::name);
  return list;
}

// The batch that all images have and that every input has as dimension 0; 1 where there is none.
int64_t common_batch(const std::vector<Node*>& inputs) {
  std::optional<int64_t> batch;
  for (const Node* p : inputs) {
    if (p->shape().size() != 4 && p->shape().size() != 5) continue;
    if (batch && *batch != p->shape()[0]) return 1;
    batch = p->shape()[0];
  }
  if (!batch || *batch < 1) return 1;
  const bool everywhere =
      std::ranges::all_of(inputs, [&](const Node* p) { return !p->shape().empty() && p->shape()[0] == *batch; });
  return everywhere ? *batch : 1;
}

void set_batch(const std::vector<Node*>& inputs, int64_t batch, Graph& graph) {
  for (Node* p : inputs) {
    Shape s = p->shape();
    s[0] = batch;
    graph.set_outputs(p, {{p->element_type(), s}});
  }
  infer_all(graph);
}

constexpr const char* kTogether = "it works across the batch, so all items are computed together";

/// Leaves one item, and says which layers would mix them.
std::vector<Remark> take_batch_out(Graph& graph, const std::vector<Node*>& inputs, int64_t batch) {
  const transforms::ShapesOfNodes before = transforms::shapes_of_nodes(graph);
  set_batch(inputs, 1, graph);
  std::vector<Remark> list;
  for (const Node* n : transforms::layers_across_batch(graph, before, batch))
    list.push_back(remark(Remark::Kind::NotAsIntel, *n, kTogether));
  return list;
}

/// The same where the shapes of a layer may be impossible for one item alone.
std::vector<Remark> try_take_batch_out(Graph& graph, const std::vector<Node*>& inputs, int64_t batch) {
  try {
    return take_batch_out(graph, inputs, batch);
  } catch (const Error& e) {
    return {{.kind = Remark::Kind::NotAsIntel,
             .layer = e.layer(),
             .type = e.layer_type(),
             .source = e.source(),
             .what = kTogether}};
  }
}

}  // namespace

std::string output_name(Value v) {
  return v.node->output_count() > 1 ? v.node->name + "." + std::to_string(v.port) : v.node->name;
}

std::string output_name(const Node& result) {
  return result.attrs.has(kOutputName) ? result.attrs.text(kOutputName) : output_name(result.input(0));
}

std::map<std::string, ElementType> output_types(const Graph& graph) {
  std::map<std::string, ElementType> r;
  for (const Node* n : graph.results()) r[output_name(*n)] = n->input(0).type();
  return r;
}

BatchInfo detect_batch(Graph& graph, bool quirks) {
  BatchInfo info;
  const std::vector<Node*> inputs = parameters_by_name(graph);
  const int64_t batch = common_batch(inputs);
  if (batch == 1) return info;

  std::map<std::string, Shape> before;
  for (const Node* r : graph.results()) before[output_name(*r)] = r->input(0).shape();
  transforms::smart_reshape(graph);
  info.across = quirks ? take_batch_out(graph, inputs, batch) : try_take_batch_out(graph, inputs, batch);
  if (!quirks && !info.across.empty()) {
    set_batch(inputs, batch, graph);
    return info;
  }
  info.batch = batch;
  info.with_detection_output = std::ranges::any_of(graph.all(), [](const Node* n) { return n->is("DetectionOutput"); });
  for (const Node* r : graph.results())
    if (const std::string name = output_name(*r); before[name] == r->input(0).shape())
      info.unbatched_outputs.insert(name);
  return info;
}

}  // namespace blobsmith
