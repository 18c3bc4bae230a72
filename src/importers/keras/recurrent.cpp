// LSTM, GRU and SimpleRNN as loops over the steps: an LSTMCell, the others spelled out; both directions of one; a layer
// for every step.
#include <algorithm>
#include <array>
#include <memory>

#include "importers/keras/layer.hpp"

namespace blobsmith::keras_import {
namespace {

using tensorflow_import::attributes;

struct Sizes {
  int64_t batch, steps, input, hidden, gates;
};

/// The rows of [I, gates · H], turned to [gates · H, I], in another order of gates.
Tensor turned(const Tensor& t, int64_t hidden, const std::vector<int64_t>& gates) {
  const std::vector<float> all = t.to_f32();
  const int64_t rows = t.shape.size() == 2 ? t.shape[0] : 1, columns = t.shape.back();
  std::vector<float> r;
  for (const int64_t gate : gates)
    for (int64_t h = 0; h < hidden; ++h)
      for (int64_t i = 0; i < rows; ++i) r.push_back(all[static_cast<size_t>(i * columns + gate * hidden + h)]);
  const int64_t count = std::ssize(gates) * hidden;
  return Tensor::of(ElementType::f32, t.shape.size() == 2 ? Shape{count, rows} : Shape{count}, std::move(r));
}

Sizes sizes_of(Layer& l, Value x, int64_t gates, const Tensor& kernel, const Tensor& recurrent) {
  const Shape& s = x.shape();
  const int64_t hidden = l.integer("units", 0);
  if (s.size() != 3 || !is_static(s)) l.refuse("its input has the shape " + to_string(s));
  if (hidden < 1 || kernel.shape != Shape{s[2], gates * hidden} || recurrent.shape != Shape{hidden, gates * hidden})
    l.refuse("its weights have the shapes " + to_string(kernel.shape) + " and " + to_string(recurrent.shape));
  if (l.flag("time_major", false)) l.refuse("it has the time first");
  return {s[0], s[1], s[2], hidden, gates};
}

/// A loop's body, written operation by operation.
class Body {
 public:
  Body(Layer& l, const Sizes& s, int64_t width, size_t states) : name_(l.c.name()), graph_(std::make_unique<Graph>()) {
    const Value x = graph_->parameter(ElementType::f32, {s.batch, 1, width}, name_ + "/x")->value();
    x_ = make("Squeeze", {x, integers({1})});
    for (size_t i = 0; i < states; ++i)
      states_.push_back(
          graph_->parameter(ElementType::f32, {s.batch, s.hidden}, name_ + "/state_" + std::to_string(i))->value());
  }

  Value x() const { return x_; }
  Value state(size_t i) const { return states_.at(i); }
  Value make(const char* type, std::vector<Value> inputs, Attributes a = {}, int version = 0) {
    return graph_
        ->make(type, std::move(inputs), std::move(a), version, name_ + "/" + type + "_" + std::to_string(count_++))
        ->value();
  }
  Value integers(std::vector<int64_t> v) { return graph_->constant(Tensor::i64(std::move(v)))->value(); }
  Value constant(Tensor t) { return graph_->constant(std::move(t))->value(); }
  Value product(Value v, const Tensor& matrix) {
    return make("MatMul", {v, constant(matrix)}, attributes({{"transpose_a", false}, {"transpose_b", false}}));
  }
  std::vector<Value> parts(Value v, int64_t count) {
    if (count == 1) return {v};
    const Value axis = constant(Tensor::scalar_i64(1));
    return tensorflow_import::outputs_of(make("Split", {v, axis}, attributes({{"num_splits", count}})));
  }
  /// States in their order, the first of which is the output.
  std::unique_ptr<Graph> finish(const std::vector<Value>& states) {
    for (const Value& v : states) graph_->result(v);
    graph_->result(make("Unsqueeze", {states[0], integers({1})}), name_ + "/output");
    return std::move(graph_);
  }

 private:
  std::string name_;
  std::unique_ptr<Graph> graph_;
  Value x_;
  std::vector<Value> states_;
  int count_ = 0;
};

struct Run {
  bool reverse = false;   ///< the last step first
  bool in_place = false;  ///< results stand where their inputs do; else in the order in which they were computed
  std::string suffix{};
};

/// All results and the last states.
std::vector<Value> loop(Layer& l, Value x, std::vector<Value> states, std::unique_ptr<Graph> body, const Run& run) {
  std::vector<Value> inputs{x};
  inputs.insert(inputs.end(), states.begin(), states.end());
  blobsmith::Node* n = l.c.graph().add("TensorIterator", inputs, 0, l.c.name() + run.suffix + "/TensorIterator");
  n->source = l.c.source();
  n->body = std::move(body);
  const auto count = static_cast<int>(states.size());
  const auto slices = [](bool reverse) {
    return std::array<int64_t, 3>{reverse ? -1 : 0, reverse ? 0 : -1, reverse ? -1 : 1};
  };
  const auto in = slices(run.reverse), out = slices(run.reverse && run.in_place);
  n->port_map.inputs.push_back({0, 0, 1, in[0], in[1], in[2], 1, true});
  n->port_map.outputs.push_back({0, count, 1, out[0], out[1], out[2], 1, true});
  for (int i = 0; i < count; ++i) {
    n->port_map.inputs.push_back({i + 1, i + 1});
    n->port_map.outputs.push_back({i + 1, i});
    n->port_map.back_edges.push_back({i, i + 1});
  }
  infer(l.c.graph(), n);
  return tensorflow_import::outputs_of(n->value());
}

Value initial_state(Layer& l, const Sizes& s, size_t i) {
  if (i + 1 < l.c.input_count()) return l.c.input(i + 1);
  return l.c.number_constant(ElementType::f32, {s.batch, s.hidden}, 0);
}

/// x W + b for all steps at once.
Value projected(Layer& l, Value x, const Sizes& s, const Tensor& kernel, const std::vector<float>& bias,
                const std::string& suffix) {
  const Value rows = l.apply("Reshape", {x, l.integers_value({-1, s.input}, "/rows")}, {}, suffix + "/rows");
  Value y = l.apply("MatMul", {rows, l.constant(kernel, "/kernel")}, {}, suffix + "/MatMul");
  y = l.apply("BiasAdd", {y, l.constant(Tensor::of(ElementType::f32, {std::ssize(bias)}, bias), "/bias")}, {},
              suffix + "/BiasAdd");
  return l.apply("Reshape", {y, l.integers_value({s.batch, s.steps, s.gates * s.hidden}, "/steps")}, {},
                 suffix + "/steps");
}

std::string activation_name(Layer& l, const char* key, const char* usual) {
  const Json& j = l.config().value(key, Json(usual));
  std::string name = j.is_string()   ? j.get<std::string>()
                     : j.is_object() ? j.value("config", Json(usual)).is_string()
                                           ? j.value("config", std::string(usual))
                                           : j.value("class_name", std::string())
                                     : "";
  return name;
}

Value activated(Layer& l, Body& b, const std::string& name, Value v) {
  if (name == "linear") return v;
  if (name == "tanh") return b.make("Tanh", {v});
  if (name == "sigmoid") return b.make("Sigmoid", {v});
  if (name == "relu") return b.make("Relu", {v});
  l.refuse("activation '" + name + "' is not supported in a recurrent layer");
}

using Cell = std::vector<Value> (*)(Layer&, Value, const Run&);

std::vector<Value> lstm(Layer& l, Value x, const Run& run) {
  const Tensor &kernel = l.weight("kernel", 0, "cell"), &recurrent = l.weight("recurrent_kernel", 1, "cell");
  const Sizes s = sizes_of(l, x, 4, kernel, recurrent);
  if (activation_name(l, "activation", "tanh") != "tanh" ||
      activation_name(l, "recurrent_activation", "sigmoid") != "sigmoid")
    l.refuse("its activations are not tanh and sigmoid");
  const Tensor* given = l.flag("use_bias", true) ? l.find_weight("bias", 2, "cell") : nullptr;
  const Tensor none =
      Tensor::of(ElementType::f32, {4 * s.hidden}, std::vector<float>(static_cast<size_t>(4 * s.hidden), 0));
  const Tensor& bias = given ? *given : none;
  if (element_count(bias.shape) != 4 * s.hidden) l.refuse("its bias has the shape " + to_string(bias.shape));
  const std::vector<int64_t> gates{1, 0, 2, 3};  // forget, input, cell, output: where Keras (i, f, c, o) has them
  Body b(l, s, s.input, 2);
  const Value cell = b.make("LSTMCell",
                            {b.x(), b.state(0), b.state(1), b.constant(turned(kernel, s.hidden, gates)),
                             b.constant(turned(recurrent, s.hidden, gates)), b.constant(turned(bias, s.hidden, gates))},
                            attributes({{"hidden_size", s.hidden}}), 4);
  auto body = b.finish({cell, cell.node->value(1)});
  return loop(l, x, {initial_state(l, s, 0), initial_state(l, s, 1)}, std::move(body), run);
}

/// z, r, h: the update, the reset, the new state. With reset_after the reset is applied to the product.
std::vector<Value> gru(Layer& l, Value x, const Run& run) {
  const Tensor &kernel = l.weight("kernel", 0, "cell"), &recurrent = l.weight("recurrent_kernel", 1, "cell");
  const Sizes s = sizes_of(l, x, 3, kernel, recurrent);
  const bool after = l.flag("reset_after", l.keras() > 1);
  const auto width = static_cast<size_t>(3 * s.hidden);
  std::vector<float> own(width, 0), of_product(width, 0);
  if (const Tensor* bias = l.flag("use_bias", true) ? l.find_weight("bias", 2, "cell") : nullptr) {
    const std::vector<float> all = bias->to_f32();
    if (all.size() != width * (after ? 2 : 1)) l.refuse("its bias has the shape " + to_string(bias->shape));
    std::copy_n(all.begin(), width, own.begin());
    if (after) std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(width), width, of_product.begin());
  }
  const std::string gate = activation_name(l, "recurrent_activation", "sigmoid"),
                    last = activation_name(l, "activation", "tanh");
  const Value projection = projected(l, x, s, kernel, own, run.suffix);
  Body b(l, s, 3 * s.hidden, 1);
  const Value h = b.state(0);
  const std::vector<Value> in = b.parts(b.x(), 3);
  const auto columns = [&](int64_t from, int64_t count) {
    const std::vector<float> all = recurrent.to_f32();
    std::vector<float> part;
    for (int64_t row = 0; row < s.hidden; ++row)
      part.insert(part.end(), all.begin() + row * 3 * s.hidden + from, all.begin() + row * 3 * s.hidden + from + count);
    return Tensor::of(ElementType::f32, {s.hidden, count}, std::move(part));
  };
  std::vector<Value> gates;
  Value fresh;
  if (after) {
    const Tensor bias = Tensor::of(ElementType::f32, {1, 3 * s.hidden}, of_product);
    gates = b.parts(b.make("Add", {b.product(h, recurrent), b.constant(bias)}), 3);
  } else {
    gates = b.parts(b.product(h, columns(0, 2 * s.hidden)), 2);
  }
  const Value z = activated(l, b, gate, b.make("Add", {in[0], gates[0]})),
              r = activated(l, b, gate, b.make("Add", {in[1], gates[1]}));
  if (after)
    fresh = b.make("Multiply", {r, gates[2]});
  else
    fresh = b.product(b.make("Multiply", {r, h}), columns(2 * s.hidden, s.hidden));
  fresh = activated(l, b, last, b.make("Add", {in[2], fresh}));
  // z h + (1 - z) n = n + z (h - n)
  const Value next = b.make("Add", {fresh, b.make("Multiply", {z, b.make("Subtract", {h, fresh})})});
  return loop(l, projection, {initial_state(l, s, 0)}, b.finish({next}), run);
}

std::vector<Value> simple(Layer& l, Value x, const Run& run) {
  const Tensor &kernel = l.weight("kernel", 0, "cell"), &recurrent = l.weight("recurrent_kernel", 1, "cell");
  const Sizes s = sizes_of(l, x, 1, kernel, recurrent);
  std::vector<float> bias(static_cast<size_t>(s.hidden), 0);
  if (const Tensor* given = l.flag("use_bias", true) ? l.find_weight("bias", 2, "cell") : nullptr)
    bias = given->to_f32();
  const Value projection = projected(l, x, s, kernel, bias, run.suffix);
  Body b(l, s, s.hidden, 1);
  const Value sum = b.make("Add", {b.x(), b.product(b.state(0), recurrent)});
  const Value next = activated(l, b, activation_name(l, "activation", "tanh"), sum);
  return loop(l, projection, {initial_state(l, s, 0)}, b.finish({next}), run);
}

/// What the layer gives: all results or the last, and the states where they are asked for.
std::vector<Value> results(Layer& l, const std::vector<Value>& all) {
  std::vector<Value> r{l.flag("return_sequences", false) ? all[0] : all[1]};
  if (l.flag("return_state", false)) r.insert(r.end(), all.begin() + 1, all.end());
  return r;
}

template <Cell kCell>
std::vector<Value> recurrent(Layer& l) {
  if (l.flag("stateful", false)) l.c.note("it is stateful: each run begins with its initial state");
  return results(l, kCell(l, l.x(), {l.flag("go_backwards", false), false, ""}));
}

Cell cell_of(const std::string& class_name) {
  if (class_name == "LSTM") return lstm;
  if (class_name == "GRU") return gru;
  if (class_name == "SimpleRNN") return simple;
  return nullptr;
}

std::vector<Value> bidirectional(Layer& l) {
  const Json inner = l.config().value("layer", Json::object());
  const Json config = inner.value("config", Json::object());
  const Cell cell = cell_of(inner.value("class_name", std::string()));
  if (!cell) l.refuse("it wraps a layer of the class '" + inner.value("class_name", std::string()) + "'");
  Layer forward(l, config, "forward_layer"), backward(l, config, "backward_layer");
  if (forward.flag("return_state", false)) l.refuse("it returns states");
  const auto one = [&](Layer& d, const Run& run) { return results(d, cell(d, d.x(), run)).at(0); };
  const Value a = one(forward, {false, false, "/forward"}), b = one(backward, {true, true, "/backward"});
  const std::string mode = l.text("merge_mode", "concat");
  if (mode == "concat") return {l.apply("ConcatV2", {a, b, l.integers_value({std::ssize(a.shape()) - 1}, "/axis")})};
  if (mode == "sum") return {l.apply("AddV2", {a, b})};
  if (mode == "mul") return {l.apply("Mul", {a, b})};
  if (mode == "ave") return {l.apply("Mul", {l.apply("AddV2", {a, b}, {}, "/sum"), l.number(0.5, "/half")})};
  l.refuse("merge_mode is '" + mode + "'");
}

/// Steps become batches for the layer.
std::vector<Value> time_distributed(Layer& l) {
  const Json inner = l.config().value("layer", Json::object());
  const Json config = inner.value("config", Json::object());
  const LayerRow* row = find_layer(inner.value("class_name", std::string()));
  if (!row) l.refuse("it wraps a layer of the class '" + inner.value("class_name", std::string()) + "'");
  const Shape s = l.x().shape();
  if (s.size() < 3 || !is_static(s)) l.refuse("its input has the shape " + to_string(s));
  Shape together(s.begin() + 1, s.end());
  together[0] = s[0] * s[1];
  const Value rows = l.apply("Reshape", {l.x(), l.integers_value(together, "/together")}, {}, "/together");
  tensorflow_import::Context context = l.c.with_inputs({rows}, inner.value("class_name", std::string()), "/layer");
  Layer wrapped(l, config, context);
  const Value y = row->convert(wrapped).at(0);
  Shape apart{s[0], s[1]};
  apart.insert(apart.end(), y.shape().begin() + 1, y.shape().end());
  return {l.apply("Reshape", {y, l.integers_value(apart, "/apart")})};
}

constexpr LayerRow kOperators[] = {
    {"LSTM", "BlockLSTM", recurrent<lstm>},           {"GRU", "While", recurrent<gru>},
    {"SimpleRNN", "While", recurrent<simple>},        {"Bidirectional", "While", bidirectional},
    {"TimeDistributed", "Reshape", time_distributed},
};

}  // namespace

std::span<const LayerRow> recurrent_layers() { return kOperators; }

}  // namespace blobsmith::keras_import
