#include "transforms/faults/avoid_faults.hpp"

#include "transforms/faults/fault_table.hpp"

namespace blobsmith {
namespace {

void avoid(Graph& graph, const transforms::FaultRow& fault, std::vector<AvoidedFault>& list) {
  for (std::string& layer : fault.rewrite(graph)) list.push_back({std::move(layer), std::string(fault.said)});
  for (Node* n : graph.ordered())
    if (n->body) transforms::in_body(graph, *n, [&](Graph& body) { return avoid(body, fault, list), true; });
}

}  // namespace

std::vector<AvoidedFault> avoid_faults(Graph& graph) {
  std::vector<AvoidedFault> list;
  for (const transforms::FaultRow& fault : transforms::fault_rows())
    if (fault.rewrite) avoid(graph, fault, list);
  return list;
}

}  // namespace blobsmith
