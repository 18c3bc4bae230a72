// Sequences of GRU and RNN cells, which the VPU has no stage for. Each direction becomes a loop over the steps, with
// the arithmetic of the cell as its body, and with what the input adds to the gates computed for all steps at once. A
// cell alone becomes that arithmetic.
//
//   X [B, T, I] -> X W' + b [B, T, gates H] -> loop over T: h = cell(share of the step, h) -> Y [B, T, H]
#include <algorithm>
#include <array>
#include <cctype>

#include "graph/ops/known_value.hpp"
#include "transforms/legalise/terms.hpp"

namespace blobsmith::legalise_rows {
namespace {

using transforms::attributes;

struct Sizes {
  int64_t items, steps, input, hidden, directions, gates;
};

constexpr int kState = 1, kLengths = 2;  ///< inputs: X, the state, of a sequence lengths, then W, R and B

bool is_gru(const Node& n) { return n.is("GRUSequence") || n.is("GRUCell"); }
bool is_cell(const Node& n) { return n.is("GRUCell") || n.is("RNNCell"); }
int first_weights(const Node& n) { return is_cell(n) ? kLengths : kLengths + 1; }

std::vector<std::string> functions_of(const Node& n) {
  std::vector<std::string> usual{"tanh"};
  if (is_gru(n)) usual = {"sigmoid", "tanh"};
  std::vector<std::string> list = n.attrs.get_or<std::vector<std::string>>("activations", usual);
  for (std::string& s : list)
    std::ranges::transform(s, s.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return list.empty() ? usual : list;
}

bool has_known_functions(const Node& n) {
  const std::vector<std::string> list = functions_of(n);
  const auto is_known = [](const std::string& f) { return f == "sigmoid" || f == "tanh" || f == "relu"; };
  return list.size() == (is_gru(n) ? 2 : 1) && std::ranges::all_of(list, is_known);
}

bool runs_to_the_end(const Node& n) {
  const auto lengths = known_value(n.input(kLengths));
  if (!lengths) return false;
  const std::vector<int64_t> list = lengths->to_i64();
  return std::ranges::all_of(list, [&](int64_t l) { return l >= n.input(0).shape()[1]; });
}

bool can_be_spelled_out(const Node& n) {
  if (!is_cell(n) && !n.is("GRUSequence") && !n.is("RNNSequence")) return false;
  const int weights = first_weights(n);
  if (n.input_count() != weights + 3 || n.input(0).shape().size() != (is_cell(n) ? 2 : 3)) return false;
  for (int i = 0; i < n.input_count(); ++i)
    if (!is_static(n.input(i).shape())) return false;
  for (int i = weights; i < weights + 3; ++i)
    if (!n.input(i).node->is_constant() || !is_float(n.input(i).type())) return false;
  return has_known_functions(n) && (is_cell(n) || runs_to_the_end(n));
}

Sizes sizes_of(const Node& n) {
  const Shape &x = n.input(0).shape(), &r = n.input(first_weights(n) + 1).shape();
  if (is_cell(n)) return {x[0], 1, x[1], r[1], 1, r[0] / r[1]};
  return {x[0], x[1], x[2], r[2], r[0], r[1] / r[2]};
}

/// Of a body that reads a step's share and the state, and gives the state twice, for the next step and for Y.
PortMap ports(bool reverse) {
  PortMap p;
  const int64_t start = reverse ? -1 : 0, end = reverse ? 0 : -1, stride = reverse ? -1 : 1;
  p.inputs = {{0, 0, 1, start, end, stride, 1, true}, {1, 1}};
  p.outputs = {{0, 1, 1, start, end, stride, 1, true}, {1, 0}};
  p.back_edges = {{0, 1}};
  return p;
}

/// One direction of one sequence, or a cell.
class Direction {
 public:
  Direction(Rewriter& rw, const Node& n, int64_t index)
      : t_(rw),
        n_(n),
        s_(sizes_of(n)),
        index_(index),
        reverse_(n.attrs.text("direction", "") == "reverse" || index == 1) {}

  /// The state [items, hidden] behind a cell.
  Value step() {
    Graph& graph = t_.rewriter().graph();
    const Value x = t_.reshape(shares(), {s_.items, s_.gates * s_.hidden});
    const Value y = next(graph, x, n_.input(kState));
    state_source(y.node, x.node);
    return y;
  }

  /// Y [items, steps, hidden], then the last state [items, hidden].
  Node* run() {
    const Value x = shares();
    const Value state = t_.reshape(t_.slice(n_.input(kState), 1, index_, index_ + 1), {s_.items, s_.hidden});
    Graph& graph = t_.rewriter().graph();
    Node* loop = graph.add("TensorIterator", {x, state});
    loop->source = n_.source;
    loop->body = std::make_unique<Graph>();
    write_body(*loop->body, x.shape()[2]);
    loop->port_map = ports(reverse_);
    infer(graph, loop);
    return loop;
  }

 private:
  /// Rows [first, first + count) of this direction of weights [directions, rows, ...].
  Tensor rows(int input, int64_t first, int64_t count, bool flat = false) const {
    const Tensor& t = n_.input(first_weights(n_) + input).node->constant;
    const std::vector<float> all = t.to_f32();
    const int64_t width = flat ? 1 : t.shape.back(), per_direction = element_count(t.shape) / s_.directions;
    const auto begin = all.begin() + index_ * per_direction + first * width;
    Shape shape{count, width};
    if (flat) shape = {count};
    Tensor single = Tensor::of(ElementType::f32, std::move(shape), std::vector<float>(begin, begin + count * width));
    if (t.type == ElementType::f32) return single;
    const std::vector<float> v = single.to_f32();
    const std::vector<double> wide(v.begin(), v.end());
    return Tensor::reals(t.type, single.shape, wide);
  }

  /// What the input adds to the gates, at all steps.
  Value shares() {
    const int64_t width = s_.gates * s_.hidden;
    const Value flat = t_.reshape(n_.input(0), {s_.items * s_.steps, s_.input});
    const Value w = t_.rewriter().constant(rows(0, 0, width)), b = t_.rewriter().constant(rows(2, 0, width, true));
    const Value product = t_.make("MatMul", {flat, w}, attributes({{"transpose_a", false}, {"transpose_b", true}}));
    return t_.reshape(t_.add(product, t_.reshape(b, {1, width})), {s_.items, s_.steps, width});
  }

  void write_body(Graph& body, int64_t width) {
    const ElementType type = n_.input(0).type();
    const Value x = body.parameter(type, {s_.items, 1, width}, "x")->value();
    const Value state = body.parameter(type, {s_.items, s_.hidden}, "hidden")->value();
    const Value axis = body.constant(Tensor::i64({1}))->value();
    const Value step = body.make("Squeeze", {x, axis})->value();
    const Value after = next(body, step, state);
    body.result(after);
    const Value back = body.constant(Tensor::i64({1}))->value();
    body.result(body.make("Unsqueeze", {after, back})->value());
  }

  /// Of all that was made between x and y.
  void state_source(Node* y, const Node* x) const {
    if (y == x || y->is_constant() || !y->source.empty()) return;
    y->source = n_.source;
    for (const Value& v : y->inputs()) state_source(v.node, x);
  }

  Value function(Graph& body, size_t i, Value v) {
    const std::string f = functions_of(n_)[i];
    if (const double clip = n_.attrs.real("clip", 0); clip > 0)
      v = body.make("Clamp", {v}, attributes({{"min", -clip}, {"max", clip}}))->value();
    return body.make(f == "sigmoid" ? "Sigmoid" : f == "tanh" ? "Tanh" : "Relu", {v})->value();
  }
  /// The hidden state times the recurrence weights of `count` gates from `first` on.
  Value recurrence(Graph& body, Value h, int64_t first, int64_t count) {
    const Value r = body.constant(rows(1, first * s_.hidden, count * s_.hidden))->value();
    return body.make("MatMul", {h, r}, attributes({{"transpose_a", false}, {"transpose_b", true}}))->value();
  }
  static Value binary(Graph& body, const char* type, Value a, Value b) { return body.make(type, {a, b})->value(); }

  Value next(Graph& body, Value x, Value h) { return is_gru(n_) ? gru(body, x, h) : rnn(body, x, h); }

  Value rnn(Graph& body, Value x, Value h) {
    return function(body, 0, binary(body, "Add", x, recurrence(body, h, 0, 1)));
  }

  /// Gates update z, reset r, new n: n + z (h - n).
  Value gru(Graph& body, Value x, Value h) {
    Node* parts = body.make("VariadicSplit", {x, body.constant(Tensor::scalar_i64(1))->value(),
                                              body.constant(Tensor::i64({2 * s_.hidden, s_.hidden}))->value()});
    const Value both = function(body, 0, binary(body, "Add", parts->value(0), recurrence(body, h, 0, 2)));
    Node* gates = body.make("Split", {both, body.constant(Tensor::scalar_i64(1))->value()},
                            attributes({{"num_splits", int64_t{2}}}));
    const Value update = gates->value(0), reset = gates->value(1);
    Value memory;
    if (n_.attrs.flag("linear_before_reset")) {
      Tensor bias = rows(2, 3 * s_.hidden, s_.hidden, true);
      bias.shape = {1, s_.hidden};
      const Value own = recurrence(body, h, 2, 1), b = body.constant(std::move(bias))->value();
      memory = binary(body, "Multiply", reset, binary(body, "Add", own, b));
    } else {
      memory = recurrence(body, binary(body, "Multiply", reset, h), 2, 1);
    }
    const Value fresh = function(body, 1, binary(body, "Add", parts->value(1), memory));
    const Value change = binary(body, "Multiply", update, binary(body, "Subtract", h, fresh));
    return binary(body, "Add", fresh, change);
  }

  Terms t_;
  const Node& n_;
  Sizes s_;
  int64_t index_;
  bool reverse_;
};

void to_arithmetic(Rewriter& rw, Node* n) {
  const Value y = Direction(rw, *n, 0).step();
  y.node->name = n->name;
  y.node->output().tensor_names = n->output().tensor_names;
  rw.redirect(n->value(), y);
}

void to_loops(Rewriter& rw, Node* n) {
  const Sizes s = sizes_of(*n);
  std::vector<Node*> loops;
  for (int64_t d = 0; d < s.directions; ++d) loops.push_back(Direction(rw, *n, d).run());
  Terms t(rw);
  for (int i = 0; i < n->output_count(); ++i) {
    if (n->output(i).uses.empty()) continue;
    std::vector<Value> parts;
    const Shape one = i == 0 ? Shape{s.items, 1, s.steps, s.hidden} : Shape{s.items, 1, s.hidden};
    for (Node* loop : loops) parts.push_back(t.reshape(loop->value(i), one));
    Value y = parts[0];
    if (parts.size() > 1) y = t.concat(parts, 1);
    if (n->output_count() == 1 || i == 0) y.node->name = n->name;
    y.node->output().tensor_names = n->output(i).tensor_names;
    rw.redirect(n->value(i), y);
  }
}

}  // namespace

std::vector<Remark> sequences_to_loops(Graph& graph) {
  std::vector<Remark> done;
  Rewriter rw(graph);
  for (Node* n : graph.ordered()) {
    if (!can_be_spelled_out(*n)) continue;
    rw.set_origin(n->source);
    done.push_back(
        remark(Remark::Kind::Rewritten, *n, is_cell(*n) ? "the arithmetic of its gates" : "a loop over its steps"));
    is_cell(*n) ? to_arithmetic(rw, n) : to_loops(rw, n);
  }
  if (!done.empty()) graph.remove_unreachable();
  return done;
}

}  // namespace blobsmith::legalise_rows
