// What LoopStart and LoopEnd carry in their attributes (middle-end spec §3.23, front-end spec §9 TensorIterator).
// Stored as std::any: "start-iteration-components" and "end-iteration-components" hold LoopComponents, "backedges"
// LoopBackEdges. "loop-end" of a LoopStart is the id of its LoopEnd; "start-shared-allocation" and
// "end-shared-allocation" of an outer data object are the id of its partner inside the loop.
#pragma once
#include <compare>
#include <vector>

#include "vpu/format/data_desc.hpp"

namespace blobsmith::vpu {

/// Slices of a tensor along an axis, one per iteration; end -1 = the last.
struct IterationRule {
  Dim axis = Dim::N;
  int64_t start = 0, stride = 1, end = -1;
  auto operator<=>(const IterationRule&) const = default;
};

/// LoopStart: the outer input at `port` is sliced into the inner output `inner`. LoopEnd: `port` is the outer output.
struct LoopComponent {
  int64_t port = 0;
  IterationRule rule;
  int64_t inner = 0;
  auto operator<=>(const LoopComponent&) const = default;  ///< the order of the reference's map: port, then rule
};
using LoopComponents = std::vector<LoopComponent>;  ///< sorted

/// The value of data `source` (an id) becomes that of data `target` in the next iteration.
struct LoopBackEdge {
  int64_t source = 0, target = 0;
};
using LoopBackEdges = std::vector<LoopBackEdge>;

}  // namespace blobsmith::vpu
