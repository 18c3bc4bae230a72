// The parameters of LoopStart and LoopEnd (middle-end spec §3.23, front-end spec §9 TensorIterator).
#pragma once
#include <compare>
#include <vector>

#include "vpu/format/data_desc.hpp"
#include "vpu/format/params.hpp"

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

struct LoopSpec : StageParams {
  int64_t iterations = -1;          ///< -1: dynamic
  LoopComponents components;        ///< what is sliced
  std::vector<LoopBackEdge> edges;  ///< LoopStart
  int end_stage = -1;               ///< LoopStart: the id of its LoopEnd
  int64_t stages = 0;               ///< LoopStart: of the blob, up to LoopEnd, both included
};

}  // namespace blobsmith::vpu
