// Bytes of a blob as they are written.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"

namespace blobsmith::vpu {

/// Little-endian bytes that grow.
class ByteSink {
 public:
  void word(uint32_t v) {
    for (int i = 0; i < 4; ++i) bytes_.push_back(static_cast<uint8_t>(v >> (8 * i)));
  }
  void word(int64_t v) { word(static_cast<uint32_t>(v)); }
  void long_word(uint64_t v) {
    for (int i = 0; i < 8; ++i) bytes_.push_back(static_cast<uint8_t>(v >> (8 * i)));
  }
  void half(uint16_t v) {
    for (int i = 0; i < 2; ++i) bytes_.push_back(static_cast<uint8_t>(v >> (8 * i)));
  }
  void text(const std::string& s) { text(s, s.size()); }
  void text(const std::string& s, size_t padded_size) {
    bytes_.insert(bytes_.end(), s.begin(), s.end());
    bytes_.resize(bytes_.size() + padded_size - s.size());
  }
  void put_word(size_t at, uint32_t v) {
    ensure(at + 4 <= bytes_.size(), "word outside its section");
    for (size_t i = 0; i < 4; ++i) bytes_[at + i] = static_cast<uint8_t>(v >> (8 * i));
  }
  void append(std::span<const uint8_t> data) { bytes_.insert(bytes_.end(), data.begin(), data.end()); }
  void align(size_t alignment) { bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment); }
  size_t size() const { return bytes_.size(); }
  void reserve(size_t n) { bytes_.reserve(n); }
  void resize(size_t n) { bytes_.resize(n); }
  std::span<const uint8_t> span() const { return bytes_; }
  std::vector<uint8_t> take() { return std::exchange(bytes_, {}); }

 private:
  std::vector<uint8_t> bytes_;
};

}  // namespace blobsmith::vpu
