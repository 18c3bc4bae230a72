#include "graph/tensor_names.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

namespace blobsmith {
namespace {

// OutputPort::tensor_names is the table's list from its end to its beginning.

constexpr size_t kBucketsOfOneName = 2, kBucketsOfNew = 13;

uint64_t word(const char* from, size_t bytes) {
  uint64_t w = 0;
  for (size_t i = bytes; i-- > 0;) w = w << 8 | static_cast<uint8_t>(from[i]);
  return w;
}

/// MurmurHash64A with the seed of GCC's library.
uint64_t hash_of(const std::string& s) {
  constexpr uint64_t kMultiplier = 0xc6a4a7935bd1e995, kSeed = 0xc70f6907;
  const auto mixed = [](uint64_t v) { return v ^ (v >> 47); };
  uint64_t h = kSeed ^ (s.size() * kMultiplier);
  const size_t whole = s.size() / 8 * 8;
  for (size_t i = 0; i < whole; i += 8)
    h = (h ^ mixed(word(s.data() + i, 8) * kMultiplier) * kMultiplier) * kMultiplier;
  if (whole != s.size()) h = (h ^ word(s.data() + whole, s.size() - whole)) * kMultiplier;
  return mixed(mixed(h) * kMultiplier);
}

bool is_prime(size_t n) {
  for (size_t d = 2; d * d <= n; ++d)
    if (n % d == 0) return false;
  return n > 1;
}

size_t grown(size_t buckets) {
  size_t n = 2 * buckets;
  while (!is_prime(n)) ++n;
  return n;
}

/// Before the first entry of the same bucket, or before all others.
void enter(std::vector<std::string>& names, const std::string& name, size_t buckets) {
  const size_t bucket = hash_of(name) % buckets;
  const auto same = [&](const std::string& other) { return hash_of(other) % buckets == bucket; };
  const auto last = std::find_if(names.rbegin(), names.rend(), same);
  names.insert(last == names.rend() ? names.end() : last.base(), name);
}

}  // namespace

void set_tensor_name(OutputPort& port, std::string name) {
  port.tensor_names = {std::move(name)};
  port.name_buckets = kBucketsOfOneName;
}

void add_tensor_name(OutputPort& port, const std::string& name) {
  if (std::ranges::find(port.tensor_names, name) != port.tensor_names.end()) return;
  if (port.name_buckets == 0) port.name_buckets = kBucketsOfNew;
  if (port.tensor_names.size() + 1 > port.name_buckets) {
    port.name_buckets = grown(port.name_buckets);
    const std::vector<std::string> before = std::exchange(port.tensor_names, {});
    for (auto n = before.rbegin(); n != before.rend(); ++n) enter(port.tensor_names, *n, port.name_buckets);
  }
  enter(port.tensor_names, name, port.name_buckets);
}

void hand_over_tensor_names(const OutputPort& from, OutputPort& to) {
  for (auto name = from.tensor_names.rbegin(); name != from.tensor_names.rend(); ++name) add_tensor_name(to, *name);
}

void renew_tensor_names(OutputPort& port) {
  OutputPort before;
  before.tensor_names = std::exchange(port.tensor_names, {});
  port.name_buckets = 0;
  hand_over_tensor_names(before, port);
}

}  // namespace blobsmith
