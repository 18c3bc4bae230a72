#include "transforms/legalise/rows.hpp"

#include <algorithm>
#include <optional>

#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith {
namespace {

using transforms::Rewriter;

constexpr int64_t kFewRows = 10;  ///< as many or fewer are as fast apart, without the two Transposes

struct Product {
  int64_t rows, in, out;
};

/// x [..., rows, in] by a constant [in, out], or its transpose.
std::optional<Product> product_of(const Node& n) {
  const Shape &x = n.input(0).shape(), &w = n.input(1).shape();
  if (!n.input(1).node->is_constant() || n.input(0).node->is_constant() || n.attrs.flag("transpose_a")) return {};
  if (!is_float(n.element_type()) || !is_static(x) || x.size() < 2 || w.size() < 2) return {};
  const int64_t in = x.back(), out = n.shape().back();
  if (in < 1 || out < 1 || element_count(w) != in * out) return {};
  const int64_t rows = element_count(x) / in;
  if (rows <= kFewRows || rows % 10 == 0) return {};
  return Product{rows, in, out};
}

/// Lines of at least 64 places, a multiple of 8, suit the convolution engine; else they are as long as may be.
int64_t line_length(int64_t rows) {
  constexpr int64_t kLeast = 64, kMost = 256, kStep = 8;
  for (int64_t w = kLeast; w <= std::min(rows, kMost); w += kStep)
    if (rows % w == 0) return w;
  int64_t w = std::min(rows, kMost);
  while (rows % w != 0) --w;
  return w;
}

/// The only reader of v, where it adds a constant to each column.
Node* bias_behind(Value v, int64_t columns) {
  if (!transforms::has_one_user(v) || transforms::feeds_result(v)) return nullptr;
  Node* add = v.node->output().uses[0].node;
  if (!add->is("Add") || add->shape() != v.shape()) return nullptr;
  const Value other = add->input(add->input(0) == v ? 1 : 0);
  const bool per_column = other.node->is_constant() && !other.shape().empty() && other.shape().back() == columns &&
                          element_count(other.shape()) == columns;
  return per_column ? add : nullptr;
}

Remark to_plane(Rewriter& rw, Node* n, const Product& p) {
  const int64_t width = line_length(p.rows), height = p.rows / width;
  Value w = n->input(1);
  if (!n->attrs.flag("transpose_b")) w = rw.transpose(rw.reshape(w, {p.in, p.out})->value(), {1, 0})->value();
  w = rw.reshape(w, {p.out, p.in, 1, 1})->value();
  const Value lines = rw.reshape(n->input(0), {1, height, width, p.in})->value();
  const Value plane = rw.transpose(lines, {0, 3, 1, 2})->value();
  const std::vector<int64_t> ones{1, 1}, zeros{0, 0};
  Node* y = rw.make("Convolution", {plane, w},
                    transforms::attributes({{"strides", ones},
                                            {"dilations", ones},
                                            {"pads_begin", zeros},
                                            {"pads_end", zeros},
                                            {"auto_pad", "explicit"}}));
  y->name = n->name + "/rows";
  const Remark said =
      remark(Remark::Kind::Rewritten, *n,
             "a 1x1 convolution over " + std::to_string(height) + "x" + std::to_string(width) + " rows");
  Node* last = n;
  if (Node* add = bias_behind(n->value(), p.out)) {
    const Value bias = add->input(add->input(0).node == n ? 1 : 0);
    y = rw.make("Add", {y->value(), rw.reshape(bias, {1, p.out, 1, 1})->value()});
    last = add;
  }
  const Value back = rw.transpose(y->value(), {0, 2, 3, 1})->value();
  rw.replace(last, rw.reshape(back, last->shape()));
  return said;
}

/// Several items of a batch are run one by one, and not to be mixed.
bool is_one_item(const Graph& graph) {
  return std::ranges::all_of(graph.parameters(),
                             [](const Node* p) { return p->shape().empty() || p->shape()[0] == 1; });
}

}  // namespace

std::vector<Remark> rows_to_planes(Graph& graph) {
  std::vector<Remark> done;
  if (!is_one_item(graph)) return done;
  Rewriter rw(graph);
  for (Node* n : graph.ordered()) {
    if (!n->is("MatMul")) continue;
    rw.set_origin(n->source);
    if (const auto p = product_of(*n)) done.push_back(to_plane(rw, n, *p));
  }
  if (!done.empty()) graph.remove_unreachable();
  return done;
}

}  // namespace blobsmith
