// ReduceMean, ReduceMax and ReduceSum over neighbouring axes become a pooling between Reshapes (front-end spec §5.4).
#include <algorithm>

#include "transforms/conversion/passes.hpp"
#include "transforms/conversion/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

struct Plan {
  Shape begin;  ///< 4-D input of the pooling
  std::vector<int64_t> kernel;
};

bool are_consecutive(const Shape& sorted) {
  for (size_t i = 1; i < sorted.size(); ++i)
    if (sorted[i] - sorted[i - 1] != 1) return false;
  return true;
}

// How the reduced axes look to a 2-D pooling.
Plan plan(const Shape& x, const Shape& axes) {
  const auto first = static_cast<size_t>(axes.front()), end = static_cast<size_t>(axes.back()) + 1;
  if (x.size() == 4 && first >= 2) {
    Plan p{x, {1, 1}};
    for (int64_t a : axes) p.kernel[static_cast<size_t>(a) - 2] = x[static_cast<size_t>(a)];
    return p;
  }
  const std::span<const int64_t> all(x);
  const int64_t reduced = product(all.subspan(first, end - first));
  return {{product(all.first(first)), 1, reduced, product(all.subspan(end))}, {reduced, 1}};
}

Node* pooling(Rewriter& rw, bool is_max, Value x, const std::vector<int64_t>& kernel) {
  const std::vector<int64_t> ones(kernel.size(), 1), zeros(kernel.size(), 0);
  Attributes a = attributes({{"kernel", kernel},
                             {"strides", ones},
                             {"pads_begin", zeros},
                             {"pads_end", zeros},
                             {"rounding_type", "floor"},
                             {"auto_pad", "explicit"}});
  if (!is_max) a.set("exclude-pad", true);
  return rw.make(is_max ? "MaxPool" : "AvgPool", {x}, std::move(a));
}

Node* convert(Rewriter& rw, Value x, ElementType type) {
  return rw.make("Convert", {x}, attributes({{"destination_type", std::string(to_string(type))}}));
}

bool reduce_to_pooling(Rewriter& rw, Node* n) {
  Value x = n->input(0);
  const Tensor* axes_constant = constant_of(n->input(1));
  if (!axes_constant || !is_static(x.shape()) || n->attrs.flag(kStaysReduction)) return false;
  Shape axes = normalized_axes(axes_constant->to_i64(), x.shape().size());
  std::ranges::sort(axes);
  if (axes.empty()) return rw.eliminate(n->value(), x);
  if (std::ranges::all_of(axes, [&](int64_t a) { return x.shape()[static_cast<size_t>(a)] == 1; }))
    return rw.replace(n, rw.reshape(x, n->shape(), true));
  if (!are_consecutive(axes)) return false;

  const Plan p = plan(x.shape(), axes);
  const bool is_sum = n->is("ReduceSum");
  const bool through_float = is_sum && !is_float(x.type());
  std::vector<Node*> made;
  const auto append = [&](Node* node, const char* suffix) {
    node->name = n->name + suffix;
    made.push_back(node);
    return node->value();
  };
  const ElementType type = x.type();
  if (p.begin != x.shape()) x = append(rw.reshape(x, p.begin, true), "/reshape_begin");
  if (through_float) x = append(convert(rw, x, ElementType::f32), "/convert_begin");
  x = append(pooling(rw, n->is("ReduceMax"), x, p.kernel), "/pool");
  if (is_sum) {
    const Value count = rw.filled(x.type(), {1}, static_cast<double>(product(p.kernel)));
    x = append(rw.make("Multiply", {x, count}), "/mul");
  }
  if (through_float) x = append(convert(rw, x, type), "/convert_end");
  // quirk: a reduction to a scalar keeps the pooling's shape of ones.
  const bool scalar = n->shape().empty();
  if (!scalar && x.shape() != n->shape()) append(rw.reshape(x, n->shape(), true), "/reshape_end");
  const bool replaced = rw.replace(n, made.back());
  if (scalar) infer_all(rw.graph());  // what reads it has another rank now
  return replaced;
}

constexpr RewriteRow kReductionsToPooling[] = {
    {{"ReduceMean", "ReduceMax", "ReduceSum"}, reduce_to_pooling},
};

}  // namespace

std::span<const RewriteRow> reductions_to_pooling() { return kReductionsToPooling; }

}  // namespace blobsmith::transforms
