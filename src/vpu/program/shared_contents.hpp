// What compilations of one network for several numbers of SHAVEs compute of its constants, each content once. Those of
// the blobs then lie at one address, too, which tells packaging::PatchMaker that they are the same.
//
//   compilation for 8 SHAVEs: scaled(weights, 2^4) = s and hw_weights(s, 0, 64) = h are made; for 7: both are found
#pragma once
#include <functional>
#include <initializer_list>
#include <map>
#include <mutex>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "core/bytes.hpp"

namespace blobsmith::vpu {

class SharedContents {
 public:
  /// A constant of the network, which outlives this and stays in memory. Before threads ask.
  void know(const Bytes& constant) { known_.emplace(constant.data(), constant.size()); }
  /// What `make` makes of `source` and the numbers; `what` names the computation. It is kept where the source is known
  /// or was made here: others belong to one compilation alone. Threads may ask at once.
  Bytes get(std::string_view what, const Bytes& source, std::initializer_list<int64_t> numbers,
            const std::function<Bytes()>& make);

 private:
  using Place = std::pair<const uint8_t*, size_t>;
  using Key = std::tuple<Place, std::string_view, std::vector<int64_t>>;

  std::mutex guard_;
  std::set<Place> known_;
  std::map<Key, Bytes> made_;
};

}  // namespace blobsmith::vpu
