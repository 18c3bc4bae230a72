// MatMul and Einsum (opset 1, 7).
#include <algorithm>
#include <map>

#include "compute/matrix_product.hpp"
#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

/// An operand with its batch axes spread to `batch`, as matrices [rows][columns].
struct Operand {
  Tensor values;
  int64_t rows, columns;
  std::vector<int64_t> matrices;  ///< where the matrix of each batch item begins
};

Operand read_operand(const Tensor& t, bool transpose, bool left, const Shape& batch) {
  Shape s = t.shape;
  if (s.size() == 1) {
    s.insert(left ? s.begin() : s.end(), 1);
    transpose = false;
  }
  Tensor values = t;
  values.shape = s;
  if (transpose) {
    std::vector<int64_t> strides = ops::dense_strides(s);
    std::swap(s[s.size() - 1], s[s.size() - 2]);
    std::swap(strides[s.size() - 1], strides[s.size() - 2]);
    values = ops::gather_strided(values, s, 0, strides);
  }
  Operand o{std::move(values), s[s.size() - 2], s[s.size() - 1], {}};
  const Shape own(s.begin(), s.end() - 2);
  ops::for_each_position(batch, 0, ops::broadcast_strides(own, batch),
                         [&](int64_t, int64_t at) { o.matrices.push_back(at * o.rows * o.columns); });
  return o;
}

Outputs run_matmul(const Call& c) {
  if (c.input(0).type != ElementType::f32) return evaluate(c.node(), c.inputs());
  const size_t ra = c.shape(0).size(), rb = c.shape(1).size();
  Shape batch = c.out_shape();
  batch.resize(batch.size() - (ra > 1) - (rb > 1));
  const Operand a = read_operand(c.input(0), c.attrs().flag("transpose_a"), true, batch),
                b = read_operand(c.input(1), c.attrs().flag("transpose_b"), false, batch);
  c.require(b.rows * b.columns < INT32_MAX, "its matrices are too large");
  std::vector<float> y(static_cast<size_t>(c.out_count())), right;
  const float* left = a.values.as<float>().data();
  int64_t loaded = -1;
  for (size_t i = 0; i < a.matrices.size(); ++i) {
    if (loaded != b.matrices[i]) {
      const float* from = b.values.as<float>().data() + b.matrices[i];
      right.assign(from, from + b.rows * b.columns);
      right.resize(right.size() + compute::kSlack);
      loaded = b.matrices[i];
    }
    compute::matrix_product(c.pool(), left + a.matrices[i], right.data(),
                            y.data() + static_cast<int64_t>(i) * a.rows * b.columns, a.rows, a.columns, b.columns);
  }
  return {float_tensor(c.out_shape(), std::move(y))};
}

constexpr OperationRow kOperations[] = {
    {"MatMul", kAnyVersion, run_matmul},
};

}  // namespace

std::span<const OperationRow> matmul_operations() { return kOperations; }

}  // namespace blobsmith::reference
