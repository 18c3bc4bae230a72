// Products of matrices in more axes than the VPU's stage has: axes of the batch become one. A second factor without a
// batch of its own lets the rows of all items be those of one matrix.
//
//   [2,3,4,m,k] x [2,3,4,k,n] -> [24,m,k] x [24,k,n]         [2,3,4,m,k] x [k,n] -> [1,24m,k] x [k,n]
#include <algorithm>
#include <cctype>
#include <map>
#include <optional>

#include "graph/ops/einsum.hpp"
#include "transforms/legalise/terms.hpp"

namespace blobsmith::legalise_rows {
namespace {

constexpr size_t kMostAxesOfFactors = 4;  ///< of the stage's factors

bool has_many_axes(const Node& n) {
  return is_static(n.shape()) && is_float(n.element_type()) &&
         std::max(n.input(0).shape().size(), n.input(1).shape().size()) > kMostAxesOfFactors;
}

int64_t batch_of(const Shape& s) {
  int64_t r = 1;
  for (size_t i = 0; i + 2 < s.size(); ++i) r *= s[i];
  return r;
}

/// [batch, rows, columns]; repeated where the product's batch asks for it.
Value with_batch(Terms& t, Value v, const Shape& product) {
  const Shape& s = v.shape();
  Shape whole = product;
  std::copy(s.end() - 2, s.end(), whole.end() - 2);
  if (batch_of(s) != batch_of(product)) {
    const Value target = t.rewriter().indices(whole);
    v = t.make("Broadcast", {v, target}, transforms::attributes({{"mode", "numpy"}}));
  }
  return t.reshape(v, {batch_of(product), *(s.end() - 2), s.back()});
}

Value multiply_matrices(Rewriter& rw, const Node& n) {
  Terms t(rw);
  Value a = n.input(0), b = n.input(1);
  Shape product = n.shape();
  Attributes attrs = n.attrs;
  if (a.shape().size() == 1) {  // a row
    a = t.reshape(a, {1, a.shape()[0]});
    attrs.set("transpose_a", false);
    product.insert(product.end() - 1, 1);
  }
  if (b.shape().size() == 1) {  // a column
    b = t.reshape(b, {b.shape()[0], 1});
    attrs.set("transpose_b", false);
    product.push_back(1);
  }
  const Shape as = a.shape(), bs = b.shape();
  Value left, right;
  if (batch_of(bs) == 1 && !attrs.flag("transpose_a")) {
    left = t.reshape(a, {1, batch_of(as) * *(as.end() - 2), as.back()});
    right = t.reshape(b, {*(bs.end() - 2), bs.back()});
  } else {
    left = with_batch(t, a, product);
    right = with_batch(t, b, product);
  }
  return t.reshape(t.make("MatMul", {left, right}, attrs), n.shape());
}

constexpr SpelledRow kRows[] = {
    {{"MatMul"}, has_many_axes, multiply_matrices, "a product with one axis for the batch"},
};

/// The equation of an Einsum with a letter for every axis; none where an ellipsis repeats axes of one element.
std::optional<std::string> without_ellipses(const std::string& equation, const Node& n) {
  constexpr std::string_view kEllipsis = "...";
  const size_t arrow = equation.find("->");
  if (arrow == std::string::npos || equation.find(kEllipsis) == std::string::npos) return std::nullopt;
  std::vector<Shape> shapes;
  for (const Value& v : n.inputs()) shapes.push_back(v.shape());
  const ops::EinsumLabels labels = ops::read_einsum(equation, shapes);
  std::map<std::string, char> fresh;  // for the numbers that stand for an ellipsis' axes
  char next = 'A';
  for (const auto& [label, size] : labels.sizes) {
    if (std::isalpha(static_cast<unsigned char>(label[0]))) continue;
    while (next <= 'Z' && equation.find(next) != std::string::npos) ++next;
    if (next > 'Z') return std::nullopt;
    fresh[label] = next++;
  }
  if (!fresh.empty() && equation.find(kEllipsis, arrow) == std::string::npos) return std::nullopt;
  const auto letters = [&](const std::vector<std::string>& list) {
    std::string s;
    for (const std::string& label : list) s += fresh.contains(label) ? fresh.at(label) : label[0];
    return s;
  };
  std::string r;
  for (size_t i = 0; i < shapes.size(); ++i) {
    for (size_t axis = 0; axis < shapes[i].size(); ++axis)
      if (const std::string& label = labels.inputs[i][axis];
          fresh.contains(label) && shapes[i][axis] != labels.sizes.at(label))
        return std::nullopt;
    r += (i > 0 ? "," : "") + letters(labels.inputs[i]);
  }
  return r + "->" + letters(labels.output);
}

}  // namespace

void name_ellipses(Graph& graph) {
  for (Node* n : graph.ordered()) {
    if (!n->is("Einsum") || !is_static(n->shape())) continue;
    if (const auto equation = without_ellipses(n->attrs.text("equation"), *n)) n->attrs.set("equation", *equation);
  }
}

std::span<const SpelledRow> rank_rows() { return kRows; }

}  // namespace blobsmith::legalise_rows
