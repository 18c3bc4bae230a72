// The walk of the rewrites and their common steps. Facts: front-end spec §2.2, §2.3.
#include "transforms/rewriter/rewrite.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <limits>
#include <unordered_map>

#include "core/release.hpp"
#include "graph/evaluations.hpp"
#include "graph/numbering.hpp"
#include "graph/ops/known_value.hpp"
#include "graph/ops/numbers.hpp"
#include "graph/ops/op.hpp"
#include "transforms/compressed_models.hpp"

namespace blobsmith::transforms {

Attributes attributes(std::initializer_list<std::pair<std::string_view, Attributes::Value>> items) {
  Attributes a;
  for (const auto& item : items) std::visit([&](const auto& v) { a.set(item.first, v); }, item.second);
  return a;
}

// ---- making nodes ---------------------------------------------------------------------------------------------------

namespace {
constexpr int kNewestOpset = 7;

int newest_version(std::string_view type) {
  const ops::OpRow* op = ops::find_in_opset(type, kNewestOpset);
  return op ? op->version : 0;
}
}  // namespace

Node* Rewriter::make(std::string type, std::vector<Value> inputs, Attributes attrs, int version) {
  if (version == kNewest) version = newest_version(type);
  Node* n = graph_.make(std::move(type), std::move(inputs), std::move(attrs), version);
  numbering::made(graph_, *n);
  n->source = origin_;
  return n;
}

Node* Rewriter::add(std::string type, std::vector<Value> inputs, int version, std::string name) {
  Node* n = graph_.add(std::move(type), std::move(inputs), version, std::move(name));
  n->source = origin_;
  return n;
}

Node* Rewriter::make_like(const Node* like, std::string type, std::vector<Value> inputs, Attributes attrs,
                          int version) {
  Node* n = add(std::move(type), std::move(inputs), version);
  n->attrs = std::move(attrs);
  std::vector<std::pair<ElementType, Shape>> outputs;
  for (int i = 0; i < like->output_count(); ++i) outputs.emplace_back(like->element_type(i), like->shape(i));
  graph_.set_outputs(n, std::move(outputs));
  return n;
}

Node* Rewriter::copy(const Node* n, std::vector<Value> inputs) {
  return make(n->type, std::move(inputs), n->attrs, n->version);
}

Value Rewriter::filled(ElementType type, Shape shape, double v) {
  const auto count = static_cast<size_t>(element_count(shape));
  if (is_float(type)) return constant(Tensor::reals(type, std::move(shape), std::vector<double>(count, v)));
  return constant(ops::store<int64_t>(type, shape, std::vector<int64_t>(count, ops::truncate(v))));
}

Node* Rewriter::reshape(Value v, std::vector<int64_t> pattern, bool special_zero) {
  const Value target = indices(std::move(pattern));
  return make("Reshape", {v, target}, attributes({{"special_zero", special_zero}}));
}

Node* Rewriter::transpose(Value v, std::vector<int64_t> order) {
  const Value o = indices(std::move(order));
  return make("Transpose", {v, o});
}

Value Rewriter::folded(Node* n) {
  if (n->is_constant()) return n->value();
  std::deque<Tensor> decompressed;
  std::vector<const Tensor*> inputs;
  for (const Value& v : n->inputs()) {
    const Tensor* t = constant_of(v);
    if (!t && is_decompression(*v.node) && v.node->input(0).node->is_constant()) {
      const std::array<const Tensor*, 1> stored{&v.node->input(0).node->constant};
      decompressed.push_back(evaluate(*v.node, stored).at(0));
      t = &decompressed.back();
    }
    if (!t) return n->value();
    inputs.push_back(t);
  }
  std::vector<Tensor> values = evaluate(*n, inputs);
  if (values.empty()) return n->value();
  const Value result = constant(std::move(values.front()));
  release(n);
  return result;
}

namespace {
bool is_stored(Value v) {
  if (v.node->is_constant()) return true;
  return (is_decompression(*v.node) || v.node->is("Reshape")) &&
         std::ranges::all_of(v.node->inputs(), [](Value x) { return x.node->is_constant(); });
}
}  // namespace

Value Rewriter::computed(Node* n) {
  return n->is_constant() || !std::ranges::all_of(n->inputs(), is_stored) ? n->value() : by_bounds(n);
}

Value Rewriter::by_bounds(Node* n) {
  if (graph_.release->compares_bounds) numbering::skip(graph_, numbering::Bounds().evaluate(n->value()));
  std::optional<Tensor> known = known_value(n->value(), std::numeric_limits<int64_t>::max());
  if (!known) return n->value();
  const Value result = constant(*std::move(known));
  release(n);
  return result;
}

// ---- changing the graph ---------------------------------------------------------------------------------------------

bool Rewriter::replace(Node* old, Node* by) {
  by->name = old->name;
  if (!old->source.empty()) by->source = old->source;
  graph_.replace(old, by);
  release(old);
  return true;
}

bool Rewriter::redirect(Value old, Value by) {
  graph_.redirect(old, by);
  release(old.node);
  return true;
}

bool Rewriter::eliminate(Value out, Value with) {
  if (!graph_.eliminate(out, with)) return false;
  release(out.node);
  return true;
}

void Rewriter::set_input(Node* n, int port, Value v) {
  Node* before = n->input(port).node;
  graph_.set_input(n, port, v);
  release(before);
}

namespace {
bool stays_without_users(const Node& n) { return n.is("Result") || n.is("Parameter") || n.is("Assign"); }
bool is_dead(const Node& n) { return n.use_count() == 0 && !stays_without_users(n); }
}  // namespace

void Rewriter::release(Node* n) {
  std::vector<Node*> todo{n};
  while (!todo.empty()) {
    Node* dead = todo.back();
    todo.pop_back();
    if (!is_dead(*dead) || dead->input_count() == 0) continue;
    const std::vector<Value> inputs = dead->inputs();
    graph_.set_inputs(dead, {});
    for (const Value& v : inputs)
      if (v) todo.push_back(v.node);
  }
}

// ---- the walk -------------------------------------------------------------------------------------------------------

namespace {
using Dispatch = std::unordered_map<std::string_view, std::vector<const RewriteRow*>>;

Dispatch by_root(std::span<const RewriteRow> group) {
  Dispatch d;
  for (const RewriteRow& r : group)
    for (std::string_view type : r.roots) d[type].push_back(&r);
  return d;
}

// Most groups find nothing to do in most networks.
bool has_root(const Graph& graph, const Dispatch& dispatch) {
  return std::ranges::any_of(graph.all(), [&](const Node* n) {
    return dispatch.contains(n->type) || (n->body && has_root(*n->body, dispatch));
  });
}

bool apply_at(Rewriter& rewriter, Node* n, const RewriteRow& r) {
  const std::string name = n->name, type = n->type, source = n->source;
  rewriter.set_origin(source);
  try {
    return r.apply(rewriter, n);
  } catch (Error& e) {
    if (!e.has_address()) e.at_layer(name, type);
    if (e.source().empty()) e.from(source);
    throw;
  }
}

bool walk(Graph& graph, const Dispatch& dispatch) {
  static const std::vector<const RewriteRow*> kNone;
  const std::vector<Node*> order = graph.ordered();
  std::deque<Node*> queue(order.begin(), order.end());
  Rewriter rewriter(graph);
  bool changed = false;

  const auto offer = [&](Node* n, const RewriteRow& r) {
    const bool applied = apply_at(rewriter, n, r);
    const std::vector<Node*> registered = rewriter.take_registered();
    queue.insert(queue.begin(), registered.begin(), registered.end());
    changed |= applied;
    return applied;
  };
  while (!queue.empty()) {
    Node* n = queue.front();
    queue.pop_front();
    if (is_dead(*n)) continue;
    if (n->body) changed |= in_body(graph, *n, [&](Graph& body) { return walk(body, dispatch); });
    const auto found = dispatch.find(n->type);
    for (const RewriteRow* r : found == dispatch.end() ? kNone : found->second)
      if (offer(n, *r)) break;
  }
  if (changed) graph.remove_unreachable();
  return changed;
}
}  // namespace

bool apply_rewrites(Graph& graph, std::span<const RewriteRow> group) {
  const Dispatch dispatch = by_root(group);
  return has_root(graph, dispatch) && walk(graph, dispatch);
}

// ---- what rewrites match on -----------------------------------------------------------------------------------------

Node* producer(Value v, std::string_view type) { return v && v.node->is(type) ? v.node : nullptr; }
bool has_one_user(Value v) { return v.node->output(v.port).uses.size() == 1; }

bool feeds_result(Value v) {
  return std::ranges::any_of(v.node->output(v.port).uses, [](const NodeUse& u) { return u.node->is("Result"); });
}

const Tensor* constant_of(Value v) { return v && v.node->is_constant() ? &v.node->constant : nullptr; }

namespace {
// The first element alone, so that large constants are not converted in vain; a copy, as they may leave the memory.
Tensor first_element(const Tensor& t) {
  return {t.type, {}, Bytes::copy_of(t.bytes.span().first(byte_width(t.type)))};
}

bool is_numeric(const Tensor& t) { return bit_width(t.type) >= 8 && t.type != ElementType::bf16 && !t.bytes.empty(); }
}  // namespace

std::optional<double> single_value(Value v) {
  const Tensor* t = constant_of(v);
  if (!t || element_count(t->shape) != 1 || !is_numeric(*t)) return std::nullopt;
  return t->to_f32().front();
}

std::optional<double> uniform_value(Value v) {
  const Tensor* t = constant_of(v);
  if (!t || !is_numeric(*t)) return std::nullopt;
  const double first = first_element(*t).to_f32().front();
  if (!all_close(*t, first, 0)) return std::nullopt;
  return first;
}

bool is_single(Value v, double expected, double tolerance) {
  const auto value = single_value(v);
  return value && std::abs(*value - expected) <= tolerance;
}

bool all_close(const Tensor& t, double expected, double tolerance) {
  if (!is_numeric(t)) return false;
  const auto close = [&](float x) { return std::abs(static_cast<double>(x) - expected) <= tolerance; };
  return close(first_element(t).to_f32().front()) && std::ranges::all_of(t.to_f32(), close);
}

namespace {
constexpr std::array<std::string_view, 10> kCommutative{
    "Add",        "Multiply",  "Maximum",    "Minimum", "SquaredDifference",
    "LogicalAnd", "LogicalOr", "LogicalXor", "Equal",   "NotEqual"};
}  // namespace

std::vector<Operands> either_order(const Node* n) {
  std::vector<Operands> orders{{n->input(0), n->input(1)}};
  if (std::ranges::find(kCommutative, n->type) != kCommutative.end()) orders.push_back({n->input(1), n->input(0)});
  return orders;
}

bool broadcasts_into(const Shape& other, const Shape& shape) {
  if (other.size() > shape.size()) return false;
  for (size_t i = 1; i <= other.size(); ++i) {
    const int64_t d = other[other.size() - i];
    if (d != 1 && d != shape[shape.size() - i]) return false;
  }
  return true;
}

bool is_never_negative(Value v) {
  const Node& n = *v.node;
  if (n.is("Relu") || n.is("Sigmoid") || n.is("Softmax") || n.is("Exp")) return true;
  if (n.is("Clamp")) return n.attrs.real("min") >= 0;
  if (n.is("MaxPool") || n.is("AvgPool") || n.is("Reshape") || n.is("Transpose")) return is_never_negative(n.input(0));
  return n.is("Concat") && std::ranges::all_of(n.inputs(), is_never_negative);
}

size_t axis_from_front(int64_t axis, size_t rank) {
  const int64_t a = axis < 0 ? axis + static_cast<int64_t>(rank) : axis;
  if (a < 0 || a >= static_cast<int64_t>(rank))
    throw Error(ErrorCode::BadAttribute,
                "axis " + std::to_string(axis) + " is out of range for rank " + std::to_string(rank));
  return static_cast<size_t>(a);
}

Shape normalized_axes(const std::vector<int64_t>& axes, size_t rank) {
  Shape r;
  for (int64_t a : axes) r.push_back(static_cast<int64_t>(axis_from_front(a, rank)));
  return r;
}

bool is_own_inverse(const std::vector<int64_t>& order) {
  for (size_t i = 0; i < order.size(); ++i)
    if (order.at(axis_from_front(order[i], order.size())) != static_cast<int64_t>(i)) return false;
  return true;
}

bool swaps_last_two(const Node& transpose) {
  const Tensor* t = constant_of(transpose.input(1));
  if (!t) return false;
  const std::vector<int64_t> order = t->to_i64();
  const auto rank = static_cast<int64_t>(order.size());
  if (rank < 2) return false;
  for (int64_t i = 0; i + 2 < rank; ++i)
    if (order[static_cast<size_t>(i)] != i) return false;
  return order[static_cast<size_t>(rank - 2)] == rank - 1 && order[static_cast<size_t>(rank - 1)] == rank - 2;
}

int64_t product(std::span<const int64_t> dims) {
  int64_t p = 1;
  for (int64_t d : dims) p *= d;
  return p;
}

}  // namespace blobsmith::transforms
