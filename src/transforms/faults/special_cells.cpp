// LSTM cells with activations or a clip of their own as the operations that they stand for, sequences of such cells
// step by step, and sequences that end before their data do. The VPU has the usual cell only, and runs it to the end.
#include <algorithm>
#include <set>

#include "core/text.hpp"
#include "transforms/faults/common.hpp"

namespace blobsmith::transforms {
namespace {

constexpr int64_t kMostSteps = 128;  ///< each is some fifteen layers

// ---- activations ----

std::vector<std::string> activations(const Node& n) {
  std::vector<std::string> list = n.attrs.get_or<std::vector<std::string>>("activations", {"sigmoid", "tanh", "tanh"});
  for (std::string& s : list) s = lower_case(s);
  return list;
}

bool is_usual_cell(const Node& n) {
  return n.attrs.real("clip", 0) <= 0 && !n.attrs.flag("input_forget") &&
         activations(n) == std::vector<std::string>{"sigmoid", "tanh", "tanh"};
}

bool can_be_spelled_out(const Node& n) {
  const std::vector<std::string> functions = activations(n);
  const auto is_known = [](const std::string& f) {
    return f == "sigmoid" || f == "tanh" || f == "relu" || f == "hardsigmoid";
  };
  return functions.size() == 3 && std::ranges::all_of(functions, is_known) &&
         n.attrs.text("weights_format", "fico") == "fico" && n.input(0).shape().size() > 1 &&
         is_static(n.input(0).shape()) && is_static(n.input(1).shape());
}

double parameter(const Node& n, std::string_view list, size_t i, double otherwise) {
  const auto values = n.attrs.get_or<std::vector<double>>(list, {});
  return i < values.size() ? values[i] : otherwise;
}

Value clamped(Rewriter& rw, Value v, double min, double max) {
  return rw.make("Clamp", {v}, attributes({{"min", min}, {"max", max}}))->value();
}
Value multiplied(Rewriter& rw, Value a, Value b) { return rw.make("Multiply", {a, b})->value(); }
Value added(Rewriter& rw, Value a, Value b) { return rw.make("Add", {a, b})->value(); }

/// A cell's activation number i.
Value activated(Rewriter& rw, const Node& cell, size_t i, Value v) {
  const std::string function = activations(cell)[i];
  if (function == "sigmoid") return rw.make("Sigmoid", {v})->value();
  if (function == "tanh") return rw.make("Tanh", {v})->value();
  if (function == "relu") return rw.make("Relu", {v})->value();
  const Value scaled = multiplied(rw, v, rw.scalar(v.type(), parameter(cell, "activations_alpha", i, 0.2)));
  return clamped(rw, added(rw, scaled, rw.scalar(v.type(), parameter(cell, "activations_beta", i, 0.5))), 0, 1);
}

// ---- one step ----

struct State {
  Value h, c;
};
struct Weights {
  Value w, r, b;  ///< of the gates forget, input, candidate, output
};

Value product(Rewriter& rw, Value v, Value weights) {
  return rw.make("MatMul", {v, weights}, attributes({{"transpose_a", false}, {"transpose_b", true}}))->value();
}

State step(Rewriter& rw, const Node& cell, Value x, State s, const Weights& weights) {
  const double clip = cell.attrs.real("clip", 0);
  const Value sum = added(rw, added(rw, product(rw, x, weights.w), product(rw, s.h, weights.r)), weights.b);
  const Value gates = clip > 0 ? clamped(rw, sum, -clip, clip) : sum;
  Node* parts = rw.make("Split", {gates, rw.index(1)}, attributes({{"num_splits", 4}}));
  const Value forget = activated(rw, cell, 0, parts->value(0)), candidate = activated(rw, cell, 1, parts->value(2)),
              out = activated(rw, cell, 0, parts->value(3));
  const Value minus_one = rw.scalar(x.type(), -1), one = rw.scalar(x.type(), 1);
  const Value in = cell.attrs.flag("input_forget") ? added(rw, multiplied(rw, forget, minus_one), one)
                                                   : activated(rw, cell, 0, parts->value(1));
  s.c = added(rw, multiplied(rw, forget, s.c), multiplied(rw, in, candidate));
  s.h = multiplied(rw, out, activated(rw, cell, 2, s.c));
  return s;
}

/// Outputs of a layer that is taken apart keep their names.
bool give_outputs(Rewriter& rw, Node* n, const std::vector<Value>& outputs) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    Node* node = outputs[i].node;  // several outputs get their numbers where they are named
    node->name = n->name + (node->output_count() > 1 ? "" : "." + std::to_string(i));
    rw.redirect(n->value(static_cast<int>(i)), outputs[i]);
  }
  return true;
}

// ---- sequences
// ------------------------------------------------------------------------------------------------------------ Inputs:
// X[batch, time, input], H and C[batch, directions, hidden], lengths[batch], W, R, B with the directions first.

bool is_sequence(const Node& n) {
  return n.is("LSTMSequence") && n.input_count() == 7 && n.input(0).shape().size() == 3 &&
         is_static(n.input(0).shape());
}

Value squeezed(Rewriter& rw, Value v, int64_t axis) { return rw.make("Squeeze", {v, rw.indices({axis})})->value(); }
Value unsqueezed(Rewriter& rw, Value v, std::vector<int64_t> axes) {
  return rw.make("Unsqueeze", {v, rw.indices(std::move(axes))})->value();
}

/// The lengths of all items, where they are known.
std::optional<std::vector<int64_t>> lengths_of(const Node& n) {
  const Tensor* t = constant_of(n.input(3));
  if (!t) return std::nullopt;
  std::vector<int64_t> list = t->to_i64();
  if (list.size() == 1 && n.input(0).shape()[0] <= kMostSteps)
    list.resize(static_cast<size_t>(n.input(0).shape()[0]), list[0]);
  if (static_cast<int64_t>(list.size()) != n.input(0).shape()[0]) return std::nullopt;
  return std::optional(std::move(list));
}

bool is_shorter(const Node& n) {
  const auto lengths = lengths_of(n);
  return lengths && std::ranges::any_of(*lengths, [&](int64_t l) { return l < n.input(0).shape()[1]; });
}

/// Y, H and C of one item (or of items of the same length), of which only the first steps are looked at.
std::vector<Value> first_steps(Rewriter& rw, const Node& n, int64_t first, int64_t last, int64_t length) {
  std::vector<Value> inputs = n.inputs();
  const int64_t steps = n.input(0).shape()[1];
  for (const int i : {0, 1, 2})
    inputs[static_cast<size_t>(i)] = slice(rw, inputs[static_cast<size_t>(i)], 0, first, last);
  inputs[0] = slice(rw, inputs[0], 1, 0, length);
  inputs[3] = rw.indices(std::vector<int64_t>(static_cast<size_t>(last - first), length));
  Node* part = rw.make(n.type, inputs, n.attrs, n.version);
  std::vector<Value> outputs{part->value(0), part->value(1), part->value(2)};
  if (length < steps) {
    const Value zero = rw.scalar(outputs[0].type(), 0), begin = rw.indices({0, 0, 0, 0}),
                end = rw.indices({0, 0, steps - length, 0});
    outputs[0] = rw.make("Pad", {outputs[0], begin, end, zero}, attributes({{"pad_mode", "constant"}}))->value();
  }
  return outputs;
}

bool shorten(Rewriter& rw, Node* n) {
  const std::vector<int64_t> lengths = *lengths_of(*n);
  const auto batch = static_cast<int64_t>(lengths.size());
  if (std::ranges::all_of(lengths, [&](int64_t l) { return l == lengths[0]; }))
    return give_outputs(rw, n, first_steps(rw, *n, 0, batch, lengths[0]));
  std::array<std::vector<Value>, 3> items;
  for (int64_t i = 0; i < batch; ++i) {
    const std::vector<Value> item = first_steps(rw, *n, i, i + 1, lengths[static_cast<size_t>(i)]);
    for (size_t k = 0; k < items.size(); ++k) items[k].push_back(item[k]);
  }
  std::vector<Value> outputs;
  for (const std::vector<Value>& parts : items)
    outputs.push_back(rw.make("Concat", parts, attributes({{"axis", 0}}))->value());
  return give_outputs(rw, n, outputs);
}

/// One direction, step by step: outputs [batch, 1, time, hidden] and [batch, 1, hidden].
std::array<Value, 3> unrolled(Rewriter& rw, const Node& n, int64_t direction, bool backwards) {
  const auto one = [&](int input, size_t axis) {
    return squeezed(rw, slice(rw, n.input(input), axis, direction, direction + 1), static_cast<int64_t>(axis));
  };
  State s{one(1, 1), one(2, 1)};
  const Weights weights{one(4, 0), one(5, 0), one(6, 0)};
  const int64_t steps = n.input(0).shape()[1];
  std::vector<Value> hidden(static_cast<size_t>(steps));
  for (int64_t i = 0; i < steps; ++i) {
    const int64_t at = backwards ? steps - 1 - i : i;
    s = step(rw, n, squeezed(rw, slice(rw, n.input(0), 1, at, at + 1), 1), s, weights);
    hidden[static_cast<size_t>(at)] = unsqueezed(rw, s.h, {1, 2});
  }
  const Value all = hidden.size() == 1 ? hidden[0] : rw.make("Concat", hidden, attributes({{"axis", 2}}))->value();
  return {all, unsqueezed(rw, s.h, {1}), unsqueezed(rw, s.c, {1})};
}

bool unroll(Rewriter& rw, Node* n) {
  const std::string direction = n->attrs.text("direction", "forward");
  if (direction != "bidirectional") {
    const auto [y, h, c] = unrolled(rw, *n, 0, direction == "reverse");
    return give_outputs(rw, n, {y, h, c});
  }
  const auto forward = unrolled(rw, *n, 0, false), back = unrolled(rw, *n, 1, true);
  std::vector<Value> outputs;
  for (size_t i = 0; i < forward.size(); ++i)
    outputs.push_back(rw.make("Concat", {forward[i], back[i]}, attributes({{"axis", 1}}))->value());
  return give_outputs(rw, n, outputs);
}

bool depends_on_data(Value v) {
  std::vector<const Node*> todo{v.node};
  std::set<const Node*> seen;
  while (!todo.empty()) {
    const Node* n = todo.back();
    todo.pop_back();
    if (n->is("Parameter")) return true;
    if (n->is("ShapeOf") || !seen.insert(n).second) continue;
    for (const Value& i : n->inputs())
      if (i) todo.push_back(i.node);
  }
  return false;
}

}  // namespace

bool is_special_cell(const Node& n) { return (n.is("LSTMCell") || n.is("LSTMSequence")) && !is_usual_cell(n); }

bool is_special_cell_of_known_functions(const Node& n) {
  if (!is_special_cell(n) || !can_be_spelled_out(n)) return false;
  return n.is("LSTMCell") ? n.input_count() >= 6 : is_sequence(n) && n.input(0).shape()[1] <= kMostSteps;
}

bool ends_early(const Node& n) {
  if (!is_sequence(n) || !is_shorter(n) || n.input(0).shape()[0] > kMostSteps) return false;
  return std::ranges::all_of(*lengths_of(n), [&](int64_t l) { return l > 0 && l <= n.input(0).shape()[1]; });
}

bool may_end_early(const Node& n) {
  return n.is("LSTMSequence") && n.input_count() > 3 && !ends_early(n) &&
         (depends_on_data(n.input(3)) || (is_sequence(n) && is_shorter(n)));
}

Rewritten end_sequences(Graph& graph) {
  return rewrite_each(graph, [](Rewriter& rw, Node* n) { return ends_early(*n) && shorten(rw, n); });
}

Rewritten spell_out_cells(Graph& graph) {
  return rewrite_each(graph, [](Rewriter& rw, Node* n) {
    if (!is_special_cell_of_known_functions(*n)) return false;
    if (n->is("LSTMSequence")) return unroll(rw, n);
    const State s = step(rw, *n, n->input(0), {n->input(1), n->input(2)}, {n->input(3), n->input(4), n->input(5)});
    return give_outputs(rw, n, {s.h, s.c});
  });
}

}  // namespace blobsmith::transforms
