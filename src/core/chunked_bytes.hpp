// A long run of bytes in parts, so that large constants reach a file without being copied together first.
#pragma once
#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "core/bytes.hpp"

namespace blobsmith {

class ChunkedBytes {
 public:
  void append(Bytes part) {
    size_ += part.size();
    if (!part.empty()) parts_.push_back(std::move(part));
  }
  void append(const ChunkedBytes& other) {
    for (const Bytes& part : other.parts_) append(part);
  }
  /// Replaces bytes of the first part.
  void overwrite(size_t at, std::span<const uint8_t> data) {
    ensure(!parts_.empty() && at + data.size() <= parts_[0].size(), "overwriting outside of the first part");
    std::vector<uint8_t> first(parts_[0].span().begin(), parts_[0].span().end());
    std::copy(data.begin(), data.end(), first.begin() + static_cast<std::ptrdiff_t>(at));
    parts_[0] = Bytes::adopt(std::move(first));
  }
  size_t size() const { return size_; }
  std::span<const Bytes> parts() const { return parts_; }
  std::vector<uint8_t> joined() const {
    std::vector<uint8_t> r;
    r.reserve(size_);
    for (const Bytes& part : parts_) r.insert(r.end(), part.span().begin(), part.span().end());
    return r;
  }

 private:
  std::vector<Bytes> parts_;
  size_t size_ = 0;
};

}  // namespace blobsmith
