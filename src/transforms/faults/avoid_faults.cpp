#include "transforms/faults/avoid_faults.hpp"

#include "core/release.hpp"
#include "transforms/faults/fault_table.hpp"
#include "transforms/faults/rewrites.hpp"

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

template <class Which>
std::vector<Remark> avoid_some(Graph& graph, const Which& which) {
  std::vector<Remark> list;
  for (const transforms::FaultRow& fault : transforms::fault_rows())
    if (fault.rewrite && (fault.releases & graph.release->tables) && which(fault)) avoid(graph, fault, list);
  return list;
}

}  // namespace

std::vector<Remark> avoid_faults(Graph& graph) {
  return avoid_some(graph, [](const transforms::FaultRow&) { return true; });
}

std::vector<Remark> avoid_faults_of_moments(Graph& graph) {
  return avoid_some(graph, [](const transforms::FaultRow& fault) {
    return fault.rewrite == transforms::move_moments || fault.rewrite == transforms::keep_eps_inside;
  });
}

}  // namespace blobsmith
