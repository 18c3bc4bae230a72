// Products of matrices in more axes than the VPU's stage has: axes of the batch become one. A second factor without a
// batch of its own lets the rows of all items be those of one matrix.
//
//   [2,3,4,m,k] x [2,3,4,k,n] -> [24,m,k] x [24,k,n]         [2,3,4,m,k] x [k,n] -> [1,24m,k] x [k,n]
#include <algorithm>
#include <optional>

#include "transforms/legalise/terms.hpp"

namespace blobsmith::legalise_rows {
namespace {

constexpr size_t kMostAxesOfFactors = 4;  ///< of the stage's factors

bool has_many_axes(const Node& n) {
  return n.shape().size() > kMostAxesOfFactors && is_static(n.shape()) && is_float(n.element_type()) &&
         n.input(0).shape().size() > 1 && n.input(1).shape().size() > 1;
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
  const Value a = n.input(0), b = n.input(1);
  const Shape& product = n.shape();
  const Shape &as = a.shape(), &bs = b.shape();
  Value left, right;
  if (batch_of(bs) == 1 && !n.attrs.flag("transpose_a")) {
    left = t.reshape(a, {1, batch_of(as) * *(as.end() - 2), as.back()});
    right = t.reshape(b, {*(bs.end() - 2), bs.back()});
  } else {
    left = with_batch(t, a, product);
    right = with_batch(t, b, product);
  }
  return t.reshape(t.make("MatMul", {left, right}, n.attrs), product);
}

constexpr SpelledRow kRows[] = {
    {{"MatMul"}, has_many_axes, multiply_matrices, "a product with one axis for the batch"},
};

constexpr std::string_view kEllipsis = "...";

/// The equation of an Einsum with a letter for every axis; none where an ellipsis repeats axes of one element.
std::optional<std::string> without_ellipses(std::string equation, const Node& n) {
  std::erase(equation, ' ');
  const size_t arrow = equation.find("->");
  if (arrow == std::string::npos || equation.find(kEllipsis) == std::string::npos) return std::nullopt;
  std::vector<std::string> terms{""};
  for (const char c : equation.substr(0, arrow))
    if (c == ',')
      terms.emplace_back();
    else
      terms.back() += c;
  if (std::ssize(terms) != n.input_count()) return std::nullopt;
  Shape longest;  // what the longest ellipsis stands for
  const auto meant = [&](size_t i) {
    const Shape& s = n.input(static_cast<int>(i)).shape();
    const size_t at = terms[i].find(kEllipsis), letters = terms[i].size() - kEllipsis.size();
    if (at == std::string::npos || letters > s.size()) return Shape();
    const auto begin = s.begin() + static_cast<ptrdiff_t>(at);
    return Shape(begin, begin + static_cast<ptrdiff_t>(s.size() - letters));
  };
  for (size_t i = 0; i < terms.size(); ++i)
    if (const Shape s = meant(i); s.size() > longest.size()) longest = s;
  std::string fresh;
  for (char c = 'A'; c <= 'Z' && fresh.size() < longest.size(); ++c)
    if (equation.find(c) == std::string::npos) fresh += c;
  if (fresh.size() < longest.size()) return std::nullopt;
  std::string r;
  for (size_t i = 0; i < terms.size(); ++i) {
    const Shape s = meant(i);
    if (!std::equal(s.rbegin(), s.rend(), longest.rbegin())) return std::nullopt;
    if (const size_t at = terms[i].find(kEllipsis); at != std::string::npos)
      terms[i].replace(at, kEllipsis.size(), fresh.substr(fresh.size() - s.size()));
    r += (i > 0 ? "," : "") + terms[i];
  }
  std::string result = equation.substr(arrow + 2);
  if (const size_t at = result.find(kEllipsis); at != std::string::npos)
    result.replace(at, kEllipsis.size(), fresh);
  else if (!longest.empty())
    return std::nullopt;
  return r + "->" + result;
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
