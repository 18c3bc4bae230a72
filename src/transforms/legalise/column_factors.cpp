// Factors and summands of columns that nothing but products by constant matrices reads become part of these. After
// every normalisation of a transformer they are two stages that do nothing that the next product couldn't.
//
//   x [rows, in] ─ Multiply g [in] ─ Add b [in] ─ (Reshape, Transpose ...) ─ MatMul W [in, out]
//   is x ─ (Reshape, Transpose ...) ─ MatMul diag(g) W ─ Add b W
#include <algorithm>
#include <cmath>
#include <optional>

#include "transforms/legalise/row_moves.hpp"

namespace blobsmith::legalise_rows {
namespace {

/// x * or + a constant for each column of the last axis, or one for all.
struct Columns {
  Value data;
  std::vector<double> by;
  bool multiplies = false;
};

std::vector<double> doubles(const Tensor& t) {
  const std::vector<float> v = t.to_f32();
  return {v.begin(), v.end()};
}

std::optional<Columns> columns_of(const Node& n) {
  const bool multiplies = n.is("Multiply");
  if ((!multiplies && !n.is("Add")) || !is_float(n.element_type()) || !is_static(n.shape()) || n.shape().size() < 2)
    return {};
  for (const int port : {0, 1}) {
    const Value data = n.input(1 - port);
    const Tensor* t = transforms::constant_of(n.input(port));
    const int64_t columns = n.shape().back();
    if (!t || data.node->is_constant() || data.shape() != n.shape()) continue;
    if (element_count(t->shape) == 1)
      return Columns{data, std::vector(static_cast<size_t>(columns), doubles(*t)[0]), multiplies};
    if (element_count(t->shape) == columns && t->shape.back() == columns) return Columns{data, doubles(*t), multiplies};
  }
  return {};
}

bool keep_digits(const std::vector<double>& factors) {
  return std::ranges::all_of(factors, [](double f) { return f == 0 || keeps_digits(f); });
}

/// Where W [in, out] of a product, or its transpose, has an element.
struct Layout {
  size_t in, out;
  bool transposed;

  size_t at(size_t i, size_t o) const { return transposed ? o * in + i : i * out + o; }
};

Layout layout_of(const Node& product, size_t in) {
  const auto count = static_cast<size_t>(element_count(product.input(1).shape()));
  return {in, count / in, product.attrs.flag("transpose_b")};
}

/// diag(by) W; none where FP16 doesn't hold it.
std::optional<Tensor> weighted(const Node& product, const std::vector<double>& by) {
  constexpr float kLargestHalf = 65504;
  const Tensor& w = product.input(1).node->constant;
  const Layout l = layout_of(product, by.size());
  std::vector<float> values = w.to_f32();
  for (size_t i = 0; i < l.in; ++i)
    for (size_t o = 0; o < l.out; ++o) values[l.at(i, o)] *= static_cast<float>(by[i]);
  if (std::ranges::any_of(values, [](float v) { return std::fabs(v) > kLargestHalf; })) return {};
  return floats_as(w, w.shape, std::move(values));
}

/// by W
std::vector<double> sums_of(const Node& product, const std::vector<double>& by) {
  const Layout l = layout_of(product, by.size());
  const std::vector<float> values = product.input(1).node->constant.to_f32();
  std::vector<double> sums(l.out, 0.0);
  for (size_t i = 0; i < l.in; ++i)
    for (size_t o = 0; o < l.out; ++o) sums[o] += by[i] * static_cast<double>(values[l.at(i, o)]);
  return sums;
}

/// Adds to what the product gives; to the constant that is added there already, where there is one.
void add_behind(Rewriter& rw, Node* product, std::vector<double> sums) {
  const Value made = product->value();
  if (transforms::has_one_user(made) && !transforms::feeds_result(made)) {
    Node* reader = made.node->output().uses[0].node;
    if (const auto bias = reader->is("Add") ? columns_of(*reader) : std::nullopt; bias && bias->data == made) {
      for (size_t i = 0; i < sums.size(); ++i) sums[i] += bias->by[i];
      const int port = reader->input(0) == made ? 1 : 0;
      rw.set_input(reader, port, rw.constant(Tensor::reals(made.type(), reader->input(port).shape(), sums)));
      return;
    }
  }
  const std::vector<NodeUse> uses = made.node->output().uses;
  const auto columns = static_cast<int64_t>(sums.size());
  Node* add = rw.make("Add", {made, rw.constant(Tensor::reals(made.type(), {columns}, sums))});
  add->name = product->name;
  product->name += "/product";
  for (const NodeUse& use : uses) rw.set_input(use.node, use.port, add->value());
}

/// Of what it says, the largest error: that of the weights, which are rounded once more.
constexpr double kRounding = 0x1p-11;

bool fold(Rewriter& rw, Node* n, std::vector<Remark>& said) {
  const auto columns = columns_of(*n);
  if (!columns || (columns->multiplies && !keep_digits(columns->by))) return false;
  std::vector<Node*> moves;
  const std::vector<Node*> products = products_behind(n, n->shape().back(), columns->multiplies, &moves);
  if (products.empty()) return false;
  Remark r = remark(Remark::Kind::Rewritten, *n,
                    columns->multiplies ? "factors of the weights behind it" : "a part of the bias behind it");
  r.max_error = kRounding;
  if (columns->multiplies) {
    std::vector<Tensor> weights;
    for (const Node* p : products) {
      std::optional<Tensor> w = weighted(*p, columns->by);
      if (!w) return false;
      weights.push_back(*std::move(w));
    }
    for (size_t i = 0; i < products.size(); ++i) rw.set_input(products[i], 1, rw.constant(std::move(weights[i])));
  } else {
    for (Node* p : products) add_behind(rw, p, sums_of(*p, columns->by));
  }
  for (Node* m : moves) m->name += "/before";  // it holds other values than the model's
  said.push_back(std::move(r));
  return rw.redirect(n->value(), columns->data);
}

}  // namespace

std::vector<Remark> fold_column_factors(Graph& graph) {
  std::vector<Remark> said;
  Rewriter rw(graph);
  const std::vector<Node*> order = graph.ordered();
  for (auto it = order.rbegin(); it != order.rend(); ++it) {  // the summand first, which lies behind the factor
    rw.set_origin((*it)->source);
    if ((*it)->output_count() == 1 && (*it)->use_count() > 0) fold(rw, *it, said);
  }
  if (!said.empty()) graph.remove_unreachable();
  return said;
}

}  // namespace blobsmith::legalise_rows
