// LSTMs of whole sequences.
#include <algorithm>

#include "importers/common/gates.hpp"
#include "importers/tensorflow/operators.hpp"
#include "importers/tensorflow/step_loop.hpp"

namespace blobsmith::tensorflow_import {
namespace {

using importers::rows_of, importers::turned_gates;

bool is_zero(const Tensor& t) {
  const std::vector<float> v = t.to_f32();
  return std::ranges::all_of(v, [](float x) { return x == 0; });
}

/// The state of the cells where "cell_clip" limits it. A step adds less than 1 to it. What a step gives out, the
/// hyperbolic tangent of its state, is the same with and without a limit as high as kAlmostOne.
Value limited_cells(Context& c, StepBody& body, Value cells, int64_t steps) {
  constexpr double kAlmostOne = 8;
  const double limit = c.node().find("cell_clip") ? c.node().real("cell_clip", 0) : 0;
  const Node* start = c.input(2).node;
  const bool from_zero = start->is_constant() && is_zero(start->constant);
  if (limit <= 0 || (from_zero && static_cast<double>(steps) <= limit)) return cells;
  if (limit < kAlmostOne) c.refuse("its cells are limited to " + std::to_string(limit));
  return body.make("Clamp", {cells}, attributes({{"min", -limit}, {"max", limit}}));
}

/// Inputs: length, x [T, N, I], c, h [N, H], w [I + H, 4H], three peepholes, b [4H]. Gates are input, cell, forget,
/// output; in version 2 input, forget, cell, output. Of the outputs (gates, cells and results of every step) only the
/// results are made: h, at the last place. An attribute of ours, "time_axis", is 1 where x and h are [N, T, ..].
std::vector<Value> block_lstm(Context& c) {
  const bool second = c.node().op == "BlockLSTMV2";
  const int64_t axis = c.node().integer("time_axis", 0);
  const Value x = c.input(1);
  const Tensor w = c.tensor_of(4, "matrix of weights"), b = c.tensor_of(8, "bias");
  const Shape& s = x.shape();
  const int64_t hidden = b.shape.size() == 1 ? b.shape[0] / 4 : 0;
  if (s.size() != 3 || !is_static(s) || hidden < 1 || w.shape != Shape{s[2] + hidden, 4 * hidden} ||
      b.shape != Shape{4 * hidden})
    c.refuse("its input has the shape " + to_string(s) + ", its weights have " + to_string(w.shape));
  if (c.node().flag("use_peephole", false))
    for (const size_t i : {5u, 6u, 7u})
      if (!is_zero(c.tensor_of(i, "peepholes"))) c.refuse("it has peepholes");
  std::vector<float> biases = b.to_f32();
  const int64_t forget = second ? 1 : 2;
  if (!second)
    for (int64_t i = 0; i < hidden; ++i)
      biases[static_cast<size_t>(forget * hidden + i)] += static_cast<float>(c.node().real("forget_bias", 1));
  const std::vector<int64_t> gates{forget, 0, second ? 2 : 1, 3};
  const int64_t batch = s[axis == 0 ? 1 : 0];
  StepBody body(c.name(), axis, batch, s[2], hidden, 2);
  const Value cell =
      body.lstm_cell(body.x(), hidden, turned_gates(rows_of(w, 0, s[2]), hidden, gates),
                     turned_gates(rows_of(w, s[2], hidden), hidden, gates),
                     turned_gates(Tensor::of(ElementType::f32, b.shape, std::move(biases)), hidden, gates));
  auto graph = body.finish({cell, limited_cells(c, body, cell.node->value(1), s[axis == 0 ? 0 : 1])});
  const std::vector<Value> all = loop_over_steps(c, x, axis, {c.input(3), c.input(2)}, std::move(graph), {});
  std::vector<Value> outputs(7);
  outputs[6] = all.at(0);
  return outputs;
}

constexpr OperatorRow kOperators[] = {
    {"BlockLSTM", "TensorIterator", block_lstm},
    {"BlockLSTMV2", "TensorIterator", block_lstm},
};

}  // namespace

std::span<const OperatorRow> recurrent_operators() { return kOperators; }

}  // namespace blobsmith::tensorflow_import
