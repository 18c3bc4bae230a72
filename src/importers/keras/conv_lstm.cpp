// ConvLSTM2D, step by step: a blob has no loop with convolutions in it.
//
//   x_t → Conv2D ┐                     i, f, g, o
//   h   → Conv2D ┴ Add → Split → c = f c + i g, h = o act(c) → the next step
#include <algorithm>

#include "importers/keras/layer.hpp"

namespace blobsmith::keras_import {
namespace {

struct ConvCell {
  Layer& l;
  int64_t axis;  ///< of the channels
  Value kernel{}, recurrent{}, bias{};
  NamedAttributes of_input{}, of_state{};
};

std::vector<int64_t> along_planes(const Layer& l, const std::vector<int64_t>& planes) {
  if (l.channels_last()) return {1, planes[0], planes[1], 1};
  return {1, 1, planes[0], planes[1]};
}

ConvCell cell_of_convolutions(Layer& l) {
  const Tensor &kernel = l.weight("kernel", 0, "cell"), &recurrent = l.weight("recurrent_kernel", 1, "cell");
  const int64_t filters = l.integer("filters", 0);
  const auto fits = [&](const Tensor& t) { return t.shape.size() == 4 && filters > 0 && t.shape[3] == 4 * filters; };
  if (!fits(kernel) || !fits(recurrent) || recurrent.shape[2] != filters)
    l.refuse("its weights have the shapes " + to_string(kernel.shape) + " and " + to_string(recurrent.shape));
  const std::string padding = l.text("padding", "valid");
  if (padding != "valid" && padding != "same") l.refuse("padding is '" + padding + "'");
  const std::string format = l.channels_last() ? "NHWC" : "NCHW";
  ConvCell cell{l, l.channels_last() ? 3 : 1};
  cell.kernel = l.constant(kernel, "/kernel");
  cell.recurrent = l.constant(recurrent, "/recurrent_kernel");
  if (const Tensor* b = l.flag("use_bias", true) ? l.find_weight("bias", 2, "cell") : nullptr) {
    if (b->shape != Shape{4 * filters}) l.refuse("its bias has the shape " + to_string(b->shape));
    cell.bias = l.constant(*b, "/bias");
  }
  cell.of_input = {{"strides", integers_attribute(along_planes(l, l.integers("strides", 2, 1)))},
                   {"dilations", integers_attribute(along_planes(l, l.integers("dilation_rate", 2, 1)))},
                   {"padding", text_attribute(padding == "same" ? "SAME" : "VALID")},
                   {"data_format", text_attribute(format)}};
  cell.of_state = {{"strides", integers_attribute({1, 1, 1, 1})},
                   {"padding", text_attribute("SAME")},
                   {"data_format", text_attribute(format)}};
  return cell;
}

struct State {
  Value h{}, c{};  ///< none: zeros
};

State step(ConvCell& cell, Value x, const State& before, const std::string& at) {
  Layer& l = cell.l;
  Value sum = l.apply("Conv2D", {x, cell.kernel}, cell.of_input, at + "/convolution");
  if (cell.bias)
    sum = l.apply("BiasAdd", {sum, cell.bias}, {{"data_format", cell.of_input.at("data_format")}}, at + "/BiasAdd");
  if (before.h) {
    const Value of_state = l.apply("Conv2D", {before.h, cell.recurrent}, cell.of_state, at + "/convolution_1");
    sum = l.apply("AddV2", {sum, of_state}, {}, at + "/add");
  }
  const std::vector<Value> parts = l.c.apply("Split", {l.integers_value({cell.axis}, at + "/axis"), sum},
                                             {{"num_split", integer_attribute(4)}}, at + "/split");
  const Json usual(l.keras() > 2 ? "sigmoid" : "hard_sigmoid");
  const Json gate = l.config().value("recurrent_activation", usual), own = l.config().value("activation", Json("tanh"));
  const auto gated = [&](size_t i, const char* name) { return l.activated(parts.at(i), gate, at + name); };
  State now;
  now.c = l.apply("Mul", {gated(0, "/i"), l.activated(parts.at(2), own, at + "/g")}, {}, at + "/mul");
  if (before.c) {
    const Value kept = l.apply("Mul", {gated(1, "/f"), before.c}, {}, at + "/mul_1");
    now.c = l.apply("AddV2", {kept, now.c}, {}, at + "/add_1");
  }
  now.h = l.apply("Mul", {gated(3, "/o"), l.activated(now.c, own, at + "/c")}, {}, at + "/mul_2");
  return now;
}

std::vector<Value> conv_lstm(Layer& l) {
  const Shape shape = l.x().shape();
  if (shape.size() != 5 || !is_static(shape)) l.refuse("its input has the shape " + to_string(shape));
  if (l.flag("stateful", false)) l.c.note("it is stateful: each run begins with its initial state");
  if (l.c.input_count() == 2 || l.c.input_count() > 3) l.refuse("it has not two initial states");
  constexpr int64_t kMostSteps = 1024;
  if (shape[1] < 1 || shape[1] > kMostSteps) l.refuse("it has " + std::to_string(shape[1]) + " steps");
  ConvCell cell = cell_of_convolutions(l);
  std::vector<Value> steps =
      l.c.apply("Unpack", {l.x()}, {{"axis", integer_attribute(1)}, {"num", integer_attribute(shape[1])}}, "/steps");
  if (l.flag("go_backwards", false)) std::ranges::reverse(steps);
  State state;
  if (l.c.input_count() == 3) state = {l.c.input(1), l.c.input(2)};
  std::vector<Value> all;
  for (size_t t = 0; t < steps.size(); ++t) {
    state = step(cell, steps[t], state, "/" + std::to_string(t));
    all.push_back(state.h);
  }
  std::vector<Value> results{state.h};
  if (l.flag("return_sequences", false)) results = l.c.apply("Pack", all, {{"axis", integer_attribute(1)}}, "");
  if (l.flag("return_state", false)) results.insert(results.end(), {state.h, state.c});
  return results;
}

constexpr LayerRow kOperators[] = {{"ConvLSTM2D", "Convolution", conv_lstm}};

}  // namespace

std::span<const LayerRow> conv_lstm_layers() { return kOperators; }

}  // namespace blobsmith::keras_import
