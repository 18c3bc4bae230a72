#include "compare/known_faults.hpp"

#include <algorithm>

#include "transforms/faults/fault_table.hpp"
#include "transforms/pipeline.hpp"

namespace blobsmith::comparison {

std::vector<Remark> find_faults(const Graph& graph) {
  std::vector<Remark> list;
  for (const Node* n : graph.ordered()) {
    for (const transforms::FaultRow& fault : transforms::fault_rows())
      for (const transforms::FaultyLayerRow& f : fault.layers)
        if (f.types.contains(n->type) && f.applies(*n)) {
          list.push_back(remark(Remark::Kind::WrongResult, *n, std::string(f.what)));
          list.back().avoidable = f.avoidable;
        }
    if (n->body) std::ranges::move(find_faults(*n->body), std::back_inserter(list));
  }
  return list;
}

std::vector<Remark> remaining_faults(const Graph& graph, bool quirks) {
  std::vector<Remark> list = find_faults(graph);
  if (!quirks) std::erase_if(list, [](const Remark& r) { return r.avoidable; });
  return list;
}

std::vector<Remark> find_batch_faults(Graph graph) {
  const transforms::FaultyLayerRow& fault = transforms::batch_fault();
  std::vector<Remark> list = detect_batch(graph, false).across;
  for (Remark& r : list) {
    r.kind = Remark::Kind::WrongResult;
    r.what = fault.what;
    r.avoidable = fault.avoidable;
  }
  return list;
}

}  // namespace blobsmith::comparison
