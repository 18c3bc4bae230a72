// Signals: windows, which are constants, and Fourier transforms, which are products by a matrix of cosines and sines.
// No operators of Model Optimizer, nor of the importer inside Intel's compiler.
#include <cmath>
#include <numbers>

#include "importers/onnx/mo_steps.hpp"
#include "importers/onnx/operators.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;
constexpr int64_t kLongestWindow = 1 << 20, kLargestMatrix = int64_t{1} << 24;

/// a0 - a1 cos(t) + a2 cos(2 t)
std::vector<Value> cosine_window(Context& c, double a0, double a1, double a2) {
  const int64_t size = c.constant_integers(0, "size").at(0);
  if (size < 1 || size > kLongestWindow) c.refuse("its size is " + std::to_string(size));
  const auto type =
      c.has("output_datatype") ? onnx_file::element_type(c.integer("output_datatype", 1)) : ElementType::f32;
  if (!type || !is_float(*type)) c.refuse("its output_datatype is not a floating type");
  const auto period = static_cast<double>(c.integer("periodic", 1) != 0 ? size : size - 1);
  std::vector<double> w;
  for (int64_t i = 0; i < size; ++i) {
    const double t = period > 0 ? kTurn * static_cast<double>(i) / period : 0;
    w.push_back(a0 - a1 * std::cos(t) + a2 * std::cos(2 * t));
  }
  return {c.graph().constant(Tensor::reals(*type, {size}, w), c.name())->value()};
}
std::vector<Value> hann(Context& c) { return cosine_window(c, 0.5, 0.5, 0); }
std::vector<Value> hamming(Context& c) { return cosine_window(c, 25.0 / 46, 21.0 / 46, 0); }
std::vector<Value> blackman(Context& c) { return cosine_window(c, 0.42, 0.5, 0.08); }

/// Triangles between frequencies that lie evenly on the mel scale. [spectrum bins, mel bins]
std::vector<Value> mel_weight_matrix(Context& c) {
  const auto number = [&](size_t i) {
    const Tensor* t = c.constant(i);
    if (!t || element_count(t->shape) != 1) c.refuse("input " + std::to_string(i) + " is not one constant");
    return static_cast<double>(t->to_f32()[0]);
  };
  const auto bins = static_cast<int64_t>(number(0)), length = static_cast<int64_t>(number(1));
  const double rate = number(2), low = number(3), high = number(4);
  const int64_t rows = length / 2 + 1;
  if (bins < 1 || length < 1 || bins * rows > kLargestMatrix || !(rate > 0)) c.refuse("its sizes are out of range");
  const auto mel = [](double f) { return 2595 * std::log10(1 + f / 700); };
  const double step = (mel(high) - mel(low)) / static_cast<double>(bins + 2);
  std::vector<int64_t> at;
  for (int64_t i = 0; i < bins + 2; ++i) {
    const double f = 700 * (std::pow(10, (static_cast<double>(i) * step + mel(low)) / 2595) - 1);
    at.push_back(static_cast<int64_t>((static_cast<double>(length) + 1) * f / rate));
  }
  std::vector<float> w(static_cast<size_t>(rows * bins), 0.0f);
  for (int64_t b = 0; b < bins; ++b) {
    const int64_t from = at[static_cast<size_t>(b)], top = at[static_cast<size_t>(b + 1)],
                  to = at[static_cast<size_t>(b + 2)];
    const auto put = [&](int64_t row, double v) {
      if (row >= 0 && row < rows) w[static_cast<size_t>(row * bins + b)] = static_cast<float>(v);
    };
    if (from == top) put(top, 1);
    for (int64_t i = from; i <= top && top > from; ++i)
      put(i, static_cast<double>(i - from) / static_cast<double>(top - from));
    for (int64_t i = top; i < to; ++i) put(i, static_cast<double>(to - i) / static_cast<double>(to - top));
  }
  return {c.graph().constant(Tensor::of(ElementType::f32, {rows, bins}, std::move(w)), c.name())->value()};
}

/// What signals of `given` values (1: real, 2: complex) become: [length * given, bins * 2]; values beyond `have` are
/// zeros, and the window is part of it.
Value transform_matrix(Context& c, Steps& s, int64_t have, int64_t given, int64_t length, int64_t bins, bool inverse,
                       const std::vector<float>& window = {}) {
  if (have * given * bins * 2 > kLargestMatrix) c.refuse("its signals are too long");
  std::vector<float> m(static_cast<size_t>(have * given * bins * 2), 0.0f);
  const double scale = inverse ? 1.0 / static_cast<double>(length) : 1;
  for (int64_t i = 0; i < std::min(have, length); ++i)
    for (int64_t k = 0; k < bins; ++k) {
      const double factor = scale * (window.empty() ? 1 : static_cast<double>(window[static_cast<size_t>(i)]));
      const double t = kTurn * static_cast<double>(i * k % length) / static_cast<double>(length);
      const double re = factor * std::cos(t), im = factor * (inverse ? std::sin(t) : -std::sin(t));
      float* row = m.data() + i * given * bins * 2;
      row[2 * k] = static_cast<float>(re);
      row[2 * k + 1] = static_cast<float>(im);
      if (given == 2) {
        row[bins * 2 + 2 * k] = static_cast<float>(-im);
        row[bins * 2 + 2 * k + 1] = static_cast<float>(re);
      }
    }
  return s.reals({have * given, bins * 2}, std::move(m));
}

/// x [..., length, ..., 1 or 2]
std::vector<Value> dft(Context& c) {
  Steps s(c);
  const Shape x = c.input(0).shape();
  if (x.size() < 3 || !is_static(x) || x.back() > 2) c.refuse("its input has the shape " + to_string(x));
  const auto rank = static_cast<int64_t>(x.size());
  const int64_t stated =
      c.opset() >= 20 ? (c.has_input(2) ? c.constant_integers(2, "axis").at(0) : -2) : c.integer("axis", 1);
  const int64_t axis = c.axis(stated, rank);
  if (axis == rank - 1) c.refuse("its axis is that of the complex numbers");
  const int64_t have = x[static_cast<size_t>(axis)];
  const int64_t length = c.has_input(1) ? c.constant_integers(1, "length").at(0) : have;
  if (length < 1) c.refuse("its length is " + std::to_string(length));
  const bool inverse = c.integer("inverse", 0) != 0, one_sided = c.integer("onesided", 0) != 0;
  if (inverse && one_sided) c.refuse("an inverse transform of one side is not supported");
  const int64_t bins = one_sided ? length / 2 + 1 : length;
  std::vector<int64_t> order;
  for (int64_t i = 0; i + 1 < rank; ++i)
    if (i != axis) order.push_back(i);
  order.push_back(axis);
  order.push_back(rank - 1);
  const bool turns = !std::ranges::is_sorted(order);
  const Value turned = turns ? s.transpose(c.input(0), order) : c.input(0);
  const int64_t rows = element_count(x) / (have * x.back());
  const Value y = s.product(s.reshape(turned, {rows, have * x.back()}),
                            transform_matrix(c, s, have, x.back(), length, bins, inverse));
  Shape shape;
  for (const int64_t a : order) shape.push_back(x[static_cast<size_t>(a)]);
  shape[shape.size() - 2] = bins;
  shape.back() = 2;
  const Value restored = s.reshape(y, shape);
  if (!turns) return {s.done(restored)};
  std::vector<int64_t> back(order.size());
  for (size_t i = 0; i < order.size(); ++i) back[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
  return {s.done(s.transpose(restored, back))};
}

/// signal [batch, length, 1 or 2] -> [batch, frames, bins, 2]
std::vector<Value> stft(Context& c) {
  Steps s(c);
  const Shape x = c.input(0).shape();
  if (!is_static(x) || x.size() < 2 || x.size() > 3 || (x.size() == 3 && x[2] > 2))
    c.refuse("its signal has the shape " + to_string(x));
  const int64_t step = c.constant_integers(1, "frame_step").at(0), given = x.size() == 3 ? x[2] : 1;
  std::vector<float> window;
  if (c.has_input(2)) {
    const Tensor* t = c.constant(2);
    if (!t) c.refuse("its window is not a constant");
    window = t->to_f32();
  }
  const int64_t length =
      c.has_input(3) ? c.constant_integers(3, "frame_length").at(0) : static_cast<int64_t>(window.size());
  if (step < 1 || length < 1 || length > x[1] || (!window.empty() && static_cast<int64_t>(window.size()) != length))
    c.refuse("its frames don't fit its signal");
  const int64_t bins = c.integer("onesided", 1) != 0 ? length / 2 + 1 : length, frames = (x[1] - length) / step + 1;
  std::vector<int64_t> at;
  for (int64_t f = 0; f < frames; ++f)
    for (int64_t i = 0; i < length; ++i) at.push_back(f * step + i);
  const Value cut = s.gather(s.reshape(c.input(0), {x[0], x[1], given}), s.indices(at), 1);
  const Value y = s.product(s.reshape(cut, {x[0] * frames, length * given}),
                            transform_matrix(c, s, length, given, length, bins, false, window));
  return {s.done(s.reshape(y, {x[0], frames, bins, 2}))};
}

}  // namespace
}  // namespace mo

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"HannWindow", 17, "Constant", mo::hann, nullptr},
    {"HammingWindow", 17, "Constant", mo::hamming, nullptr},
    {"BlackmanWindow", 17, "Constant", mo::blackman, nullptr},
    {"MelWeightMatrix", 17, "Constant", mo::mel_weight_matrix, nullptr},
    {"DFT", 17, "MatMul", mo::dft, nullptr},
    {"STFT", 17, "MatMul", mo::stft, nullptr},
};

}  // namespace

std::span<const OperatorRow> signal_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
