// The domain com.microsoft: operators that compute with quantized numbers. Here they are real numbers that are rounded
// as the quantized ones would be.
#include <algorithm>
#include <array>

#include "importers/onnx/operators.hpp"
#include "importers/onnx/quantized_steps.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

/// A, A_scale, A_zero, B, B_scale, B_zero, C_scale, C_zero
std::vector<Value> q_linear_binary(Context& c, const char* type) {
  Steps s(c);
  const Value y = s.make(type, {unquantized(c, s, 0, 1, 2), unquantized(c, s, 3, 4, 5)});
  return {s.done(quantized(c, s, y, 6, 7))};
}
std::vector<Value> q_linear_add(Context& c) { return q_linear_binary(c, "Add"); }
std::vector<Value> q_linear_mul(Context& c) { return q_linear_binary(c, "Multiply"); }

/// X, X_scale, X_zero, Y_scale, Y_zero
template <class F>
std::vector<Value> q_linear_unary(Context& c, F f) {
  Steps s(c);
  return {s.done(quantized(c, s, f(s, unquantized(c, s, 0, 1, 2)), 3, 4))};
}
std::vector<Value> q_linear_sigmoid(Context& c) {
  return q_linear_unary(c, [](Steps& s, Value x) { return s.make("Sigmoid", {x}); });
}
std::vector<Value> q_linear_leaky_relu(Context& c) {
  return q_linear_unary(c, [&](Steps& s, Value x) {
    return s.make("PRelu", {x, c.number_constant(x.type(), {1}, c.real("alpha", 0.01f))});
  });
}

void refuse_channels_last(Context& c) {
  if (c.integer("channels_last", 0) != 0) c.refuse("channels_last is not supported");
}
std::vector<Value> q_linear_global_average(Context& c) {
  refuse_channels_last(c);
  return q_linear_unary(c, [&](Steps& s, Value x) {
    std::vector<int64_t> axes;
    for (int64_t i = 2; i < c.rank(); ++i) axes.push_back(i);
    return s.reduce("ReduceMean", x, axes, true);
  });
}
std::vector<Value> q_linear_concat(Context& c) {
  Steps s(c);
  std::vector<Value> parts;
  for (size_t i = 2; i + 2 < c.input_count(); i += 3) parts.push_back(unquantized(c, s, i, i + 1, i + 2));
  if (parts.empty()) c.refuse("it has no inputs");
  const int64_t axis = c.axis(c.integer("axis", 0), static_cast<int64_t>(parts[0].shape().size()));
  return {s.done(quantized(c, s, s.concat(parts, axis), 0, 1))};
}

/// The same operator of real numbers.
std::vector<Value> q_linear_as(Context& c, const std::string& op_type) {
  refuse_channels_last(c);
  return q_linear_unary(c, [&](Steps&, Value x) { return c.convert_as(op_type, {x}).at(0); });
}
std::vector<Value> q_linear_average(Context& c) { return q_linear_as(c, "AveragePool"); }
std::vector<Value> q_linear_mean(Context& c) { return q_linear_as(c, "ReduceMean"); }

/// `opset`: that of the Softmax which it was; before 13 over all axes from `axis` on.
std::vector<Value> q_linear_softmax(Context& c) {
  const auto rank = static_cast<int64_t>(c.input(0).shape().size());
  const int64_t axis = c.axis(c.integer("axis", -1), rank);
  if (c.integer("opset", 13) < 13 && axis != rank - 1) c.refuse("it is supported along the last axis only");
  return q_linear_unary(c, [&](Steps& s, Value x) { return s.make("Softmax", {x}, attributes({{"axis", axis}})); });
}

/// condition, X, X_scale, X_zero, Y, Y_scale, Y_zero, Z_scale, Z_zero
std::vector<Value> q_linear_where(Context& c) {
  Steps s(c);
  const Value z = s.make("Select", {c.input(0), unquantized(c, s, 1, 2, 3), unquantized(c, s, 4, 5, 6)});
  return {s.done(quantized(c, s, z, 7, 8))};
}

/// A, A_scale, A_zero, B, B_scale, B_zero, C (its scale is that of A times that of B), Y_scale, Y_zero: without a scale
/// of Y real numbers. Scales of B stand for its outputs.
std::vector<Value> q_gemm(Context& c) {
  Steps s(c);
  const bool transposes_b = c.integer("transB", 0) != 0;
  const Value scale_a = fitting_scale(c, s, 1, 2), scale_b = fitting_scale(c, s, 4, 5);
  const auto along_outputs = [&](Value v) {
    const int64_t count = element_count(v.shape());
    return count == 1 ? s.reshape(v, {1, 1}) : s.reshape(v, transposes_b ? Shape{count, 1} : Shape{1, count});
  };
  c.want_rounding(3);
  Value b = s.convert(c.input(3), ElementType::f32);
  if (c.has_input(5)) b = s.subtract(b, along_outputs(s.convert(c.input(5), ElementType::f32)));
  b = s.multiply(b, along_outputs(scale_b));
  Value y = s.make("MatMul", {unquantized(c, s, 0, 1, 2), b},
                   attributes({{"transpose_a", c.integer("transA", 0) != 0}, {"transpose_b", transposes_b}}));
  if (c.has_input(6)) {
    const Value scale = s.multiply(s.reshape(scale_a, {1}), s.reshape(scale_b, {element_count(scale_b.shape())}));
    y = s.add(y, s.multiply(s.convert(c.input(6), ElementType::f32), scale));
  }
  if (const double alpha = c.real("alpha", 1); alpha != 1) y = s.multiply(y, alpha);
  return {s.done(c.has_input(7) ? quantized(c, s, y, 7, 8) : y)};
}

/// A, B, B_scale, B_zero, bias: A is quantized only to be fast.
std::vector<Value> dynamic_quantize_mat_mul(Context& c) {
  Steps s(c);
  Value y = s.product(c.input(0), unquantized(c, s, 1, 2, 3));
  if (c.has_input(4)) y = s.add(y, c.input(4));
  return {s.done(y)};
}

/// A, B, A_scale, B_scale, A_zero, B_zero, bias
std::vector<Value> mat_mul_integer_to_float(Context& c) {
  Steps s(c);
  Value y = s.product(unquantized(c, s, 0, 2, 4), unquantized(c, s, 1, 3, 5));
  if (c.has_input(6)) y = s.add(y, c.input(6));
  return {s.done(y)};
}

/// Inputs of an LSTM, scale and zero of W, scale and zero of R. Weights are [directions, inputs, gates], a scale stands
/// for a direction or for each of its gates. What it reads at every step is quantized only to be fast.
std::vector<Value> dynamic_quantize_lstm(Context& c) {
  Steps s(c);
  const auto weights = [&](size_t input, size_t scale) {
    const Value q = c.input(input);
    if (q.shape().size() != 3) c.refuse("its weights have the shape " + to_string(q.shape()));
    const auto of_gates = [&](size_t i) {
      const Value v = s.convert(c.input(i), ElementType::f32);
      const int64_t count = element_count(v.shape()), directions = q.shape()[0];
      return s.reshape(v, {directions, 1, count / directions});
    };
    const Value real = s.subtract(s.convert(q, ElementType::f32), of_gates(scale + 1));
    return s.transpose(s.multiply(real, of_gates(scale)), {0, 2, 1});
  };
  std::vector<Value> inputs;
  for (size_t i = 0; i < 8; ++i) inputs.push_back(c.has_input(i) ? c.input(i) : Value{});
  inputs[1] = weights(1, 8);
  inputs[2] = weights(2, 10);
  c.note("what it reads is not rounded to 8 bits at every step, but its weights are");
  return c.convert_as("LSTM", inputs);
}

/// The operators of ONNX, from before it had all types of integers.
std::vector<Value> like_onnx(Context& c, const std::string& op_type) {
  std::vector<Value> inputs;
  for (size_t i = 0; i < c.input_count(); ++i) inputs.push_back(c.has_input(i) ? c.input(i) : Value{});
  return c.convert_as(op_type, inputs);
}
std::vector<Value> quantize_linear(Context& c) { return like_onnx(c, "QuantizeLinear"); }
std::vector<Value> dequantize_linear(Context& c) { return like_onnx(c, "DequantizeLinear"); }

}  // namespace
}  // namespace mo

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"QLinearAdd", 1, "Add", mo::q_linear_add, nullptr},
    {"QLinearMul", 1, "Multiply", mo::q_linear_mul, nullptr},
    {"QLinearSigmoid", 1, "Sigmoid", mo::q_linear_sigmoid, nullptr},
    {"QLinearLeakyRelu", 1, "PRelu", mo::q_linear_leaky_relu, nullptr},
    {"QLinearGlobalAveragePool", 1, "ReduceMean", mo::q_linear_global_average, nullptr},
    {"QLinearConcat", 1, "Concat", mo::q_linear_concat, nullptr},
    {"DynamicQuantizeMatMul", 1, "MatMul", mo::dynamic_quantize_mat_mul, nullptr},
    {"MatMulIntegerToFloat", 1, "MatMul", mo::mat_mul_integer_to_float, nullptr},
    {"DynamicQuantizeLSTM", 1, "LSTMSequence", mo::dynamic_quantize_lstm, nullptr},
    {"QGemm", 1, "MatMul", mo::q_gemm, nullptr},
    {"QLinearAveragePool", 1, "AvgPool", mo::q_linear_average, nullptr},
    {"QLinearReduceMean", 1, "ReduceMean", mo::q_linear_mean, nullptr},
    {"QLinearSoftmax", 1, "Softmax", mo::q_linear_softmax, nullptr},
    {"QLinearWhere", 1, "Select", mo::q_linear_where, nullptr},
    {"QuantizeLinear", 1, "Clamp", mo::quantize_linear, nullptr},
    {"DequantizeLinear", 1, "Multiply", mo::dequantize_linear, nullptr},
};

}  // namespace

std::span<const OperatorRow> quantized_microsoft_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
