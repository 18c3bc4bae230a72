#include "emulator/shadow_memory.hpp"

#include <algorithm>
#include <set>

namespace blobsmith::emulator {
namespace {

using Kind = MemoryReport::Kind;
using vpu::Location;

constexpr int64_t kEngineUnit = 16;
constexpr int kOutputStage = -1;  // reports about a whole run

int64_t round_up(int64_t v, int64_t to) { return (v + to - 1) / to * to; }

}  // namespace

ShadowMemory::ShadowMemory(const vpu::Blob& blob, const Memory& memory) : blob_(blob), tensors_(2) {
  for (Location where : {Location::Input, Location::Output, Location::BSS, Location::CMX}) {
    const auto [begin, size] = memory.arena(where);
    arenas_.push_back({where, begin, std::vector<Byte>(static_cast<size_t>(size))});
  }
}

void ShadowMemory::begin_run() {
  for (Arena& a : arenas_) std::ranges::fill(a.bytes, Byte{a.location == Location::Input ? 1u : 0u, 0});
}

void ShadowMemory::begin_item() {
  for (Arena& a : arenas_)
    if (a.location == Location::BSS || a.location == Location::CMX) std::ranges::fill(a.bytes, Byte{});
}

uint32_t ShadowMemory::tensor_number(int buffer, bool padding) {
  const auto [it, added] =
      numbers_.try_emplace({index_, injected_, buffer, padding}, static_cast<uint32_t>(tensors_.size()));
  if (!added) return it->second;
  const std::string name = std::to_string(index_) + (injected_ ? "-injected-" : "-") + to_string(stage_->type) + "." +
                           stage_->buffers[static_cast<size_t>(buffer)].role;
  const uint32_t number = it->second;
  if (padding)
    tensors_.push_back({name + ", behind its rows", tensor_number(buffer, false), 0, 0, true});
  else
    tensors_.push_back({name, number, 0, 0, false});
  return number;
}

ShadowMemory::Range ShadowMemory::range_at(const uint8_t* p, int64_t size) {
  for (Arena& a : arenas_)
    if (p >= a.begin && p < a.begin + a.bytes.size()) return {&a, p - a.begin, size};
  return {};
}

template <class F>
void ShadowMemory::for_each_range(const Grid& g, F f) {
  const int64_t size = vpu::element_size(g.type);
  for_each_row(simplified(nest_of(g)), [&](const auto& at, const auto& step, int64_t n) {
    if (step[0] == size || n == 1) return f(range_at(at[0], n * size));
    for (int64_t i = 0; i < n; ++i) f(range_at(at[0] + i * step[0], size));
  });
}

void ShadowMemory::stage(int index, bool injected, const std::vector<Access>& accesses) {
  const vpu::BlobStage& whole = blob_.stages.at(static_cast<size_t>(index));
  if (injected || !whole.injected) ++turn_;
  index_ = index;
  injected_ = injected;
  stage_ = injected ? whole.injected.get() : &whole;
  for (const Access& a : accesses) check_place(a);
  if (stage_->type == vpu::StageType::Copy && accesses.size() == 2) return copy(accesses[0], accesses[1]);
  for (const Access& a : accesses)
    if (!a.write) check_read(a, true);
  for (const Access& a : accesses)
    if (a.write) mark_write(a);
}

// Channels and rows that only fill up a tensor are copied with it: what nobody wrote stays so, and is reported where it
// is used.
void ShadowMemory::copy(const Access& from, const Access& to) {
  check_read(from, false);
  const int64_t size = vpu::element_size(from.elements.type);
  std::vector<bool> known;
  for_each_row(nest_of(from.elements), [&](const auto& at, const auto& step, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
      const Range r = range_at(at[0] + i * step[0], size);
      bool all = true;
      for (int64_t k = r.first; r.arena && k < r.first + size; ++k) {
        const Byte& byte = r.arena->bytes[static_cast<size_t>(k)];
        all &= byte.tensor != 0 && !tensors_[byte.tensor].padding;
      }
      known.push_back(all);
    }
  });
  mark_write(to);
  size_t next = 0;
  for_each_row(nest_of(to.elements), [&](const auto& at, const auto& step, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
      const Range r = range_at(at[0] + i * step[0], size);
      if (!known.at(next++) && r.arena) std::fill_n(r.arena->bytes.begin() + r.first, size, Byte{0, 0});
    }
  });
}

// ---- places ----
void ShadowMemory::check_place(const Access& a) {
  const Grid& g = a.elements;
  if (g.count() == 0) return;
  const vpu::BlobBuffer& b = stage_->buffers[static_cast<size_t>(a.buffer)];
  const int64_t size = vpu::element_size(g.type), unit = a.by_engine ? kEngineUnit : size;
  const Range first = range_at(g.data, size);
  if (!first.arena) return;
  bool aligned = first.first % unit == 0;
  for (size_t k = 0; k < static_cast<size_t>(g.rank); ++k)
    if (g.dims[k] > 1 && g.strides[k] != size) aligned &= g.strides[k] % unit == 0;
  if (!aligned) report(Kind::Alignment, a.buffer, *first.arena, first.first, size);
  if (b.location != Location::Input && b.location != Location::Output) return;
  const auto extent = vpu::tensor_extent(b.desc.type, b.desc.dims, b.desc.strides);
  if (extent && b.offset + *extent > b.io.bytes) report(Kind::Outside, a.buffer, *first.arena, first.first, *extent);
}

// ---- reads ----
void ShadowMemory::check_read(const Access& a, bool used) {
  std::set<uint32_t> seen;
  for_each_range(a.elements, [&](const Range& r) {
    if (!r.arena) return;
    uint32_t last = 0;
    for (int64_t i = r.first; i < r.first + r.size; ++i) {
      Byte& byte = r.arena->bytes[static_cast<size_t>(i)];
      const Tensor& t = tensors_[byte.tensor];
      byte.read_in = turn_;
      if (used && (byte.tensor == 0 || t.padding))
        report(Kind::Unwritten, a.buffer, *r.arena, i, 1, t.name);
      else if (!injected_ && !t.padding && t.written_in == turn_)
        report(Kind::Overlap, a.buffer, *r.arena, i, 1, t.name);
      if (byte.tensor != last) seen.insert(byte.tensor);
      last = byte.tensor;
    }
  });
  // A tensor that another one partly went over, and both read as one: the memory was given away too early.
  for (uint32_t t : seen)
    if (const uint32_t by = tensors_[t].partly_lost_to; by != 0 && seen.contains(by)) {
      for_each_range(a.elements, [&](const Range& r) {
        for (int64_t i = r.first; i < r.first + r.size; ++i)
          if (r.arena->bytes[static_cast<size_t>(i)].tensor == by)
            report(Kind::Overlap, a.buffer, *r.arena, i, 1, tensors_[by].name + " over " + tensors_[t].name);
      });
    }
}

// ---- writes ----
void ShadowMemory::mark_write(const Access& a) {
  const uint32_t data = tensor_number(a.buffer, false), padding = a.by_engine ? tensor_number(a.buffer, true) : 0;
  for (uint32_t t : {data, padding})
    if (t != 0 && tensors_[t].written_in != turn_) {
      tensors_[t].written_in = turn_;
      tensors_[t].partly_lost_to = 0;
    }
  for_each_range(a.elements, [&](const Range& r) {
    if (!r.arena) return;
    write_bytes(a, r, data);
    const int64_t end = r.first + r.size, rest = a.by_engine ? round_up(end, kEngineUnit) - end : 0;
    if (end + rest > static_cast<int64_t>(r.arena->bytes.size()))
      report(Kind::Outside, a.buffer, *r.arena, end, rest);
    else
      write_bytes(a, {r.arena, end, rest}, padding);
  });
}

void ShadowMemory::write_bytes(const Access& a, const Range& r, uint32_t tensor) {
  for (int64_t i = r.first; i < r.first + r.size; ++i) {
    Byte& byte = r.arena->bytes[static_cast<size_t>(i)];
    Tensor& before = tensors_[byte.tensor];
    const bool own = before.name.empty() || before.owner == tensors_[tensor].owner;
    if (byte.read_in == turn_) report(Kind::Overlap, a.buffer, *r.arena, i, 1, "what is read at the same time");
    if (!own && before.written_in == turn_ && !before.padding && !tensors_[tensor].padding)
      report(Kind::Overlap, a.buffer, *r.arena, i, 1, before.name);
    if (!own) before.partly_lost_to = tensor;
    byte.tensor = tensor;
  }
}

// ---- the whole run ----
void ShadowMemory::output(int number, const std::string& name, const Grid& elements) {
  for_each_range(elements, [&](const Range& r) {
    for (int64_t i = r.first; r.arena && i < r.first + r.size; ++i) {
      const Tensor& t = tensors_[r.arena->bytes[static_cast<size_t>(i)].tensor];
      if (!t.name.empty() && !t.padding) continue;
      MemoryReport& m = reports_
                            .try_emplace({kOutputStage, false, number, 0},
                                         MemoryReport{Kind::OutputUnwritten, kOutputStage, false, "", name,
                                                      to_string(r.arena->location), i, i, 0, ""})
                            .first->second;
      m.last = i;
      ++m.bytes;
    }
  });
}

void ShadowMemory::report(Kind kind, int buffer, const Arena& arena, int64_t first, int64_t size,
                          const std::string& other) {
  const MemoryReport fresh{kind,
                           index_,
                           injected_,
                           to_string(stage_->type),
                           stage_->buffers[static_cast<size_t>(buffer)].role,
                           to_string(arena.location),
                           first,
                           first,
                           0,
                           other};
  MemoryReport& m = reports_.try_emplace({index_, !injected_, buffer, static_cast<int>(kind)}, fresh).first->second;
  m.first = std::min(m.first, first);
  m.last = std::max(m.last, first + size - 1);
  m.bytes += size;
}

std::vector<MemoryReport> ShadowMemory::reports() const {
  std::vector<MemoryReport> list;
  for (const auto& [key, r] : reports_) list.push_back(r);
  return list;
}

}  // namespace blobsmith::emulator
