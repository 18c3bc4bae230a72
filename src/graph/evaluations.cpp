#include "graph/evaluations.hpp"

#include <array>

#include "core/table.hpp"
#include "graph/numbering.hpp"
#include "graph/ops/known_value.hpp"

namespace blobsmith::numbering {
namespace {

/// Calls f(node) for the arithmetic that a value follows from. The shape of what ShapeOf reads is known without looking
/// further.
template <class F>
void walk_arithmetic(const Node* from, F f) {
  std::vector<const Node*> todo{from};
  while (!todo.empty()) {
    const Node* n = todo.back();
    todo.pop_back();
    if (!f(n) || n->is("ShapeOf")) continue;
    for (const Value& input : n->inputs())
      if (input) todo.push_back(input.node);
  }
}

// quirk: the reference knows no bounds of the parts of a Split.
bool depends_on_split(const Node* from) {
  std::set<const Node*> seen;
  bool found = false;
  walk_arithmetic(from, [&](const Node* n) {
    found |= n->is("Split");
    return seen.insert(n).second;
  });
  return found;
}

}  // namespace

int64_t Evaluations::of_evaluation(Value v) {
  int64_t count = 0;
  walk_arithmetic(v.node, [&](const Node* n) {
    if (!evaluated_.insert(n).second) return false;
    count += numbering::of_evaluation(*n);
    return true;
  });
  return count;
}

namespace {
constexpr int64_t kComparison = 3;     // a Parameter, an Equal, a Constant
constexpr int64_t kMostCompared = 10;  // elements

/// Temporary nodes that take part when a bound is computed.
struct BoundRow {
  std::string_view type;
  int64_t lower, upper;
};
constexpr std::array kBoundNodes{
    BoundRow{"Convert", 4, 4},        // the largest values of both types, an Equal, a Select
    BoundRow{"Divide", 17, 21},       // masks of what is unknown, negative or zero
    BoundRow{"ReduceProd", 14, 14},   // whether both bounds are positive, 7 each
    BoundRow{"VariadicSplit", 2, 2},  // axis and lengths as constants
};

int64_t nodes_of_bound(const Node& n, bool upper) {
  const BoundRow* row = find_row(kBoundNodes, n.type, &BoundRow::type);
  return !row ? 0 : upper ? row->upper : row->lower;
}

bool is_shape_of(const Node& n) { return n.is("ShapeOf"); }
}  // namespace

constexpr size_t kLongestWalk = 1 << 14;  // what is read twice is walked twice; larger ones are not counted

int64_t Bounds::compare(State& s, const Shape& shape) const {
  if (!s.lower || !s.upper || element_count(shape) > kMostCompared) return 0;
  s.same = true;
  return kComparison;
}

bool Bounds::can_evaluate(const Node& n, bool upper) {
  if (n.is_constant() || is_shape_of(n)) return true;
  for (const Value& v : n.inputs())
    if (!v || !(upper ? at(v).upper : at(v).lower)) return false;
  return true;
}

int64_t Bounds::walk(Value v, bool upper) {
  if (upper ? at(v).upper : at(v).lower) return 0;
  std::vector<const Node*> order{v.node}, todo{v.node};
  while (!todo.empty()) {
    const Node* n = todo.back();
    todo.pop_back();
    if (n->input_count() == 0 && !n->is_constant()) return 0;
    if (is_shape_of(*n)) continue;
    for (const Value& input : n->inputs()) {
      if (!input || order.size() > kLongestWalk) return 0;
      order.push_back(input.node);
      todo.push_back(input.node);
    }
  }
  int64_t count = 0;
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    Node* n = const_cast<Node*>(*it);
    if (!can_evaluate(*n, upper)) break;
    count += nodes_of_bound(*n, upper);
    bool same = true;  // of ShapeOf as well, whatever it reads
    for (const Value& input : n->inputs()) {
      if (is_shape_of(*n)) break;
      State& s = at(input);
      if (!s.same) count += compare(s, input.shape());
      if (!(same = s.same)) break;
    }
    for (int i = 0; i < n->output_count(); ++i) {
      State& s = at(n->value(i));
      const bool was_empty = !s.lower && !s.upper;
      s.upper |= same || upper;
      s.lower |= same || !upper;
      s.same |= was_empty && s.lower && s.upper;
      count += compare(s, n->shape(i));
    }
    for (const Value& input : n->inputs())
      if ((upper || element_count(input.shape()) > kMostCompared) && input.node->output(input.port).uses.size() == 1)
        at(input) = {};
  }
  return count;
}

int64_t Bounds::evaluate(Value v) {
  const int64_t lower = walk(v, false);
  return lower + walk(v, true);
}

int64_t Evaluations::of_comparisons(const Node& n) {
  constexpr int64_t kBothBounds = 2;
  const bool holds_both = holds_both_bounds(n);
  const std::vector<int> inputs = compared_inputs(n);
  int64_t count = of_missing_axes(n);
  for (const int i : inputs) {
    const Value v = n.input(i);
    if (!known_value(v) || (v.node->is_constant() && !holds_both)) continue;
    count += bounds_.evaluate(v) + (holds_both ? kBothBounds : constants_of_known(n));
  }
  return count;
}

int64_t Evaluations::of_inference(const Node& n) {
  if (compares_bounds_) return of_comparisons(n);
  int64_t count = numbering::of_inference(n);
  const std::vector<int> bounded = bounded_inputs(n);
  for (const int i : bounded)
    if (depends_on_split(n.input(i).node)) return 0;
  for (const int i : bounded)
    if (!n.input(i).node->is_constant() && known_value(n.input(i))) count += of_evaluation(n.input(i));
  return count;
}

}  // namespace blobsmith::numbering
