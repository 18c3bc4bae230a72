#include "importers/openvino_ir/builder.hpp"

#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "graph/cut.hpp"
#include "graph/ops/attribute_text.hpp"
#include "graph/tensor_names.hpp"
#include "importers/common/input_shapes.hpp"
#include "importers/common/tensor_bytes.hpp"
#include "importers/openvino_ir/xml.hpp"
#include "transforms/compressed_models.hpp"
#include "transforms/pre_post_process.hpp"

namespace blobsmith::ir {
namespace {

constexpr int kNewestOpset = 7, kDeepestBody = 16;  // of the operations; opset8 is written in those of opset7

Error layer_error(ErrorCode code, const Layer& layer, std::string what) {
  Error e(code, std::move(what));
  e.at_layer(layer.name, layer.type);
  return e;
}

// One value per input port. A later edge into the same port wins, as in the reference.
Inputs connect(const Layer& layer, const Layers& layers, const std::map<uint32_t, Node*>& nodes) {
  Inputs inputs(layer.inputs.size());
  for (const Edge& edge : layers.edges_to(layer.id)) {
    const Layer& producer = *layers.find(edge.from_layer);
    Node* node = nodes.at(edge.from_layer);
    if (node->is("Result"))
      throw layer_error(ErrorCode::BadGraph, producer, "Cannot find layer with name: " + producer.name)
          .because("it is a Result, and an output of it is read");
    const size_t from = producer.output_index(edge.from_port);
    if (from >= static_cast<size_t>(node->output_count()))
      throw layer_error(ErrorCode::BadGraph, producer, producer.title() + " is inconsistent!");
    inputs[layer.input_index(edge.to_port)] = node->value(static_cast<int>(from));
  }
  for (size_t i = 0; i < inputs.size(); ++i)
    if (!inputs[i])
      throw layer_error(ErrorCode::BadGraph, layer,
                        layer.title() + " has incorrect input with index " + std::to_string(i) + "!");
  return inputs;
}

void require_input_count(const Layer& layer, const Inputs& inputs, const ops::OpRow& op) {
  const auto count = static_cast<int>(inputs.size());
  if (count < op.min_inputs || (op.max_inputs != ops::kAnyNumber && count > op.max_inputs))
    throw layer_error(ErrorCode::BadGraph, layer, layer.title() + " is inconsistent!");
}

Node* build_operation(Graph& graph, const Layer& layer, const Inputs& inputs, const File& file) {
  const ops::OpRow& op = find_operation(layer, file);
  require_input_count(layer, inputs, op);
  Node* n = graph.add(std::string(op.type), inputs, op.version, layer.name);
  n->attrs = read_attributes(layer, op);
  if (n->is("Convert") && has_runtime_attribute(layer, kDecompression)) n->attrs.set(kDecompression, true);
  if (op.infer && (n->is("TensorIterator") || n->is("Loop"))) read_body(layer, file, *n);
  infer(graph, n);
  return n;
}

/// The last opset that a layer of the file may state.
int last_opset(const File& file) {
  if (file.version >= 11) return kLastOpset;
  return file.knows_opset8() ? 8 : kNewestOpset;
}

bool states_later_opset(const Layer& layer, const File& file) {
  const int opset = later_opset(layer);
  return opset != 0 && opset <= last_opset(file);
}

// Types that the reader looks up in another opset than the layer states.
int opset_of(const Layer& layer, const File& file) {
  const auto is_one_of = [&](const auto& types) {
    return std::ranges::any_of(types, [&](std::string_view t) { return same_caseless(t, layer.type); });
  };
  constexpr std::array<std::string_view, 3> kIn2{"MVN", "ROIPooling", "ReorgYolo"};
  constexpr std::array<std::string_view, 8> kIn6{"ExperimentalDetectronDetectionOutput",
                                                 "ExperimentalDetectronGenerateProposalsSingleImage",
                                                 "ExperimentalDetectronPriorGridGenerator",
                                                 "ExperimentalDetectronROIFeatureExtractor",
                                                 "ExperimentalDetectronTopKROIs",
                                                 "GRUCell",
                                                 "RNNCell",
                                                 "Proposal"};
  if (layer.opset == "opset1" && is_one_of(kIn2)) return 2;
  if ((layer.opset == "experimental" || layer.opset == "extension") && is_one_of(kIn6)) return 6;
  if (states_later_opset(layer, file)) return kNewestOpset;  // what it shares with opset7
  if (layer.opset.size() == 6 && layer.opset.starts_with("opset") && layer.opset[5] >= '1' &&
      layer.opset[5] <= '0' + kNewestOpset)
    return layer.opset[5] - '0';
  Error e = layer_error(ErrorCode::UnknownOperation, layer,
                        "Cannot create " + layer.type + " layer " + layer.name + " id:" + std::to_string(layer.id) +
                            " from unsupported opset: " + layer.opset);
  if (layer.opset.starts_with("opset"))
    e.hint("opset1 to opset" + std::to_string(last_opset(file)) + " can be read from IR version " +
           std::to_string(file.version));
  else
    e.hint("operations of extensions can't be converted");
  throw e;
}

std::string source_of(const Layer& layer) {
  return "layer \"" + layer.name + "\" (id " + std::to_string(layer.id) + ")";
}

/// <output><port><rt_info><attribute name="layout" layout="[N,C,H,W]"/></rt_info></port></output>
std::string stated_layout(const Layer& layer) {
  const pugi::xml_node port = layer.xml.child("output").child("port");
  return port.child("rt_info").find_child_by_attribute("attribute", "name", "layout").attribute("layout").value();
}

Node* build_node(Graph& graph, const Layer& layer, const Inputs& inputs, const File& file) {
  opset_of(layer, file);  // throws for one that there is not
  if (layer.type == "Const") return graph.constant(read_constant(layer, file), layer.name);
  if (same_caseless(layer.type, "Parameter")) {
    auto [type, shape] = read_parameter(layer, file);
    Node* n = graph.parameter(type, std::move(shape), layer.name);
    if (const std::string layout = stated_layout(layer); !layout.empty()) n->attrs.set(kModelLayout, layout);
    return n;
  }
  if (same_caseless(layer.type, "Result")) {
    if (inputs.size() != 1) throw layer_error(ErrorCode::BadGraph, layer, layer.title() + " is inconsistent!");
    return graph.result(inputs[0], layer.name);
  }
  if (states_later_opset(layer, file))
    if (Node* n = build_later(graph, layer, inputs, file)) return n;
  return build_operation(graph, layer, inputs, file);
}

void name_tensors(const Layer& layer, Node& n, const File& file) {
  for (size_t i = 0; i < layer.outputs.size() && i < static_cast<size_t>(n.output_count()); ++i) {
    OutputPort& port = n.output(static_cast<int>(i));
    if (!file.options.release->tensor_names_follow) {
      port.tensor_names = layer.outputs[i].tensor_names;
      continue;
    }
    for (const std::string& name : layer.outputs[i].tensor_names) add_tensor_name(port, name);
  }
}

// "1, 3, ?, 1..10": question marks, -1 and ranges are dynamic.
Shape parse_shape(const std::string& text) {
  Shape shape;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t comma = std::min(text.find(',', begin), text.size());
    const std::string field = text.substr(begin, comma - begin);
    const bool dynamic = field.find('?') != std::string::npos || field.find("..") != std::string::npos;
    const int64_t d = dynamic ? kDynamic : ops::parse_integer(field);
    if (d < kDynamic) throw Error(ErrorCode::BadAttribute, "\"" + text + "\" is not a shape");
    shape.push_back(d);
    begin = comma + 1;
  }
  return shape;
}

/// Stands for a layer that can't be read: the outputs are those that the file states. Throws `e` where it states none.
Node* build_placeholder(Graph& graph, const Layer& layer, const Error& e) {
  std::vector<std::pair<ElementType, Shape>> outputs;
  for (const pugi::xml_node& port : layer.xml.child("output").children("port")) {
    const auto type = parse_element_type(port.attribute("precision").value());
    Shape shape;
    for (const pugi::xml_node& dim : port.children("dim")) shape.push_back(ops::parse_integer(dim.child_value()));
    if (!type || !is_static(shape)) throw e;
    element_count(shape);  // throws where it overflows
    outputs.emplace_back(*type, std::move(shape));
  }
  if (outputs.empty()) throw e;
  Node* n = graph.add("unread " + layer.type, {}, 0, layer.name);  // no operation: nothing is computed from it
  graph.set_outputs(n, std::move(outputs));
  return n;
}

bool is_of_the_file(const Error& e) {
  return static_cast<int>(e.code()) < static_cast<int>(ErrorCode::UnknownOperation);
}

ElementType read_element_type(const pugi::xml_node& data) {
  const std::string text = text_attribute(data, "element_type");
  const auto type = parse_element_type(text);
  if (!type) throw Error(ErrorCode::TypeMismatch, "unknown element type \"" + text + "\"");
  return *type;
}

}  // namespace

std::pair<ElementType, Shape> read_parameter(const Layer& layer, const File& file) {
  Shape shape = parse_shape(text_attribute(layer.data(), "shape"));
  if (file.shapes && file.depth == 0) {
    const auto stated = file.shapes->by_layer.find(layer.name);
    if (stated != file.shapes->by_layer.end()) shape = importers::completed(layer.name, stated->second, shape);
    if (file.shapes->close_batch && importers::close_batch(shape))
      file.shapes->notes.push_back(importers::batch_remark(layer.name));
  }
  if (!is_static(shape)) {
    Error e = importers::open_shapes({{layer.name, shape}});
    throw e.at_layer(layer.name, layer.type);
  }
  element_count(shape);  // throws where it overflows
  return {read_element_type(layer.data()), shape};
}

Tensor read_constant(const Layer& layer, const File& file) {
  const pugi::xml_node data = layer.data();
  const std::string packed = file.version >= 11 ? text_attribute(data, "element_type") : "";
  const bool is_packed = unpacked_type(packed).has_value();
  const ElementType type = is_packed ? ElementType::u8 : read_element_type(data);
  Shape shape = parse_shape(text_attribute(data, "shape"));
  const uint64_t offset = unsigned64_attribute(data, "offset"), size = unsigned64_attribute(data, "size");
  if (file.weights.empty()) {
    throw layer_error(ErrorCode::MissingWeights, layer, "Empty weights data in bin file or bin file cannot be found!")
        .hint("put the .bin file beside the .xml file, or name it");
  }
  const auto values = importers::part_of(file.weights, offset, size);
  if (!values)
    throw layer_error(ErrorCode::FileTruncated, layer, "Incorrect weights in bin file!")
        .hint("the .bin file is shorter than its .xml file says; is it complete?");
  if (is_packed) return unpack(packed, std::move(shape), *values);
  const uint64_t needed = importers::bytes_of(type, shape, "constant");
  if (size < needed)
    throw layer_error(ErrorCode::ShapeMismatch, layer,
                      "Attribute and shape size are inconsistent for " + layer.type + " op!");
  return {type, std::move(shape), values->slice(0, needed).aligned(byte_width(type))};
}

const ops::OpRow& find_operation(const Layer& layer, const File& file) {
  const ops::OpRow* op = ops::find_in_opset(layer.type, opset_of(layer, file));
  if (op) return *op;
  const bool exists = later_opset(layer) != 0;  // perhaps it is one that has no counterpart here
  throw layer_error(ErrorCode::UnknownOperation, layer,
                    exists ? "not yet supported: " + layer.type + " of " + layer.opset
                           : "Opset " + layer.opset + " doesn't contain the operation with type: " + layer.type);
}

Attributes read_attributes(const Layer& layer, const ops::OpRow& op, std::string_view left_out) {
  Attributes attrs;
  const pugi::xml_node data = layer.data();
  for (const ops::AttributeSpec& spec : op.attributes) {
    const pugi::xml_attribute a = data.attribute(std::string(spec.name).c_str());
    if (!a || spec.name == left_out) continue;
    if (auto value = ops::parse_attribute(spec, a.value()))
      std::visit([&](auto v) { attrs.set(spec.name, std::move(v)); }, *std::move(value));
  }
  // Attributes that any layer may carry.
  for (const char* name : {"PrimitivesPriority", "alt_width"})
    if (const pugi::xml_attribute a = data.attribute(name)) attrs.set(name, std::string(a.value()));
  return attrs;
}

namespace {
Built finish(Built built, const std::vector<Node*>& placeholders) {
  for (Node* n : placeholders) cut(built.graph, n);
  return built;
}
}  // namespace

Built build_graph(const pugi::xml_node& net, const File& file) {
  if (file.depth > kDeepestBody) throw graph_error("bodies of loops are nested too deep");
  const Layers layers = read_layers(net);
  Diagnostics* problems = file.depth == 0 ? file.options.problems : nullptr;
  Built built;
  std::vector<Node*> placeholders;
  for (const Layer* layer : reachable_in_order(layers, file.options.release->reads_all_parameters)) {
    if (problems) problems->order.push_back(source_of(*layer));
    Inputs inputs;
    Node* n = nullptr;
    try {
      inputs = connect(*layer, layers, built.nodes);
      n = build_node(built.graph, *layer, inputs, file);
    } catch (Error& e) {
      if (!e.has_address()) e.at_layer(layer->name, layer->type);
      e.from(source_of(*layer));
      if (!problems || is_of_the_file(e)) throw;
      n = build_placeholder(built.graph, *layer, e);
      for (const Value& v : inputs) built.graph.add_input(n, v);
      placeholders.push_back(n);
      problems->unreadable(e, layer->name, layer->type, source_of(*layer));
    }
    n->source = source_of(*layer);
    name_tensors(*layer, *n, file);
    built.nodes.emplace(layer->id, n);
  }
  if (file.version < 11 || file.options.runtime_2_0) return finish(std::move(built), placeholders);
  if (file.options.release->runtime_2_0)
    read_old_forms(built, layers);
  else
    restore_old_layout(built.graph, layers, built.nodes);
  return finish(std::move(built), placeholders);
}

}  // namespace blobsmith::ir
