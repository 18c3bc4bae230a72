// Products of matrices.
#include "importers/onnx_native/recipe.hpp"

namespace blobsmith::onnx_native {
namespace {

std::vector<Value> mat_mul(Recipe& r) {
  const Value a = r.input(0), b = r.input(1);
  return {r.make("MatMul", {a, b}, attributes({{"transpose_a", false}, {"transpose_b", false}}))};
}

Value third_operand(Recipe& r, ElementType type) { return r.has_input(2) ? r.input(2) : r.filled(type, {}, 0); }

/// quirk: the multiplication by beta is always made, the one by alpha only where alpha is not 1.
std::vector<Value> gemm_6(Recipe& r) {
  const Value a = r.input(0), b = r.input(1);
  const Value c = third_operand(r, b.type());
  const float alpha = r.real("alpha", 1);
  const Value alpha_value = r.filled(b.type(), {}, static_cast<double>(alpha)),
              beta_value = r.filled(c.type(), {}, static_cast<double>(r.real("beta", 1)));
  Value product =
      r.make("MatMul", {a, b},
             attributes({{"transpose_a", r.integer("transA", 0) != 0}, {"transpose_b", r.integer("transB", 0) != 0}}));
  if (alpha != 1) product = r.binary("Multiply", product, alpha_value);
  const Value scaled = r.binary("Multiply", beta_value, c);
  return {r.binary("Add", product, scaled)};
}

std::vector<Value> gemm_1(Recipe& r) {
  Value a = r.input(0), b = r.input(1);
  const Value c = third_operand(r, b.type());
  const float alpha = r.real("alpha", 1), beta = r.real("beta", 1);
  const Value alpha_value = r.filled(b.type(), {}, static_cast<double>(alpha)),
              beta_value = r.filled(c.type(), {}, static_cast<double>(beta));
  if (r.integer("transA", 0) != 0) a = r.transpose(a, {1, 0});
  if (r.integer("transB", 0) != 0) b = r.transpose(b, {1, 0});
  a = flatten(r, a, 1);
  b = flatten(r, b, 1);
  Value product = r.make("MatMul", {a, b}, attributes({{"transpose_a", false}, {"transpose_b", false}}));
  if (alpha != 1) product = r.binary("Multiply", product, alpha_value);
  const Value scaled = r.binary("Multiply", beta_value, c);
  return {r.binary("Add", product, scaled)};
}

constexpr Row kRows[] = {{"MatMul", 1, mat_mul}, {"Gemm", 1, gemm_1}, {"Gemm", 6, gemm_6}};

}  // namespace

std::span<const Row> matmul_recipes() { return kRows; }

}  // namespace blobsmith::onnx_native
