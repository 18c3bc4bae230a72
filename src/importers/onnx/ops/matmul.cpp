// Products of matrices, products by an equation.
#include <map>

#include "importers/onnx/operators.hpp"

namespace blobsmith::onnx_import {
namespace {

/// The equation with the output that it implies: the letters that occur once, in order.
/// quirk: Model Optimizer takes all letters.
std::string with_output(std::string equation, bool quirks) {
  std::erase(equation, ' ');
  if (equation.find("->") != std::string::npos) return equation;
  std::string output = equation.find("...") == std::string::npos ? "" : "...";
  std::map<char, int> count;
  for (char letter : equation)
    if (letter != ',' && letter != '.') ++count[letter];
  for (const auto& [letter, n] : count)
    if (n == 1 || quirks) output += letter;
  return equation + "->" + output;
}

}  // namespace

namespace mo {
namespace {

std::vector<Value> mat_mul(Context& c) {
  return {c.make("MatMul", {c.input(0), c.input(1)}, attributes({{"transpose_a", false}, {"transpose_b", false}}))};
}

std::vector<Value> einsum(Context& c) {
  return {c.make("Einsum", c.inputs(), attributes({{"equation", with_output(c.text("equation", ""), c.quirks())}}))};
}

std::vector<Value> gemm(Context& c) {
  const Attributes a =
      attributes({{"transpose_a", c.integer("transA", 0) != 0}, {"transpose_b", c.integer("transB", 0) != 0}});
  const double alpha = c.real("alpha", 1), beta = c.real("beta", 1);
  const auto scaled = [&](Value v, double by, const char* suffix) {
    return by == 1 ? v
                   : c.make("Multiply", {v, c.number_constant(v.type(), Shape(v.shape().size(), 1), by)}, {},
                            Context::kNewest, suffix);
  };
  if (!c.has_input(2)) return {scaled(c.make("MatMul", {c.input(0), c.input(1)}, a), alpha, "/Alpha_")};
  const Value product =
      scaled(c.make("MatMul", {c.input(0), c.input(1)}, a, Context::kNewest, "/WithoutBiases"), alpha, "/Alpha_");
  Value bias = scaled(c.input(2), beta, "/Beta_");
  if (bias.shape().size() == 1 && bias.node->is_constant()) bias = c.reshape(bias, {1, bias.shape()[0]});
  return {c.make("Add", {product, bias})};
}

}  // namespace
}  // namespace mo

namespace ie {
namespace {

std::vector<Value> einsum(Context& c) {
  return {c.make("Einsum", c.inputs(), attributes({{"equation", with_output(c.text("equation", ""), false)}}))};
}

std::vector<Value> mat_mul(Context& c) {
  const Value a = c.input(0), b = c.input(1);
  return {c.make("MatMul", {a, b}, attributes({{"transpose_a", false}, {"transpose_b", false}}))};
}

Value third_operand(Context& c, ElementType type) { return c.has_input(2) ? c.input(2) : c.filled(type, {}, 0); }

/// quirk: the multiplication by beta is always made, the one by alpha only where alpha is not 1.
std::vector<Value> gemm_6(Context& c) {
  const Value a = c.input(0), b = c.input(1);
  const Value addend = third_operand(c, b.type());
  const float alpha = c.real("alpha", 1);
  const Value alpha_value = c.filled(b.type(), {}, static_cast<double>(alpha)),
              beta_value = c.filled(addend.type(), {}, c.real("beta", 1));
  Value product =
      c.make("MatMul", {a, b},
             attributes({{"transpose_a", c.integer("transA", 0) != 0}, {"transpose_b", c.integer("transB", 0) != 0}}));
  if (alpha != 1) product = c.binary("Multiply", product, alpha_value);
  const Value scaled = c.binary("Multiply", beta_value, addend);
  return {c.binary("Add", product, scaled)};
}

std::vector<Value> gemm_1(Context& c) {
  Value a = c.input(0), b = c.input(1);
  const Value addend = third_operand(c, b.type());
  const float alpha = c.real("alpha", 1), beta = c.real("beta", 1);
  const Value alpha_value = c.filled(b.type(), {}, static_cast<double>(alpha)),
              beta_value = c.filled(addend.type(), {}, static_cast<double>(beta));
  if (c.integer("transA", 0) != 0) a = c.transpose(a, {1, 0});
  if (c.integer("transB", 0) != 0) b = c.transpose(b, {1, 0});
  a = flatten(c, a, 1);
  b = flatten(c, b, 1);
  Value product = c.make("MatMul", {a, b}, attributes({{"transpose_a", false}, {"transpose_b", false}}));
  if (alpha != 1) product = c.binary("Multiply", product, alpha_value);
  const Value scaled = c.binary("Multiply", beta_value, addend);
  return {c.binary("Add", product, scaled)};
}

}  // namespace
}  // namespace ie

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"MatMul", 1, "MatMul", mo::mat_mul, ie::mat_mul},
    {"Gemm", 1, "MatMul", mo::gemm, ie::gemm_1},
    {"Gemm", 6, "MatMul", mo::gemm, ie::gemm_6},
    {"Einsum", 12, "Einsum", mo::einsum, ie::einsum, &Release::newer_onnx_operators},
};

}  // namespace

std::span<const OperatorRow> matmul_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
