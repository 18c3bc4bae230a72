#include "importers/openvino_ir/writer.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>

#include "core/file.hpp"
#include "graph/ops/attribute_text.hpp"

namespace blobsmith {
namespace ir {
namespace {

/// Elements one below the other, indented by tabs.
class Xml {
 public:
  void open(const std::string& tag) { line("<" + tag + ">"), ++depth_; }
  void close(std::string_view name) { --depth_, line("</" + std::string(name) + ">"); }
  void line(const std::string& s) { text_.append(static_cast<size_t>(depth_), '\t').append(s).append("\n"); }
  std::string take() { return std::move(text_); }

 private:
  std::string text_ = "<?xml version=\"1.0\" ?>\n";
  int depth_ = 0;
};

std::string escaped(std::string_view s) {
  std::string r;
  for (const char c : s) {
    switch (c) {
      case '&': r += "&amp;"; break;
      case '<': r += "&lt;"; break;
      case '>': r += "&gt;"; break;
      case '"': r += "&quot;"; break;
      case '\t': r += "&#9;"; break;
      case '\n': r += "&#10;"; break;
      case '\r': r += "&#13;"; break;
      default: r += c;
    }
  }
  return r;
}

template <class T>
std::string attribute(std::string_view name, const T& value) {
  if constexpr (std::convertible_to<T, std::string_view>)
    return " " + std::string(name) + "=\"" + escaped(value) + "\"";
  else
    return " " + std::string(name) + "=\"" + std::to_string(value) + "\"";
}

/// The .bin file, part by part; constants with equal bytes share a place. Constants leave the memory once they are
/// written: of weights that are made when they are read, only one is there at a time.
class Weights {
 public:
  using Sink = std::function<void(const Bytes&)>;

  explicit Weights(Sink sink) : sink_(std::move(sink)) {}

  uint64_t place(const Bytes& bytes) {
    const size_t hash = std::hash<std::string_view>()(content_of(bytes));
    const auto [first, last] = places_.equal_range(hash);
    const auto same = std::find_if(first, last, [&](const auto& entry) {
      const Bytes& there = entry.second.bytes;
      const bool is_same = there.size() == bytes.size() && content_of(there) == content_of(bytes);
      there.leave_memory();
      return is_same;
    });
    const uint64_t at = same == last ? add(bytes) : same->second.at;
    if (same == last) places_.emplace(hash, Place{bytes, at});
    bytes.leave_memory();
    return at;
  }
  /// At the end, whatever is there.
  uint64_t add(const Bytes& bytes) {
    const uint64_t at = size_;
    sink_(bytes);
    size_ += bytes.size();
    return at;
  }

 private:
  struct Place {
    Bytes bytes;
    uint64_t at;
  };

  static std::string_view content_of(const Bytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  Sink sink_;
  std::unordered_multimap<size_t, Place> places_;
  uint64_t size_ = 0;
};

std::string_view layer_type(std::string_view type) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kRenamed{
      {{"Constant", "Const"}, {"Relu", "ReLU"}, {"PRelu", "PReLU"}, {"Softmax", "SoftMax"}}};
  for (const auto& [node, layer] : kRenamed)
    if (node == type) return layer;
  return type;
}

const ops::OpRow& row_of(const Node& n) {
  const ops::OpRow* op = ops::find_op(n.type, n.version);
  if (op && op->opsets.first > 0) return *op;
  Error e(ErrorCode::NotYetSupported,
          "not yet supported: layer \"" + n.name + "\" of type " + n.type + " in an OpenVINO IR: no opset has it");
  throw e.at_layer(n.name, n.type);
}

/// The first opset that has the operation. quirk: ShuffleChannels states the third, though the first has it.
std::string opset_of(const ops::OpRow& op) {
  return "opset" + std::to_string(op.type == "ShuffleChannels" ? 3 : op.opsets.first);
}

std::string escaped_name(const std::string& name) {
  std::string r;
  for (const char c : name) r += c == ',' ? std::string("\\,") : std::string(1, c);
  return r;
}

/// "a,b": names in alphabetical order, commas in them escaped.
std::string joined_names(std::vector<std::string> names) {
  std::ranges::sort(names);
  std::string r;
  for (const std::string& n : names) r += (r.empty() ? "" : ",") + escaped_name(n);
  return r;
}

struct Edge {
  size_t from_layer, to_layer;
  int from_port, to_port;
};

/// A network or the body of a loop.
class Net {
 public:
  Net(const Graph& graph, int version, Weights& weights, Xml& xml)
      : version_(version), weights_(weights), xml_(xml), order_(graph.ordered()) {
    for (size_t i = 0; i < order_.size(); ++i) ids_.emplace(order_[i], i);
    parameters_ = graph.parameters();
    results_ = graph.results();
  }

  void write() {
    xml_.open("layers");
    for (const Node* n : order_) layer(*n);
    xml_.close("layers");
    edges();
  }

  size_t id_of_parameter(int i) const { return ids_.at(parameters_.at(static_cast<size_t>(i))); }
  size_t id_of_result(int i) const { return ids_.at(results_.at(static_cast<size_t>(i))); }

 private:
  void layer(const Node& n) {
    const ops::OpRow& op = row_of(n);
    xml_.open("layer" + attribute("id", ids_.at(&n)) + attribute("name", unique_name(n)) +
              attribute("type", layer_type(n.type)) + attribute("version", opset_of(op)));
    if (n.body) return loop(n);
    const std::string data = attributes(n, op);
    if (!data.empty()) xml_.line("<data" + data + "/>");
    ports(n);
    xml_.close("layer");
  }

  void loop(const Node& n) {
    Net body(*n.body, version_, weights_, xml_);
    port_map(n, body);
    ports(n);
    xml_.open("body");
    body.write();
    xml_.close("body");
    xml_.close("layer");
  }

  std::string unique_name(const Node& n) {
    std::string name = n.name;
    for (int i = 0; !names_.insert(name).second; ++i) name = n.name + std::to_string(i);
    return name;
  }

  std::string shape_text(const Shape& shape) const {
    std::string text = ops::print_integers(shape);
    if (version_ >= 11) std::erase(text, ' ');
    return text;
  }

  std::string attributes(const Node& n, const ops::OpRow& op) {
    if (n.is_constant())
      return attribute("element_type", to_string(n.element_type())) + attribute("shape", shape_text(n.shape())) +
             attribute("offset", weights_.place(n.constant.bytes)) + attribute("size", n.constant.bytes.size());
    if (n.is("Parameter"))
      return attribute("shape", shape_text(n.shape())) + attribute("element_type", to_string(n.element_type()));
    std::string text;
    for (const char* any : {"PrimitivesPriority", "alt_width"})
      if (n.attrs.has(any)) text += attribute(any, n.attrs.text(any));
    for (const ops::AttributeSpec& spec : op.attributes)
      if (const Attributes::Value* value = n.attrs.find(spec.name))
        text += attribute(spec.name, ops::print_attribute(spec, *value));
    return text;
  }

  void port(int id, ElementType type, const Shape& shape, const std::string& names) {
    const std::string start = "port" + attribute("id", id) + attribute("precision", precision_name(type)) +
                              (names.empty() ? "" : attribute("names", names));
    if (shape.empty()) return xml_.line("<" + start + "/>");
    xml_.open(start);
    for (const int64_t d : shape) xml_.line("<dim>" + std::to_string(d) + "</dim>");
    xml_.close("port");
  }

  void ports(const Node& n) {
    if (n.input_count() > 0) {
      xml_.open("input");
      for (int i = 0; i < n.input_count(); ++i) port(i, n.input(i).type(), n.input(i).shape(), {});
      xml_.close("input");
    }
    if (n.is("Result") || n.output_count() == 0) return;
    xml_.open("output");
    for (int i = 0; i < n.output_count(); ++i)
      port(n.input_count() + i, n.element_type(i), n.shape(i), joined_names(n.output(i).tensor_names));
    xml_.close("output");
  }

  template <class Entry>
  static std::string slicing(const Entry& e) {
    return attribute("start", e.start) + attribute("end", e.end) + attribute("stride", e.stride) +
           attribute("part_size", e.part_size);
  }

  void port_map(const Node& n, const Net& body) {
    const PortMap& map = n.port_map;
    const auto entry = [&](const char* kind, const std::string& axis, int64_t outer, size_t inner,
                           const std::string& rest) {
      xml_.line("<" + std::string(kind) + axis + attribute("external_port_id", outer) +
                attribute("internal_layer_id", inner) + rest + "/>");
    };
    xml_.open("port_map");
    for (const PortMap::Input& i : map.inputs)
      entry("input", i.sliced ? attribute("axis", i.axis) : "", i.outer, body.id_of_parameter(i.body_parameter),
            i.sliced ? slicing(i) : "");
    for (const PortMap::Output& o : map.outputs)
      entry("output", o.concatenated ? attribute("axis", o.axis) : "", n.input_count() + o.outer,
            body.id_of_result(o.body_result), o.concatenated ? slicing(o) : "");
    if (map.current_iteration_input >= 0)
      entry("input", "", -1, body.id_of_parameter(map.current_iteration_input),
            attribute("purpose", "current_iteration"));
    if (map.execution_condition_output >= 0)
      entry("output", "", -1, body.id_of_result(map.execution_condition_output),
            attribute("purpose", "execution_condition"));
    xml_.close("port_map");
    if (map.back_edges.empty()) return;
    xml_.open("back_edges");
    for (const PortMap::BackEdge& e : map.back_edges)
      xml_.line("<edge" + attribute("from-layer", body.id_of_result(e.body_result)) +
                attribute("to-layer", body.id_of_parameter(e.body_parameter)) + "/>");
    xml_.close("back_edges");
  }

  void edges() {
    std::vector<Edge> list;
    for (const Node* n : order_)
      for (int i = 0; i < n->input_count(); ++i) {
        const Value v = n->input(i);
        list.push_back({ids_.at(v.node), ids_.at(n), v.node->input_count() + v.port, i});
      }
    // quirk: this sort is not stable; the order of edges from one layer is its accident.
    std::sort(list.begin(), list.end(), [](const Edge& a, const Edge& b) { return a.from_layer < b.from_layer; });
    xml_.open("edges");
    for (const Edge& e : list)
      xml_.line("<edge" + attribute("from-layer", e.from_layer) + attribute("from-port", e.from_port) +
                attribute("to-layer", e.to_layer) + attribute("to-port", e.to_port) + "/>");
    xml_.close("edges");
  }

  int version_;
  Weights& weights_;
  Xml& xml_;
  std::vector<Node*> order_, parameters_, results_;
  std::map<const Node*, size_t> ids_;
  std::set<std::string> names_;
};

/// The mean image of an input, channel by channel; its bytes follow those of the constants.
void pre_process(Xml& xml, const Graph& graph, Weights& weights) {
  for (const Node* p : graph.parameters()) {
    if (p->constant.bytes.empty()) continue;
    const Tensor& mean = p->constant;
    const size_t plane = mean.bytes.size() / static_cast<size_t>(mean.shape.at(0));
    xml.open("pre-process" + attribute("mean-precision", precision_name(mean.type)) +
             attribute("reference-layer-name", p->name));
    for (int64_t i = 0; i < mean.shape[0]; ++i) {
      const Bytes bytes = mean.bytes.slice(static_cast<size_t>(i) * plane, plane);
      xml.open("channel" + attribute("id", i));
      xml.line("<mean" + attribute("offset", weights.add(bytes)) + attribute("size", plane) + "/>");
      xml.close("channel");
    }
    xml.close("pre-process");
  }
}

void meta_data(Xml& xml, const IrWriterOptions& options) {
  auto sorted = options.parameters;
  std::ranges::sort(sorted);
  xml.open("meta_data");
  xml.line("<MO_version" + attribute("value", options.producer) + "/>");
  xml.open("cli_parameters");
  for (const auto& [name, value] : sorted)
    xml.line("<" + name + attribute(name == "unset" ? "unset_cli_parameters" : "value", value) + "/>");
  xml.close("cli_parameters");
  xml.close("meta_data");
}

/// The .xml file; the .bin file goes to `weights`.
std::string written(const Graph& graph, const IrWriterOptions& options, Weights::Sink sink) {
  if (options.version != 10 && options.version != 11)
    throw Error(ErrorCode::BadOptionValue,
                "IR version " + std::to_string(options.version) + " can't be written: 10 and 11 can");
  Weights weights(std::move(sink));
  Xml xml;
  xml.open("net" + attribute("name", graph.name) + attribute("version", options.version));
  Net(graph, options.version, weights, xml).write();
  pre_process(xml, graph, weights);
  if (!options.producer.empty()) meta_data(xml, options);
  xml.close("net");
  return xml.take();
}

}  // namespace
}  // namespace ir

WrittenIr write_openvino_ir(const Graph& graph, const IrWriterOptions& options) {
  WrittenIr r;
  r.xml = ir::written(graph, options, [&](const Bytes& part) { r.weights.append(part); });
  return r;
}

std::string mapping_of(const Graph& graph) {
  ir::Xml xml;
  xml.open("mapping");
  size_t id = 0;
  for (const Node* n : graph.ordered()) {
    for (int i = 0; i < n->output_count() && !n->is("Result"); ++i)
      for (const std::string& tensor : n->output(i).tensor_names) {
        xml.open("map");
        xml.line("<framework" + ir::attribute("name", n->name) + ir::attribute("out_port_id", tensor) + "/>");
        xml.line("<IR" + ir::attribute("name", n->name) + ir::attribute("out_port_id", n->input_count() + i) +
                 ir::attribute("id", id) + "/>");
        xml.close("map");
      }
    ++id;
  }
  xml.close("mapping");
  return xml.take();
}

void save_openvino_ir(const Graph& graph, const std::string& stem, const IrWriterOptions& options) {
  if (const size_t slash = stem.rfind('/'); slash != std::string::npos) make_folder(stem.substr(0, slash));
  std::string xml;
  write_file(stem + ".bin", [&](const auto& write) {
    xml = ir::written(graph, options, [&](const Bytes& part) { write(part.span()); });
  });
  write_file(stem + ".xml", xml);
}

}  // namespace blobsmith
