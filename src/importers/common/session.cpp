#include "importers/common/session.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "graph/numbering.hpp"
#include "graph/ops/known_value.hpp"
#include "importers/common/input_shapes.hpp"

namespace blobsmith::importers {
namespace {

constexpr const char* kStateTheShape =
    "it is converted only for the shape at the cut: state that, --input \"PLACE[1 3 224 224]\"";

Error unknown_operator(const SourceOperator& op) {
  Error e = unsupported_layer(op.name, op.type).from(op.where);
  if (!op.advice.empty()) e.hint(op.advice);
  if (op.for_shapes) e.hint(kStateTheShape);
  return e;
}

/// All unknown operators at once: one run tells everything that is missing.
void check_operators(const SourceModel& model, const std::function<bool(const SourceOperator&)>& is_known) {
  std::vector<Error> errors;
  for (const SourceOperator& op : model.operators)
    if (!is_known(op)) errors.push_back(unknown_operator(op));
  if (!errors.empty()) throw ErrorList(std::move(errors));
}

/// The framework's name stays with the value that it names.
void define(Session& s, const std::string& key, Value v) {
  s.values[key] = v;
  v.node->output(v.port).tensor_names.push_back(tensor_name(key));
}

/// The order of layers in a blob follows the names of constants: where tensors are "node:port", the node has it.
std::string name_of_constant(const Session& s, const std::string& key) {
  const bool by_node = s.framework == Framework::TensorFlow || s.framework == Framework::Mxnet;
  return by_node && key.ends_with(":0") ? key.substr(0, key.size() - 2) : key;
}

/// The shape that an input gets; Model Optimizer refuses an open batch.
std::optional<Shape> final_shape(Session& s, const SourceInput& input) {
  std::optional<Shape> shape = input.shape;
  if (shape && !s.options.quirks && close_batch(*shape)) s.notes.push_back(batch_remark(input.name));
  return shape;
}

bool is_known(const std::optional<Shape>& shape) {
  return shape && is_static(*shape) && std::ranges::find(*shape, 0) == shape->end();
}

void add_parameter(Session& s, const SourceInput& input) {
  const std::optional<Shape> shape = final_shape(s, input);
  if (!is_known(shape)) throw open_shapes({{input.name, shape}});
  element_count(*shape);  // throws where it overflows
  define(s, input.key, s.graph.parameter(input.type, *shape, input.name)->value());
}

/// One run tells of all inputs that are left open.
void check_inputs(const Session& s) {
  std::vector<std::pair<std::string, std::optional<Shape>>> open;
  for (const SourceInput& input : s.source.inputs) {
    std::optional<Shape> shape = input.shape;
    if (shape && !s.options.quirks) close_batch(*shape);
    if (input.like.empty() && !is_known(shape)) open.emplace_back(input.name, shape);
  }
  if (!open.empty()) throw open_shapes(open);
}

/// Weights that a model computes from others (normalised ones) are folded as they are met. What was between them is
/// forgotten when its last reader has been.
class FoldedConstants {
 public:
  explicit FoldedConstants(const Session& s) : s_(s) {
    const auto has_body = [](const SourceOperator& op) {
      return op.type == "If" || op.type == "Loop" || op.type == "Scan";
    };
    active_ =
        !s.options.problems && std::ranges::none_of(s.source.operators, has_body);  // bodies read what no list says
    if (!active_) return;
    for (const SourceOperator& op : s.source.operators)
      for (const std::string& key : op.inputs) readers_[key] = op.index;
    for (const SourceOutput& o : s.source.outputs) readers_.erase(o.key);
    for (const SourceInput& i : s.source.inputs) readers_.erase(i.like);
    for (const auto& [key, v] : s.values) ++names_[v.node];
  }

  /// `first`: the number of the first node that the operator made.
  void forget_after(const SourceOperator& op, int64_t first) {
    if (!active_) return;
    for (const std::string& key : op.outputs)
      if (s_.computes(key)) ++names_[s_.value(key).node];
    bool large = !op.inputs.empty();
    for (const std::string& key : op.inputs) {
      if (key.empty() || !s_.computes(key)) continue;
      Node* n = s_.value(key).node;
      large = large && n->is_constant();
      const auto last = readers_.find(key);
      if (last == readers_.end() || last->second != op.index) continue;
      readers_.erase(last);
      if (--names_[n] == 0) forget(*n);
    }
    if (!large) return;
    const std::vector<Node*> all = s_.graph.all();
    for (auto it = all.rbegin(); it != all.rend() && (*it)->id() >= first; ++it)
      if (!names_.contains(*it)) forget(**it);
  }

 private:
  static void forget(Node& n) {
    constexpr size_t kLarge = 1 << 16;
    if (n.is_constant() && n.output().uses.empty() && n.constant.bytes.size() >= kLarge) n.constant.bytes = Bytes();
  }

  const Session& s_;
  bool active_ = false;
  std::map<std::string, size_t> readers_;  ///< the last of each tensor, unless more than operators read it
  std::map<const Node*, int> names_;       ///< how many tensors that are still to be read each node is
};

class OperatorWalk {
 public:
  OperatorWalk(Session& s, const std::function<bool(const SourceOperator&)>& is_known, const Convert& convert)
      : s_(s), is_known_(is_known), convert_(convert) {}

  void run() {
    check_inputs(s_);
    for (const SourceInput& input : s_.source.inputs)
      if (input.like.empty()) add_parameter(s_, input);
    for (auto& [key, tensor] : s_.source.constants)
      define(s_, key, s_.graph.constant(std::move(tensor), name_of_constant(s_, key))->value());
    s_.source.constants.clear();
    FoldedConstants folded(s_);
    for (const SourceOperator& op : s_.source.operators) {
      add_cut_inputs(op.inputs);
      const int64_t first = numbering::next(s_.graph);
      add(op);
      folded.forget_after(op, first);
    }
    for (const SourceOutput& o : s_.source.outputs) add_cut_inputs({o.key});
  }

 private:
  /// Inputs that stand where the network was cut, and have the shape of what was there.
  void add_cut_inputs(const std::vector<std::string>& keys) {
    for (const SourceInput& input : s_.source.inputs) {
      if (input.like.empty() || s_.computes(input.key) || std::ranges::find(keys, input.key) == keys.end()) continue;
      if (s_.options.problems && !s_.computes(input.like)) continue;  // what reads it is not checked
      const Value there = s_.value(input.like);
      add_parameter(s_, {input.name, input.key, there.type(), there.shape()});
    }
  }

  void add(const SourceOperator& op) {
    Diagnostics* problems = s_.options.problems;
    if (problems) problems->order.push_back(op.where);
    if (problems && lacks_an_input(op)) {
      problems->remarks.push_back({Remark::Kind::NotChecked, op.name, op.type, op.where});
      return leave_out(op);
    }
    try {
      if (!is_known_(op)) throw unknown_operator(op);
      const std::vector<Value> values = convert_(op);
      for (size_t i = 0; i < op.outputs.size() && i < values.size(); ++i)
        if (!op.outputs[i].empty() && values[i].node) define(s_, op.outputs[i], values[i]);
    } catch (Error& e) {
      if (!e.has_address()) e.at_layer(op.name, op.type);
      e.from(op.where);
      if (op.for_shapes && e.hint().empty()) e.hint(kStateTheShape);
      if (!problems) throw;
      problems->unreadable(e, op.name, op.type, op.where);
      problems->reads[op.where] = computed_inputs(op);
      leave_out(op);
    }
  }

  bool lacks_an_input(const SourceOperator& op) const {
    return std::ranges::any_of(op.inputs, [&](const std::string& i) { return !i.empty() && !s_.computes(i); });
  }

  /// Without constants and the network's own inputs.
  std::vector<std::string> computed_inputs(const SourceOperator& op) const {
    std::vector<std::string> keys;
    for (const std::string& i : op.inputs) {
      if (i.empty() || !s_.computes(i)) continue;
      const Node* n = s_.value(i).node;
      if (!known_value(s_.value(i)) && !n->is("Parameter") && std::ranges::find(keys, i) == keys.end())
        keys.push_back(i);
    }
    return keys;
  }

  /// What the operator would have read leaves the network here, so that its producers are looked at.
  void leave_out(const SourceOperator& op) {
    for (const std::string& i : op.inputs) {
      if (i.empty() || !s_.computes(i)) continue;
      const Value v = s_.value(i);
      if (!v.node->is_constant() && !v.node->is("Parameter")) s_.dangling.push_back(v);
    }
  }

  Session& s_;
  const std::function<bool(const SourceOperator&)>& is_known_;
  const Convert& convert_;
};

}  // namespace

Value Session::value(const std::string& key) const {
  const auto it = values.find(key);
  if (it == values.end()) throw Error(ErrorCode::BadGraph, "value '" + key + "' is used, but nothing computes it");
  return it->second;
}

void convert_operators(Session& s, const std::function<bool(const SourceOperator&)>& is_known, const Convert& convert) {
  if (!s.options.problems) check_operators(s.source, is_known);
  OperatorWalk(s, is_known, convert).run();
}

}  // namespace blobsmith::importers
