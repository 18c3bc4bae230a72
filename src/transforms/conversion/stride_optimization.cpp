// Strides move up: a 1x1 convolution that skips every second pixel leaves the skipping to the convolution before it,
// which then has a quarter of the work (releases spec §2).
//
// From the results backwards, each input of a convolution with a 1x1 kernel asks for its strides; elementwise
// operations pass on what all of their readers ask for, and the first convolution that all readers ask takes the
// strides over. In ResNet the 1x1 convolution of stride 2 and the shortcut of stride 2 both read a ReLU of a sum: the
// convolutions before the sum get stride 2. Where readers disagree, each convolution keeps its strides, and others
// (elementwise operations that have passed a request on) get a 1x1 MaxPool that skips.
#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "graph/ops/op.hpp"
#include "transforms/conversion/passes.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::transforms {
namespace {

using Strides = std::vector<int64_t>;

// Gelu is not among them: by then it is that of opset 2, which is no elementwise operation to the reference.
constexpr std::array<std::string_view, 35> kStrideIsPassedBy{
    "Add",     "Subtract", "Multiply", "Divide",   "Maximum",
    "Minimum", "Power",    "Mod",      "FloorMod", "SquaredDifference",
    "Abs",     "Acos",     "Acosh",    "Asin",     "Asinh",
    "Atan",    "Atanh",    "Ceiling",  "Cos",      "Cosh",
    "Erf",     "Exp",      "Floor",    "HSigmoid", "HSwish",
    "Log",     "Negative", "Relu",     "Sigmoid",  "Sign",
    "Sin",     "Sinh",     "Sqrt",     "Tan",      "Tanh"};

bool all_ones(const Strides& s) {
  return std::ranges::all_of(s, [](int64_t v) { return v == 1; });
}

class Optimizer {
 public:
  explicit Optimizer(Graph& graph) : graph_(graph), rw_(graph) {}

  void run() {
    std::vector<Node*> order = graph_.ordered();
    std::ranges::reverse(order);
    for (Node* n : order) visit(n);
  }

 private:
  void visit(Node* n) {
    if (n->is("Convolution") && visit_convolution(n)) return;
    if (std::ranges::find(kStrideIsPassedBy, n->type) != kStrideIsPassedBy.end() && pass_on(n)) return;
    settle(readers(*n));
  }

  bool visit_convolution(Node* n) {
    const Shape &x = n->input(0).shape(), &weights = n->input(1).shape();
    if (x.size() < 3 || !is_static(Shape(x.begin() + 2, x.end())) || !is_static(weights)) return false;
    Strides strides = n->attrs.integers("strides");
    if (const auto asked = common_request(readers(*n))) {
      for (size_t i = 0; i < strides.size(); ++i) strides[i] *= (*asked)[i];
    } else {
      settle(readers(*n));
    }
    const bool is_point = std::ranges::all_of(weights.begin() + 2, weights.end(), [](int64_t k) { return k == 1; });
    if (is_point) {
      set_strides(n, Strides(strides.size(), 1));
      asked_[{n, 0}] = strides;
    } else {
      n->attrs.set("auto_pad", "explicit");
      set_strides(n, strides);
    }
    return true;
  }

  bool pass_on(Node* n) {
    const auto asked = common_request(readers(*n));
    if (!asked) return false;
    for (int i = 0; i < n->input_count(); ++i) asked_[{n, i}] = *asked;
    return true;
  }

  static std::vector<NodeUse> readers(const Node& n) {
    std::vector<NodeUse> all;
    for (int i = 0; i < n.output_count(); ++i) all.insert(all.end(), n.output(i).uses.begin(), n.output(i).uses.end());
    return all;
  }

  /// What all readers ask for, where that is more than nothing.
  std::optional<Strides> common_request(const std::vector<NodeUse>& uses) const {
    std::optional<Strides> common;
    for (const NodeUse& u : uses) {
      const auto found = asked_.find({u.node, u.port});
      if (found == asked_.end() || all_ones(found->second) || (common && *common != found->second)) return std::nullopt;
      common = found->second;
    }
    return common;
  }

  /// The requests of these readers are not met: they skip themselves.
  void settle(const std::vector<NodeUse>& uses) {
    for (const NodeUse& u : uses) {
      const auto found = asked_.find({u.node, u.port});
      if (found == asked_.end() || all_ones(found->second)) continue;
      if (u.node->is("Convolution"))
        set_strides(u.node, found->second);
      else
        insert_pool(u, found->second);
    }
  }

  void set_strides(Node* n, const Strides& strides) { n->attrs.set("strides", strides); }

  void insert_pool(const NodeUse& use, const Strides& strides) {
    Value x = use.node->input(use.port);
    const size_t rank = strides.size() + 2, missing = rank - std::min(rank, x.shape().size());
    if (missing > 0) x = with_outer_axes(x, missing);
    const std::vector<int64_t> zeros(strides.size(), 0);
    Node* pooled = rw_.make("MaxPool", {x},
                            attributes({{"kernel", Strides(strides.size(), 1)},
                                        {"strides", strides},
                                        {"pads_begin", zeros},
                                        {"pads_end", zeros},
                                        {"rounding_type", "floor"},
                                        {"auto_pad", "explicit"}}));
    if (missing > 0) {
      std::vector<int64_t> outer(missing);
      std::iota(outer.begin(), outer.end(), 0);
      const Value axes = rw_.indices(outer);
      pooled = rw_.make("Squeeze", {pooled->value(), axes});
    }
    rw_.set_input(use.node, use.port, rw_.by_bounds(pooled));
  }

  Value with_outer_axes(Value x, size_t count) {
    const Value ones = rw_.indices(std::vector<int64_t>(count, 1));
    Node* shape = rw_.make("Concat", {ones, rw_.make("ShapeOf", {x})->value()}, attributes({{"axis", 0}}));
    return rw_.make("Reshape", {x, rw_.by_bounds(shape)}, attributes({{"special_zero", false}}))->value();
  }

  Graph& graph_;
  Rewriter rw_;
  std::map<std::pair<const Node*, int>, Strides> asked_;
};

}  // namespace

bool push_strides_up(Graph& graph) {
  const bool strided = std::ranges::any_of(
      graph.all(), [](const Node* n) { return n->is("Convolution") && !all_ones(n->attrs.integers("strides")); });
  if (!strided) return false;
  Optimizer(graph).run();
  infer_all(graph);
  return true;
}

}  // namespace blobsmith::transforms
