#include "transforms/faults/avoid_faults.hpp"

#include "core/release.hpp"
#include "transforms/faults/fault_table.hpp"

namespace blobsmith {
namespace {

void avoid(Graph& graph, const transforms::FaultRow& fault, std::vector<Remark>& list) {
  for (Remark& r : fault.rewrite(graph)) {
    r.what = fault.said;
    list.push_back(std::move(r));
  }
  for (Node* n : graph.ordered())
    if (n->body) transforms::in_body(graph, *n, [&](Graph& body) { return avoid(body, fault, list), true; });
}

}  // namespace

std::vector<Remark> avoid_faults(Graph& graph) {
  std::vector<Remark> list;
  for (const transforms::FaultRow& fault : transforms::fault_rows())
    if (fault.rewrite && (fault.releases & graph.release->faults)) avoid(graph, fault, list);
  return list;
}

}  // namespace blobsmith
