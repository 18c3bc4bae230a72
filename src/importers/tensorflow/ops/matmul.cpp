// Products of matrices, products by an equation.
#include "importers/tensorflow/operators.hpp"

namespace blobsmith::tensorflow_import {
namespace {

std::vector<Value> product(Context& c, const char* a, const char* b) {
  return {c.make("MatMul", {c.input(0), c.input(1)},
                 attributes({{"transpose_a", c.node().flag(a, false)}, {"transpose_b", c.node().flag(b, false)}}))};
}
std::vector<Value> mat_mul(Context& c) { return product(c, "transpose_a", "transpose_b"); }
std::vector<Value> batch_mat_mul(Context& c) { return product(c, "adj_x", "adj_y"); }

std::vector<Value> einsum(Context& c) {
  std::string equation = c.node().text("equation", "");
  std::erase(equation, ' ');
  return {c.make("Einsum", c.inputs(), attributes({{"equation", equation}}))};
}

constexpr OperatorRow kOperators[] = {
    {"MatMul", "MatMul", mat_mul},
    {"BatchMatMul", "MatMul", batch_mat_mul},
    {"BatchMatMulV2", "MatMul", batch_mat_mul},
    {"BatchMatMulV3", "MatMul", batch_mat_mul},
    {"Einsum", "Einsum", einsum},
};

}  // namespace

std::span<const OperatorRow> matmul_operators() { return kOperators; }

}  // namespace blobsmith::tensorflow_import
