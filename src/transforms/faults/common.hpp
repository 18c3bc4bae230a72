// What the rewrites of this room share.
#pragma once
#include <functional>

#include "transforms/faults/rewrites.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::transforms {

/// Offers every node to `respell`, in order, which returns whether it put something else in its place.
template <class F>
Rewritten rewrite_each(Graph& graph, F respell) {
  Rewriter rw(graph);
  Rewritten list;
  for (Node* n : graph.ordered()) {
    rw.set_origin(n->source);
    Remark r = rewritten(*n);
    if (respell(rw, n)) list.push_back(std::move(r));
  }
  if (!list.empty()) graph.remove_unreachable();
  return list;
}

/// Replaces a node by what `make` gives for its first input with the axes in another order: as many elements, in that
/// order.
bool replace_turned(Rewriter& rw, Node* n, const std::vector<int64_t>& order, const std::function<Value(Value)>& make);
/// Elements [from, to) along an axis.
Value slice(Rewriter& rw, Value v, size_t axis, int64_t from, int64_t to);

}  // namespace blobsmith::transforms
