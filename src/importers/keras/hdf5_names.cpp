// HDF5 1.10 believes the places of names that a file states, and reads beyond its buffers where they are wrong. So they
// are looked at before the library sees the file: the object headers from the root on, and of each group its tree
// (TREE), the lists of its members (SNOD) and its names (HEAP, of which the others say offsets), as in
//
//   object header -> message 0x11: tree at 136, names at 680
//   HEAP at 680: 88 bytes at 712, "\0...dense\0..."
//   TREE at 136: key 0, list at 800, key 8      (keys are offsets of names, too)
//   SNOD at 800: name 8 = "dense", object header at 900; ...
//
// Texts of variable length lie in heaps (GCOL), too, of which an attribute says address and number: they are looked
// for.
//
// Groups of the newer kind have no such tables. What can't be followed here is left to the library, which says what is
// wrong. Source: "HDF5 File Format Specification Version 3.0", II and III.
#include "importers/keras/hdf5_names.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace blobsmith::keras_file {
namespace {

struct NamesOutside {};

/// Places of a file; what lies beyond its end reads as zeros, and no table starts with those.
class Places {
 public:
  explicit Places(std::span<const uint8_t> file) : file_(file) {}

  bool holds(uint64_t at, uint64_t size) const { return at <= file_.size() && size <= file_.size() - at; }
  bool starts(uint64_t at, std::string_view signature) const {
    return holds(at, signature.size()) && std::memcmp(file_.data() + at, signature.data(), signature.size()) == 0;
  }
  uint64_t number(uint64_t at, uint64_t size) const {
    uint64_t value = 0;
    for (uint64_t i = 0; holds(at, size) && i < size; ++i) value |= uint64_t{file_[at + i]} << 8 * i;
    return value;
  }
  /// Texts of these bytes that begin before this offset end among them.
  uint64_t end_of_texts(uint64_t at, uint64_t size) const {
    if (!holds(at, size)) return 0;
    while (size > 0 && file_[at + size - 1] != 0) --size;
    return size;
  }
  uint64_t size() const { return file_.size(); }

 private:
  std::span<const uint8_t> file_;
};

class Walk {
 public:
  explicit Walk(Places file) : file_(file) {}

  void all() {
    const auto superblock = find_superblock();
    if (!superblock) return;
    for (object(*superblock); !objects_.empty();) {
      const uint64_t at = objects_.back();
      objects_.pop_back();
      header(at);
    }
  }

 private:
  enum : uint64_t { kAttribute = 0x0c, kContinuation = 0x10, kTables = 0x11, kCachedTables = 1, kCachedLink = 2 };

  uint64_t offset(uint64_t at) const { return file_.number(at, offset_size_); }
  uint64_t place(uint64_t at) const { return base_ + offset(at); }
  void object(uint64_t at) {
    if (seen_.insert(at).second) objects_.push_back(at);
  }

  /// The root's object header.
  std::optional<uint64_t> find_superblock() {
    uint64_t at = 0;
    while (!file_.starts(at, "\x89HDF\r\n\x1a\n")) {
      at = at == 0 ? 512 : 2 * at;
      if (at >= file_.size()) return std::nullopt;
    }
    const uint64_t version = file_.number(at + 8, 1);
    const bool is_old = version < 2;
    const uint64_t sizes = at + (is_old ? 13 : 9);
    offset_size_ = std::min<uint64_t>(file_.number(sizes, 1), 8);
    length_size_ = std::min<uint64_t>(file_.number(sizes + 1, 1), 8);
    if (offset_size_ == 0 || length_size_ == 0) return std::nullopt;
    const uint64_t addresses = at + (version == 0 ? 24 : version == 1 ? 28 : 12);
    base_ = offset(addresses);
    if (!is_old) return place(addresses + 3 * offset_size_);
    const uint64_t root = addresses + 4 * offset_size_;
    tables_in_entry(root);
    return place(root + offset_size_);
  }

  void header(uint64_t at) {
    if (file_.starts(at, "OHDR")) {
      const uint64_t flags = file_.number(at + 5, 1);
      const uint64_t size_at = at + 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
      const uint64_t size_size = uint64_t{1} << (flags & 3);
      messages(size_at + size_size, file_.number(size_at, size_size), 1, flags & 4 ? 6 : 4);
    } else if (file_.number(at, 1) == 1) {
      messages(at + 16, file_.number(at + 8, 4), 2, 8);
    }
  }

  /// Those of a header and of its continuations, whose heads are so long and begin with a kind and a size.
  void messages(uint64_t at, uint64_t size, uint64_t kind_size, uint64_t head) {
    std::vector<std::pair<uint64_t, uint64_t>> parts{{at, size}};
    while (!parts.empty()) {
      auto [from, left] = parts.back();
      parts.pop_back();
      while (left >= head && file_.holds(from, head)) {
        const uint64_t kind = file_.number(from, kind_size), length = file_.number(from + kind_size, 2);
        const uint64_t body = from + head;
        if (kind == kTables) tables(body);
        if (kind == kAttribute) attribute(body, length);
        if (kind == kContinuation && seen_.insert(place(body)).second) {
          const uint64_t signature = file_.starts(place(body), "OCHK") ? 4 : 0;
          parts.emplace_back(place(body) + signature, file_.number(body + offset_size_, length_size_));
        }
        if (left - head < length) break;
        from = body + length;
        left -= head + length;
      }
    }
  }

  void tables(uint64_t at) {
    const uint64_t heap = place(at + offset_size_);
    if (!file_.starts(heap, "HEAP")) return;
    const auto [names, is_new] = end_of_names_.try_emplace(heap);
    if (is_new)
      names->second = file_.end_of_texts(place(heap + 8 + 2 * length_size_), file_.number(heap + 8, length_size_));
    names_end_ = names->second;
    std::vector<uint64_t> nodes{place(at)};
    while (!nodes.empty()) {
      const uint64_t node = nodes.back();
      nodes.pop_back();
      // A damaged file may use one node with the names of two groups.
      if (!seen_nodes_.insert({node, heap}).second) continue;
      if (file_.starts(node, "SNOD")) members(node);
      if (file_.starts(node, "TREE")) children(node, nodes);
    }
  }

  /// Sizes of name, type and space; these, padded in the first version; the values.
  void attribute(uint64_t at, uint64_t size) {
    constexpr uint64_t kOfVariableLength = 9;
    const uint64_t version = file_.number(at, 1);
    const auto padded = [&](uint64_t n) { return version == 1 ? (n + 7) / 8 * 8 : n; };
    const uint64_t type = at + (version == 3 ? 9 : 8) + padded(file_.number(at + 2, 2));
    if (version < 1 || version > 3 || (file_.number(type, 1) & 0x0f) != kOfVariableLength) return;
    const uint64_t reference = 8 + offset_size_;  // length, address of a heap, number in it
    uint64_t value = type + padded(file_.number(at + 4, 2)) + padded(file_.number(at + 6, 2));
    for (; value + reference <= at + size && file_.holds(value, reference); value += reference)
      if (offset(value + 4) != 0)
        in_heap(place(value + 4), file_.number(value + 4 + offset_size_, 4), file_.number(value, 4));
  }

  /// Of a heap: number, use, size and bytes of each object, padded; number 0 ends the list.
  void in_heap(uint64_t heap, uint64_t number, uint64_t length) {
    if (!file_.starts(heap, "GCOL")) return;  // the library refuses it
    const auto [sizes, is_new] = heaps_.try_emplace(heap);
    if (is_new) {
      const uint64_t end = heap + file_.number(heap + 8, length_size_), head = 8 + length_size_;
      if (end < heap || end > file_.size()) throw NamesOutside();
      for (uint64_t at = heap + 8 + length_size_; at + head <= end;) {
        const uint64_t index = file_.number(at, 2), size = file_.number(at + 8, length_size_);
        if (index == 0) break;
        if (size > end - at - head) throw NamesOutside();
        sizes->second[index] = size;
        at += head + (size + 7) / 8 * 8;
      }
    }
    const auto object = sizes->second.find(number);
    if (object == sizes->second.end() || object->second < length) throw NamesOutside();
  }

  void name(uint64_t offset) {
    if (offset >= names_end_ || names_seen_++ > file_.size()) throw NamesOutside();
  }

  void children(uint64_t node, std::vector<uint64_t>& nodes) {
    const uint64_t count = file_.number(node + 6, 2), first = node + 8 + 2 * offset_size_;
    for (const uint64_t sibling : {node + 8, node + 8 + offset_size_}) nodes.push_back(place(sibling));
    for (uint64_t i = 0; i <= count; ++i) {
      const uint64_t key = first + i * (length_size_ + offset_size_);
      if (!file_.holds(key, length_size_)) return;
      name(file_.number(key, length_size_));
      if (i < count) nodes.push_back(place(key + length_size_));
    }
  }

  void members(uint64_t list) {
    const uint64_t count = file_.number(list + 6, 2), entry_size = 2 * offset_size_ + 24;
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t entry = list + 8 + i * entry_size;
      if (!file_.holds(entry, entry_size)) return;
      name(offset(entry));
      const uint64_t cached = entry + 2 * offset_size_;
      if (file_.number(cached, 4) == kCachedLink) name(file_.number(cached + 8, 4));
      object(place(entry + offset_size_));
    }
  }

  void tables_in_entry(uint64_t entry) {
    const uint64_t cached = entry + 2 * offset_size_;
    if (file_.number(cached, 4) == kCachedTables) tables(cached + 8);
  }

  Places file_;
  uint64_t offset_size_ = 0, length_size_ = 0, base_ = 0;
  uint64_t names_end_ = 0;   ///< of the group that is looked at
  uint64_t names_seen_ = 0;  ///< tables that overlap would otherwise take for ever
  std::map<uint64_t, uint64_t> end_of_names_;
  std::map<uint64_t, std::map<uint64_t, uint64_t>> heaps_;  ///< sizes of their objects by number
  std::vector<uint64_t> objects_;
  std::set<uint64_t> seen_;
  std::set<std::pair<uint64_t, uint64_t>> seen_nodes_;
};

}  // namespace

void check_names_of_groups(std::span<const uint8_t> file) {
  try {
    Walk(Places(file)).all();
  } catch (const NamesOutside&) {
    throw Error(ErrorCode::FileCorrupt,
                "the names or texts of the HDF5 file lie outside of their table: the file is damaged");
  }
}

}  // namespace blobsmith::keras_file
