// Einsum as Transposes, Reshapes and MatMuls, two operands at a time (front-end spec §5.3 no. 14): the first with the
// last one, the result behind the others.
#include <algorithm>
#include <numeric>

#include "graph/numbering.hpp"
#include "transforms/conversion/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

struct Operand {
  Value value;
  std::string labels;  ///< one letter per axis
};

struct Equation {
  std::vector<std::string> inputs;
  std::string output;
};

bool is_plain(const std::string& labels) {
  std::string sorted = labels;
  std::ranges::sort(sorted);
  return std::ranges::adjacent_find(sorted) == sorted.end() && labels.find('.') == std::string::npos;
}

Equation parse(std::string text) {
  std::erase(text, ' ');
  const size_t arrow = text.find("->");
  Equation e{{""}, arrow == std::string::npos ? "" : text.substr(arrow + 2)};
  const std::string left = text.substr(0, arrow);
  for (char c : left)
    if (c == ',')
      e.inputs.emplace_back();
    else
      e.inputs.back() += c;
  if (arrow != std::string::npos) return e;
  for (char c : left)  // as its shape was inferred: every label once
    if (c != ',' && e.output.find(c) == std::string::npos) e.output += c;
  return e;
}

/// The axes of one of two operands: those of both that stay, its own, those of both that are summed up.
struct Axes {
  std::vector<int64_t> common, own, summed;

  std::vector<int64_t> order(bool own_first) const {
    std::vector<int64_t> o = common;
    const auto &second = own_first ? own : summed, &third = own_first ? summed : own;
    o.insert(o.end(), second.begin(), second.end());
    o.insert(o.end(), third.begin(), third.end());
    return o;
  }
  bool fits_matmul() const { return summed.size() == 1 && (own.size() == 1 || (own.empty() && common.empty())); }
  bool keeps_shape() const { return own.size() == 1 || (own.empty() && common.empty()); }
};

class Contraction {
 public:
  Contraction(Rewriter& rw, std::vector<Operand>& operands, const std::string& output)
      : rw_(rw), operands_(operands), output_(output) {}

  /// Sums up the axes of an operand that nothing else mentions.
  void reduce(size_t at) {
    std::vector<int64_t> axes;
    std::string rest;
    for (char label : operands_[at].labels)
      if (mentioned_elsewhere(label, {at}))
        rest += label;
      else
        axes.push_back(static_cast<int64_t>(operands_[at].labels.find(label)));
    if (axes.empty()) return;
    const Value list = rw_.indices(axes);
    operands_[at] = {
        rw_.visit(rw_.make("ReduceSum", {operands_[at].value, list}, attributes({{"keep_dims", false}})))->value(),
        rest};
  }

  void transpose(size_t at, const std::string& wanted) {
    Operand& o = operands_[at];
    if (o.labels == wanted) return;
    std::vector<int64_t> order;
    for (char label : wanted) order.push_back(static_cast<int64_t>(o.labels.find(label)));
    o = {rw_.transpose(o.value, order)->value(), wanted};
  }

  void contract(size_t first, size_t second) {
    reduce(first);
    reduce(second);
    Axes a, b;
    std::string shared, own_a, own_b;
    const std::string left = operands_[first].labels, right = operands_[second].labels;
    for (size_t i = 0; i < left.size(); ++i) {
      const size_t j = right.find(left[i]);
      const auto here = static_cast<int64_t>(i), there = static_cast<int64_t>(j);
      if (j == std::string::npos) {
        a.own.push_back(here);
        own_a += left[i];
        continue;
      }
      shared += left[i];
      const bool stays = mentioned_elsewhere(left[i], {first, second});
      (stays ? a.common : a.summed).push_back(here);
      (stays ? b.common : b.summed).push_back(there);
    }
    for (size_t j = 0; j < right.size(); ++j) {
      if (left.find(right[j]) != std::string::npos) continue;
      b.own.push_back(static_cast<int64_t>(j));
      own_b += right[j];
    }
    const Operand result =
        a.summed.empty() ? multiply(first, second, a, shared, own_b) : mat_mul(first, second, a, b, own_a + own_b);
    operands_.erase(operands_.begin() + static_cast<ptrdiff_t>(second));
    operands_.erase(operands_.begin() + static_cast<ptrdiff_t>(first));
    operands_.push_back(result);
  }

 private:
  bool mentioned_elsewhere(char label, std::initializer_list<size_t> besides) const {
    for (size_t i = 0; i < operands_.size(); ++i)
      if (std::ranges::find(besides, i) == besides.end() && operands_[i].labels.find(label) != std::string::npos)
        return true;
    return output_.find(label) != std::string::npos;
  }

  Value unsqueeze(Value v, const std::vector<int64_t>& axes) {
    if (axes.empty()) return v;
    const Value list = rw_.indices(axes);
    return rw_.make("Unsqueeze", {v, list})->value();
  }

  // Nothing is summed up: an outer product.
  Operand multiply(size_t first, size_t second, const Axes& a, const std::string& shared, const std::string& own_b) {
    transpose(second, shared + own_b);
    std::vector<int64_t> behind(own_b.size());
    std::iota(behind.begin(), behind.end(), static_cast<int64_t>(operands_[first].labels.size()));
    const Value x = unsqueeze(operands_[first].value, behind), y = unsqueeze(operands_[second].value, a.own);
    return {rw_.make("Multiply", {x, y})->value(), operands_[first].labels + own_b};
  }

  // Groups the axes of an operand; true when its own come before those that are summed up.
  bool group(size_t at, Axes& axes) {
    for (bool own_first : {false, true})
      if (std::ranges::is_sorted(axes.order(own_first))) return own_first;
    std::string wanted;
    for (int64_t axis : axes.order(true)) wanted += operands_[at].labels[static_cast<size_t>(axis)];
    transpose(at, wanted);
    int64_t next = 0;
    for (auto* part : {&axes.common, &axes.own, &axes.summed})
      for (int64_t& axis : *part) axis = next++;
    return true;
  }

  static std::vector<int64_t> sizes(Value v, const std::vector<int64_t>& axes) {
    std::vector<int64_t> s;
    for (int64_t axis : axes) s.push_back(v.shape()[static_cast<size_t>(axis)]);
    return s;
  }

  // Common axes, one of its own, one that is summed up.
  Value as_matrices(Value v, const Axes& axes, bool own_first, int64_t ids_of_shape) {
    std::vector<int64_t> shape = sizes(v, axes.common);
    std::vector<int64_t> own, summed{product(sizes(v, axes.summed))};
    if (!axes.own.empty())
      own.push_back(product(sizes(v, axes.own)));
    else if (!axes.common.empty())
      own.push_back(1);
    shape.insert(shape.end(), (own_first ? own : summed).begin(), (own_first ? own : summed).end());
    shape.insert(shape.end(), (own_first ? summed : own).begin(), (own_first ? summed : own).end());
    numbering::skip(rw_.graph(), ids_of_shape);
    return rw_.reshape(v, shape)->value();
  }

  Operand mat_mul(size_t first, size_t second, Axes& a, Axes& b, const std::string& own) {
    constexpr int64_t kIdsOfFirst = 49, kIdsOfSecond = 37;  // quirk: the shapes are computed by nodes that fold at once
    const std::string& labels = operands_[first].labels;
    const bool own_first_a = group(first, a);
    std::string result;
    for (int64_t axis : a.common) result += labels[static_cast<size_t>(axis)];
    result += own;
    const bool own_first_b = group(second, b);
    const bool keeps_shape = a.keeps_shape() && b.keeps_shape();
    Value x = operands_[first].value, y = operands_[second].value;
    std::vector<int64_t> shape = sizes(x, a.common), own_a = sizes(x, a.own), own_b = sizes(y, b.own);
    if (!a.fits_matmul() || !b.fits_matmul()) {
      if (!a.fits_matmul() || !keeps_shape) x = as_matrices(x, a, own_first_a, kIdsOfFirst);
      if (!b.fits_matmul() || !keeps_shape) y = as_matrices(y, b, own_first_b, kIdsOfSecond);
    }
    Node* product =
        rw_.make("MatMul", {x, y}, attributes({{"transpose_a", !own_first_a}, {"transpose_b", own_first_b}}));
    if (keeps_shape) return {product->value(), result};
    shape.insert(shape.end(), own_a.begin(), own_a.end());
    shape.insert(shape.end(), own_b.begin(), own_b.end());
    numbering::skip(rw_.graph(), 1);
    return {rw_.reshape(product->value(), shape)->value(), result};
  }

  Rewriter& rw_;
  std::vector<Operand>& operands_;
  const std::string& output_;
};

bool decompose_einsum(Rewriter& rw, Node* n) {
  const Equation equation = parse(n->attrs.text("equation"));
  if (!std::ranges::all_of(equation.inputs, is_plain)) return false;
  std::vector<Operand> operands;
  for (int i = 0; i < n->input_count(); ++i) {
    if (!is_static(n->input(i).shape())) return false;
    operands.push_back({n->input(i), equation.inputs.at(static_cast<size_t>(i))});
  }
  Contraction contraction(rw, operands, equation.output);
  while (operands.size() > 1) contraction.contract(0, operands.size() - 1);
  contraction.reduce(0);
  contraction.transpose(0, equation.output);
  return rw.replace(n, operands[0].value.node);
}

constexpr RewriteRow kEinsumDecomposition[] = {
    {{"Einsum"}, decompose_einsum, "Transpose Reshape Gemm"},
};

}  // namespace

std::span<const RewriteRow> einsum_decomposition() { return kEinsumDecomposition; }

}  // namespace blobsmith::transforms
