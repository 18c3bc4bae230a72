#include "vpu/program/shared_contents.hpp"

#include <optional>

namespace blobsmith::vpu {

Bytes SharedContents::get(std::string_view what, const Bytes& source, std::initializer_list<int64_t> numbers,
                          const std::function<Bytes()>& make) {
  constexpr size_t kFew = 1 << 10;  // made sooner than found
  if (source.size() < kFew) return make();
  const Place place{source.data(), source.size()};
  std::optional<Key> key;
  {
    const std::lock_guard lock(guard_);
    if (known_.contains(place)) {
      key.emplace(place, what, numbers);
      if (const auto it = made_.find(*key); it != made_.end()) return it->second;
    }
  }
  Bytes content = make();
  if (!key) return content;
  const std::lock_guard lock(guard_);
  const Bytes& kept = made_.try_emplace(*std::move(key), std::move(content)).first->second;  // of whoever was first
  know(kept);
  return kept;
}

}  // namespace blobsmith::vpu
