#include "compare/known_faults.hpp"

#include <algorithm>

#include "transforms/faults/fault_table.hpp"
#include "transforms/pipeline.hpp"

namespace blobsmith::compare {

std::vector<FaultyLayer> find_faults(const Graph& graph) {
  std::vector<FaultyLayer> list;
  for (const Node* n : graph.ordered()) {
    for (const transforms::FaultRow& fault : transforms::fault_rows())
      for (const transforms::FaultyLayerRow& f : fault.layers)
        if (f.types.contains(n->type) && f.applies(*n))
          list.push_back({n->name, n->type, std::string(f.what), f.avoidable});
    if (n->body) std::ranges::move(find_faults(*n->body), std::back_inserter(list));
  }
  return list;
}

std::vector<FaultyLayer> remaining_faults(const Graph& graph, bool quirks) {
  std::vector<FaultyLayer> list = find_faults(graph);
  if (!quirks) std::erase_if(list, [](const FaultyLayer& f) { return f.avoidable; });
  return list;
}

std::vector<FaultyLayer> find_batch_faults(Graph graph) {
  std::vector<FaultyLayer> list;
  const transforms::FaultyLayerRow& fault = transforms::batch_fault();
  for (BatchInfo::Layer& l : detect_batch(graph, false).across)
    list.push_back({std::move(l.name), std::move(l.type), std::string(fault.what), fault.avoidable});
  return list;
}

}  // namespace blobsmith::compare
