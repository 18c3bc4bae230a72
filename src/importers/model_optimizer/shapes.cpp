// --enable_concat_optimization and --static_shape (model-optimizer spec §2.2); Concats that a Split undoes.
#include <algorithm>
#include <span>

#include "graph/ops/known_value.hpp"
#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::model_optimizer {

namespace {

/// Inputs of a Concat, side by side, that are all inputs of another one.
struct SharedInputs {
  size_t begin, count;
  Node* concat;
};

/// The longest first, of equal ones the last.
std::vector<SharedInputs> shared_inputs(const Node* n, const std::vector<Node*>& concats) {
  const std::vector<Value> inputs = n->inputs();
  std::vector<SharedInputs> found;
  for (Node* other : concats) {
    const std::vector<Value> part = other->inputs();
    if (other == n || part.size() < 2 || part.size() >= inputs.size()) continue;
    if (other->attrs.integer("axis") != n->attrs.integer("axis")) continue;
    for (auto at = inputs.begin();; ++at) {
      at = std::search(at, inputs.end(), part.begin(), part.end());
      if (at == inputs.end()) break;
      found.push_back({static_cast<size_t>(at - inputs.begin()), part.size(), other});
    }
  }
  std::ranges::stable_sort(found, [](const SharedInputs& a, const SharedInputs& b) {
    return a.count != b.count ? a.count > b.count : a.begin > b.begin;
  });
  return found;
}

}  // namespace

void reuse_concats(Graph& graph) {
  std::vector<Node*> concats;
  for (Node* n : graph.ordered())
    if (n->is("Concat")) concats.push_back(n);
  std::vector<std::vector<Value>> reduced;  // of all, before any is changed
  for (const Node* n : concats) {
    std::vector<Value> inputs = n->inputs();
    std::vector<char> taken(inputs.size());
    for (const SharedInputs& s : shared_inputs(n, concats)) {
      if (std::ranges::count(std::span(taken).subspan(s.begin, s.count), char{1}) != 0) continue;
      std::fill_n(taken.begin() + static_cast<std::ptrdiff_t>(s.begin), s.count, char{1});
      std::fill_n(inputs.begin() + static_cast<std::ptrdiff_t>(s.begin), s.count, Value{});
      inputs[s.begin] = s.concat->value();
    }
    std::erase_if(inputs, [](const Value& v) { return !v; });
    reduced.push_back(std::move(inputs));
  }
  for (size_t i = 0; i < concats.size(); ++i)
    if (reduced[i].size() != static_cast<size_t>(concats[i]->input_count())) graph.set_inputs(concats[i], reduced[i]);
}

bool drop_join_before_split(Rewriter& rw, Node* n) {
  const Node* concat = transforms::producer(n->input(0), "Concat");
  const Tensor* axis = transforms::constant_of(n->input(1));
  if (!concat || !transforms::has_one_user(n->input(0)) || !axis) return false;
  const size_t rank = n->input(0).shape().size();
  if (transforms::axis_from_front(axis->to_i64().at(0), rank) !=
      transforms::axis_from_front(concat->attrs.integer("axis"), rank))
    return false;
  const std::vector<Value> parts = concat->inputs();
  if (std::ssize(parts) != n->output_count()) return false;
  for (int i = 0; i < n->output_count(); ++i)
    if (n->shape(i) != parts[static_cast<size_t>(i)].shape()) return false;
  for (int i = 1; i < n->output_count(); ++i) rw.graph().redirect(n->value(i), parts[static_cast<size_t>(i)]);
  return rw.redirect(n->value(), parts[0]);
}

void fold_shapes(Graph& graph) {
  Rewriter rw(graph);
  for (Node* n : graph.ordered()) {
    if (n->is_constant() || n->is("Parameter") || n->is("Result") || n->output_count() != 1) continue;
    if (is_float(n->element_type())) continue;
    const auto known = known_value(n->value());
    if (!known) continue;
    rw.redirect(n->value(), graph.constant(*known, n->name)->value());
  }
}

}  // namespace blobsmith::model_optimizer
