// MatMul and Einsum (front-end spec §15.1).
#include <algorithm>
#include <map>

#include "graph/ops/numbers.hpp"
#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"
#include "graph/ops/strided.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;
constexpr AttributeSpec kMatMul[] = {{"transpose_a", Flag, "false"}, {"transpose_b", Flag, "false"}};
constexpr AttributeSpec kEinsum[] = {{"equation", Text, kMandatory}};

// An operand as a matrix with leading batch axes: a vector becomes a row (left) or a column (right) and ignores its flag.
Shape as_matrix(const Shape& s, bool transpose, bool left) {
  if (s.size() == 1) return left ? Shape{1, s[0]} : Shape{s[0], 1};
  Shape m = s;
  if (transpose) std::swap(m[m.size() - 1], m[m.size() - 2]);
  return m;
}

void infer_matmul(Inference& in) {
  if (in.type(0) != in.type(1)) in.fail_type("Arguments do not have the same element type");
  if (in.rank(0) == 0 || in.rank(1) == 0) in.fail("Scalars are not supported as MatMul inputs");
  const Shape a = as_matrix(in.shape(0), in.attrs().flag("transpose_a"), true), b = as_matrix(in.shape(1), in.attrs().flag("transpose_b"), false);
  if (!merge_dims(a.back(), b[b.size() - 2])) in.fail("Incompatible matrix dimensions: " + to_string(in.shape(0)) + " and " + to_string(in.shape(1)));
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
  T at(int64_t base, int64_t row, int64_t column) const { return values[static_cast<size_t>(base + row * row_stride + column * column_stride)]; }
};

template <class T>
std::vector<Tensor> multiply_matrices(const Node& n, const Tensor& left, const Tensor& right) {
  const auto va = load<T>(left), vb = load<T>(right);
  if (!va || !vb) return {};
  const bool ta = n.attrs.flag("transpose_a") && left.shape.size() > 1, tb = n.attrs.flag("transpose_b") && right.shape.size() > 1;
  const Shape stored_a = as_matrix(left.shape, false, true), stored_b = as_matrix(right.shape, false, false);
  const Shape a = as_matrix(left.shape, ta, true), b = as_matrix(right.shape, tb, false);
  const Shape batch = *broadcast(Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2));
  const int64_t rows = a[a.size() - 2], inner = a.back(), columns = b.back();
  const Matrix<T> ma{*va, ta ? 1 : stored_a.back(), ta ? stored_a.back() : 1}, mb{*vb, tb ? 1 : stored_b.back(), tb ? stored_b.back() : 1};
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
  with_working_type(n.element_type(), [&](auto zero) { result = multiply_matrices<decltype(zero)>(n, *inputs[0], *inputs[1]); });
  return result;
}

// ---- Einsum: shapes only ----

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == at) parts.emplace_back();
    else if (c != ' ') parts.back() += c;
  }
  return parts;
}

// One label per axis; "..." stands for the axes that remain and becomes labels "0", "1", ... counted from the back.
std::vector<std::string> labels(const Inference& in, const std::string& subscript, int64_t rank) {
  std::vector<std::string> list;
  const auto dots = static_cast<int64_t>(subscript.size()) - (subscript.find("...") != std::string::npos ? 3 : 0);
  for (size_t i = 0; i < subscript.size(); ++i) {
    if (subscript.compare(i, 3, "...") == 0) {
      for (int64_t k = rank - dots; k > 0; --k) list.push_back(std::to_string(k));
      i += 2;
    } else {
      list.emplace_back(1, subscript[i]);
    }
  }
  if (rank >= 0 && static_cast<int64_t>(list.size()) != rank) in.fail("Equation doesn't fit the rank of its inputs");
  return list;
}

void collect_labels(const Inference& in, const std::vector<std::string>& subscripts, std::map<std::string, int64_t>& sizes) {
  for (int i = 0; i < in.input_count(); ++i) {
    const auto names = labels(in, subscripts[static_cast<size_t>(i)], in.rank(i));
    for (size_t axis = 0; axis < names.size(); ++axis) {
      const int64_t size = in.shape(i)[axis];
      const auto [it, fresh] = sizes.emplace(names[axis], size);
      if (fresh) continue;
      if (it->second == 1) it->second = size;
      else if (size != 1 && !merge_dims(it->second, size)) in.fail("Different input dimensions indicated by the same labels for Einsum must be compatible");
    }
  }
}

std::string implicit_output(const std::string& inputs) {
  // quirk: every label once, in the order in which they appear; numpy would sum up those that appear twice.
  std::string out;
  for (char c : inputs)
    if (out.find(c) == std::string::npos && c != ',' && c != '.') out += c;
  return inputs.find("...") != std::string::npos ? "..." + out : out;
}

void infer_einsum(Inference& in) {
  const std::string& equation = in.attrs().text("equation");
  const size_t arrow = equation.find("->");
  const std::string left = equation.substr(0, arrow);
  const std::vector<std::string> subscripts = split(left, ',');
  if (static_cast<int>(subscripts.size()) != in.input_count()) in.fail("Equation must contain one subscript per input");
  std::map<std::string, int64_t> sizes;
  collect_labels(in, subscripts, sizes);
  const std::string right = arrow == std::string::npos ? implicit_output(left) : split(equation.substr(arrow + 2), ',')[0];
  int64_t unnamed = 0;
  for (const auto& [name, size] : sizes) unnamed += std::isdigit(static_cast<unsigned char>(name[0])) ? 1 : 0;
  const auto letters = static_cast<int64_t>(right.size()) - (right.find("...") != std::string::npos ? 3 : 0);
  Shape out;
  for (const std::string& name : labels(in, right, right.find("...") != std::string::npos ? letters + unnamed : letters)) {
    const auto it = sizes.find(name);
    if (it == sizes.end()) in.fail("Label \"" + name + "\" of the output is in no input");
    out.push_back(it->second);
  }
  in.output(in.type(), std::move(out));
}

constexpr Op kOps[] = {
    {"MatMul", 0, {1, 7}, 2, 2, kMatMul, infer_matmul, evaluate_matmul},
    {"Einsum", 0, {7, 7}, 1, kAnyNumber, kEinsum, infer_einsum},
};

}  // namespace

std::span<const Op> matmul_ops() { return kOps; }

}  // namespace blobsmith::ops
