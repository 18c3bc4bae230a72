// LSTM, GRU and SimpleRNN as loops over the steps: an LSTMCell, the others spelled out; both directions of one; a layer
// for every step.
#include <algorithm>

#include "importers/common/gates.hpp"
#include "importers/keras/layer.hpp"

namespace blobsmith::keras_import {
namespace {

using importers::turned_gates;
using tensorflow_import::attributes, tensorflow_import::StepBody;
using Run = tensorflow_import::StepOrder;

struct Sizes {
  int64_t batch, steps, input, hidden, gates;
};

Sizes sizes_of(Layer& l, Value x, int64_t gates, const Tensor& kernel, const Tensor& recurrent) {
  const Shape& s = x.shape();
  const int64_t hidden = l.integer("units", 0);
  if (s.size() != 3 || !is_static(s)) l.refuse("its input has the shape " + to_string(s));
  if (hidden < 1 || kernel.shape != Shape{s[2], gates * hidden} || recurrent.shape != Shape{hidden, gates * hidden})
    l.refuse("its weights have the shapes " + to_string(kernel.shape) + " and " + to_string(recurrent.shape));
  if (l.flag("time_major", false)) l.refuse("it has the time first");
  return {s[0], s[1], s[2], hidden, gates};
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

Value activated(Layer& l, StepBody& b, const std::string& name, Value v) {
  static constexpr std::pair<const char*, const char*> kSame[] = {
      {"tanh", "Tanh"}, {"sigmoid", "Sigmoid"}, {"relu", "Relu"}, {"exponential", "Exp"}, {"softplus", "SoftPlus"}};
  if (name == "linear") return v;
  for (const auto& [keras_name, type] : kSame)
    if (name == keras_name) return b.make(type, {v});
  const auto number = [&](float n) { return b.constant(Tensor::of(ElementType::f32, {1, 1}, std::vector<float>{n})); };
  const auto clipped = [&](Value x, float low, float high) {
    return b.make("Maximum", {b.make("Minimum", {x, number(high)}), number(low)});
  };
  if (name == "elu") return b.make("Elu", {v}, importers::attributes({{"alpha", 1.0}}));
  if (name == "relu6") return clipped(v, 0, 6);
  if (name == "swish" || name == "silu") return b.make("Multiply", {v, b.make("Sigmoid", {v})});
  if (name == "softsign") {
    const Value size = b.make("Maximum", {v, b.make("Multiply", {v, number(-1)})});
    return b.make("Divide", {v, b.make("Add", {size, number(1)})});
  }
  if (name == "hard_sigmoid") {  // of a fifth of the slope before Keras 3
    const float slope = l.keras() < 3 ? 0.2f : 1.0f / 6;
    return clipped(b.make("Add", {b.make("Multiply", {v, number(slope)}), number(0.5f)}), 0, 1);
  }
  l.refuse("activation '" + name + "' is not supported in a recurrent layer");
}

// ---- steps that don't count ----

/// The mask beside the steps: [N, T, 2 W], the second half of which is 0 or 1.
Value beside_mask(Layer& l, Value x, const std::string& suffix) {
  const Value column = l.apply("ExpandDims", {l.mask, l.integers_value({2}, "/axis")}, {}, suffix + "/mask");
  const Value columns =
      l.apply("Tile", {column, l.integers_value({1, 1, x.shape().at(2)}, "/multiples")}, {}, suffix + "/mask/columns");
  return l.apply("ConcatV2", {x, columns, l.integers_value({2}, "/axis")}, {}, suffix + "/masked_steps");
}

/// m [N, H]: the state stays where it is 0.
class StepMask {
 public:
  StepMask(StepBody& b, Value m) : b_(b), m_(m) {
    const Value one = b.constant(Tensor::of(ElementType::f32, {1, 1}, std::vector<float>{1}));
    rest_ = b.make("Subtract", {one, m});
  }
  Value next(Value fresh, Value before) {
    return b_.make("Add", {counted(fresh), b_.make("Multiply", {rest_, before})});
  }
  Value counted(Value v) { return b_.make("Multiply", {m_, v}); }

 private:
  StepBody& b_;
  Value m_, rest_;
};

/// States of one step, and the output where it is none of them.
std::unique_ptr<Graph> masked_body(Layer& l, StepBody& b, Value m, const std::vector<Value>& fresh) {
  StepMask mask(b, m);
  std::vector<Value> states;
  for (size_t i = 0; i < fresh.size(); ++i) states.push_back(mask.next(fresh[i], b.state(i)));
  const bool zeroes = l.zeroes_masked || l.flag("zero_output_for_mask", false);
  return b.finish(states, zeroes ? mask.counted(fresh[0]) : Value());
}

using Cell = std::vector<Value> (*)(Layer&, Value, const Run&);

/// i, f, c, o: with activations that the cell of OpenVINO lacks.
std::vector<Value> lstm_spelled_out(Layer& l, Value x, const Run& run, const Sizes& s, const Tensor& kernel,
                                    const Tensor& recurrent, const std::string& gate, const std::string& last) {
  std::vector<float> bias(static_cast<size_t>(4 * s.hidden), 0);
  if (const Tensor* given = l.flag("use_bias", true) ? l.find_weight("bias", 2, "cell") : nullptr)
    bias = given->to_f32();
  if (std::ssize(bias) != 4 * s.hidden) l.refuse("its bias has " + std::to_string(bias.size()) + " numbers");
  Value projection = projected(l, x, s, kernel, bias, run.suffix);
  if (l.mask) projection = beside_mask(l, projection, run.suffix);
  StepBody b(l.c.name(), 1, s.batch, projection.shape()[2], s.hidden, 2);
  const std::vector<Value> in = b.parts(b.x(), l.mask ? 8 : 4), own = b.parts(b.product(b.state(0), recurrent), 4);
  std::vector<Value> sums;
  for (size_t i = 0; i < 4; ++i) sums.push_back(b.make("Add", {in[i], own[i]}));
  const Value input = activated(l, b, gate, sums[0]), forget = activated(l, b, gate, sums[1]);
  const Value candidate = activated(l, b, last, sums[2]), output = activated(l, b, gate, sums[3]);
  const Value kept = b.make("Multiply", {forget, b.state(1)}), added = b.make("Multiply", {input, candidate});
  const Value cell = b.make("Add", {kept, added});
  const std::vector<Value> fresh{b.make("Multiply", {output, activated(l, b, last, cell)}), cell};
  auto body = l.mask ? masked_body(l, b, in[4], fresh) : b.finish(fresh);
  return tensorflow_import::loop_over_steps(l.c, projection, 1, {initial_state(l, s, 0), initial_state(l, s, 1)},
                                            std::move(body), run);
}

std::vector<Value> lstm(Layer& l, Value x, const Run& run) {
  const Tensor &kernel = l.weight("kernel", 0, "cell"), &recurrent = l.weight("recurrent_kernel", 1, "cell");
  const Sizes s = sizes_of(l, x, 4, kernel, recurrent);
  const std::string last = activation_name(l, "activation", "tanh"),
                    gate = activation_name(l, "recurrent_activation", "sigmoid");
  if (last != "tanh" || gate != "sigmoid") return lstm_spelled_out(l, x, run, s, kernel, recurrent, gate, last);
  const Tensor* given = l.flag("use_bias", true) ? l.find_weight("bias", 2, "cell") : nullptr;
  const Tensor none =
      Tensor::of(ElementType::f32, {4 * s.hidden}, std::vector<float>(static_cast<size_t>(4 * s.hidden), 0));
  const Tensor& bias = given ? *given : none;
  if (element_count(bias.shape) != 4 * s.hidden) l.refuse("its bias has the shape " + to_string(bias.shape));
  const std::vector<int64_t> gates{1, 0, 2, 3};  // forget, input, cell, output: where Keras (i, f, c, o) has them
  if (l.mask) x = beside_mask(l, x, run.suffix);
  StepBody b(l.c.name(), 1, s.batch, x.shape()[2], s.hidden, 2);
  const std::vector<Value> in = b.parts(b.x(), l.mask ? 2 : 1);
  const Value cell = b.lstm_cell(in[0], s.hidden, turned_gates(kernel, s.hidden, gates),
                                 turned_gates(recurrent, s.hidden, gates), turned_gates(bias, s.hidden, gates));
  const std::vector<Value> fresh{cell, cell.node->value(1)};
  std::unique_ptr<Graph> body;
  if (l.mask) {
    std::vector<float> first(static_cast<size_t>(s.input * s.hidden));
    std::fill_n(first.begin(), s.hidden, 1.f);
    const Value m = b.product(in[1], Tensor::of(ElementType::f32, {s.input, s.hidden}, std::move(first)));
    body = masked_body(l, b, m, fresh);
  } else {
    body = b.finish(fresh);
  }
  return tensorflow_import::loop_over_steps(l.c, x, 1, {initial_state(l, s, 0), initial_state(l, s, 1)},
                                            std::move(body), run);
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
  Value projection = projected(l, x, s, kernel, own, run.suffix);
  if (l.mask) projection = beside_mask(l, projection, run.suffix);
  StepBody b(l.c.name(), 1, s.batch, projection.shape()[2], s.hidden, 1);
  const Value h = b.state(0);
  const std::vector<Value> in = b.parts(b.x(), l.mask ? 6 : 3);
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
  auto body = l.mask ? masked_body(l, b, in[3], {next}) : b.finish({next});
  return tensorflow_import::loop_over_steps(l.c, projection, 1, {initial_state(l, s, 0)}, std::move(body), run);
}

std::vector<Value> simple(Layer& l, Value x, const Run& run) {
  const Tensor &kernel = l.weight("kernel", 0, "cell"), &recurrent = l.weight("recurrent_kernel", 1, "cell");
  const Sizes s = sizes_of(l, x, 1, kernel, recurrent);
  std::vector<float> bias(static_cast<size_t>(s.hidden), 0);
  if (const Tensor* given = l.flag("use_bias", true) ? l.find_weight("bias", 2, "cell") : nullptr)
    bias = given->to_f32();
  Value projection = projected(l, x, s, kernel, bias, run.suffix);
  if (l.mask) projection = beside_mask(l, projection, run.suffix);
  StepBody b(l.c.name(), 1, s.batch, projection.shape()[2], s.hidden, 1);
  const std::vector<Value> in = b.parts(b.x(), l.mask ? 2 : 1);
  const Value sum = b.make("Add", {in[0], b.product(b.state(0), recurrent)});
  const Value next = activated(l, b, activation_name(l, "activation", "tanh"), sum);
  auto body = l.mask ? masked_body(l, b, in[1], {next}) : b.finish({next});
  return tensorflow_import::loop_over_steps(l.c, projection, 1, {initial_state(l, s, 0)}, std::move(body), run);
}

/// What the layer gives: all results or the last, and the states where they are asked for.
std::vector<Value> results(Layer& l, const std::vector<Value>& all) {
  std::vector<Value> r{l.flag("return_sequences", false) ? all[0] : all[1]};
  if (l.flag("return_state", false)) r.insert(r.end(), all.begin() + 1, all.end());
  return r;
}

template <Cell kCell>
std::vector<Value> recurrent(Layer& l) {
  if (const auto mask = l.arguments().find("mask"); mask != l.arguments().end() && !mask->is_null() && !l.mask)
    l.c.note("its mask is not used: steps that it leaves out are computed as all others");
  if (l.flag("stateful", false)) l.c.note("it is stateful: each run begins with its initial state");
  return results(l, kCell(l, l.x(), {l.flag("go_backwards", false), false, ""}));
}

Cell cell_of(const std::string& class_name) {
  if (class_name == "LSTM") return lstm;
  if (class_name == "GRU") return gru;
  if (class_name == "SimpleRNN") return simple;
  if (class_name == "ConvLSTM1D" || class_name == "ConvLSTM2D" || class_name == "ConvLSTM3D") return conv_lstm;
  return nullptr;
}

/// RNN(cell), RNN([cell, cell ...]): cells in a row are layers in a row. All results, the last ones, all states.
std::vector<Value> loop_of_cells(Layer& l, Value x, const Run& run) {
  if (l.c.input_count() > 1) l.refuse("it has initial states");
  if (l.flag("time_major", false)) l.refuse("it has the time first");
  const Json own = l.config().value("cell", Json::object()), config = own.value("config", Json::object());
  const bool stacked = own.value("class_name", std::string()) == "StackedRNNCells";
  const std::vector<Json> cells =
      stacked ? config.value("cells", Json::array()).get<std::vector<Json>>() : std::vector<Json>{own};
  if (cells.empty()) l.refuse("it has no cells");
  std::vector<Value> states;
  for (size_t i = 0; i < cells.size(); ++i) {
    const auto type = cells[i].value("class_name", std::string());
    const Cell cell = type.ends_with("Cell") ? cell_of(type.substr(0, type.size() - 4)) : nullptr;
    if (!cell) l.refuse("its cell is of the class '" + type + "'");
    const Json inner = cells[i].value("config", Json::object());
    const auto name = inner.value("name", std::string());
    Layer one = stacked ? Layer(l, inner, "cell/cells/" + name, name) : Layer(l, inner, "", "");
    const bool is_last = i + 1 == cells.size();
    const std::string suffix = cells.size() > 1 ? run.suffix + "/cell_" + std::to_string(i) : run.suffix;
    const std::vector<Value> all = cell(one, x, {run.reverse && i == 0, run.in_place && is_last, suffix});
    x = all[0];
    states.insert(states.end(), all.begin() + 1, all.end());
    if (is_last) states.insert(states.begin(), {x, all[1]});
  }
  return states;
}

std::vector<Value> loop(Layer& l) {
  const std::vector<Value> all = loop_of_cells(l, l.x(), {l.flag("go_backwards", false), false, ""});
  std::vector<Value> r{l.flag("return_sequences", false) ? all[0] : all[1]};
  if (l.flag("return_state", false)) r.insert(r.end(), all.begin() + 2, all.end());
  return r;
}

std::vector<Value> bidirectional(Layer& l) {
  const Json inner = l.config().value("layer", Json::object());
  const Json config = inner.value("config", Json::object());
  const auto type = inner.value("class_name", std::string());
  const Cell cell = type == "RNN" ? loop_of_cells : cell_of(type);
  if (!cell) l.refuse("it wraps a layer of the class '" + inner.value("class_name", std::string()) + "'");
  Layer forward(l, config, "forward_layer"), backward(l, config, "backward_layer");
  if (forward.flag("return_state", false)) l.refuse("it returns states");
  forward.zeroes_masked = backward.zeroes_masked = forward.flag("return_sequences", false);
  const auto one = [&](Layer& d, const Run& run) { return results(d, cell(d, d.x(), run)).at(0); };
  const Value a = one(forward, {false, false, "/forward"}), b = one(backward, {true, true, "/backward"});
  const std::string mode = l.text("merge_mode", "concat");
  if (mode == "concat") return {l.apply("ConcatV2", {a, b, l.integers_value({std::ssize(a.shape()) - 1}, "/axis")})};
  if (mode == "sum") return {l.apply("AddV2", {a, b})};
  if (mode == "mul") return {l.apply("Mul", {a, b})};
  if (mode == "ave") return {l.apply("Mul", {l.apply("AddV2", {a, b}, {}, "/sum"), l.number(0.5, "/half")})};
  l.refuse("merge_mode is '" + mode + "'");
}

/// Steps become batches.
Value steps_together(Layer& l, Value x, const std::string& suffix) {
  const Shape s = x.shape();
  if (s.size() < 3 || !is_static(s)) l.refuse("its input has the shape " + to_string(s));
  Shape together(s.begin() + 1, s.end());
  together[0] = s[0] * s[1];
  return l.apply("Reshape", {x, l.integers_value(together, "/together")}, {}, suffix);
}
/// And steps again, those of x.
Value steps_apart(Layer& l, Value y, Value x) {
  Shape apart{x.shape().at(0), x.shape().at(1)};
  apart.insert(apart.end(), y.shape().begin() + 1, y.shape().end());
  return l.apply("Reshape", {y, l.integers_value(apart, "/apart")});
}

std::vector<Value> time_distributed(Layer& l) {
  const Json inner = l.config().value("layer", Json::object());
  const Json config = inner.value("config", Json::object());
  const LayerRow* row = find_layer(inner.value("class_name", std::string()));
  if (!row) l.refuse("it wraps a layer of the class '" + inner.value("class_name", std::string()) + "'");
  const Value rows = steps_together(l, l.x(), "/together");
  tensorflow_import::Context context = l.c.with_inputs({rows}, inner.value("class_name", std::string()), "/layer");
  Layer wrapped(l, config, context);
  return {steps_apart(l, row->convert(wrapped).at(0), l.x())};
}

std::vector<Value> together(Layer& l) { return {steps_together(l, l.x(), "")}; }
std::vector<Value> apart(Layer& l) { return {steps_apart(l, l.x(), l.c.input(1))}; }

constexpr LayerRow kMade[] = {
    {keras_file::kStepsTogether, "Reshape", together},
    {keras_file::kStepsApart, "Reshape", apart},
};

constexpr LayerRow kOperators[] = {
    {"LSTM", "BlockLSTM", recurrent<lstm>},
    {"GRU", "While", recurrent<gru>},
    {"SimpleRNN", "While", recurrent<simple>},
    {"ConvLSTM1D", "Convolution", recurrent<conv_lstm>},
    {"ConvLSTM2D", "Convolution", recurrent<conv_lstm>},
    {"ConvLSTM3D", "Convolution", recurrent<conv_lstm>},
    {"Bidirectional", "While", bidirectional},
    {"RNN", "While", loop},
    {"TimeDistributed", "Reshape", time_distributed},
};

}  // namespace

std::span<const LayerRow> recurrent_layers() { return kOperators; }
std::span<const LayerRow> made_layers() { return kMade; }

}  // namespace blobsmith::keras_import
