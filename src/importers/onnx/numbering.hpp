// The numbers that the reference's node counter takes besides those of the nodes that stay: they reach automatic names,
// and names decide the order of layers (front-end spec §2.2, §16.1 item 5).
#pragma once
#include <cstdint>
#include <set>

#include "graph/graph.hpp"

namespace blobsmith::onnx_import::ie::quirks {

/// quirk: shape arithmetic is evaluated with temporary nodes; each result is evaluated once.
class Numbering {
 public:
  /// Numbers taken while the shapes of a new node are inferred.
  int64_t of_inference(const Node& n);

 private:
  int64_t of_evaluation(Value v);
  std::set<const Node*> evaluated_;
};

}  // namespace blobsmith::onnx_import::ie::quirks
