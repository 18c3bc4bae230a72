#include "graph/split.hpp"

#include <algorithm>
#include <map>

namespace blobsmith {
namespace {

constexpr double kOperator = 64;  ///< bytes that a node weighs without weights

std::string name_of(Value v) {
  return v.node->output_count() > 1 ? v.node->name + "." + std::to_string(v.port) : v.node->name;
}

enum class Where { Before, Chip, After };

class Splitter {
 public:
  Splitter(const Graph& graph, const std::set<const Node*>& refused)
      : graph_(graph), refused_(refused), order_(graph.ordered()) {
    for (const Node* n : graph.parameters()) parameters_.push_back(n);
    fed_ = nodes_behind(graph, parameters_);
    for (const Node* n : order_) find_level(n);
    chip_ = heaviest();
  }

  GraphParts run() const { return {part(Where::Before), part(Where::Chip), part(Where::After)}; }

 private:
  bool is_computed(const Node* n) const { return fed_.contains(n) && is_layer(*n); }

  void find_level(const Node* n) {
    int level = 0;
    for (const Value& v : n->inputs())
      if (v && is_computed(v.node)) level = std::max(level, levels_.at(v.node) + (refused_.contains(v.node) ? 1 : 0));
    levels_[n] = level;
  }

  int heaviest() const {
    std::map<int, double> weights;
    for (const Node* n : order_) {
      if (!is_computed(n) || refused_.contains(n)) continue;
      double& w = weights[levels_.at(n)];
      w += kOperator;
      for (const Value& v : n->inputs())
        if (v.node->is_constant()) w += static_cast<double>(v.node->constant.bytes.size());
    }
    const auto most = std::ranges::max_element(weights, {}, [](const auto& pair) { return pair.second; });
    return most == weights.end() ? -1 : most->first;
  }

  Where place_of(const Node* n) const {
    const int level = levels_.at(n);
    return level < chip_ ? Where::Before : level == chip_ && !refused_.contains(n) ? Where::Chip : Where::After;
  }

  /// What others than its own part, or the user, need of a part; in order.
  std::vector<Value> outputs_of(Where part) const {
    std::vector<Value> list;
    for (Node* n : order_) {
      if (!is_computed(n) || place_of(n) != part) continue;
      for (int k = 0; k < n->output_count(); ++k)
        if (std::ranges::any_of(n->output(k).uses, [&](const NodeUse& use) {
              return use.node->is("Result") || (is_computed(use.node) && place_of(use.node) != part);
            }))
          list.push_back(n->value(k));
    }
    return list;
  }

  Graph part(Where part) const {
    Graph g = graph_.clone();
    std::map<int64_t, Node*> copies;
    for (Node* n : g.all()) copies[n->id()] = n;
    const std::vector<Node*> given = g.results(), parameters = g.parameters();
    for (const Value v : outputs_of(part)) {
      Node* n = copies.at(v.node->id());
      const auto stated = [&](const Node* r) { return r->input(0) == n->value(v.port); };
      if (std::ranges::none_of(given, stated)) g.result(n->value(v.port));
    }
    std::map<std::pair<int64_t, int>, Node*> passed;
    for (const Node* n : order_) {
      if (!is_computed(n) || place_of(n) != part) continue;
      Node* copy = copies.at(n->id());
      for (int i = 0; i < n->input_count(); ++i) {
        const Value v = n->input(i);
        if (!v || !is_computed(v.node) || place_of(v.node) == part) continue;
        Node*& stands = passed[{v.node->id(), v.port}];
        if (!stands) {
          stands = g.parameter(v.type(), v.shape(), name_of(v));
          stands->output().tensor_names = v.node->output(v.port).tensor_names;
        }
        g.set_input(copy, i, stands->value());
      }
    }
    for (Node* r : given) {
      const Node* from = r->input(0).node;
      const auto is_from = [&](const Node* n) { return n->id() == from->id(); };
      const auto original = std::ranges::find_if(order_, is_from);
      if (original != order_.end() && is_computed(*original) && place_of(*original) == part) continue;
      g.remove(r);
    }
    g.remove_unreachable();
    for (Node* p : parameters)
      if (p->use_count() == 0) g.remove(p);
    return g;
  }

  const Graph& graph_;
  const std::set<const Node*>& refused_;
  std::vector<Node*> order_;
  std::vector<const Node*> parameters_;
  std::set<const Node*> fed_;
  std::map<const Node*, int> levels_;
  int chip_ = -1;
};

}  // namespace

std::set<const Node*> nodes_behind(const Graph& graph, const std::vector<const Node*>& from) {
  std::set<const Node*> behind(from.begin(), from.end());
  for (const Node* n : graph.ordered())
    if (std::ranges::any_of(n->inputs(), [&](const Value& v) { return v && behind.contains(v.node); }))
      behind.insert(n);
  return behind;
}

GraphParts split(const Graph& graph, const std::set<const Node*>& refused) { return Splitter(graph, refused).run(); }

}  // namespace blobsmith
