// LSTM, GRU and RNN. Left column (model-optimizer spec §5.2): LSTM as a TensorIterator over an LSTMCell, one for each
// direction; Model Optimizer makes sequences of the others whose cells the VPU lacks, so their cells are spelled out,
// as a loop. Right column: sequences; what the model leaves out is made of the shapes of what it gives.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <memory>

#include "importers/onnx/mo_steps.hpp"
#include "importers/onnx/operators.hpp"
#include "importers/onnx/ops/spelled_recurrent.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

constexpr int64_t kGates = 4;
constexpr std::array<int64_t, kGates> kGateOrder{2, 0, 3,
                                                 1};  // forget, input, cell, output: where ONNX (i, o, f, c) has them

/// What one direction computes with. Weights are [gates H, I], [gates H, H], [gates H].
struct Direction {
  std::string prefix;  ///< of the names of its layers
  bool reverse = false;
  int64_t index = 0;
};

struct Sizes {
  int64_t steps, batch, input, hidden, directions, gates;
};

bool is_zero(const onnx_file::Attribute& a) {
  using Kind = onnx_file::Attribute::Kind;
  return a.kind == Kind::Integer ? a.integer == 0 : a.kind == Kind::Real && a.real == 0;
}

Sizes check(Context& c, int64_t gates) {
  const Shape x = c.input(0).shape(), w = c.input(1).shape();
  if (x.size() != 3 || !is_static(x) || w.size() != 3)
    c.refuse("its input must have 3 dimensions, and its weights too");
  const bool two = c.text("direction", "forward") == "bidirectional";
  const Sizes s{x[0], x[1], x[2], c.integer("hidden_size", w[1] / gates), two ? 2 : 1, gates};
  if (s.hidden < 1 || w != Shape{s.directions, gates * s.hidden, s.input} ||
      c.input(2).shape() != Shape{s.directions, gates * s.hidden, s.hidden})
    c.refuse("its weights have the shapes " + to_string(w) + " and " + to_string(c.input(2).shape()));
  for (const char* a : {"clip", "input_forget", "layout"})
    if (c.has(a) && !is_zero(*c.node().find(a))) c.refuse("attribute '" + std::string(a) + "' is not supported");
  if (c.has_input(7)) c.refuse("peepholes are not supported");
  if (c.has_input(4)) {
    const std::vector<int64_t> lengths = c.constant_integers(4, "list of sequence lengths");
    if (std::ranges::any_of(lengths, [&](int64_t n) { return n != s.steps; }))
      c.refuse("sequences of different lengths are not supported");
  }
  return s;
}

/// What the model names, over all directions, else the usual ones.
std::vector<std::string> activations(Context& c, const Sizes& s, std::vector<std::string> usual) {
  const onnx_file::Attribute* a = c.node().find("activations");
  std::vector<std::string> names = usual;
  if (s.directions == 2) names.insert(names.end(), usual.begin(), usual.end());
  if (!a) return names;
  if (a->kind != onnx_file::Attribute::Kind::Texts || a->texts.size() != names.size())
    c.refuse("attribute 'activations' does not name " + std::to_string(names.size()) + " functions");
  return a->texts;
}

/// The rows of one direction in the gate order of LSTMCell; `rows` per gate, `width` values per row.
std::vector<float> gates(const std::vector<float>& all, int64_t first_row, int64_t rows, int64_t width) {
  std::vector<float> r;
  for (int64_t gate : kGateOrder) {
    const auto begin = all.begin() + (first_row + gate * rows) * width;
    r.insert(r.end(), begin, begin + rows * width);
  }
  return r;
}

Value weights(Context& c, Graph& body, size_t input, const Sizes& s, const Direction& d, int64_t width) {
  const Tensor* t = c.constant(input);
  if (!t) c.refuse("its weights are not constants");
  return body
      .constant(Tensor::of(ElementType::f32, {kGates * s.hidden, width},
                           gates(t->to_f32(), d.index * kGates * s.hidden, s.hidden, width)),
                d.prefix + "/weights_" + std::to_string(input))
      ->value();
}

/// The two biases of ONNX are added, in single precision.
Value biases(Context& c, Graph& body, const Sizes& s, const Direction& d) {
  const int64_t rows = kGates * s.hidden;
  std::vector<float> sum(static_cast<size_t>(rows), 0.0f);
  if (c.has_input(3)) {
    const Tensor* t = c.constant(3);
    if (!t || t->shape != Shape{s.directions, 2 * rows}) c.refuse("its biases are not constants of the right shape");
    const std::vector<float> all = t->to_f32();
    const std::vector<float> w = gates(all, d.index * 2 * rows, s.hidden, 1),
                             r = gates(all, (d.index * 2 + 1) * rows, s.hidden, 1);
    std::ranges::transform(w, r, sum.begin(), std::plus<>());
  }
  return body.constant(Tensor::of(ElementType::f32, {rows}, std::move(sum)), d.prefix + "/bias")->value();
}

std::unique_ptr<Graph> cell_body(Context& c, const Sizes& s, const Direction& d) {
  auto body = std::make_unique<Graph>();
  const ElementType type = c.input(0).type();
  Node* x = body->parameter(type, {1, s.batch, s.input}, d.prefix + "/x");
  const Value row = body->make("Squeeze", {x->value(), body->constant(Tensor::i64({0}), d.prefix + "/axis")->value()},
                               {}, 0, d.prefix + "/input_squeeze")
                        ->value();
  Node* hidden = body->parameter(type, {s.batch, s.hidden}, d.prefix + "/hidden");
  Node* state = body->parameter(type, {s.batch, s.hidden}, d.prefix + "/state");
  const std::vector<Value> inputs{row,
                                  hidden->value(),
                                  state->value(),
                                  weights(c, *body, 1, s, d, s.input),
                                  weights(c, *body, 2, s, d, s.hidden),
                                  biases(c, *body, s, d)};
  Node* cell = body->make("LSTMCell", inputs, attributes({{"hidden_size", s.hidden}}), 4, d.prefix + "/LSTMCell");
  body->result(cell->value(0), d.prefix + "/outport/0");
  body->result(cell->value(1), d.prefix + "/outport/1");
  const Value axis = body->constant(Tensor::i64({0}), d.prefix + "/output_axis")->value();
  body->result(body->make("Unsqueeze", {cell->value(0), axis}, {}, 0, d.prefix + "output_unsqueeze")->value(),
               d.prefix + "/output");
  return body;
}

PortMap cell_ports(bool reverse) {
  PortMap p;
  const int64_t start = reverse ? -1 : 0, end = reverse ? 0 : -1, stride = reverse ? -1 : 1;
  p.inputs = {{0, 0, 0, start, end, stride, 1, true}, {1, 1}, {2, 2}};
  p.outputs = {{0, 2, 0, start, end, stride, 1, true}, {1, 0}, {2, 1}};
  p.back_edges = {{1, 2}, {0, 1}};
  return p;
}

/// The initial state of one direction as [batch, hidden]; zeros where the model states none.
Value initial_state(Context& c, size_t input, const Sizes& s, const Direction& d, const char* name) {
  const std::string suffix = d.prefix.substr(c.name().size()) + name;
  if (!c.has_input(input)) {  // named as the reshape that Model Optimizer has here: constants lie in a blob by name
    const std::vector<double> zeros(static_cast<size_t>(element_count({s.batch, s.hidden})), 0.0);
    Tensor t = Tensor::reals(c.input(0).type(), {s.batch, s.hidden}, zeros);
    return c.graph().constant(std::move(t), c.name() + suffix)->value();
  }
  Value v = c.input(input);
  if (v.shape() != Shape{s.directions, s.batch, s.hidden})
    c.refuse("its initial state has the shape " + to_string(v.shape()));
  if (s.directions > 1)
    v = c.make("Gather", {v, c.integers_constant({d.index}), c.integer_constant(0)},
               attributes({{"batch_dims", int64_t{0}}}), 7, suffix + "/Part");
  return c.reshape(v, {s.batch, s.hidden}, suffix);
}

std::vector<Value> with_directions(Context& c, const Direction& d, Node* loop, int outputs) {
  const std::string suffix = d.prefix.substr(c.name().size()) + "/UnsqueezeNumDirections/";
  std::vector<Value> r;
  for (int i = 0; i < outputs; ++i)
    r.push_back(c.make("Unsqueeze", {loop->value(i), c.integers_constant({i == 0 ? 1 : 0})}, {}, Context::kNewest,
                       suffix + std::to_string(i)));
  return r;
}

/// Y, Y_h and Y_c with the axis of directions.
std::vector<Value> run_lstm(Context& c, const Sizes& s, const Direction& d) {
  const Value hidden = initial_state(c, 5, s, d, "/HiddenStateResize"),
              state = initial_state(c, 6, s, d, "/CellStateResize");
  Node* loop = c.graph().add("TensorIterator", {c.input(0), hidden, state}, 0, d.prefix + "/TensorIterator");
  loop->source = c.source();
  loop->body = cell_body(c, s, d);
  loop->port_map = cell_ports(d.reverse);
  infer(c.graph(), loop);
  return with_directions(c, d, loop, 3);
}

/// Both directions, joined, or the one that there is.
std::vector<Value> run(Context& c, const Sizes& s,
                       std::vector<Value> (*one)(Context&, const Sizes&, const Direction&)) {
  if (s.directions == 1) return one(c, s, {c.name(), c.text("direction", "forward") == "reverse", 0});
  const auto forward = one(c, s, {c.name() + "/Split/forward", false, 0}),
             reverse = one(c, s, {c.name() + "/Split/reverse", true, 1});
  constexpr std::array<const char*, 3> kNames{"/FinalConcat/Data", "/FinalConcat/HiddenState",
                                              "/FinalConcat/CellState"};
  std::vector<Value> r;
  for (size_t i = 0; i < forward.size(); ++i)
    r.push_back(c.make("Concat", {forward[i], reverse[i]}, attributes({{"axis", int64_t{i == 0 ? 1 : 0}}}),
                       Context::kNewest, kNames[i]));
  return r;
}

std::vector<Value> lstm(Context& c) {
  if (needs_spelled_recurrent(c, Cell::Lstm)) return spelled_recurrent(c, Cell::Lstm);
  const Sizes s = check(c, kGates);
  const std::vector<std::string> usual{"Sigmoid", "Tanh", "Tanh"}, given = activations(c, s, usual);
  for (size_t i = 0; i < given.size(); ++i)
    if (given[i] != usual[i % usual.size()]) c.refuse("attribute 'activations' is not supported");
  return run(c, s, run_lstm);
}

// ---- GRU and RNN ----------------------------------------------------------------------------------------------------

/// The body of a loop, written operation by operation: its input is a step's share of W x + b, and the hidden state.
class CellWriter {
 public:
  CellWriter(Context& c, const Sizes& s, const Direction& d) : c_(c), s_(s), d_(d), body_(std::make_unique<Graph>()) {
    const ElementType type = c.input(0).type();
    const Value x = body_->parameter(type, {1, s.batch, s.gates * s.hidden}, d.prefix + "/x")->value();
    x_ = make("Reshape", {x, integers({s.batch, s.gates * s.hidden})}, attributes({{"special_zero", false}}));
    hidden_ = body_->parameter(type, {s.batch, s.hidden}, d.prefix + "/hidden")->value();
  }

  Value hidden() const { return hidden_; }
  Value make(const char* type, std::vector<Value> inputs, Attributes a = {}) {
    return body_
        ->make(type, std::move(inputs), std::move(a), 0, d_.prefix + "/" + type + "_" + std::to_string(count_++))
        ->value();
  }
  /// The share of `count` gates from `first` on.
  Value input(int64_t first, int64_t count) { return gates_of(x_, first, count); }
  Value gates_of(Value v, int64_t first, int64_t count) {
    const int64_t all = v.shape()[1] / s_.hidden;
    if (count == all) return v;
    const Attributes masks =
        attributes({{"begin_mask", std::vector<int64_t>{1, 0}}, {"end_mask", std::vector<int64_t>{1, 0}}});
    return make("StridedSlice",
                {v, integers({0, first * s_.hidden}), integers({0, (first + count) * s_.hidden}), integers({1, 1})},
                masks);
  }
  /// v times the recurrence weights of these gates.
  Value recurrence(Value v, int64_t first, int64_t count) {
    const std::vector<float> all = constant(2);
    const auto begin = all.begin() + (d_.index * s_.gates + first) * s_.hidden * s_.hidden;
    Tensor r = floats_of(c_.input(0).type(), {count * s_.hidden, s_.hidden},
                         std::vector<float>(begin, begin + count * s_.hidden * s_.hidden));
    return make("MatMul", {v, body_->constant(std::move(r))->value()},
                attributes({{"transpose_a", false}, {"transpose_b", true}}));
  }
  Value row(std::vector<float> values) {
    const auto n = static_cast<int64_t>(values.size());
    return body_->constant(floats_of(c_.input(0).type(), {1, n}, std::move(values)))->value();
  }
  Value activation(const std::string& name, Value v) {
    if (name != "Sigmoid" && name != "Tanh" && name != "Relu") c_.refuse("activation '" + name + "' is not supported");
    return make(name.c_str(), {v});
  }
  /// The constant of input i; of W, R and B the rows of all directions.
  std::vector<float> constant(size_t i) const {
    const Tensor* t = c_.constant(i);
    if (!t) c_.refuse("its weights are not constants");
    return t->to_f32();
  }
  /// The two biases of this direction: of the input and of the recurrence.
  std::array<std::vector<float>, 2> biases() const {
    const auto rows = static_cast<size_t>(s_.gates * s_.hidden);
    std::array<std::vector<float>, 2> b{std::vector<float>(rows, 0.0f), std::vector<float>(rows, 0.0f)};
    if (!c_.has_input(3)) return b;
    const std::vector<float> all = constant(3);
    if (all.size() != 2 * rows * static_cast<size_t>(s_.directions)) c_.refuse("its biases are not of the right shape");
    for (size_t i = 0; i < 2; ++i)
      std::copy_n(all.begin() + static_cast<std::ptrdiff_t>((static_cast<size_t>(d_.index) * 2 + i) * rows), rows,
                  b[i].begin());
    return b;
  }
  std::unique_ptr<Graph> finish(Value hidden) {
    body_->result(hidden, d_.prefix + "/outport/0");
    body_->result(make("Reshape", {hidden, integers({1, s_.batch, s_.hidden})}, attributes({{"special_zero", false}})),
                  d_.prefix + "/output");
    return std::move(body_);
  }

 private:
  Value integers(std::vector<int64_t> v) { return body_->constant(Tensor::i64(std::move(v)))->value(); }

  Context& c_;
  const Sizes& s_;
  const Direction& d_;
  std::unique_ptr<Graph> body_;
  Value x_, hidden_;
  int count_ = 0;
};

/// All steps' W x + b at once, then the loop.
std::vector<Value> run_cell(Context& c, const Sizes& s, const Direction& d, CellWriter& cell, std::vector<float> bias,
                            Value next) {
  const std::string suffix = d.prefix.substr(c.name().size());
  const int64_t rows = s.gates * s.hidden;
  const std::vector<float> all = cell.constant(1);
  const auto begin = all.begin() + d.index * rows * s.input;
  const Value w =
      c.graph()
          .constant(floats_of(c.input(0).type(), {rows, s.input}, std::vector<float>(begin, begin + rows * s.input)))
          ->value();
  const Value b = c.graph().constant(floats_of(c.input(0).type(), {1, rows}, std::move(bias)))->value();
  const Value flat = c.reshape(c.input(0), {s.steps * s.batch, s.input}, suffix + "/steps");
  const Value product = c.make("MatMul", {flat, w}, attributes({{"transpose_a", false}, {"transpose_b", true}}),
                               Context::kNewest, suffix + "/input");
  const Value x = c.reshape(c.make("Add", {product, b}, {}, Context::kNewest, suffix + "/biased"),
                            {s.steps, s.batch, rows}, suffix + "/shares");
  Node* loop = c.graph().add("TensorIterator", {x, initial_state(c, 5, s, d, "/HiddenStateResize")}, 0,
                             d.prefix + "/TensorIterator");
  loop->source = c.source();
  loop->body = cell.finish(next);
  const int64_t start = d.reverse ? -1 : 0, end = d.reverse ? 0 : -1, stride = d.reverse ? -1 : 1;
  loop->port_map.inputs = {{0, 0, 0, start, end, stride, 1, true}, {1, 1}};
  loop->port_map.outputs = {{0, 1, 0, start, end, stride, 1, true}, {1, 0}};
  loop->port_map.back_edges = {{0, 1}};
  infer(c.graph(), loop);
  return with_directions(c, d, loop, 2);
}

/// f(W x + R h + b)
std::vector<Value> run_rnn(Context& c, const Sizes& s, const Direction& d) {
  CellWriter cell(c, s, d);
  auto [bias, second] = cell.biases();
  std::ranges::transform(bias, second, bias.begin(), std::plus<>());
  const std::string f = activations(c, s, {"Tanh"}).at(static_cast<size_t>(d.index));
  const Value next = cell.activation(f, cell.make("Add", {cell.input(0, 1), cell.recurrence(cell.hidden(), 0, 1)}));
  return run_cell(c, s, d, cell, std::move(bias), next);
}

/// Gates update, reset and new: new + update * (hidden - new).
std::vector<Value> run_gru(Context& c, const Sizes& s, const Direction& d) {
  CellWriter cell(c, s, d);
  auto [bias, second] = cell.biases();
  const bool linear = c.integer("linear_before_reset", 0) != 0;
  const auto added = (linear ? 2 : 3) * s.hidden;
  std::transform(bias.begin(), bias.begin() + added, second.begin(), bias.begin(), std::plus<>());
  const std::vector<std::string> functions = activations(c, s, {"Sigmoid", "Tanh"});
  const auto f = functions.at(static_cast<size_t>(2 * d.index)), g = functions.at(static_cast<size_t>(2 * d.index + 1));
  const Value h = cell.hidden();
  const Value gates = cell.activation(f, cell.make("Add", {cell.input(0, 2), cell.recurrence(h, 0, 2)}));
  const Value update = cell.gates_of(gates, 0, 1), reset = cell.gates_of(gates, 1, 1);
  Value memory;
  if (linear)
    memory = cell.make(
        "Multiply",
        {reset, cell.make("Add", {cell.recurrence(h, 2, 1), cell.row({second.begin() + added, second.end()})})});
  else
    memory = cell.recurrence(cell.make("Multiply", {reset, h}), 2, 1);
  const Value fresh = cell.activation(g, cell.make("Add", {cell.input(2, 1), memory}));
  const Value next = cell.make("Add", {fresh, cell.make("Multiply", {update, cell.make("Subtract", {h, fresh})})});
  return run_cell(c, s, d, cell, std::move(bias), next);
}

std::vector<Value> gru(Context& c) {
  return needs_spelled_recurrent(c, Cell::Gru) ? spelled_recurrent(c, Cell::Gru) : run(c, check(c, 3), run_gru);
}
std::vector<Value> rnn(Context& c) {
  return needs_spelled_recurrent(c, Cell::Rnn) ? spelled_recurrent(c, Cell::Rnn) : run(c, check(c, 1), run_rnn);
}

}  // namespace
}  // namespace mo

namespace ie {
namespace {

enum Input : size_t { kX, kW, kR, kB, kLengths, kHidden, kCell, kPeepholes };

/// [1] tensors of the sizes, computed when the network runs.
struct Sizes {
  Value batch, steps, directions, hidden;
};

Sizes sizes(Context& c, Value x, Value recurrence) {
  const Value shape = c.shape_of(x), axis = c.list_i32({0});
  const auto pick = [&](Value from, int32_t index) {
    const Value i = c.list_i32({index});
    return c.gather(from, i, axis);
  };
  Sizes s;
  s.batch = pick(shape, 0);
  s.steps = pick(shape, 1);
  const Value weights = c.shape_of(recurrence);
  s.directions = pick(weights, 0);
  s.hidden = pick(weights, 2);
  return s;
}

Value zeros(Context& c, ElementType type, Value shape) {
  const Value zero = c.filled(type, {}, 0);
  return c.make("Broadcast", {zero, shape}, attributes({{"mode", std::string("numpy")}}), 3);
}

/// Gates from ONNX's order input, output, forget, cell to forget, input, cell, output.
Value reordered(Context& c, Value weights) {
  const std::vector<Value> gates = c.split(weights, 4, 1);
  return c.concat({gates.at(2), gates.at(0), gates.at(3), gates.at(1)}, 1);
}

Value sum_of_halves(Context& c) {
  const std::vector<Value> halves = c.split(c.input(kB), 2, 1);
  return c.binary("Add", halves.at(0), halves.at(1));
}

/// Zeros for each row of so many gates.
Value no_bias(Context& c, const Sizes& s, int64_t gates, ElementType type) {
  const Value count = c.list_i64({gates});
  const Value rows = c.binary("Multiply", count, s.hidden);
  return zeros(c, type, c.concat({s.directions, rows}, 0));
}

Value lengths(Context& c, const Sizes& s) {
  if (c.has_input(kLengths)) return c.input(kLengths);
  return c.make("Broadcast", {s.steps, s.batch}, attributes({{"mode", std::string("numpy")}}), 3);
}

Value initial_state(Context& c, size_t input, const Sizes& s, ElementType type) {
  if (c.has_input(input)) return c.transpose(c.input(input), {1, 0, 2});
  return zeros(c, type, c.concat({s.batch, s.directions, s.hidden}, 0));
}

std::string lower(std::string s) {
  std::ranges::transform(s, s.begin(),
                         [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  return s;
}

Attributes sequence_attributes(Context& c, std::vector<std::string> activations) {
  if (const onnx_file::Attribute* a = c.node().find("activations")) activations = a->texts;
  std::ranges::transform(activations, activations.begin(), lower);
  const auto reals = [&](const char* name) {
    const std::vector<float> values = c.reals(name);
    return std::vector<double>(values.begin(), values.end());
  };
  const std::string direction = lower(c.text("direction", "forward"));
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional")
    c.refuse("unknown direction '" + direction + "'");
  return attributes({{"hidden_size", c.mandatory_integer("hidden_size")},
                     {"direction", direction},
                     {"activations", activations},
                     {"activations_alpha", reals("activation_alpha")},
                     {"activations_beta", reals("activation_beta")},
                     {"clip", std::abs(c.real("clip", 0))}});
}

std::vector<Value> outputs(Context& c, Value sequence) {
  std::vector<Value> values;
  values.push_back(c.transpose(sequence, {2, 1, 0, 3}));
  for (int i = 1; i < sequence.node->output_count(); ++i) values.push_back(c.transpose({sequence.node, i}, {1, 0, 2}));
  return values;
}

void check_rank(Context& c) {
  for (size_t i : {kX, kW, kR})
    if (c.rank(c.input(i)) != 3) c.refuse("input " + std::to_string(i) + " must have 3 dimensions");
}

std::vector<Value> lstm(Context& c) {
  check_rank(c);
  const Value x = c.transpose(c.input(kX), {1, 0, 2});
  const Value w = reordered(c, c.input(kW)), recurrence = reordered(c, c.input(kR));
  const Sizes s = sizes(c, x, recurrence);
  const Value bias = c.has_input(kB) ? reordered(c, sum_of_halves(c)) : no_bias(c, s, 4, x.type());
  const Value steps = lengths(c, s);
  const Value hidden = initial_state(c, kHidden, s, x.type()), cell = initial_state(c, kCell, s, x.type());
  if (c.release().lstm_peepholes) {
    if (c.has_input(kPeepholes) || c.integer("input_forget", 0) != 0)
      c.refuse("LSTMSequence operation has a form that is not supported: peepholes, or input_forget");
    no_bias(c, s, 3, x.type());  // nothing reads it
  }
  return outputs(c, c.make("LSTMSequence", {x, hidden, cell, steps, w, recurrence, bias},
                           sequence_attributes(c, {"sigmoid", "tanh", "tanh"}), 5));
}

/// The last gate keeps its two biases apart where the recurrence is applied before the reset gate.
Value gru_bias(Context& c) {
  if (c.integer("linear_before_reset", 0) == 0) return sum_of_halves(c);
  const std::vector<Value> parts = c.split(c.input(kB), 6, 1);
  const Value update = c.binary("Add", parts.at(0), parts.at(3)), reset = c.binary("Add", parts.at(1), parts.at(4));
  return c.concat({update, reset, parts.at(2), parts.at(5)}, 1);
}

std::vector<Value> gru(Context& c) {
  check_rank(c);
  const Value x = c.transpose(c.input(kX), {1, 0, 2}), w = c.input(kW), recurrence = c.input(kR);
  const Sizes s = sizes(c, x, recurrence);
  const bool linear = c.integer("linear_before_reset", 0) != 0;
  const Value bias = c.has_input(kB) ? gru_bias(c) : no_bias(c, s, linear ? 4 : 3, x.type());
  const Value steps = lengths(c, s);
  const Value hidden = initial_state(c, kHidden, s, x.type());
  Attributes a = sequence_attributes(c, {"sigmoid", "tanh"});
  a.set("linear_before_reset", linear);
  return outputs(c, c.make("GRUSequence", {x, hidden, steps, w, recurrence, bias}, std::move(a)));
}

std::vector<Value> rnn(Context& c) {
  check_rank(c);
  const Value x = c.transpose(c.input(kX), {1, 0, 2}), w = c.input(kW), recurrence = c.input(kR);
  const Sizes s = sizes(c, x, recurrence);
  const Value bias = c.has_input(kB) ? sum_of_halves(c) : no_bias(c, s, 1, x.type());
  const Value steps = lengths(c, s);
  const Value hidden = initial_state(c, kHidden, s, x.type());
  return outputs(c, c.make("RNNSequence", {x, hidden, steps, w, recurrence, bias}, sequence_attributes(c, {"tanh"})));
}

/// The reference takes loops that neither stop by a condition nor carry values: they only repeat constants.
std::vector<Value> loop(Context& c) {
  if (c.has_input(1) || c.input_count() > 2)
    c.refuse(
        "a loop with a condition or with values that are carried from one turn to the next can't be compiled: "
        "Encountered unknown input type of a loop");
  throw not_yet_supported(c.node().outputs.empty() ? c.node().name : c.node().outputs[0], "Loop",
                          "loops that carry no values");
}

}  // namespace
}  // namespace ie

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"LSTM", 1, "LSTMSequence", mo::lstm, ie::lstm},
    {"GRU", 1, "TensorIterator", mo::gru, ie::gru},
    {"RNN", 1, "TensorIterator", mo::rnn, ie::rnn},
    {"Loop", 1, "Loop", nullptr, ie::loop},
};

}  // namespace

std::span<const OperatorRow> recurrent_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
