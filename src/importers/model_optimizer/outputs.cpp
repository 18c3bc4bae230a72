#include "importers/model_optimizer/outputs.hpp"

#include <algorithm>
#include <set>

#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::model_optimizer {
namespace {

using importers::SourceModel;
using importers::SourceOperator;
using importers::SourceOutput;

struct Output {
  std::string key;
  Value value;
  std::string name;  ///< empty: the layer keeps its own
};

std::string key_of(const SourceModel& model, const std::string& tensor) {
  for (const SourceOperator& op : model.operators)
    if (std::ranges::find(op.outputs, tensor) != op.outputs.end())
      return op.name.starts_with('<') ? op.name : op.name + "_" + tensor;  // "<UNKNOWN>"
  return tensor + "_" + tensor;
}

/// quirk: an output of Caffe whose blob other layers read, when another layer had written it, has no name for Model
/// Optimizer: it goes by what its layer reads first.
std::string key_of_blob(const SourceModel& model, const std::string& tensor) {
  const auto read = [&](auto&& same) {
    return std::ranges::any_of(model.operators,
                               [&](const SourceOperator& o) { return std::ranges::any_of(o.inputs, same); });
  };
  const std::string blob = importers::tensor_name(tensor);
  const bool named = read([&](const std::string& i) { return i == tensor; }) ||
                     !read([&](const std::string& i) { return importers::tensor_name(i) == blob; });
  for (const SourceOperator& op : model.operators) {
    if (std::ranges::find(op.outputs, tensor) == op.outputs.end()) continue;
    return named || op.inputs.empty() ? op.name + "_" + blob : key_of_blob(model, op.inputs[0]);
  }
  return blob + "_" + blob;
}

bool passes_through(const Session& s, const SourceOperator& op, Value v) {
  return std::ranges::any_of(op.inputs, [&](const std::string& i) { return !i.empty() && s.value(i) == v; });
}

/// quirk: what nothing reads becomes a network output: dead ends, and single unread outputs of some types of layers.
/// What an operator passes on has the key of what it is.
std::string key_of_output(const Session& s, const std::string& tensor) {
  if (s.framework == importers::Framework::Caffe) return key_of_blob(s.source, tensor);
  if (s.framework != importers::Framework::Mxnet) return key_of(s.source, tensor);
  const Value v = s.value(tensor);
  std::string first = tensor;
  for (size_t i = s.source.operators.size(); i-- > 0;) {
    const SourceOperator& op = s.source.operators[i];
    if (std::ranges::find(op.outputs, first) == op.outputs.end()) continue;
    const auto same =
        std::ranges::find_if(op.inputs, [&](const std::string& k) { return !k.empty() && s.value(k) == v; });
    if (same != op.inputs.end()) first = *same;
  }
  return key_of(s.source, first);
}

std::vector<Output> unread_values(const Session& s) {
  std::set<std::string> read;
  for (const SourceOperator& op : s.source.operators) read.insert(op.inputs.begin(), op.inputs.end());
  for (const SourceOutput& o : s.source.outputs) read.insert(o.key);
  std::vector<Output> unread;
  for (const SourceOperator& op : s.source.operators) {
    const bool dead = std::ranges::none_of(op.outputs, [&](const std::string& o) { return read.contains(o); });
    if (op.for_shapes || (!dead && !op.single_outputs)) continue;
    for (const std::string& o : op.outputs) {
      if (o.empty() || read.contains(o) || !s.computes(o)) continue;
      const Value v = s.value(o);
      if (v.node->is_constant() || passes_through(s, op, v)) continue;
      const bool by_input = op.single_outputs && !op.inputs.empty() && !op.inputs[0].empty();
      unread.push_back({key_of(s.source, by_input ? op.inputs[0] : o), v, {}});
    }
  }
  return unread;
}

}  // namespace

void add_results(Session& s) {
  std::vector<Output> outputs;
  // Models of ONNX say what their outputs are.
  const bool says = s.framework == importers::Framework::Onnx && !s.options.quirks;
  if (!s.source.only_stated_outputs && !says) outputs = unread_values(s);
  for (const SourceOutput& o : s.source.outputs)
    if (!s.options.problems || s.computes(o.key)) outputs.push_back({key_of_output(s, o.key), s.value(o.key), o.name});
  for (const Value& v : s.dangling) outputs.push_back({v.node->name, v, {}});
  // A signature of TensorFlow states its order itself.
  const bool ordered =
      s.framework == importers::Framework::TensorFlow && s.source.only_stated_outputs && s.options.cut.outputs.empty();
  if (!ordered) std::ranges::stable_sort(outputs, {}, &Output::key);
  for (const Output& o : outputs) s.graph.result(o.value, o.name)->attrs.set("named", !o.name.empty());
}

namespace {

/// The output has no layer that could carry its name: it is an input, or another output's layer has its own.
/// quirk: Model Optimizer loses the name.
bool lacks_a_layer(const Node& result, const Value& v, std::set<const Node*>& named) {
  return v.node->is("Parameter") || (!named.insert(v.node).second && v.node->name != result.name);
}

/// What is computed without repetitions of nothing, which would be dropped with the name of the output.
Value without_idle_repetition(Value v) {
  while ((v.node->is("Broadcast") || v.node->is("Tile")) && is_static(v.shape()) &&
         v.node->input(0).shape() == v.shape())
    v = v.node->input(0);
  return v;
}

}  // namespace

void separate_outputs(Session& s) {
  std::set<const Node*> named;
  for (Node* r : s.graph.results()) {
    if (!s.options.quirks && r->attrs.flag("named")) s.graph.set_input(r, 0, without_idle_repetition(r->input(0)));
    const Value v = r->input(0);
    if (!r->attrs.flag("named") || v.node->is("NonMaxSuppression")) continue;
    if (v.node->output_count() < 2 && (s.options.quirks || !lacks_a_layer(*r, v, named))) continue;
    transforms::Rewriter rw(s.graph);
    const Value zero = rw.scalar(v.type(), 0);
    zero.node->name = std::to_string(zero.node->id()) + "_input_port_1/value";
    s.graph.set_input(r, 0, rw.make("Add", {v, zero})->value());
  }
}

}  // namespace blobsmith::model_optimizer
