// LSTM as a TensorIterator over an LSTMCell, one per direction (model-optimizer spec §5.2).
#include <algorithm>
#include <array>
#include <functional>
#include <memory>

#include "importers/onnx/mapper.hpp"

namespace blobsmith::onnx_import {
namespace {

constexpr int64_t kGates = 4;
constexpr std::array<int64_t, kGates> kGateOrder{2, 0, 3, 1};  // forget, input, cell, output: where ONNX (i, o, f, c) has them

/// What one direction computes with. Weights are [4 H, I], [4 H, H], [4 H].
struct Direction {
  std::string prefix;  ///< of the names of its layers
  bool reverse = false;
  int64_t index = 0;
};

struct Sizes {
  int64_t steps, batch, input, hidden, directions;
};

bool is_default(const onnx_file::Attribute& a) {
  using Kind = onnx_file::Attribute::Kind;
  if (a.kind == Kind::Integer) return a.integer == 0;
  if (a.kind == Kind::Real) return a.real == 0;
  for (size_t i = 0; i < a.texts.size(); ++i)
    if (a.texts[i] != (i % 3 == 0 ? "Sigmoid" : "Tanh")) return false;
  return a.kind == Kind::Texts;
}

Sizes check(Context& c) {
  const Shape x = c.input(0).shape(), w = c.input(1).shape();
  if (x.size() != 3 || !is_static(x) || w.size() != 3) c.refuse("its input must have 3 dimensions, and its weights too");
  const bool two = c.text("direction", "forward") == "bidirectional";
  const Sizes s{x[0], x[1], x[2], c.integer("hidden_size", w[1] / kGates), two ? 2 : 1};
  if (s.hidden < 1 || w != Shape{s.directions, kGates * s.hidden, s.input} || c.input(2).shape() != Shape{s.directions, kGates * s.hidden, s.hidden})
    c.refuse("its weights have the shapes " + to_string(w) + " and " + to_string(c.input(2).shape()));
  for (const char* a : {"activations", "clip", "input_forget", "layout"})
    if (c.node().find(a) && !is_default(*c.node().find(a))) c.refuse("attribute '" + std::string(a) + "' is not supported");
  if (c.has_input(7)) c.refuse("peepholes are not supported");
  if (c.has_input(4)) {
    const std::vector<int64_t> lengths = c.constant_integers(4, "list of sequence lengths");
    if (std::ranges::any_of(lengths, [&](int64_t n) { return n != s.steps; })) c.refuse("sequences of different lengths are not supported");
  }
  return s;
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
  return body.constant(Tensor::of(ElementType::f32, {kGates * s.hidden, width}, gates(t->to_f32(), d.index * kGates * s.hidden, s.hidden, width)), d.prefix + "/weights_" + std::to_string(input))->value();
}

/// The two biases of ONNX are added, in single precision.
Value biases(Context& c, Graph& body, const Sizes& s, const Direction& d) {
  const int64_t rows = kGates * s.hidden;
  std::vector<float> sum(static_cast<size_t>(rows), 0.0f);
  if (c.has_input(3)) {
    const Tensor* t = c.constant(3);
    if (!t || t->shape != Shape{s.directions, 2 * rows}) c.refuse("its biases are not constants of the right shape");
    const std::vector<float> all = t->to_f32();
    const std::vector<float> w = gates(all, d.index * 2 * rows, s.hidden, 1), r = gates(all, (d.index * 2 + 1) * rows, s.hidden, 1);
    std::ranges::transform(w, r, sum.begin(), std::plus<>());
  }
  return body.constant(Tensor::of(ElementType::f32, {rows}, std::move(sum)), d.prefix + "/bias")->value();
}

std::unique_ptr<Graph> cell_body(Context& c, const Sizes& s, const Direction& d) {
  auto body = std::make_unique<Graph>();
  const ElementType type = c.input(0).type();
  Node* x = body->parameter(type, {1, s.batch, s.input}, d.prefix + "/x");
  const Value row = body->make("Squeeze", {x->value(), body->constant(Tensor::i64({0}), d.prefix + "/axis")->value()}, {}, 0, d.prefix + "/input_squeeze")->value();
  Node* hidden = body->parameter(type, {s.batch, s.hidden}, d.prefix + "/hidden");
  Node* state = body->parameter(type, {s.batch, s.hidden}, d.prefix + "/state");
  const std::vector<Value> inputs{row, hidden->value(), state->value(), weights(c, *body, 1, s, d, s.input), weights(c, *body, 2, s, d, s.hidden), biases(c, *body, s, d)};
  Node* cell = body->make("LSTMCell", inputs, attributes({{"hidden_size", s.hidden}}), 4, d.prefix + "/LSTMCell");
  body->result(cell->value(0), d.prefix + "/outport/0");
  body->result(cell->value(1), d.prefix + "/outport/1");
  const Value axis = body->constant(Tensor::i64({0}), d.prefix + "/output_axis")->value();
  body->result(body->make("Unsqueeze", {cell->value(0), axis}, {}, 0, d.prefix + "output_unsqueeze")->value(), d.prefix + "/output");
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
  if (!c.has_input(input)) return c.real_constant(c.input(0).type(), {s.batch, s.hidden}, 0);
  Value v = c.input(input);
  if (v.shape() != Shape{s.directions, s.batch, s.hidden}) c.refuse("its initial state has the shape " + to_string(v.shape()));
  if (s.directions > 1) v = c.make("Gather", {v, c.integers_constant({d.index}), c.integer_constant(0)}, attributes({{"batch_dims", int64_t{0}}}), 7, suffix + "/Part");
  return c.reshape(v, {s.batch, s.hidden}, suffix);
}

/// Y, Y_h and Y_c with the axis of directions.
std::array<Value, 3> run_direction(Context& c, const Sizes& s, const Direction& d) {
  const Value hidden = initial_state(c, 5, s, d, "/HiddenStateResize"), state = initial_state(c, 6, s, d, "/CellStateResize");
  Node* loop = c.graph().add("TensorIterator", {c.input(0), hidden, state}, 0, d.prefix + "/TensorIterator");
  loop->source = c.node().describe(c.opset());
  loop->body = cell_body(c, s, d);
  loop->port_map = cell_ports(d.reverse);
  infer(c.graph(), loop);
  const std::string suffix = d.prefix.substr(c.name().size()) + "/UnsqueezeNumDirections/";
  std::array<Value, 3> r;
  for (int i = 0; i < 3; ++i) r[static_cast<size_t>(i)] = c.make("Unsqueeze", {loop->value(i), c.integers_constant({i == 0 ? 1 : 0})}, {}, Context::kNewest, suffix + std::to_string(i));
  return r;
}

std::vector<Value> map_lstm(Context& c) {
  const Sizes s = check(c);
  if (s.directions == 1) {
    const auto r = run_direction(c, s, {c.name(), c.text("direction", "forward") == "reverse", 0});
    return {r.begin(), r.end()};
  }
  const auto forward = run_direction(c, s, {c.name() + "/Split/forward", false, 0}), reverse = run_direction(c, s, {c.name() + "/Split/reverse", true, 1});
  constexpr std::array<const char*, 3> kNames{"/FinalConcat/Data", "/FinalConcat/HiddenState", "/FinalConcat/CellState"};
  std::vector<Value> r;
  for (size_t i = 0; i < 3; ++i) r.push_back(c.make("Concat", {forward[i], reverse[i]}, attributes({{"axis", int64_t{i == 0 ? 1 : 0}}}), Context::kNewest, kNames[i]));
  return r;
}

constexpr Mapper kMappers[] = {{"LSTM", map_lstm}};

}  // namespace

std::span<const Mapper> recurrent_mappers() { return kMappers; }

}  // namespace blobsmith::onnx_import
