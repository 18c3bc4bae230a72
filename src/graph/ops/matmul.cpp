// MatMul and Einsum (front-end spec §15.1).
#include "graph/ops/einsum.hpp"
#include "graph/ops/numbers.hpp"
#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"
#include "graph/ops/strided.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;
constexpr AttributeSpec kMatMul[] = {{"transpose_a", Flag, "false"}, {"transpose_b", Flag, "false"}};
constexpr AttributeSpec kEinsum[] = {{"equation", Text, kMandatory}};

// An operand as a matrix with leading batch axes: a vector becomes a row (left) or a column (right) and ignores its
// flag.
Shape as_matrix(const Shape& s, bool transpose, bool left) {
  if (s.size() == 1) return left ? Shape{1, s[0]} : Shape{s[0], 1};
  Shape m = s;
  if (transpose) std::swap(m[m.size() - 1], m[m.size() - 2]);
  return m;
}

void infer_matmul(Inference& in) {
  if (in.type(0) != in.type(1)) in.fail_type("Arguments do not have the same element type");
  if (in.rank(0) == 0 || in.rank(1) == 0) in.fail("Scalars are not supported as MatMul inputs");
  const Shape a = as_matrix(in.shape(0), in.attrs().flag("transpose_a"), true),
              b = as_matrix(in.shape(1), in.attrs().flag("transpose_b"), false);
  if (!merge_dims(a.back(), b[b.size() - 2]))
    in.fail("Incompatible matrix dimensions: " + to_string(in.shape(0)) + " and " + to_string(in.shape(1)));
  auto out = broadcast(Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2));
  if (!out) in.fail("Incompatible batch dimensions: " + to_string(in.shape(0)) + " and " + to_string(in.shape(1)));
  if (in.rank(0) > 1) out->push_back(a[a.size() - 2]);
  if (in.rank(1) > 1) out->push_back(b.back());
  in.output(in.type(), *std::move(out));
}

// Strides of the batch axes (broadcast to `batch`) of an operand whose matrix shape before transposition is `stored`.
std::vector<int64_t> batch_strides(const Shape& stored, const Shape& batch) {
  const std::vector<int64_t> dense = dense_strides(stored);
  std::vector<int64_t> strides(batch.size(), 0);
  for (size_t i = 0; i + 2 < stored.size(); ++i) {
    const size_t from = stored.size() - 3 - i;
    if (stored[from] != 1) strides[batch.size() - 1 - i] = dense[from];
  }
  return strides;
}

template <class T>
struct Matrix {
  const std::vector<T>& values;
  int64_t row_stride, column_stride;
  T at(int64_t base, int64_t row, int64_t column) const {
    return values[static_cast<size_t>(base + row * row_stride + column * column_stride)];
  }
};

template <class T>
std::vector<Tensor> multiply_matrices(const Node& n, const Tensor& left, const Tensor& right) {
  const auto va = load<T>(left), vb = load<T>(right);
  if (!va || !vb) return {};
  const bool ta = n.attrs.flag("transpose_a") && left.shape.size() > 1,
             tb = n.attrs.flag("transpose_b") && right.shape.size() > 1;
  const Shape stored_a = as_matrix(left.shape, false, true), stored_b = as_matrix(right.shape, false, false);
  const Shape a = as_matrix(left.shape, ta, true), b = as_matrix(right.shape, tb, false);
  const Shape batch = *broadcast(Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2));
  const int64_t rows = a[a.size() - 2], inner = a.back(), columns = b.back();
  const Matrix<T> ma{*va, ta ? 1 : stored_a.back(), ta ? stored_a.back() : 1},
      mb{*vb, tb ? 1 : stored_b.back(), tb ? stored_b.back() : 1};
  std::vector<int64_t> base_a, base_b;
  for_each_position(batch, 0, batch_strides(stored_a, batch), [&](int64_t, int64_t at) { base_a.push_back(at); });
  for_each_position(batch, 0, batch_strides(stored_b, batch), [&](int64_t, int64_t at) { base_b.push_back(at); });
  std::vector<T> out(static_cast<size_t>(element_count(n.shape())), T(0));
  for (size_t k = 0; k < base_a.size(); ++k)
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t x = 0; x < inner; ++x) {
        const T factor = ma.at(base_a[k], i, x);
        T* row = out.data() + (static_cast<int64_t>(k) * rows + i) * columns;
        for (int64_t j = 0; j < columns; ++j) row[j] = add(row[j], multiply(factor, mb.at(base_b[k], x, j)));
      }
  return {store<T>(n.element_type(), n.shape(), out)};
}

std::vector<Tensor> evaluate_matmul(const Node& n, Tensors inputs) {
  std::vector<Tensor> result;
  with_working_type(n.element_type(),
                    [&](auto zero) { result = multiply_matrices<decltype(zero)>(n, *inputs[0], *inputs[1]); });
  return result;
}

// Shapes only.
void infer_einsum(Inference& in) {
  std::vector<Shape> inputs;
  for (int i = 0; i < in.input_count(); ++i) inputs.push_back(in.shape(i));
  Shape out;
  try {
    const EinsumLabels l = read_einsum(in.attrs().text("equation"), inputs);
    for (const std::string& name : l.output) out.push_back(l.sizes.at(name));
  } catch (const Error& e) {
    in.fail(e.what());
  }
  in.output(in.type(), std::move(out));
}

constexpr OpRow kOps[] = {
    {"MatMul", 0, {1, 7}, 2, 2, kMatMul, infer_matmul, evaluate_matmul},
    {"Einsum", 0, {7, 7}, 1, kAnyNumber, kEinsum, infer_einsum},
};

}  // namespace

std::span<const OpRow> matmul_ops() { return kOps; }

}  // namespace blobsmith::ops
