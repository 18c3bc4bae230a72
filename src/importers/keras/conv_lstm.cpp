// ConvLSTM1D, 2D and 3D, step by step: a blob has no loop with convolutions in it.
//
//   x_t → Conv2D ┐                     i, f, g, o
//   h   → Conv2D ┴ Add → Split → c = f c + i g, h = o act(c) → the next step
#include <algorithm>

#include "importers/keras/layer.hpp"

namespace blobsmith::keras_import {
namespace {

struct ConvCell {
  Layer& l;
  int64_t axis;      ///< of the channels
  const char* type;  ///< Conv2D or Conv3D
  Value kernel{}, recurrent{}, bias{};
  NamedAttributes of_input{}, of_state{};
};

/// The lengths of windows stand between those of batches and channels.
std::vector<int64_t> along_planes(const Layer& l, std::vector<int64_t> planes) {
  planes.insert(planes.begin(), l.channels_last() ? 1 : 2, 1);
  if (l.channels_last()) planes.push_back(1);
  return planes;
}

/// Signals are planes of one row.
Shape with_a_row(Shape s, bool channels_last) {
  s.insert(channels_last ? s.end() - 2 : s.end() - 1, 1);
  return s;
}

/// `dimensions`: of what is convolved, 2 or 3; signals have become planes.
ConvCell cell_of_convolutions(Layer& l, size_t dimensions, bool is_signal) {
  const Tensor &kernel = l.weight("kernel", 0, "cell"), &recurrent = l.weight("recurrent_kernel", 1, "cell");
  const int64_t filters = l.integer("filters", 0);
  const size_t rank = dimensions + (is_signal ? 1 : 2);
  const auto fits = [&](const Tensor& t) {
    return t.shape.size() == rank && filters > 0 && t.shape.back() == 4 * filters;
  };
  if (!fits(kernel) || !fits(recurrent) || recurrent.shape[rank - 2] != filters)
    l.refuse("its weights have the shapes " + to_string(kernel.shape) + " and " + to_string(recurrent.shape));
  const std::string padding = l.text("padding", "valid");
  if (padding != "valid" && padding != "same") l.refuse("padding is '" + padding + "'");
  if (dimensions == 3 && !l.channels_last()) l.refuse("its volumes have their channels first");
  const std::string format = dimensions == 3 ? "NDHWC" : l.channels_last() ? "NHWC" : "NCHW";
  const auto windows = [&](const char* key) {
    std::vector<int64_t> planes = l.integers(key, is_signal ? 1 : dimensions, 1);
    if (is_signal) planes.insert(planes.begin(), 1);
    return integers_attribute(along_planes(l, std::move(planes)));
  };
  const auto weights = [&](Tensor t, const char* name) {
    if (is_signal) t.shape.insert(t.shape.begin(), 1);
    return l.constant(t, name);
  };
  ConvCell cell{l, l.channels_last() ? static_cast<int64_t>(dimensions) + 1 : 1, dimensions == 3 ? "Conv3D" : "Conv2D"};
  cell.kernel = weights(kernel, "/kernel");
  cell.recurrent = weights(recurrent, "/recurrent_kernel");
  if (const Tensor* b = l.flag("use_bias", true) ? l.find_weight("bias", 2, "cell") : nullptr) {
    if (b->shape != Shape{4 * filters}) l.refuse("its bias has the shape " + to_string(b->shape));
    cell.bias = l.constant(*b, "/bias");
  }
  cell.of_input = {{"strides", windows("strides")},
                   {"dilations", windows("dilation_rate")},
                   {"padding", text_attribute(padding == "same" ? "SAME" : "VALID")},
                   {"data_format", text_attribute(format)}};
  cell.of_state = {{"strides", integers_attribute(std::vector<int64_t>(dimensions + 2, 1))},
                   {"padding", text_attribute("SAME")},
                   {"data_format", text_attribute(format)}};
  return cell;
}

struct State {
  Value h{}, c{};  ///< none: zeros
};

State step(ConvCell& cell, Value x, const State& before, const std::string& at) {
  Layer& l = cell.l;
  Value sum = l.apply(cell.type, {x, cell.kernel}, cell.of_input, at + "/convolution");
  if (cell.bias)
    sum = l.apply("BiasAdd", {sum, cell.bias}, {{"data_format", text_attribute(l.channels_last() ? "NHWC" : "NCHW")}},
                  at + "/BiasAdd");
  if (before.h) {
    const Value of_state = l.apply(cell.type, {before.h, cell.recurrent}, cell.of_state, at + "/convolution_1");
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

}  // namespace

std::vector<Value> conv_lstm(Layer& l, Value x, const tensorflow_import::StepOrder& run) {
  const Shape shape = x.shape();
  if (shape.size() < 4 || shape.size() > 6 || !is_static(shape))
    l.refuse("its input has the shape " + to_string(shape));
  const size_t inputs = l.c.input_count();
  if (inputs == 2 || inputs > 3) l.refuse("it has not two initial states");
  constexpr int64_t kMostSteps = 1024;
  if (shape[1] < 1 || shape[1] > kMostSteps) l.refuse("it has " + std::to_string(shape[1]) + " steps");
  const bool is_signal = shape.size() == 4;
  ConvCell cell = cell_of_convolutions(l, is_signal ? 2 : shape.size() - 3, is_signal);
  const auto widened = [&](Value v, const std::string& suffix) {
    if (!is_signal) return v;
    const Value wide = l.integers_value(with_a_row(v.shape(), l.channels_last()), suffix + "/shape");
    return l.apply("Reshape", {v, wide}, {}, suffix);
  };
  std::vector<Value> steps =
      l.c.apply("Unpack", {widened(x, run.suffix + "/row")},
                {{"axis", integer_attribute(1)}, {"num", integer_attribute(shape[1])}}, run.suffix + "/steps");
  if (run.reverse) std::ranges::reverse(steps);
  State state;
  if (inputs == 3) state = {widened(l.c.input(1), run.suffix + "/h0"), widened(l.c.input(2), run.suffix + "/c0")};
  std::vector<Value> all;
  for (size_t t = 0; t < steps.size(); ++t) {
    state = step(cell, steps[t], state, run.suffix + "/" + std::to_string(t));
    all.push_back(state.h);
  }
  if (run.in_place && run.reverse) std::ranges::reverse(all);
  const auto narrowed = [&](Value v, const std::string& suffix) {
    if (!is_signal) return v;
    const int64_t row = l.channels_last() ? std::ssize(v.shape()) - 3 : std::ssize(v.shape()) - 2;
    return l.apply("Squeeze", {v}, {{"squeeze_dims", integers_attribute({row})}}, run.suffix + suffix);
  };
  const Value sequence = l.c.apply("Pack", all, {{"axis", integer_attribute(1)}}, run.suffix + "/sequence")[0];
  return {narrowed(sequence, "/signals"), narrowed(state.h, "/last"), narrowed(state.c, "/c")};
}

}  // namespace blobsmith::keras_import
