// What rewrites of a Graph share: the walk that applies them, how they make and replace nodes, and what they match on.
// Facts: front-end spec §2.2 (names), §2.3 (replacement, the walk).
#pragma once
#include <array>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/table.hpp"
#include "graph/graph.hpp"

namespace blobsmith::transforms {

/// The graph as a rewrite sees it. Nodes that lose their last user are disconnected at once, so that use counts are
/// true.
class Rewriter {
 public:
  explicit Rewriter(Graph& graph) : graph_(graph) {}
  Graph& graph() { return graph_; }

  // ---- making nodes; each is called "<Type>_<id>" until it replaces another ----
  /// A node of the newest version of an operation (or of the stated one) with inferred outputs.
  Node* make(std::string type, std::vector<Value> inputs, Attributes attrs = {}, int version = kNewest);
  /// A node whose outputs are known to be those of `like` (legacy layers that take an operation's place).
  Node* make_like(const Node* like, std::string type, std::vector<Value> inputs, Attributes attrs = {},
                  int version = 0);
  /// A node without outputs so far.
  Node* add(std::string type, std::vector<Value> inputs, int version = 0, std::string name = {});
  /// A copy of `n` (type, version, attributes) that reads other inputs.
  Node* copy(const Node* n, std::vector<Value> inputs);
  Value constant(Tensor t) { return graph_.constant(std::move(t))->value(); }
  Value scalar(ElementType type, double v) { return filled(type, {}, v); }
  Value filled(ElementType type, Shape shape, double v);
  Value index(int64_t v) { return constant(Tensor::scalar_i64(v)); }                     ///< scalar
  Value indices(std::vector<int64_t> v) { return constant(Tensor::i64(std::move(v))); }  ///< 1-D
  Node* reshape(Value v, std::vector<int64_t> pattern, bool special_zero = false);
  Node* transpose(Value v, std::vector<int64_t> order);
  /// A binary operation on constants, computed now where that is possible.
  Value folded(std::string type, Value a, Value b) { return folded(make(std::move(type), {a, b})); }
  /// A node that was just made, or the constant that it computes.
  Value folded(Node* n);
  /// The same by way of the node's bounds, which counts in releases that compare them. Inputs may be Reshapes of
  /// constants.
  Value computed(Node* n);
  /// The same whatever the inputs are computed by.
  Value by_bounds(Node* n);

  // ---- changing the graph; each returns whether it did ----
  /// `by` takes the place and the name of `old`.
  bool replace(Node* old, Node* by);
  /// The users of `old` read `by` instead; names stay.
  bool redirect(Value old, Value by);
  /// front-end §2.3 "eliminate": the users of `out` read `with`; the name of a network output survives.
  bool eliminate(Value out, Value with);
  void set_input(Node* n, int port, Value v);
  /// Called when a rewrite has dropped a user of `n`.
  void release(Node* n);

  /// The walk visits `n` next (nodes in the order in which they were registered).
  Node* visit(Node* n) {
    registered_.push_back(n);
    return n;
  }
  /// Where the nodes made from now on come from (Node::source), for messages.
  void set_origin(const std::string& source) { origin_ = source; }
  std::vector<Node*> take_registered() { return std::exchange(registered_, {}); }

  static constexpr int kNewest = -1;

 private:
  Graph& graph_;
  std::vector<Node*> registered_;
  std::string origin_;
};

/// Attributes from a list: attributes({{"axis", 1}, {"mode", "max"}}).
Attributes attributes(std::initializer_list<std::pair<std::string_view, Attributes::Value>> items);

using Roots = Few<std::string_view, 10>;  ///< the types of nodes that a rewrite looks at

/// One rewrite: looks at a node of one of the types `roots`; true when it changed the graph.
struct RewriteRow {
  Roots roots;
  bool (*apply)(Rewriter&, Node*);
  /// The types of what it makes of an operation that the layers lack, separated by spaces, for the table of supported
  /// layers; empty where operations stay what they are.
  std::string_view becomes = {};
};

/// Walks the graph in order, bodies of loops included, and offers each node to the rewrites until one of them applies.
bool apply_rewrites(Graph& graph, std::span<const RewriteRow> group);
inline bool apply_rewrites(Graph& graph, std::initializer_list<RewriteRow> group) {
  return apply_rewrites(graph, std::span(group.begin(), group.size()));
}

/// Runs f(body) with the body sharing the outer graph's counter of nodes.
template <class F>
auto in_body(Graph& outer, Node& n, F f) {
  n.body->next_id = outer.next_id;
  n.body->release = outer.release;
  const auto result = f(*n.body);
  outer.next_id = n.body->next_id;
  return result;
}

// ---- what rewrites match on ----------------------------------------------------------------------------------------

/// The producer of v when it is of this type (in any version); nullptr otherwise.
Node* producer(Value v, std::string_view type);
bool has_one_user(Value v);
bool feeds_result(Value v);
/// The constant that v is, or nullptr.
const Tensor* constant_of(Value v);
/// The value of a constant with exactly one element.
std::optional<double> single_value(Value v);
/// The value that all elements of a constant have.
std::optional<double> uniform_value(Value v);
/// A one-element constant that is `expected` (within `tolerance`).
bool is_single(Value v, double expected, double tolerance = 1.1920929e-7);
/// All elements lie within `tolerance` of `expected`.
bool all_close(const Tensor& t, double expected, double tolerance);
/// The inputs of a binary node, in both orders where the operation is commutative.
struct Operands {
  Value a, b;
};
std::vector<Operands> either_order(const Node* n);
/// True when broadcasting `other` against `shape` yields `shape` again.
bool broadcasts_into(const Shape& other, const Shape& shape);
/// By what computes it: a ReLU and the like, and what keeps such values.
bool is_never_negative(Value v);
Shape normalized_axes(const std::vector<int64_t>& axes, size_t rank);
size_t axis_from_front(int64_t axis, size_t rank);
int64_t product(std::span<const int64_t> dims);
/// A Transpose by this order, done twice, changes nothing.
bool is_own_inverse(const std::vector<int64_t>& order);
/// Of the last two axes, and no others; by a constant.
bool swaps_last_two(const Node& transpose);

}  // namespace blobsmith::transforms
