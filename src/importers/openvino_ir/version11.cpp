// What version 11 files (Model Optimizer 2022.1, and OpenVINO since then) have that version 10 files don't (front-end
// spec §1.6). What Model Optimizer 2022.1 did not write is in later_opsets.cpp.
#include <algorithm>

#include "core/release.hpp"
#include "core/text.hpp"
#include "graph/ops/attribute_text.hpp"
#include "graph/ops/known_value.hpp"
#include "importers/openvino_ir/as_onnx.hpp"
#include "importers/openvino_ir/builder.hpp"
#include "importers/openvino_ir/later_opsets.hpp"
#include "importers/openvino_ir/xml.hpp"

namespace blobsmith::ir {
namespace {

Error no_opset7_form(const Layer& layer, const char* why) {
  Error e(ErrorCode::NotYetSupported,
          "not yet supported: " + layer.type + " of " + layer.opset + " " + why + ", layer \"" + layer.name + "\"");
  e.at_layer(layer.name, layer.type);
  return e;
}

Node* add_as(Graph& graph, const Layer& layer, const Inputs& inputs, std::string_view type, int version) {
  const ops::OpRow& op = *ops::find_op(type, version);
  Node* n = graph.add(std::string(type), inputs, version, layer.name);
  n->attrs = read_attributes(layer, op);
  return n;
}

// The second output (positions of the maxima) has no counterpart; the port is kept unconnected.
Node* build_max_pool(Graph& graph, const Layer& layer, const Inputs& inputs) {
  return add_as(graph, layer, inputs, "MaxPool", 8);
}

Node* build_softmax(Graph& graph, const Layer& layer, const Inputs& inputs) {
  Node* n = add_as(graph, layer, inputs, "Softmax", 8);
  const int64_t axis = n->attrs.integer("axis", 1);
  if (axis < 0 && !inputs.empty()) n->attrs.set("axis", axis + static_cast<int64_t>(inputs[0].shape().size()));
  return n;
}

Node* build_prior_box(Graph& graph, const Layer& layer, const Inputs& inputs) {
  if (same_caseless(layer.data().attribute("min_max_aspect_ratios_order").as_string("true"), "false"))
    throw no_opset7_form(layer, "with min_max_aspect_ratios_order=false");
  return add_as(graph, layer, inputs, "PriorBox", 0);
}

// Opset8 derives the number of classes from the shapes.
Node* build_detection_output(Graph& graph, const Layer& layer, const Inputs& inputs) {
  Node* n = add_as(graph, layer, inputs, "DetectionOutput", 0);
  if (inputs.size() < 3 || inputs[1].shape().size() != 2 || inputs[2].shape().size() != 3) return n;
  const int64_t priors = inputs[2].shape()[2] / (n->attrs.flag("normalized", false) ? 4 : 5);
  if (priors > 0) n->attrs.set("num_classes", inputs[1].shape()[1] / priors);
  return n;
}

Node* build_deformable_convolution(Graph& graph, const Layer& layer, const Inputs& inputs) {
  return add_as(graph, layer, inputs, "DeformableConvolution", 0);
}

int newest_version(const Graph& graph) { return static_cast<int>(graph.release->ir_opset); }

Node* build_gather(Graph& graph, const Layer& layer, const Inputs& inputs) {
  return add_as(graph, layer, inputs, "Gather", newest_version(graph));
}

// Opset5's form flattens batch dimensions; with at most one there is nothing to flatten.
Node* build_gather_nd(Graph& graph, const Layer& layer, const Inputs& inputs) {
  Node* n = add_as(graph, layer, inputs, "GatherND", newest_version(graph));
  if (n->attrs.integer("batch_dims", 0) > 1) throw no_opset7_form(layer, "with several batch dimensions");
  return n;
}

// Slice(data, start, stop, step, axes) as a StridedSlice over all axes up to the last one that is cut.
Node* build_slice(Graph& graph, const Layer& layer, const Inputs& inputs) {
  if (inputs.size() < 4) throw no_opset7_form(layer, "with missing inputs");
  const auto bounds = [&](size_t i) {
    const auto known = known_value(inputs[i]);
    if (!known) throw no_opset7_form(layer, "with bounds that are computed when the network runs");
    return known->to_i64();
  };
  const auto rank = static_cast<int64_t>(inputs[0].shape().size());
  std::vector<int64_t> axes;
  const std::vector<int64_t> start = bounds(1), stop = bounds(2), step = bounds(3);
  if (inputs.size() > 4)
    axes = bounds(4);
  else
    for (int64_t i = 0; i < static_cast<int64_t>(start.size()); ++i) axes.push_back(i);
  if (start.size() != axes.size() || stop.size() != axes.size() || step.size() != axes.size())
    throw graph_error("the bounds of Slice have different lengths");
  const auto entries = static_cast<size_t>(rank);
  std::vector<int64_t> begin(entries, 0), end(entries, 0), strides(entries, 1), open(entries, 1);
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];
    if (axis < 0 || axis >= rank) throw graph_error("Slice with an axis out of range");
    const auto a = static_cast<size_t>(axis);
    begin[a] = start[i];
    end[a] = stop[i];
    strides[a] = step[i];
    open[a] = 0;
  }
  Node* n = graph.add("StridedSlice",
                      {inputs[0], graph.constant(Tensor::i64(begin), layer.name + "/begin")->value(),
                       graph.constant(Tensor::i64(end), layer.name + "/end")->value(),
                       graph.constant(Tensor::i64(strides), layer.name + "/strides")->value()},
                      0, layer.name);
  n->attrs.set("begin_mask", open);
  n->attrs.set("end_mask", open);
  return n;
}

struct Row {
  std::string_view type;
  Node* (*build)(Graph&, const Layer&, const Inputs&);
};
constexpr Row kRows[] = {{"MaxPool", build_max_pool},
                         {"SoftMax", build_softmax},
                         {"PriorBox", build_prior_box},
                         {"DetectionOutput", build_detection_output},
                         {"DeformableConvolution", build_deformable_convolution},
                         {"Gather", build_gather},
                         {"GatherND", build_gather_nd},
                         {"Slice", build_slice}};

// <rt_info><attribute name="old_api_map_order" value="0,2,3,1"/></rt_info>; early files append "_0" to the name.
pugi::xml_node runtime_attribute(const Layer& layer, std::string_view name) {
  for (const pugi::xml_node& a : layer.xml.child("rt_info").children("attribute"))
    if (std::string_view(a.attribute("name").value()).starts_with(name)) return a;
  return {};
}

std::vector<int64_t> old_order(const Layer& layer) {
  const pugi::xml_node a = runtime_attribute(layer, "old_api_map_order");
  return a ? ops::parse_integers(a.attribute("value").value()) : std::vector<int64_t>{};
}

bool is_permutation(std::vector<int64_t> order, size_t rank) {
  std::ranges::sort(order);
  for (size_t i = 0; i < order.size(); ++i)
    if (order[i] != static_cast<int64_t>(i)) return false;
  return order.size() == rank;
}

Value transposed(Graph& graph, Value v, const std::vector<int64_t>& order) {
  return graph.make("Transpose", {v, graph.constant(Tensor::i64(order))->value()})->value();
}

}  // namespace

int later_opset(const Layer& layer) {
  if (!layer.opset.starts_with("opset") || layer.opset.size() > 7) return 0;
  const int64_t n = ops::parse_integer(std::string_view(layer.opset).substr(5));
  return n >= 8 && n <= kLastOpset ? static_cast<int>(n) : 0;
}

Node* build_later(Graph& graph, const Layer& layer, const Inputs& inputs, const File& file) {
  const int opset = later_opset(layer);
  if (opset == 0) return nullptr;
  for (const std::span<const LaterRow> rows : {onnx_rows(), later_rows()}) {
    const LaterRow* later = nullptr;
    for (const LaterRow& row : rows)
      if (row.since <= opset && same_caseless(row.type, layer.type)) later = &row;
    LaterLayer l(graph, layer, inputs, source_of(layer), file.shapes ? &file.shapes->notes : nullptr);
    if (Node* n = later ? later->build(l) : nullptr) return n;
  }
  for (const Row& row : kRows) {
    if (!same_caseless(row.type, layer.type)) continue;
    Node* n = row.build(graph, layer, inputs);
    infer(graph, n);
    return n;
  }
  return nullptr;
}

bool has_runtime_attribute(const Layer& layer, std::string_view name) {
  return static_cast<bool>(runtime_attribute(layer, name));
}

namespace {

TensorForm old_form(const Layer& layer, Node& n) {
  TensorForm form;
  form.order = old_order(layer);
  if (!form.order.empty() && !is_permutation(form.order, n.shape().size()))
    throw graph_error("old_api_map_order of layer \"" + layer.name + "\" is no permutation of its axes");
  if (n.is("Parameter"))
    form.type = parse_element_type(runtime_attribute(layer, "old_api_map_element_type").attribute("value").value());
  return form;
}

}  // namespace

void read_old_forms(Built& built, const Layers& layers) {
  std::map<const Node*, TensorForm> forms;
  for (const Layer& layer : layers.list) {
    const auto it = built.nodes.find(layer.id);
    if (it == built.nodes.end() || !(it->second->is("Parameter") || it->second->is("Result"))) continue;
    Node* n = it->second;
    TensorForm form = old_form(layer, *n);
    // Bytes are given to a network of bytes as real numbers, without a conversion.
    if (n->element_type() == ElementType::u8 && form.type && is_float(*form.type)) {
      built.graph.set_outputs(n, {{*form.type, n->shape()}});
      infer_all(built.graph);
    }
    forms[n] = std::move(form);
  }
  for (const Node* p : built.graph.parameters()) built.old_inputs.push_back(forms[p]);
  for (const Node* r : built.graph.results()) built.old_outputs.push_back(forms[r]);
}

void restore_old_layout(Graph& graph, const Layers& layers, const std::map<uint32_t, Node*>& nodes) {
  for (const Layer& layer : layers.list) {
    const auto it = nodes.find(layer.id);
    const std::vector<int64_t> order = old_order(layer);
    if (it == nodes.end() || order.empty()) continue;
    Node* n = it->second;
    if (!is_permutation(order, n->shape().size()))
      throw graph_error("old_api_map_order of layer \"" + layer.name + "\" is not a permutation of its axes");
    if (n->is("Result")) {
      graph.set_input(n, 0, transposed(graph, n->input(0), order));
      infer(graph, n);
    }
    if (!n->is("Parameter")) continue;
    // The version 10 tensor, transposed by `order`, is the one that the network reads.
    Shape old(order.size());
    for (size_t i = 0; i < order.size(); ++i) old[static_cast<size_t>(order[i])] = n->shape()[i];
    const std::vector<NodeUse> uses = n->output().uses;
    graph.set_outputs(n, {{n->element_type(), old}});
    const Value restored = transposed(graph, n->value(), order);
    for (const NodeUse& use : uses) graph.set_input(use.node, use.port, restored);
  }
}

}  // namespace blobsmith::ir
