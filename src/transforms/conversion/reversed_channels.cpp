// The order of colours goes into the weights: a Split and a Concat that put three channels in another order vanish, and
// the constants that read the channels are reordered instead (releases spec §2).
//
// Concat(b, g, r) -> Multiply by [1, 3, 1, 1] -> Convolution: the mark "channels in the order 2, 1, 0" starts at the
// Concat, goes through the Multiply, whose constant it will turn, and ends at the weights. It fails, for every place it
// has reached, where something reads it that can't hand it on: then all stays as it was.
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>

#include "transforms/conversion/passes.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::transforms {
namespace {

constexpr size_t kChannels = 3;
constexpr std::array<std::string_view, 10> kThroughArithmetic{
    "Add", "Subtract", "Multiply", "Divide", "Maximum", "Minimum", "Power", "Mod", "FloorMod", "SquaredDifference"};
constexpr std::array<std::string_view, 29> kPassThrough{
    "Abs",  "Acos", "Acosh", "Asin", "Asinh",    "Atan",   "Atanh",   "Ceiling",  "Cos",  "Cosh",
    "Erf",  "Exp",  "Floor", "Gelu", "HSigmoid", "HSwish", "Log",     "Negative", "Relu", "Sigmoid",
    "Sign", "Sin",  "Sinh",  "Sqrt", "Tan",      "Tanh",   "Convert", "Pad",      "PRelu"};

template <class List>
bool is_one_of(const Node& n, const List& types) {
  return std::ranges::find(types, n.type) != types.end();
}

/// Channels of an axis in another order, as far as that has come.
struct Mark {
  std::vector<int64_t> order;
  int64_t axis = 0;
  std::set<size_t> origins;  ///< the Concats that it comes from
};

class Fusion {
 public:
  explicit Fusion(Graph& graph) : graph_(graph), rw_(graph) {}

  bool run() {
    for (Node* n : graph_.ordered()) visit(n);
    bool changed = false;
    for (const Turned& t : turned_)
      if (succeeds(t.mark)) turn(t);
    for (size_t i = 0; i < concats_.size(); ++i) {
      if (failed_.contains(i)) continue;
      graph_.redirect(concats_[i]->value(), concats_[i]->input(0).node->input(0));
      changed = true;
    }
    if (changed) graph_.remove_unreachable();
    return changed;
  }

 private:
  struct Turned {
    Node* node;
    int port;
    Mark mark;
  };

  void visit(Node* n) {
    if (n->is("Concat") && start(n)) return;
    if (n->is("ShapeOf")) return;
    const bool handed_on = n->is("Convolution")                ? end_at_convolution(n)
                           : n->is("GroupConvolution")         ? through_group_convolution(n)
                           : is_one_of(*n, kThroughArithmetic) ? through_arithmetic(n)
                           : n->is("Transpose")                ? through_transpose(n)
                                                               : is_one_of(*n, kPassThrough) && through(n);
    if (handed_on) return;
    for (const Value& v : n->inputs())
      if (const Mark* m = mark_of(v)) failed_.insert(m->origins.begin(), m->origins.end());
  }

  const Mark* mark_of(Value v) const {
    const auto found = v ? marks_.find({v.node, v.port}) : marks_.end();
    return found == marks_.end() ? nullptr : &found->second;
  }
  void put(Node* n, Mark m) { marks_[{n, 0}] = std::move(m); }
  bool succeeds(const Mark& m) const {
    return std::ranges::none_of(m.origins, [&](size_t i) { return failed_.contains(i); });
  }

  bool start(Node* concat) {
    if (concat->input_count() != static_cast<int>(kChannels)) return false;
    Node* split = producer(concat->input(0), "Split");
    if (!split || split->output_count() != concat->input_count() || mark_of(split->input(0))) return false;
    std::vector<int64_t> order;
    for (const Value& v : concat->inputs()) {
      if (v.node != split || !has_one_user(v)) return false;
      order.push_back(v.port);
    }
    const Shape& x = split->input(0).shape();
    const int64_t axis = concat->attrs.integer("axis");
    if (std::set(order.begin(), order.end()).size() != kChannels || axis < 0 ||
        x.at(static_cast<size_t>(axis)) != static_cast<int64_t>(kChannels) || x != concat->shape())
      return false;
    put(concat, {order, axis, {concats_.size()}});
    concats_.push_back(concat);
    return true;
  }

  bool end_at_convolution(Node* n) {
    const Mark* m = mark_of(n->input(0));
    if (!m || !constant_of(n->input(1)) || m->axis != 1) return false;
    turned_.push_back({n, 1, *m});
    return true;
  }

  // One filter per channel: the filters are turned, and what comes out is in the same order.
  bool through_group_convolution(Node* n) {
    const Mark* m = mark_of(n->input(0));
    const Tensor* weights = constant_of(n->input(1));
    if (!m || !weights) return false;
    const int64_t groups = weights->shape.at(0), outputs = weights->shape.at(1);
    if (weights->shape.at(2) != 1 || static_cast<int64_t>(m->order.size()) != groups || m->axis != 1) return false;
    Mark filters = *m, after = *m;
    filters.axis = 0;
    turned_.push_back({n, 1, filters});
    after.order.clear();
    for (int64_t group : m->order)
      for (int64_t i = 0; i < outputs; ++i) after.order.push_back(group * outputs + i);
    put(n, std::move(after));
    return true;
  }

  bool through_arithmetic(Node* n) {
    std::optional<Mark> joint;
    size_t rank = 0;
    for (const Value& v : n->inputs()) {
      const Mark* m = mark_of(v);
      if (!m && !constant_of(v)) return false;
      if (!m) continue;
      if (joint && (joint->order != m->order || joint->axis != m->axis || rank != v.shape().size())) return false;
      if (joint)
        joint->origins.insert(m->origins.begin(), m->origins.end());
      else
        joint = *m;
      rank = v.shape().size();
    }
    if (!joint) return false;
    for (int i = 0; i < n->input_count(); ++i) {
      const Tensor* t = constant_of(n->input(i));
      if (!t) continue;
      if (t->shape.size() > rank) return false;
      const int64_t axis = joint->axis - static_cast<int64_t>(rank - t->shape.size());
      if (axis < 0 || t->shape[static_cast<size_t>(axis)] == 1) continue;
      turned_.push_back({n, i, {joint->order, axis, joint->origins}});
    }
    put(n, *joint);
    return true;
  }

  bool through_transpose(Node* n) {
    const Mark* m = mark_of(n->input(0));
    const Tensor* order = constant_of(n->input(1));
    if (!m || !order) return false;
    const std::vector<int64_t> axes = order->to_i64();
    Mark after = *m;
    after.axis = std::ranges::find(axes, m->axis) - axes.begin();
    put(n, std::move(after));
    return true;
  }

  bool through(Node* n) {
    const Mark* m = mark_of(n->input(0));
    if (!m) return false;
    put(n, Mark(*m));
    return true;
  }

  void turn(const Turned& t) {
    const Value order = rw_.indices(t.mark.order), axis = rw_.indices({t.mark.axis});
    Node* gather = rw_.make("Gather", {t.node->input(t.port), order, axis}, {}, 1);
    rw_.set_input(t.node, t.port, gather->value());
  }

  Graph& graph_;
  Rewriter rw_;
  std::map<std::pair<const Node*, int>, Mark> marks_;
  std::vector<Turned> turned_;
  std::vector<Node*> concats_;
  std::set<size_t> failed_;
};

}  // namespace

bool reverse_channels_in_constants(Graph& graph) { return Fusion(graph).run(); }

}  // namespace blobsmith::transforms
