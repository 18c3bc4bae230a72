// Immutable bytes with shared ownership: a heap buffer, a slice of a mapped file, or what a function will make of other
// bytes. Copying is cheap.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/error.hpp"

namespace blobsmith {

class Bytes {
 public:
  Bytes() = default;
  /// `mapped`: the data are pages of a file, mapped for reading only.
  Bytes(std::shared_ptr<const void> owner, const uint8_t* data, size_t size, bool mapped = false)
      : owner_(std::move(owner)), data_(data), size_(size), mapped_(mapped) {}

  /// Takes over a vector of a trivially copyable type, without copying it.
  template <class T>
  static Bytes adopt(std::vector<T> v) {
    auto owner = std::make_shared<const std::vector<T>>(std::move(v));
    auto* p = reinterpret_cast<const uint8_t*>(owner->data());
    const size_t n = owner->size() * sizeof(T);
    return Bytes(std::move(owner), p, n);
  }
  template <class T>
  static Bytes copy_of(std::span<const T> v) {
    return adopt(std::vector<T>(v.begin(), v.end()));
  }

  /// Bytes that `compute` (the same ones each time) makes when they are read for the first time.
  static Bytes deferred(size_t size, std::function<Bytes()> compute);
  /// The same of many bytes; few are computed at once.
  static Bytes deferred_if_many(size_t size, std::function<Bytes()> compute);

  const uint8_t* data() const { return data_ || size_ == 0 ? data_ : computed(); }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::span<const uint8_t> span() const { return {data(), size_}; }

  /// Views the bytes as elements of T (size must be a multiple; trailing bytes are an error).
  template <class T>
  std::span<const T> as() const {
    const uint8_t* p = data();
    ensure(size_ % sizeof(T) == 0 && reinterpret_cast<uintptr_t>(p) % alignof(T) == 0,
           "bytes viewed as a type they can't hold");
    return {reinterpret_cast<const T*>(p), size_ / sizeof(T)};
  }
  Bytes slice(size_t offset, size_t size) const {
    ensure(offset <= size_ && size <= size_ - offset, "slice out of range");
    return Bytes(owner_, data() + offset, size, mapped_);
  }
  /// The same bytes at an address divisible by `alignment` (at most 16): itself, or a copy.
  Bytes aligned(size_t alignment) const {
    if (reinterpret_cast<uintptr_t>(data()) % alignment == 0) return *this;
    std::vector<uint8_t> v(data(), data() + size_);
    return adopt(std::move(v));
  }
  /// Not needed soon: pages of a mapped file leave the memory, and come back when they are read again; deferred bytes
  /// are computed again then, so nobody may hold a view of them, or a slice, any more.
  void leave_memory() const;

 private:
  const uint8_t* computed() const;

  std::shared_ptr<const void> owner_;
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
  bool mapped_ = false;
};

}  // namespace blobsmith
