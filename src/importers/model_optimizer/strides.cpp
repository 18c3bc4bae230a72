// "ResNet stride optimisation" (model-optimizer spec §6.5): the stride of a 1x1 convolution is moved up to the
// convolutions that compute its input, through element-wise operations; where consumers want different strides, a pool
// of window 1 takes the stride of those that have none of their own.
#include <algorithm>
#include <map>

#include "graph/numbering.hpp"
#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::model_optimizer {
namespace {

using Strides = std::vector<int64_t>;

bool is_one(const Strides& s) {
  return std::ranges::all_of(s, [](int64_t v) { return v == 1; });
}
bool is_convolution(const Node* n) { return n->is("Convolution") || n->is("GroupConvolution"); }
bool passes_strides(const Node* n) { return n->is("Relu") || n->is("Maximum") || n->is("Multiply") || n->is("Add"); }

class StrideWalk {
 public:
  explicit StrideWalk(Graph& graph) : graph_(graph) {}

  void run() {
    std::vector<Node*> order = graph_.ordered();
    for (Node* n : std::vector<Node*>(order.rbegin(), order.rend())) {
      if (n->is_constant() || n->is("Result")) continue;
      if (is_convolution(n))
        visit_convolution(n);
      else
        visit_other(n);
    }
    if (!changed_) return;
    for (Node* n : graph_.ordered()) infer_unrounded(graph_, n);
  }

 private:
  /// What each consumer asks for: the stride that it left to its input, 1 where it left none.
  struct WantedStrides {
    NodeUse use;
    Strides strides;
  };

  std::vector<WantedStrides> wanted_strides(const Node* n) const {
    std::vector<WantedStrides> r;
    for (int i = 0; i < n->output_count(); ++i)
      for (const NodeUse& u : n->output(i).uses) {
        const auto it = wanted_.find(u.node);
        r.push_back({u, it == wanted_.end() ? Strides{1, 1} : it->second});
      }
    return r;
  }
  static bool agree(const std::vector<WantedStrides>& w) {
    return std::ranges::all_of(w, [&](const WantedStrides& x) { return x.strides == w[0].strides; });
  }

  /// The convolutions among the consumers lose the stride that went up.
  void take_strides(const std::vector<WantedStrides>& list) {
    for (const WantedStrides& w : list)
      if (is_convolution(w.use.node)) w.use.node->attrs.set("strides", Strides(w.strides.size(), 1));
    changed_ = true;
  }

  void insert_pools(Node* n, const std::vector<WantedStrides>& list) {
    for (const WantedStrides& w : list) {
      if (is_one(w.strides) || is_convolution(w.use.node)) continue;
      const Value from = w.use.node->input(w.use.port);
      const Strides zero(w.strides.size(), 0), one(w.strides.size(), 1);
      Node* pool = graph_.make("MaxPool", {from},
                               transforms::attributes({{"kernel", one},
                                                       {"strides", w.strides},
                                                       {"pads_begin", zero},
                                                       {"pads_end", zero},
                                                       {"rounding_type", std::string("floor")},
                                                       {"auto_pad", std::string("explicit")}}),
                               1, "Pooling_" + std::to_string(numbering::next(graph_)));
      pool->source = n->source;
      graph_.set_input(w.use.node, w.use.port, pool->value());
      changed_ = true;
    }
  }

  void visit_other(Node* n) {
    const std::vector<WantedStrides> list = wanted_strides(n);
    if (!passes_strides(n) || !agree(list)) return insert_pools(n, list);
    if (list.empty() || is_one(list[0].strides)) return;
    wanted_[n] = list[0].strides;
    take_strides(list);
  }

  void visit_convolution(Node* n) {
    const std::vector<WantedStrides> list = wanted_strides(n);
    Strides strides = n->attrs.integers("strides");
    if (!agree(list)) {
      insert_pools(n, list);
    } else if (!list.empty() && !is_one(list[0].strides) && list[0].strides.size() == strides.size()) {
      for (size_t i = 0; i < strides.size(); ++i) strides[i] *= list[0].strides[i];
      n->attrs.set("strides", strides);
      take_strides(list);
    }
    const Shape& w = n->input(1).shape();
    const bool is_1x1 = w.size() > strides.size() && std::all_of(w.end() - static_cast<std::ptrdiff_t>(strides.size()),
                                                                 w.end(), [](int64_t d) { return d == 1; });
    if (is_1x1 && strides.size() == 2 && !is_one(strides)) wanted_[n] = strides;
  }

  Graph& graph_;
  std::map<const Node*, Strides> wanted_;
  bool changed_ = false;
};

}  // namespace

void move_strides_up(Graph& graph) { StrideWalk(graph).run(); }

}  // namespace blobsmith::model_optimizer
