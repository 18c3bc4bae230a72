// A file in the pieces of memory that it is made of, some of which are pieces of an older file, too.
//
//   older file, at    | header | weights 1 | weights 2 |      of the new one is known: weights 2, here, are bytes 700
//   to
//                     0        300         700         900    900 of the older one; nobody has to read them
//   file              | other header | weights 2 |
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/chunked_bytes.hpp"

namespace blobsmith::packaging {

/// Where a file has its pieces of memory. They must stay where they are.
class Places {
 public:
  Places() = default;
  explicit Places(const ChunkedBytes& file);
  std::optional<size_t> find(const Bytes& piece) const;

 private:
  std::map<std::pair<const uint8_t*, size_t>, size_t> offsets_;
};

class Parts {
 public:
  /// One, of which nothing is known.
  explicit Parts(std::span<const uint8_t> file);
  explicit Parts(const ChunkedBytes& file, const Places& older = {});

  size_t size() const { return size_; }
  /// How many bytes of the older file, whose places were given, are the same as ours, from two places on: at most
  /// `most`.
  size_t same_as(std::span<const uint8_t> older, size_t older_at, size_t at, size_t most) const;
  /// From a byte, which exists, to the end of its part.
  std::span<const uint8_t> rest(size_t at) const;
  /// A piece of the file, which lies in it or is copied to `room`.
  std::span<const uint8_t> bytes(size_t at, size_t count, std::vector<uint8_t>& room) const;

 private:
  struct Part {
    size_t at;
    std::span<const uint8_t> bytes;
    std::optional<size_t> older_at;
  };
  /// The part that has the byte, which exists.
  const Part& part_at(size_t at) const;

  std::vector<Part> parts_;
  size_t size_ = 0;
};

}  // namespace blobsmith::packaging
