// The known wrong results of Intel's tools: one row each, with the layers that have it, how it is avoided, and what is
// said of it. docs/quirks.md, `convert`, `check` and `compare` all tell what stands here.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/fault.hpp"
#include "graph/graph.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::transforms {

/// The layers that were rewritten; what is done is not said yet.
using Rewritten = std::vector<Remark>;
inline Remark rewritten(const Node& n) { return remark(Remark::Kind::NotAsIntel, n, {}); }

/// Layers that a fault concerns.
struct FaultyLayerRow {
  Roots types;                   ///< operations
  bool (*applies)(const Node&);  ///< of one of these
  std::string_view what;         ///< for people
  bool avoidable;                ///< `convert`, and `compile --no-quirks`, avoid it
};

/// Releases of OpenVINO, as bits of FaultRow::releases.
inline constexpr unsigned k2021_4 = 1, k2022_1 = 2;

struct FaultRow {
  std::string_view fault;    ///< for docs/quirks.md: what is computed
  std::string_view where;    ///< source files that reproduce it, separated by spaces
  std::string_view avoided;  ///< whether, and how; for docs/quirks.md
  unsigned releases;         ///< of OpenVINO, that are known to have it
  /// Empty for faults that no layer of a model shows before it is compiled.
  Few<FaultyLayerRow, 4> layers;
  /// Avoids it in a graph of opset operations, before the conversion. Null where a later room does.
  Rewritten (*rewrite)(Graph&) = nullptr;
  std::string_view said = {};  ///< of the layers that were rewritten, for people
  Fault id = Fault::None;      ///< by which a later room asks whether to reproduce it
};

/// All of them; rewrites in the order in which they run.
std::span<const FaultRow> fault_rows();
/// Layers that work across the items of a batch that is taken out of the network: no node alone shows that.
const FaultyLayerRow& batch_fault();
/// The table of docs/quirks.md, as Markdown.
std::string fault_table();

}  // namespace blobsmith::transforms
