// The numbers that the reference's node counter takes besides those of the nodes that stay: they reach automatic names,
// and names decide the order of layers (front-end spec §2.2, §16.1 item 5).
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::numbering {

/// quirk: the bounds of shape arithmetic are compared by temporary nodes, three a comparison: a Parameter, an Equal and
/// a Constant. First all lower bounds are computed, then all upper ones, from the constants on; where both meet they
/// are kept as one. Behind the second walk what had one reader is forgotten, and computed again for the next one who
/// asks.
class Bounds {
 public:
  /// Numbers taken while both bounds of v are computed.
  int64_t evaluate(Value v);

 private:
  struct State {
    bool lower = false, upper = false, same = false;
  };
  int64_t walk(Value v, bool upper);
  int64_t compare(State& s, const Shape& shape) const;
  State& at(Value v) { return states_[{v.node, v.port}]; }
  bool can_evaluate(const Node& n, bool upper);
  std::map<std::pair<const Node*, int>, State> states_;
};

/// quirk: shape arithmetic is evaluated with temporary nodes; each result is evaluated once, or has its bounds
/// compared.
class Evaluations {
 public:
  explicit Evaluations(bool compares_bounds = false) : compares_bounds_(compares_bounds) {}
  /// Numbers taken while the shapes of a new node are inferred.
  int64_t of_inference(const Node& n);

 private:
  int64_t of_evaluation(Value v);
  int64_t of_comparisons(const Node& n);
  bool compares_bounds_;
  Bounds bounds_;
  std::set<const Node*> evaluated_;
};

}  // namespace blobsmith::numbering
