// MatMul as the model optimizations restate it: constant weights are transposed beforehand, and a product with a
// constant behind it goes into its second operand (releases spec §2).
//
// (x · W) * c with x of [N, K], W of [K, M] and c of [M] is x · (W * c); where W stands transposed, as [M, K], c is
// turned to [M, 1] first. quirk: the second operand need not be a constant, and the MatMul may have other readers: then
// both are computed.
#include <algorithm>
#include <numeric>

#include "transforms/conversion/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

std::vector<int64_t> last_two_swapped(size_t rank) {
  std::vector<int64_t> order(rank);
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[rank - 1], order[rank - 2]);
  return order;
}

Value swapped_constant(Rewriter& rw, Value v) {
  return rw.computed(rw.transpose(v, last_two_swapped(v.shape().size())));
}

bool transpose_weights(Rewriter& rw, Node* n) {
  const Value weights = n->input(1);
  if (n->attrs.flag("transpose_b") || !constant_of(weights)) return false;
  const auto rank = static_cast<std::ptrdiff_t>(weights.shape().size());
  if (rank < 2 || std::ranges::count(weights.shape(), 1) < rank - 2) return false;
  const Value transposed = swapped_constant(rw, weights);
  return rw.replace(n, rw.make("MatMul", {n->input(0), transposed},
                               attributes({{"transpose_a", n->attrs.flag("transpose_a")}, {"transpose_b", true}})));
}

// Whether broadcasting by the outer dimensions of `factor` would enlarge an operand of this shape.
bool enlarges(const Shape& operand, const Shape& factor) {
  if (operand.size() < factor.size()) return true;
  for (size_t i = 3; i <= factor.size(); ++i)
    if (factor[factor.size() - i] != 1 && operand[operand.size() - i] != factor[factor.size() - i]) return true;
  return false;
}

bool fits(const Node& matmul, const Shape& factor) {
  const Shape &weights = matmul.input(1).shape(), &x = matmul.input(0).shape();
  if (factor.empty()) return true;
  if (matmul.shape().size() < factor.size()) return false;
  if (factor.size() > 1 && factor[factor.size() - 2] != 1) return false;
  if (factor.size() > weights.size() && !constant_of(matmul.input(1))) return false;
  if (element_count(factor) <= 1) return true;
  if (factor.back() > 1) {
    const bool transposed = matmul.attrs.flag("transpose_b");
    if (transposed && weights.size() > 1 && factor.back() != weights[weights.size() - 2]) return false;
    if (!transposed && factor.back() != weights.back()) return false;
  }
  return factor.size() <= 2 || !enlarges(x, factor) || !enlarges(weights, factor);
}

// The factor for weights of which rows and columns have changed places.
Value turned(Rewriter& rw, Value factor) {
  Shape shape = factor.shape();
  if (element_count(shape) == 1 || shape.back() == 1) return factor;
  if (shape.size() == 1) {
    shape.insert(shape.begin(), 1);
    factor = rw.reshape(factor, shape)->value();
  }
  return rw.computed(rw.transpose(factor, last_two_swapped(shape.size())));
}

bool fuse_multiply_into_matmul(Rewriter& rw, Node* n) {
  for (const auto& [product, c] : either_order(n)) {
    Node* matmul = producer(product, "MatMul");
    const Tensor* t = constant_of(c);
    if (!matmul || !t || !is_static(matmul->input(1).shape()) || matmul->input(1).shape().empty() ||
        !fits(*matmul, t->shape))
      continue;
    const bool turn = matmul->attrs.flag("transpose_b") && !t->shape.empty();
    const Value factor = turn ? turned(rw, c) : c;
    const Value weights = rw.computed(rw.make("Multiply", {matmul->input(1), factor}));
    return rw.replace(n, rw.visit(rw.copy(matmul, {matmul->input(0), weights})));
  }
  return false;
}

// The order that brings the last two axes to the front.
bool moves_last_two_to_front(const std::vector<int64_t>& order) {
  const auto rank = static_cast<int64_t>(order.size());
  for (int64_t i = 0; i < rank; ++i)
    if (order[static_cast<size_t>(i)] != (i + rank - 2) % rank) return false;
  return true;
}

bool are_inverse(const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  for (size_t i = 0; i < a.size(); ++i)
    if (b[static_cast<size_t>(a[i])] != static_cast<int64_t>(i)) return false;
  return true;
}

// For a transposed second operand: [0, 1, ..., N-1, N-2] before the product and [1, ..., N-2, 0, N-1] behind it.
bool swap_and_rotate(const std::vector<int64_t>& before, const std::vector<int64_t>& after) {
  if (before != last_two_swapped(before.size())) return false;
  std::vector<int64_t> rotated(after.size());
  std::iota(rotated.begin(), rotated.end() - 2, 1);
  rotated[after.size() - 2] = 0;
  rotated[after.size() - 1] = static_cast<int64_t>(after.size()) - 1;
  return after == rotated;
}

// Transpose(Reshape(MatMul(a, Reshape(Transpose(b))))) that only unrolls a product of a [M, K] with every matrix of b.
bool unroll_no_transposes(Rewriter& rw, Node* n) {
  Node* behind = producer(n->input(0), "Reshape");
  Node* matmul = behind ? producer(behind->input(0), "MatMul") : nullptr;
  Node* flat = matmul ? producer(matmul->input(1), "Reshape") : nullptr;
  Node* turned = flat ? producer(flat->input(0), "Transpose") : nullptr;
  const Tensor* after = constant_of(n->input(1));
  if (!turned || !after || !constant_of(turned->input(1)) || !constant_of(behind->input(1))) return false;
  const Tensor* pattern = constant_of(flat->input(1));
  const Value a = matmul->input(0), b = turned->input(0);
  if (!pattern || a.shape().size() != 2 || !is_static(a.shape()) || !is_static(b.shape())) return false;

  const Shape& before_flat = turned->shape();
  const bool transposed = matmul->attrs.flag("transpose_b");
  if (before_flat.size() < 3 || flat->shape().size() != 2) return false;
  const int64_t k = transposed ? before_flat.back() : before_flat.front(), rest = element_count(before_flat) / k;
  const std::vector<int64_t> wanted = pattern->to_i64();
  const bool flattens = transposed ? wanted == std::vector<int64_t>{rest, k}
                                   : wanted == std::vector<int64_t>{k, -1} || wanted == std::vector<int64_t>{k, rest};
  const std::vector<int64_t> first = constant_of(turned->input(1))->to_i64(), last = after->to_i64();
  if (!flattens || first.size() != last.size() || first.size() < 3) return false;
  if (transposed ? !swap_and_rotate(first, last) : !moves_last_two_to_front(first) || !are_inverse(first, last))
    return false;
  return rw.replace(n,
                    rw.make("MatMul", {a, b},
                            attributes({{"transpose_a", matmul->attrs.flag("transpose_a")}, {"transpose_b", false}})));
}

constexpr RewriteRow kUnrolledMatMuls[] = {
    {{"Transpose"}, unroll_no_transposes},
};
constexpr RewriteRow kTransposedWeights[] = {
    {{"MatMul"}, transpose_weights},
};
constexpr RewriteRow kMultiplicationsIntoMatMuls[] = {
    {{"Multiply"}, fuse_multiply_into_matmul},
};

}  // namespace

std::span<const RewriteRow> unrolled_matmuls() { return kUnrolledMatMuls; }
std::span<const RewriteRow> transposed_weights() { return kTransposedWeights; }
std::span<const RewriteRow> multiplications_into_matmuls() { return kMultiplicationsIntoMatMuls; }

}  // namespace blobsmith::transforms
