#include "vpu/stages/order_vote.hpp"

#include <algorithm>

namespace blobsmith::vpu {

DimsOrder most_frequent_order(const std::vector<Data*>& datas) {
  struct Candidate {
    DimsOrder order;
    int votes;
  };
  std::vector<Candidate> candidates;  // by first appearance
  for (const Data* d : datas) {
    const auto it = std::ranges::find(candidates, d->desc.order, &Candidate::order);
    if (it != candidates.end())
      ++it->votes;
    else
      candidates.push_back({d->desc.order, 1});
  }
  ensure(!candidates.empty(), "concatenation of nothing");
  Candidate best = candidates.back();
  for (auto it = candidates.rbegin() + 1; it < candidates.rend(); ++it) {
    const int channels = it->order.rank() >= 3 ? it->order.position(Dim::C) : -1;
    const bool preferred = channels == 2 || (channels == 3 && best.order.position(Dim::C) != 2);
    if (it->votes > best.votes || (it->votes == best.votes && preferred)) best = *it;
  }
  return best.order;
}

}  // namespace blobsmith::vpu
