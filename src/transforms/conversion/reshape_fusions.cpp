// Chains of Reshapes, and reductions of two joined tensors, as the model optimizations restate them (releases
// spec §2).
#include <algorithm>

#include "transforms/conversion/rewrites.hpp"
#include "transforms/faults/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

bool is_plain(Value pattern) {  // neither 0 nor -1
  const Tensor* t = constant_of(pattern);
  return t && std::ranges::all_of(t->to_i64(), [](int64_t d) { return d > 0; });
}

bool skip_reshapes(Rewriter& rw, Node* n) {
  const auto may_skip = [](Value v) {
    Node* reshape = producer(v, "Reshape");
    return reshape && has_one_user(v) && is_plain(reshape->input(1));
  };
  if (!may_skip(n->input(0)) || !is_plain(n->input(1))) return false;
  Value x = n->input(0);
  while (may_skip(x)) x = x.node->input(0);
  if (is_static(x.shape()) && x.shape() == n->shape() && rw.eliminate(n->value(), x)) return true;
  rw.set_input(n, 0, x);
  return false;
}

constexpr const char* kReductionApart = "apart";  ///< of a reduction that is not to be restated

struct JoinedTwo {
  const Node* concat = nullptr;
  size_t axis = 0;
};

// A reduction over the axis along which two tensors are joined.
std::optional<JoinedTwo> reduced_join(const Node& reduce) {
  const Node* concat = producer(reduce.input(0), "Concat");
  const auto axis = single_value(reduce.input(1));
  if (!concat || concat->input_count() != 2 || !axis) return std::nullopt;
  const size_t reduced = axis_from_front(static_cast<int64_t>(*axis), concat->shape().size());
  if (concat->attrs.integer("axis") != static_cast<int64_t>(reduced)) return std::nullopt;
  return JoinedTwo{concat, reduced};
}

}  // namespace

bool is_changed_by_reduction_of_two(const Node& reduce) {
  const auto joined = reduced_join(reduce);
  return joined &&
         std::ranges::any_of(joined->concat->inputs(), [&](const Value& v) { return v.shape().at(joined->axis) != 1; });
}

Rewritten keep_reductions_of_two_apart(Graph& graph) {
  Rewritten list;
  for (Node* n : graph.ordered()) {
    if (!(n->is("ReduceMax") || n->is("ReduceMin")) || !is_changed_by_reduction_of_two(*n)) continue;
    n->attrs.set(kReductionApart, true);
    list.push_back(rewritten(*n));
  }
  return list;
}

namespace {

// ReduceMax(Concat(a, b)) along the axis of the Concat -> Maximum(a, b). quirk: whatever the sizes of a and b along it.
bool reduce_of_two(Rewriter& rw, Node* n) {
  const auto joined = n->attrs.flag(kReductionApart) ? std::nullopt : reduced_join(*n);
  if (!joined) return false;
  const auto& [concat, reduced] = *joined;
  Node* result = rw.visit(rw.make(n->is("ReduceMax") ? "Maximum" : "Minimum", {concat->input(0), concat->input(1)}));
  if (!n->attrs.flag("keep_dims")) {
    const Value at = rw.index(static_cast<int64_t>(reduced));
    result = rw.visit(rw.make("Squeeze", {result->value(), at}));
  }
  return rw.replace(n, result);
}

constexpr Roots kArithmetic{"Add",     "Subtract", "Multiply", "Divide",   "Maximum",
                            "Minimum", "Power",    "Mod",      "FloorMod", "SquaredDifference"};

// Squeeze(a + b) -> Squeeze(a) + Squeeze(b), where these vanish in constants and Reshapes.
bool squeeze_before_arithmetic(Rewriter& rw, Node* n) {
  Node* arithmetic = n->input(0).node;
  if (!kArithmetic.contains(arithmetic->type) || n->input_count() < 2 || !constant_of(n->input(1))) return false;
  const auto takes_squeeze = [](const Value& v) {
    return constant_of(v) || v.node->is("Unsqueeze") || v.node->is("Reshape");
  };
  if (!std::ranges::all_of(arithmetic->inputs(), takes_squeeze)) return false;
  std::vector<Value> operands;
  for (const Value& v : std::vector<Value>(arithmetic->inputs())) {
    Node* squeezed = rw.copy(n, {v, n->input(1)});
    const Value folded = rw.folded(squeezed);
    if (folded.node == squeezed) rw.visit(squeezed);
    operands.push_back(folded);
  }
  return rw.replace(n, rw.folded(rw.copy(arithmetic, operands)).node);
}

constexpr RewriteRow kReshapeChains[] = {
    {{"Reshape"}, skip_reshapes},
};
constexpr RewriteRow kReductionsOfTwo[] = {
    {{"ReduceMax", "ReduceMin"}, reduce_of_two},
    {{"Squeeze"}, squeeze_before_arithmetic},
    {{"Squeeze"}, squeeze_to_reshape},
};

}  // namespace

std::span<const RewriteRow> reshape_chains() { return kReshapeChains; }
std::span<const RewriteRow> reductions_of_two() { return kReductionsOfTwo; }

}  // namespace blobsmith::transforms
