// The way from an ONNX file to a graph: operators one by one, then Model Optimizer's rewrites, names, half precision.
#include "importers/onnx/as_model_optimizer.hpp"

#include <algorithm>
#include <set>

#include "core/file.hpp"
#include "importers/model_optimizer/rewrites.hpp"
#include "importers/onnx/operators.hpp"
#include "importers/openvino_ir/instance_ids.hpp"

namespace blobsmith {
namespace {

using onnx_import::OperatorRow;
using onnx_import::mo::layer_name;

class Importer {
 public:
  Importer(const onnx_file::Model& model, const OnnxOptions& options)
      : model_(model), options_(options), import_{{}, {}, model.opset, options.quirks, {}} {}

  Graph run() {
    if (!options_.problems) check_operators();
    check_model();
    add_parameters();
    for (const auto& [name, tensor] : model_.initializers)
      import_.values[name] = graph_.constant(tensor, name)->value();
    for (const onnx_file::Node& n : model_.nodes) add_node(n);
    add_results();
    model_optimizer::optimize(graph_, options_.quirks);
    separate_outputs();
    if (options_.half_precision) model_optimizer::to_half_precision(graph_);
    name_outputs();
    make_names_unique();
    Graph result = model_optimizer::in_reading_order(std::move(graph_));
    result.name = model_.graph_name;
    ir::number_instances(result);
    return result;
  }

  const std::vector<ImportNote>& notes() const { return import_.notes; }

 private:
  const OperatorRow* find_row(const onnx_file::Node& n) const {
    return onnx_import::find_operator(n.domain, n.op_type, model_.opset, onnx_import::Column::ModelOptimizer);
  }

  Error unknown_operator(const onnx_file::Node& n) const {
    const bool is_default = onnx_import::is_default_domain(n.domain);
    Error e = unsupported_layer(layer_name(n), is_default ? n.op_type : n.domain + "." + n.op_type);
    return e.because("in " + n.describe(model_.opset));
  }

  /// All unknown operators at once: one run tells everything that is missing.
  void check_operators() const {
    std::vector<Error> errors;
    for (const onnx_file::Node& n : model_.nodes)
      if (!find_row(n)) errors.push_back(unknown_operator(n));
    if (!errors.empty()) throw ErrorList(std::move(errors));
  }

  void check_model() const {
    if (model_.outputs.empty()) throw Error(ErrorCode::BadOnnx, "the model has no outputs");
    if (model_.opset < 1 && !model_.nodes.empty())
      throw Error(ErrorCode::BadOnnx, "the model does not say which opset it uses");
  }

  void add_parameters() {
    for (const auto& [name, shape] : options_.input_shapes)
      if (std::ranges::none_of(model_.inputs,
                               [&, name = name](const onnx_file::ValueInfo& i) { return i.name == name; }))
        throw Error(ErrorCode::BadInputName, "the model has no input named '" + name + "'");
    for (const onnx_file::ValueInfo& input : model_.inputs) {
      const auto given = options_.input_shapes.find(input.name);
      const std::optional<Shape> shape = given == options_.input_shapes.end() ? input.shape : given->second;
      if (!shape || !is_static(*shape) || std::ranges::find(*shape, 0) != shape->end()) {
        Error e(ErrorCode::ShapeMismatch,
                "input '" + input.name + "' has the open shape " + (shape ? to_string(*shape) : "[...]"));
        throw e.hint("state it: --input-shape " + input.name + "=1,3,224,224");
      }
      element_count(*shape);  // throws where it overflows
      import_.values[input.name] = graph_.parameter(input.type, *shape, input.name)->value();
    }
  }

  void add_node(const onnx_file::Node& n) {
    if (options_.problems) options_.problems->order.push_back(n.describe(model_.opset));
    if (options_.problems && lacks_an_input(n)) {
      options_.problems->unchecked.push_back({layer_name(n), n.op_type, n.describe(model_.opset)});
      return leave_out(n);
    }
    try {
      const OperatorRow* row = find_row(n);
      if (!row) throw unknown_operator(n);
      onnx_import::mo::Context context(import_, n, row->becomes);
      const std::vector<Value> values = row->as_model_optimizer(context);
      for (size_t i = 0; i < n.outputs.size() && i < values.size(); ++i)
        if (!n.outputs[i].empty()) import_.values[n.outputs[i]] = values[i];
    } catch (Error& e) {
      if (!e.has_address()) e.at_layer(layer_name(n), n.op_type);
      if (e.why().empty()) e.because("in " + n.describe(model_.opset));
      if (!options_.problems) throw;
      options_.problems->failed.push_back({e, layer_name(n), n.op_type, n.describe(model_.opset)});
      leave_out(n);
    }
  }

  Value value_of(const std::string& name) const {
    const auto it = import_.values.find(name);
    if (it == import_.values.end())
      throw Error(ErrorCode::BadOnnx, "value '" + name + "' is used, but nothing computes it");
    return it->second;
  }

  bool lacks_an_input(const onnx_file::Node& n) const {
    return std::ranges::any_of(n.inputs,
                               [&](const std::string& i) { return !i.empty() && !import_.values.contains(i); });
  }

  /// What the node would have read leaves the network here, so that its producers are looked at.
  void leave_out(const onnx_file::Node& n) {
    for (const std::string& i : n.inputs) {
      if (i.empty() || !import_.values.contains(i)) continue;
      const Value v = value_of(i);
      if (!v.node->is_constant() && !v.node->is("Parameter")) dangling_.push_back(v);
    }
  }

  struct Output {
    std::string key;
    Value value;
    std::string name;  ///< empty: the layer keeps its own
  };

  /// Outputs in the order of "<producer>_<value>", as Model Optimizer sorts them (model-optimizer spec §8.4).
  void add_results() {
    std::vector<Output> outputs = unused_values();
    for (const onnx_file::ValueInfo& o : model_.outputs)
      if (!options_.problems || import_.values.contains(o.name))
        outputs.push_back({key_of(o.name), value_of(o.name), o.name});
    for (const Value& v : dangling_) outputs.push_back({v.node->name, v, {}});
    std::ranges::stable_sort(outputs, {}, &Output::key);
    for (const Output& o : outputs) graph_.result(o.value, o.name)->attrs.set("named", !o.name.empty());
  }

  /// quirk: what nothing reads becomes a network output: dead ends, and single unread outputs of TopK and LSTM.
  std::vector<Output> unused_values() {
    std::set<std::string> read;
    for (const onnx_file::Node& n : model_.nodes) read.insert(n.inputs.begin(), n.inputs.end());
    for (const onnx_file::ValueInfo& o : model_.outputs) read.insert(o.name);
    std::vector<Output> unused;
    for (const onnx_file::Node& n : model_.nodes) {
      const bool several = n.op_type == "TopK" || n.op_type == "LSTM";
      const bool dead = std::ranges::none_of(n.outputs, [&](const std::string& o) { return read.contains(o); });
      for (const std::string& o : n.outputs) {
        if (o.empty() || read.contains(o) || (!dead && !several) || !import_.values.contains(o)) continue;
        const Value v = value_of(o);
        if (v.node->is_constant() || passes_through(n, v)) continue;
        unused.push_back({several && n.has_input(0) ? key_of(n.inputs[0]) : key_of(o), v, {}});
      }
    }
    return unused;
  }

  bool passes_through(const onnx_file::Node& n, Value v) const {
    return std::ranges::any_of(n.inputs, [&](const std::string& i) { return !i.empty() && value_of(i) == v; });
  }

  std::string key_of(const std::string& value) const { return producer_of(value) + "_" + value; }

  std::string producer_of(const std::string& value) const {
    for (const onnx_file::Node& n : model_.nodes)
      if (std::ranges::find(n.outputs, value) != n.outputs.end()) return n.name.empty() ? n.outputs[0] : n.name;
    return value;
  }

  /// A network output that is one of several outputs of its layer gets a layer of its own: Add 0.
  void separate_outputs() {
    for (Node* r : graph_.results()) {
      const Value v = r->input(0);
      if (!r->attrs.flag("named") || v.node->output_count() < 2 || v.node->is("NonMaxSuppression")) continue;
      transforms::Rewriter rw(graph_);
      const Value zero = rw.scalar(v.type(), 0);
      zero.node->name = std::to_string(zero.node->id()) + "_input_port_1/value";
      graph_.set_input(r, 0, rw.make("Add", {v, zero})->value());
    }
  }

  /// The layer that computes a network output has the output's name.
  void name_outputs() {
    std::set<const Node*> named;
    for (Node* r : graph_.results()) {
      Node* n = r->input(0).node;
      if (r->attrs.flag("named") && !n->is("Parameter") && named.insert(n).second) n->name = r->name;
      r->name = n->name + "/sink_port_" + std::to_string(r->input(0).port);
      r->attrs.erase("named");
    }
  }

  void make_names_unique() {
    std::set<std::string> names;
    for (const Node* r : graph_.results()) names.insert(r->input(0).node->name);
    for (const Node* p : graph_.parameters()) names.insert(p->name);
    std::set<const Node*> kept;
    for (const Node* r : graph_.results()) kept.insert(r->input(0).node);
    std::vector<Node*> nodes = graph_.all();
    // Half precision makes floating constants anew, behind all others; in full precision a layer has the same name.
    std::stable_partition(nodes.begin(), nodes.end(),
                          [](const Node* n) { return !n->is_constant() || !is_float(n->element_type()); });
    for (Node* n : nodes) {
      if (n->is("Result") || n->is("Parameter") || kept.contains(n)) continue;
      const std::string base = n->name;
      for (int64_t i = 1; !names.insert(n->name).second; ++i) n->name = base + "_" + std::to_string(i);
    }
  }

  const onnx_file::Model& model_;
  const OnnxOptions& options_;
  onnx_import::mo::Import import_;
  Graph& graph_ = import_.graph;
  std::vector<Value> dangling_;
};

Graph import_bytes(const Bytes& bytes, const std::string& file_name, const std::string& folder,
                   const OnnxOptions& options, std::vector<ImportNote>* notes) {
  try {
    const onnx_file::Model model = onnx_file::read_model(bytes, folder);
    Importer importer(model, options);
    Graph graph = importer.run();
    if (notes) *notes = importer.notes();
    return graph;
  } catch (Error& e) {
    if (e.file().empty()) e.in_file(file_name);
    throw;
  }
}

}  // namespace

Graph import_onnx_as_model_optimizer(const std::string& path, const OnnxOptions& options,
                                     std::vector<ImportNote>* notes) {
  if (!file_exists(path))
    throw Error(ErrorCode::FileNotFound, "Model file " + path + " cannot be opened!").in_file(path);
  const size_t slash = path.rfind('/');
  return import_bytes(read_file(path), path, slash == std::string::npos ? "." : path.substr(0, slash + 1), options,
                      notes);
}

Graph import_onnx_as_model_optimizer(Bytes model, const std::string& file_name, const std::string& folder,
                                     const OnnxOptions& options) {
  return import_bytes(model, file_name, folder, options, nullptr);
}

}  // namespace blobsmith
