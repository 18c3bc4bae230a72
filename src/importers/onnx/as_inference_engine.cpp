// The way from an ONNX file to a graph: functions expanded, constants, parameters, one row per node, results, and the
// copy that the compiler makes of the graph (front-end spec §16.1).
#include "importers/onnx/as_inference_engine.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "core/release.hpp"
#include "graph/numbering.hpp"
#include "graph/tensor_names.hpp"
#include "importers/onnx/functions.hpp"
#include "importers/onnx/operators.hpp"
#include "transforms/pipeline.hpp"

namespace blobsmith {
namespace onnx_import::ie {
namespace {

class Importer {
 public:
  Importer(onnx_file::Model model, const Release& release)
      : model_(std::move(model)), opset_(std::min(model_.opset, release.onnx_opset)) {
    graph_.release = &release;
    import_.evaluations = numbering::Evaluations(release.compares_bounds);
  }

  Graph run() {
    for (const std::string& name : model_.four_bits)
      throw Error(ErrorCode::TypeMismatch, "unsupported element type: 4 bits of tensor '" + name + "'");
    expand_functions(model_, graph_.release->functions_in_place);
    check_operators();
    for (const onnx_file::Node& n : model_.nodes) import_.read.insert(n.inputs.begin(), n.inputs.end());
    for (const onnx_file::ValueInfo& output : model_.outputs) import_.read.insert(output.name);
    for (const auto& [name, tensor] : model_.initializers) {
      import_.values[name] = graph_.constant(tensor, name)->value();
      if (element_count(tensor.shape) == 0) numbering::skip(graph_, 1);  // quirk: made at the second attempt
    }
    for (const onnx_file::ValueInfo& input : model_.inputs) add_parameter(input);
    for (const onnx_file::Node& n : model_.nodes) add_node(n);
    add_results();
    remove_unused_parameters();
    copy_as_the_compiler_does();
    return std::move(graph_);
  }

 private:
  const OperatorRow* find_row(const onnx_file::Node& n) const {
    return find_operator(n.domain, n.op_type, opset_, Column::InferenceEngine, *graph_.release);
  }

  /// All unknown operators at once: one run tells everything that is missing.
  void check_operators() const {
    std::vector<std::string> unknown;
    for (const onnx_file::Node& n : model_.nodes) {
      const std::string name = n.domain.empty() ? n.op_type : n.domain + "." + n.op_type;
      if (!find_row(n) && std::ranges::find(unknown, name) == unknown.end()) unknown.push_back(name);
    }
    if (unknown.empty()) return;
    std::ranges::sort(unknown);
    std::string list;
    for (const std::string& name : unknown) list += (list.empty() ? "" : ", ") + name;
    Error e(ErrorCode::UnknownOperation, "nGraph does not support the following ONNX operations: " + list);
    throw e.hint("blobsmith convert goes the way of Model Optimizer, which knows other operators");
  }

  void add_parameter(const onnx_file::ValueInfo& input) {
    if (!input.shape || !is_static(*input.shape)) {
      Error e(ErrorCode::ShapeMismatch,
              "input '" + input.name + "' has the open shape " + (input.shape ? to_string(*input.shape) : "[...]"));
      throw e.hint("fix its shape in the model, or state it: blobsmith convert --input-shape " + input.name +
                   "=1,3,224,224");
    }
    element_count(*input.shape);  // throws where it overflows
    Node* p = graph_.parameter(input.type, *input.shape, input.name);
    set_tensor_name(p->output(), input.name);
    import_.values[input.name] = p->value();
    first_names_[{p, 0}] = input.name;
  }

  void add_node(const onnx_file::Node& n) {
    const OperatorRow& row = *find_row(n);
    try {
      Context context(import_, n, row.becomes);
      const std::vector<Value> outputs = row.as_inference_engine(context);
      const bool adds_names = n.op_type == "Identity" && graph_.release->identity_is_its_input;
      for (size_t i = 0; i < outputs.size() && i < n.outputs.size(); ++i) define(n.outputs[i], outputs[i], adds_names);
    } catch (Error& e) {
      e.at_layer(n.outputs.empty() ? n.name : n.outputs[0], n.op_type);
      e.from(n.describe(model_.opset));
      throw;
    }
  }

  /// quirk: the node is named after the output, even where it has other outputs or other users.
  void define(const std::string& name, Value v, bool adds_name) {
    if (!name.empty()) import_.values[name] = v;
    if (!v) return;
    v.node->name = name.empty() ? v.node->type + "_" + std::to_string(v.node->id()) : name;
    if (!adds_name) first_names_[{v.node, v.port}] = name;
    if (!graph_.release->tensor_names_follow) return;
    if (adds_name)
      add_tensor_name(v.node->output(v.port), name);
    else
      set_tensor_name(v.node->output(v.port), name);
  }

  void add_result(Value v, const std::string& tensor) {
    Node* r = graph_.result(v, tensor + "/sink_port_" + std::to_string(v.port));
    const auto first = first_names_.find({v.node, v.port});
    if (!graph_.release->tensor_names_follow || first == first_names_.end())
      set_tensor_name(v.node->output(v.port), tensor);
    if (graph_.release->outputs_by_tensor && first != first_names_.end() && !v.node->is("Parameter"))
      r->attrs.set(kOutputName, first->second);
  }

  void add_results() {
    for (const onnx_file::ValueInfo& output : model_.outputs) {
      const auto it = import_.values.find(output.name);
      if (it == import_.values.end()) throw Error(ErrorCode::BadOnnx, output.name + " node not found in graph cache");
      if (it->second) add_result(it->second, output.name);
    }
    // quirk: an input may be any number of outputs; another value only one, before outputs went by tensor.
    std::set<std::string> names;
    for (const Node* r : graph_.results())
      if (!graph_.release->outputs_by_tensor && !r->input(0).node->is("Parameter") &&
          !names.insert(output_name(*r)).second)
        throw Error(ErrorCode::BadGraph, "Function contains several inputs and outputs with one friendly name!")
            .because("output \"" + r->name + "\" is the same value as another");
    if (graph_.results().empty()) throw Error(ErrorCode::BadOnnx, "the model has no outputs");
  }

  void remove_unused_parameters() {
    const std::vector<Node*> parameters = graph_.parameters();
    for (Node* p : parameters)
      if (p->use_count() == 0) graph_.remove(p);
  }

  /// The compiler copies the graph before it changes it: edges come into the order of that copy, and numbers are spent.
  void copy_as_the_compiler_does() {
    graph_.remove_unreachable();
    numbering::skip(graph_, graph_.release->nodes_before);
    numbering::Evaluations evaluations(graph_.release->compares_bounds);
    for (Node* n : graph_.ordered()) {
      numbering::skip(graph_, 1 + evaluations.of_inference(*n) + numbering::of_copy(*n));
      graph_.set_inputs(n, std::vector<Value>(n->inputs()));
    }
    graph_.name = model_.graph_name;
  }

  onnx_file::Model model_;
  int64_t opset_;
  Import import_;
  Graph& graph_ = import_.graph;

  std::map<std::pair<const Node*, int>, std::string> first_names_;  ///< what outputs are called
};

}  // namespace
}  // namespace onnx_import::ie

Graph import_onnx_as_inference_engine(const Bytes& model, const importers::FilesBeside& beside,
                                      const Release& release) {
  return onnx_import::ie::Importer(onnx_file::read_model(model, beside), release).run();
}

}  // namespace blobsmith
