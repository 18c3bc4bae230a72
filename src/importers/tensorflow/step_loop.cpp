#include "importers/tensorflow/step_loop.hpp"

#include <array>

namespace blobsmith::tensorflow_import {

StepBody::StepBody(const std::string& name, int64_t axis, int64_t batch, int64_t width, int64_t hidden, size_t states)
    : name_(name), axis_(axis), graph_(std::make_unique<Graph>()) {
  const Shape step = axis == 0 ? Shape{1, batch, width} : Shape{batch, 1, width};
  const Value x = graph_->parameter(ElementType::f32, step, name_ + "/x")->value();
  x_ = make("Squeeze", {x, integers({axis})});
  for (size_t i = 0; i < states; ++i)
    states_.push_back(
        graph_->parameter(ElementType::f32, {batch, hidden}, name_ + "/state_" + std::to_string(i))->value());
}

Value StepBody::make(const char* type, std::vector<Value> inputs, Attributes a, int version) {
  return graph_
      ->make(type, std::move(inputs), std::move(a), version, name_ + "/" + type + "_" + std::to_string(count_++))
      ->value();
}

Value StepBody::product(Value v, const Tensor& matrix) {
  return make("MatMul", {v, constant(matrix)}, attributes({{"transpose_a", false}, {"transpose_b", false}}));
}

std::vector<Value> StepBody::parts(Value v, int64_t count) {
  if (count == 1) return {v};
  const Value axis = constant(Tensor::scalar_i64(1));
  return outputs_of(make("Split", {v, axis}, attributes({{"num_splits", count}})));
}

Value StepBody::lstm_cell(Value x, int64_t hidden, Tensor w, Tensor r, Tensor b) {
  return make("LSTMCell",
              {x, state(0), state(1), constant(std::move(w)), constant(std::move(r)), constant(std::move(b))},
              attributes({{"hidden_size", hidden}}), 4);
}

std::unique_ptr<Graph> StepBody::finish(const std::vector<Value>& states, Value output) {
  for (const Value& v : states) graph_->result(v);
  const Value one = output ? output : states[0];
  graph_->result(make("Unsqueeze", {one, integers({axis_})}), name_ + "/output");
  return std::move(graph_);
}

std::vector<Value> loop_over_steps(Context& c, Value x, int64_t axis, std::vector<Value> states,
                                   std::unique_ptr<Graph> body, const StepOrder& order) {
  std::vector<Value> inputs{x};
  inputs.insert(inputs.end(), states.begin(), states.end());
  blobsmith::Node* n = c.graph().add("TensorIterator", inputs, 0, c.name() + order.suffix + "/TensorIterator");
  n->source = c.source();
  n->body = std::move(body);
  const auto count = static_cast<int>(states.size());
  const auto slices = [](bool reverse) {
    return std::array<int64_t, 3>{reverse ? -1 : 0, reverse ? 0 : -1, reverse ? -1 : 1};
  };
  const auto in = slices(order.reverse), out = slices(order.reverse && order.in_place);
  n->port_map.inputs.push_back({0, 0, axis, in[0], in[1], in[2], 1, true});
  n->port_map.outputs.push_back({0, count, axis, out[0], out[1], out[2], 1, true});
  for (int i = 0; i < count; ++i) {
    n->port_map.inputs.push_back({i + 1, i + 1});
    n->port_map.outputs.push_back({i + 1, i});
    n->port_map.back_edges.push_back({i, i + 1});
  }
  infer(c.graph(), n);
  return outputs_of(n->value());
}

}  // namespace blobsmith::tensorflow_import
