#include "core/bytes.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <mutex>

namespace blobsmith {
namespace {

struct Deferred {
  std::function<Bytes()> compute;
  std::mutex mutex;
  Bytes computed;
};

}  // namespace

Bytes Bytes::deferred(size_t size, std::function<Bytes()> compute) {
  auto d = std::make_shared<Deferred>();
  d->compute = std::move(compute);
  return Bytes(std::move(d), nullptr, size);
}

Bytes Bytes::deferred_if_many(size_t size, std::function<Bytes()> compute) {
  constexpr size_t kMany = 1 << 16;
  return size < kMany ? compute() : deferred(size, std::move(compute));
}

const uint8_t* Bytes::computed() const {
  auto& d = *static_cast<Deferred*>(const_cast<void*>(owner_.get()));
  const std::lock_guard lock(d.mutex);
  if (d.computed.empty()) d.computed = d.compute();
  ensure(d.computed.size() == size_, "deferred bytes have another size than was said");
  return d.computed.data();
}

void Bytes::leave_memory() const {
  if (!data_ && size_ != 0) {
    auto& d = *static_cast<Deferred*>(const_cast<void*>(owner_.get()));
    const std::lock_guard lock(d.mutex);
    d.computed = {};
    return;
  }
  if (!mapped_) return;
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE)), begin = reinterpret_cast<uintptr_t>(data_);
  const uintptr_t first = (begin + page - 1) / page * page, last = (begin + size_) / page * page;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

}  // namespace blobsmith
