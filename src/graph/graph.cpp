// Graph structure: nodes, edges, order. What the operations mean lives in graph/ops.
#include "graph/graph.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "core/float16.hpp"
#include "core/release.hpp"
#include "graph/layer_name.hpp"
#include "graph/ops/numbers.hpp"
#include "graph/tensor_names.hpp"

namespace blobsmith {

int64_t element_count(const Shape& shape) {
  int64_t n = 1;
  for (int64_t d : shape)
    if (d < 0 || __builtin_mul_overflow(n, d, &n))
      throw Error(ErrorCode::ShapeMismatch, "shape " + to_string(shape) + " has no element count");
  return n;
}

bool is_static(const Shape& shape) {
  return std::ranges::all_of(shape, [](int64_t d) { return d >= 0; });
}

std::string to_string(const Shape& shape) {
  std::string s = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    s += (i ? "," : "") + (shape[i] < 0 ? std::string("?") : std::to_string(shape[i]));
  return s + "]";
}

const Shape& Value::shape() const { return node->output(port).shape; }
ElementType Value::type() const { return node->output(port).type; }

Tensor Tensor::i64(std::vector<int64_t> values) {
  const auto n = static_cast<int64_t>(values.size());
  return of(ElementType::i64, {n}, std::move(values));
}
Tensor Tensor::scalar_i64(int64_t value) { return of(ElementType::i64, {}, std::vector<int64_t>{value}); }

Tensor Tensor::reals(ElementType type, Shape shape, std::span<const double> values) {
  switch (type) {
    case ElementType::f64: return of(type, std::move(shape), std::vector<double>(values.begin(), values.end()));
    case ElementType::f32: {
      std::vector<float> v(values.size());
      std::ranges::transform(values, v.begin(), [](double d) { return static_cast<float>(d); });
      return of(type, std::move(shape), std::move(v));
    }
    case ElementType::f16: {
      // Rounded twice, through float: so the reference compiler makes constants of C++ doubles.
      std::vector<Half> v(values.size());
      std::ranges::transform(values, v.begin(), [](double d) { return float_to_half(static_cast<float>(d)); });
      return of(type, std::move(shape), std::move(v));
    }
    default:
      throw Error(ErrorCode::TypeMismatch, "real numbers can't be constants of type " + std::string(to_string(type)));
  }
}

namespace {
// Calls f(span of the stored C++ type); FP16 goes through float.
template <class F>
void visit_elements(const Tensor& t, F f) {
  switch (t.type) {
    case ElementType::f16: {
      std::vector<float> v(t.bytes.size() / 2);
      halves_to_floats(t.as<Half>().data(), v.data(), v.size());
      return f(std::span<const float>(v));
    }
    case ElementType::f32: return f(t.as<float>());
    case ElementType::f64: return f(t.as<double>());
    case ElementType::i8: return f(t.as<int8_t>());
    case ElementType::i16: return f(t.as<int16_t>());
    case ElementType::i32: return f(t.as<int32_t>());
    case ElementType::i64: return f(t.as<int64_t>());
    case ElementType::u8:
    case ElementType::boolean: return f(t.as<uint8_t>());
    case ElementType::u16: return f(t.as<uint16_t>());
    case ElementType::u32: return f(t.as<uint32_t>());
    case ElementType::u64: return f(t.as<uint64_t>());
    default:
      throw Error(ErrorCode::TypeMismatch,
                  "constants of type " + std::string(to_string(t.type)) + " can't be read as numbers");
  }
}

template <class T>
int64_t whole_number(T x) {
  if constexpr (std::is_floating_point_v<T>)
    return ops::truncate(static_cast<double>(x));
  else
    return static_cast<int64_t>(x);
}
}  // namespace

std::vector<int64_t> Tensor::to_i64() const {
  std::vector<int64_t> r;
  visit_elements(*this, [&](auto v) {
    r.reserve(v.size());
    for (auto x : v) r.push_back(whole_number(x));
  });
  return r;
}
std::vector<float> Tensor::to_f32() const {
  std::vector<float> r;
  visit_elements(*this, [&](auto v) {
    r.reserve(v.size());
    for (auto x : v) r.push_back(static_cast<float>(x));
  });
  return r;
}

size_t Node::use_count() const {
  size_t n = 0;
  for (const OutputPort& o : outputs_) n += o.uses.size();
  return n;
}

bool is_layer(const Node& n) { return !n.is("Parameter") && !n.is("Result") && !n.is_constant(); }

std::vector<Shape> input_shapes(const Node& n) {
  std::vector<Shape> r;
  for (const Value& v : n.inputs())
    if (v && !v.node->is_constant()) r.push_back(v.shape());
  return r;
}

std::vector<Shape> output_shapes(const Node& n) {
  std::vector<Shape> r;
  for (int i = 0; i < n.output_count(); ++i) r.push_back(n.shape(i));
  return r;
}

Graph::Graph() = default;
Graph::~Graph() = default;
Graph::Graph(Graph&&) noexcept = default;
Graph& Graph::operator=(Graph&&) noexcept = default;

Graph Graph::clone() const {
  Graph copy;
  copy.name = name;
  copy.release = release;
  copy.next_id = next_id;
  std::unordered_map<const Node*, Node*> of;
  for (const auto& n : nodes_) {
    copy.nodes_.push_back(std::make_unique<Node>());
    of[n.get()] = copy.nodes_.back().get();
  }
  for (const auto& n : nodes_) {
    Node& c = *of.at(n.get());
    c.type = n->type;
    c.version = n->version;
    c.name = n->name;
    c.attrs = n->attrs;
    c.constant = n->constant;
    if (n->body) c.body = std::make_unique<Graph>(n->body->clone());
    c.port_map = n->port_map;
    c.source = n->source;
    c.id_ = n->id_;
    for (const Value& v : n->inputs_) c.inputs_.push_back({v ? of.at(v.node) : nullptr, v.port});
    c.outputs_ = n->outputs_;
    for (OutputPort& o : c.outputs_)
      for (NodeUse& u : o.uses) u.node = of.at(u.node);
  }
  for (const Node* p : parameters_) copy.parameters_.push_back(of.at(p));
  for (const Node* r : results_) copy.results_.push_back(of.at(r));
  return copy;
}

Error cannot_compile(const Node& n, std::string_view what) {
  return std::move(cannot_compile(n.name, n.type, what).from(n.source));
}

Error not_yet_supported(const Node& n, std::string_view what) {
  return std::move(not_yet_supported(n.name, n.type, what).from(n.source));
}

Remark remark(Remark::Kind kind, const Node& n, std::string what) {
  return {.kind = kind, .layer = layer_name(n), .type = n.type, .source = n.source, .what = std::move(what)};
}

Node* Graph::add(std::string type, std::vector<Value> inputs, int version, std::string node_name) {
  auto owned = std::make_unique<Node>();
  Node* n = owned.get();
  n->id_ = next_id++;
  n->name = node_name.empty() ? type + "_" + std::to_string(n->id_) : std::move(node_name);
  n->type = std::move(type);
  n->version = version;
  nodes_.push_back(std::move(owned));
  for (const Value& v : inputs) add_input(n, v);
  if (n->is("Parameter")) parameters_.push_back(n);
  if (n->is("Result")) results_.push_back(n);
  return n;
}

Node* Graph::make(std::string type, std::vector<Value> inputs, Attributes attrs, int version, std::string node_name) {
  Node* n = add(std::move(type), std::move(inputs), version, std::move(node_name));
  n->attrs = std::move(attrs);
  infer(*this, n);
  return n;
}

Node* Graph::constant(Tensor t, std::string node_name) {
  Node* n = add("Constant", {}, 0, std::move(node_name));
  set_outputs(n, {{t.type, t.shape}});
  n->constant = std::move(t);
  return n;
}

Node* Graph::parameter(ElementType type, Shape shape, std::string node_name) {
  Node* n = add("Parameter", {}, 0, std::move(node_name));
  set_outputs(n, {{type, std::move(shape)}});
  return n;
}

Node* Graph::result(Value v, std::string node_name) {
  Node* n = add("Result", {v}, 0, std::move(node_name));
  set_outputs(n, {{v.type(), v.shape()}});
  return n;
}

void Graph::set_outputs(Node* n, std::vector<std::pair<ElementType, Shape>> outputs) {
  n->outputs_.resize(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    n->outputs_[i].type = outputs[i].first;
    n->outputs_[i].shape = std::move(outputs[i].second);
  }
}

void Graph::drop_use(const Value& v, const Node* n, int port) {
  auto& uses = v.node->output(v.port).uses;
  const auto it = std::ranges::find_if(uses, [&](const NodeUse& u) { return u.node == n && u.port == port; });
  if (it != uses.end()) uses.erase(it);
}

void Graph::set_input(Node* n, int port, Value v) {
  Value& slot = n->inputs_.at(static_cast<size_t>(port));
  if (slot) drop_use(slot, n, port);
  slot = v;
  if (v) v.node->output(v.port).uses.push_back({n, port});
}

void Graph::add_input(Node* n, Value v) {
  n->inputs_.push_back({});
  set_input(n, static_cast<int>(n->inputs_.size()) - 1, v);
}

void Graph::remove_input(Node* n, int port) {
  std::vector<Value> inputs = n->inputs_;
  inputs.erase(inputs.begin() + port);
  set_inputs(n, std::move(inputs));
}

void Graph::set_inputs(Node* n, std::vector<Value> inputs) {
  for (int i = 0; i < n->input_count(); ++i)
    if (n->inputs_[static_cast<size_t>(i)]) drop_use(n->inputs_[static_cast<size_t>(i)], n, i);
  n->inputs_.clear();
  for (const Value& v : inputs) add_input(n, v);
}

void Graph::redirect(Value from, Value to) {
  if (from == to) return;
  if (release->tensor_names_follow) {
    OutputPort &before = from.node->output(from.port), &after = to.node->output(to.port);
    hand_over_tensor_names(before, after);
    if (!to.node->is("Parameter")) after.name = before.name;  // quirk: also where the one has a name and the other none
  }
  const std::vector<NodeUse> uses = from.node->output(from.port).uses;
  for (const NodeUse& u : uses) set_input(u.node, u.port, to);
}

void Graph::replace(Node* a, Node* b) {
  for (int i = 0; i < a->output_count(); ++i) redirect({a, i}, {b, i});
}

namespace {
bool may_take_output_name(Value out, Value with, const Release& release) {
  if (with.node->is("Parameter")) return false;
  if (!release.shared_values_take_names) return with.node->use_count() == 1;
  const auto is_result = [](const NodeUse& u) { return u.node->is("Result"); };
  return out.node->output_count() == 1 && with.node->output_count() == 1 &&
         std::ranges::none_of(with.node->output(with.port).uses, is_result);
}
}  // namespace

bool Graph::eliminate(Value out, Value with) {
  const auto& uses = out.node->output(out.port).uses;
  const bool feeds_result = std::ranges::any_of(uses, [](const NodeUse& u) { return u.node->is("Result"); });
  if (feeds_result) {
    if (!may_take_output_name(out, with, *release)) return false;
    with.node->name = out.node->name;
    with.node->output(with.port).name = out.node->name;
  }
  const std::string kept = with.node->output(with.port).name;
  redirect(out, with);
  with.node->output(with.port).name = kept;
  return true;
}

void Graph::remove(Node* n) {
  ensure(n->use_count() == 0, "removing node '" + n->name + "' that is in use");
  for (int i = 0; i < n->input_count(); ++i)
    if (n->input(i)) drop_use(n->input(i), n, i);
  std::erase(parameters_, n);
  std::erase(results_, n);
  std::erase_if(nodes_, [&](const auto& p) { return p.get() == n; });
}

void Graph::remove_unreachable() {
  std::unordered_set<const Node*> live(parameters_.begin(), parameters_.end());
  std::vector<Node*> todo = results_;
  for (Node* n : all())
    if (n->is("Assign")) todo.push_back(n);
  while (!todo.empty()) {
    Node* n = todo.back();
    todo.pop_back();
    if (!live.insert(n).second) continue;
    for (const Value& v : n->inputs_)
      if (v) todo.push_back(v.node);
  }
  for (const auto& n : nodes_)
    if (!live.contains(n.get()))
      for (int i = 0; i < n->input_count(); ++i)
        if (n->input(i) && live.contains(n->input(i).node)) drop_use(n->input(i), n.get(), i);
  std::erase_if(nodes_, [&](const auto& p) { return !live.contains(p.get()); });
}

std::vector<Node*> Graph::ordered() const {
  std::vector<Node*> order, stack;
  std::unordered_set<const Node*> done;
  stack.insert(stack.end(), results_.begin(), results_.end());
  for (const auto& n : nodes_)
    if (n->is("Assign")) stack.push_back(n.get());
  stack.insert(stack.end(), parameters_.begin(), parameters_.end());
  size_t guard = 0;
  const size_t limit = 4 * (nodes_.size() + 1) * (nodes_.size() + 1);
  while (!stack.empty()) {
    Node* n = stack.back();
    if (done.contains(n)) {
      stack.pop_back();
      continue;
    }
    bool ready = true;
    for (auto it = n->inputs_.rbegin(); it != n->inputs_.rend(); ++it)
      if (*it && !done.contains(it->node)) {
        stack.push_back(it->node);
        ready = false;
      }
    if (ready) {
      order.push_back(n);
      stack.pop_back();
      done.insert(n);
    }
    if (++guard > limit) throw Error(ErrorCode::BadGraph, "the network has a cycle through layer \"" + n->name + "\"");
  }
  return order;
}

std::vector<Node*> Graph::all() const {
  std::vector<Node*> r;
  r.reserve(nodes_.size());
  for (const auto& n : nodes_) r.push_back(n.get());
  return r;
}

size_t Graph::size() const { return nodes_.size(); }

}  // namespace blobsmith
