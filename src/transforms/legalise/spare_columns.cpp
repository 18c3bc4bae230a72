// Columns that only help a normalisation are not cut off where products read the rest: rows of zeros in their matrices
// leave them out, for less than a copy of all rows.
//
//   MVN [rows, 98] ─ StridedSlice [rows, 96] ─ (Reshape, Transpose ...) ─ MatMul W [96, out]
//   is MVN [rows, 98] ─ (Reshape, Transpose ...) ─ MatMul W, 0, 0 [98, out]
#include <algorithm>

#include "transforms/legalise/row_moves.hpp"
#include "transforms/legalise/rows.hpp"

namespace blobsmith::legalise_rows {
namespace {

/// A slice of the first columns of a normalisation.
bool cuts_columns(const Node& n) {
  constexpr int64_t kMostSpare = 2;
  if (!n.is("StridedSlice") || !n.input(0).node->is("MVN") || !is_static(n.shape()) || n.shape().empty()) return false;
  const Shape& whole = n.input(0).shape();
  const Tensor* begin = transforms::constant_of(n.input(1));
  if (!begin || begin->shape != Shape{std::ssize(whole)} || whole.size() != n.shape().size()) return false;
  const int64_t spare = whole.back() - n.shape().back();
  return spare > 0 && spare <= kMostSpare && begin->to_i64().back() == 0 &&
         std::equal(whole.begin(), whole.end() - 1, n.shape().begin());
}

/// W with rows of zeros for columns that it doesn't read.
Tensor with_spare_rows(const Node& product, int64_t columns) {
  const Tensor& w = product.input(1).node->constant;
  const bool transposed = product.attrs.flag("transpose_b");
  const auto rows = static_cast<size_t>(w.shape[0]), in_row = static_cast<size_t>(w.shape[1]);
  Shape shape = w.shape;
  shape[transposed ? 1 : 0] = columns;
  const std::vector<float> from = w.to_f32();
  std::vector<float> values(static_cast<size_t>(element_count(shape)), 0.0F);
  const auto pitch = static_cast<size_t>(shape[1]);
  for (size_t r = 0; r < rows; ++r)
    std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(r * in_row), in_row,
                values.begin() + static_cast<std::ptrdiff_t>(r * pitch));
  return floats_as(w, std::move(shape), std::move(values));
}

void keep_columns(Rewriter& rw, Node* cut) {
  const std::vector<Node*> products = products_behind(cut, cut->shape().back(), true);
  const int64_t spare = cut->input(0).shape().back() - cut->shape().back();
  if (std::ranges::any_of(products, [&](const Node* p) { return moves_input_away(*p, spare); })) return;
  MovedRows rows(rw, cut->value(), cut->input(0));
  std::vector<Value> inputs;
  for (const Node* p : products) {
    const auto moved = rows.of(p->input(0));
    if (!moved) return;
    inputs.push_back(*moved);
  }
  for (size_t i = 0; i < products.size(); ++i) {
    const Value weights = rw.constant(with_spare_rows(*products[i], inputs[i].shape().back()));
    rw.set_input(products[i], 0, inputs[i]);
    rw.set_input(products[i], 1, weights);
  }
}

}  // namespace

void keep_spare_columns(Graph& graph) {
  Rewriter rw(graph);
  for (Node* n : graph.ordered()) {
    rw.set_origin(n->source);
    if (n->output_count() == 1 && n->use_count() > 0 && cuts_columns(*n)) keep_columns(rw, n);
  }
  graph.remove_unreachable();
}

}  // namespace blobsmith::legalise_rows
