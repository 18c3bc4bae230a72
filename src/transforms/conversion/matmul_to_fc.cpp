// MatMul by a constant matrix is a FullyConnected with biases, every other one a Gemm of equal ranks
// (front-end spec §5.6, MatMul).
#include <algorithm>
#include <numeric>

#include "transforms/conversion/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

Node* swap_last_two(Rewriter& rw, Value v, std::string name) {
  std::vector<int64_t> order(v.shape().size());
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  Node* t = rw.transpose(v, order);
  t->name = std::move(name);
  return t;
}

// The operand's shape as both operands are compared: 1s in front, and not transposed.
Shape aligned(Shape s, size_t rank, bool transposed) {
  s.insert(s.begin(), rank - s.size(), 1);
  if (transposed) std::swap(s[rank - 1], s[rank - 2]);
  return s;
}

void check_batches(const Node& n, const Shape& a, const Shape& b) {
  for (size_t i = 0; i + 2 < a.size(); ++i)
    if (a[i] != b[i] && a[i] != 1 && b[i] != 1)
      throw cannot_compile(n, "Shapes can't be aligned: " + to_string(a) + " " + to_string(b));
}

Node* fully_connected(Rewriter& rw, std::vector<Value> inputs, ElementType type, Shape shape) {
  Node* fc = rw.add("FullyConnected", std::move(inputs));
  rw.graph().set_outputs(fc, {{type, std::move(shape)}});
  return fc;
}

bool matmul_to_fully_connected(Rewriter& rw, Node* n) {
  Value a = n->input(0), b = n->input(1);
  if (producer(a, "DynamicShapeResolver")) return false;
  const Shape &shape_a = a.shape(), &shape_b = b.shape();
  const auto real_dims = std::ranges::count_if(shape_b, [](int64_t d) { return d != 1; });
  if (!constant_of(b) || !is_static(shape_a) || shape_b.size() < 2 || shape_a.empty() || real_dims > 2) return false;
  const bool transpose_a = n->attrs.flag("transpose_a") && shape_a.size() > 1,
             transpose_b = n->attrs.flag("transpose_b");
  const size_t rank = std::max(shape_a.size(), shape_b.size());
  const Shape aligned_a = aligned(shape_a, rank, transpose_a), aligned_b = aligned(shape_b, rank, transpose_b);
  check_batches(*n, aligned_a, aligned_b);
  const int64_t k = aligned_a.back(), o = aligned_b.back();
  if (real_dims == 2 && product(shape_b) != k * o) return false;

  if (!transpose_b) b = swap_last_two(rw, b, n->name + "/transpose_b")->value();
  if (b.shape().size() != 2) b = rw.reshape(b, {-1, k}, true)->value();
  if (transpose_a) a = swap_last_two(rw, a, n->name + "/transpose_a")->value();
  const Value biases = rw.filled(n->element_type(), {o}, 0);
  return rw.replace(n, fully_connected(rw, {a, b, biases}, n->element_type(), n->shape()));
}

// Makes a 1-D operand 2-D; its transpose flag no longer counts.
void raise_vector(Rewriter& rw, Value& v, int64_t axis, Attributes& attrs, const char* flag) {
  if (v.shape().size() != 1) return;
  const Value at = rw.indices({axis});
  v = rw.make("Unsqueeze", {v, at})->value();
  attrs.set(flag, false);
}

void raise_rank(Rewriter& rw, Value& v, size_t rank) {
  if (v.shape().size() >= rank) return;
  Shape s = v.shape();
  s.insert(s.begin(), rank - s.size(), 1);
  v = rw.reshape(v, s, true)->value();
}

bool matmul_to_gemm(Rewriter& rw, Node* n) {
  Value a = n->input(0), b = n->input(1);
  if (!is_static(a.shape()) || !is_static(b.shape())) return false;
  Attributes attrs = n->attrs;
  raise_vector(rw, a, 0, attrs, "transpose_a");
  raise_vector(rw, b, 1, attrs, "transpose_b");
  raise_rank(rw, a, b.shape().size());
  raise_rank(rw, b, a.shape().size());
  Node* gemm = rw.make("MatMul", {a, b}, attrs);
  if (gemm->shape() == n->shape()) return rw.replace(n, gemm);
  gemm->name = n->name + "/gemm";
  if (!n->shape().empty()) return rw.replace(n, rw.reshape(gemm->value(), n->shape(), true));
  std::vector<int64_t> all(gemm->shape().size());
  std::iota(all.begin(), all.end(), 0);
  const Value axes = rw.indices(all);
  return rw.replace(n, rw.make("Squeeze", {gemm->value(), axes}));
}

bool fuse_add_into_fully_connected(Rewriter& rw, Node* n) {
  for (const auto& [x, addend] : either_order(n)) {
    Node* fc = producer(x, "FullyConnected");
    if (!fc || !has_one_user(x) || !constant_of(addend)) continue;
    const Shape& c = addend.shape();
    if (c.empty() || (c.back() != fc->shape().back() && c.back() != 1) || element_count(c) != c.back()) continue;
    Value biases = rw.make("Add", {fc->input(2), addend})->value();
    if (biases.shape().size() > 1) biases = rw.reshape(biases, {-1}, true)->value();
    return rw.replace(n, fully_connected(rw, {fc->input(0), fc->input(1), biases}, n->element_type(), fc->shape()));
  }
  return false;
}

bool flatten_fully_connected(Rewriter& rw, Node* n) {
  const Value x = n->input(0);
  if (x.shape().size() == 2) return false;
  Node* flat = rw.reshape(x, {-1, x.shape().back()}, true);
  flat->name = n->name + "/Reshape";
  const Shape shape{flat->shape()[0], n->input(1).shape()[0]};
  Node* fc = fully_connected(rw, {flat->value(), n->input(1), n->input(2)}, n->element_type(), shape);
  if (shape == n->shape()) return rw.replace(n, fc);
  fc->name = n->name + "/FC";
  return rw.replace(n, rw.reshape(fc->value(), n->shape(), true));
}

bool fuse_reshape_into_fully_connected(Rewriter& rw, Node* n) {
  Node* reshape = producer(n->input(0), "Reshape");
  if (!reshape) return false;  // other readers keep it
  const Shape &from = reshape->input(0).shape(), &to = reshape->shape();
  if (from != to && (from.size() != 4 || to.size() != 2)) return false;
  const int64_t k = n->input(1).shape().back();
  if (from.empty() || n->shape().empty() || from[0] != n->shape()[0] || product(std::span(from).subspan(1)) != k)
    return false;
  return rw.replace(n,
                    fully_connected(rw, {reshape->input(0), n->input(1), n->input(2)}, n->element_type(), n->shape()));
}

constexpr RewriteRow kMatmulToLegacy[] = {
    {{"MatMul"}, matmul_to_fully_connected},
    {{"MatMul"}, matmul_to_gemm},
};
constexpr RewriteRow kBiasesIntoFullyConnected[] = {
    {{"Add"}, fuse_add_into_fully_connected},
};
constexpr RewriteRow kFlatFullyConnected[] = {
    {{"FullyConnected"}, flatten_fully_connected},
};
constexpr RewriteRow kReshapesBeforeFullyConnected[] = {
    {{"FullyConnected"}, fuse_reshape_into_fully_connected},
};

}  // namespace

std::span<const RewriteRow> matmul_to_legacy() { return kMatmulToLegacy; }
std::span<const RewriteRow> biases_into_fully_connected() { return kBiasesIntoFullyConnected; }
std::span<const RewriteRow> flat_fully_connected() { return kFlatFullyConnected; }
std::span<const RewriteRow> reshapes_before_fully_connected() { return kReshapesBeforeFullyConnected; }

}  // namespace blobsmith::transforms
