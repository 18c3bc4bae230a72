// Layout algebra: dimensions, orders, descriptors, strides. No pass computes a stride by hand.
// Facts: the reference compiler's data_desc (memory spec §1).
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace blobsmith::vpu {

enum class DataType : uint8_t { FP16 = 0, U8 = 1, S32 = 2, FP32 = 3, I8 = 4 };
int64_t element_size(DataType t);
const char* to_string(DataType t);

/// A named dimension. Numbers above 4 have no name.
enum class Dim : uint8_t { W = 0, H = 1, C = 2, N = 3, D = 4 };
inline constexpr int kMaxDims = 15;
std::string to_string(Dim d);

/// The memory order of a tensor's dimensions: hexadecimal digits, lowest = innermost, digit = dimension + 1.
class DimsOrder {
 public:
  constexpr DimsOrder() = default;
  explicit constexpr DimsOrder(uint64_t code) : code_(code) {}
  static DimsOrder of_rank(int rank);  ///< C, NC, CHW, NCHW, NCDHW, then digits 1..n
  static DimsOrder of(const std::vector<Dim>& innermost_first);
  static bool is_valid(uint64_t code);  ///< digits without gaps, none twice

  uint64_t code() const { return code_; }
  int rank() const;
  Dim at(int position) const { return static_cast<Dim>(((code_ >> (4 * position)) & 15) - 1); }  ///< 0 = innermost
  int position(Dim d) const;                                                                     ///< -1 when absent
  bool has(Dim d) const { return position(d) >= 0; }
  DimsOrder with_dim_at(Dim d, int position) const;  ///< d taken out and put back at `position`, the others shift
  std::vector<Dim> dims() const;                     ///< innermost first
  std::string name() const;                          ///< "NCHW", outermost first
  bool operator==(const DimsOrder&) const = default;

 private:
  uint64_t code_ = 0;
};

namespace orders {
inline constexpr DimsOrder C{0x3}, NC{0x43}, CHW{0x321}, HWC{0x213}, HCW{0x231}, NCHW{0x4321}, NHWC{0x4213},
    NHCW{0x4231}, NCDHW{0x43521}, NDHWC{0x45213};
}

/// A value for some of the dimensions: sizes, strides, offsets.
class DimValues {
 public:
  DimValues() = default;
  DimValues(std::initializer_list<std::pair<Dim, int64_t>> values) {
    for (auto [d, v] : values) set(d, v);
  }
  bool has(Dim d) const { return (mask_ >> static_cast<int>(d)) & 1; }
  int64_t operator[](Dim d) const {
    if (!has(d)) throw no_value(d);
    return values_[static_cast<size_t>(d)];
  }
  int64_t get(Dim d, int64_t fallback) const { return has(d) ? values_[static_cast<size_t>(d)] : fallback; }
  void set(Dim d, int64_t v) {
    values_[static_cast<size_t>(d)] = v;
    mask_ = static_cast<uint16_t>(mask_ | (1u << static_cast<int>(d)));
  }
  void erase(Dim d) {
    values_[static_cast<size_t>(d)] = 0;
    mask_ = static_cast<uint16_t>(mask_ & ~(1u << static_cast<int>(d)));
  }
  bool empty() const { return mask_ == 0; }
  bool operator==(const DimValues&) const = default;
  template <class F>
  void for_each(F f) const {
    for (int i = 0; i < kMaxDims; ++i)
      if (has(static_cast<Dim>(i))) f(static_cast<Dim>(i), values_[static_cast<size_t>(i)]);
  }

 private:
  static Error no_value(Dim d);

  std::array<int64_t, kMaxDims> values_{};
  uint16_t mask_ = 0;
};

/// Type, order and sizes of a tensor.
struct DataDesc {
  DataType type = DataType::FP16;
  DimsOrder order;
  DimValues dims;

  DataDesc() = default;
  DataDesc(DataType t, DimsOrder o, DimValues d) : type(t), order(o), dims(d) {}
  /// FP16 in the default order of its rank from sizes, innermost first: {W,H,C,N}.
  explicit DataDesc(const std::vector<int64_t>& innermost_first);
  DataDesc(DataType t, const std::vector<int64_t>& innermost_first);

  int rank() const { return order.rank(); }
  int64_t dim(Dim d) const { return dims[d]; }
  int64_t dim(Dim d, int64_t fallback) const { return dims.get(d, fallback); }
  int64_t element_count() const;
  int64_t compact_bytes() const { return element_count() * element_size(type); }
  DataDesc reordered(DimsOrder o) const;
  DataDesc with_dim(Dim d, int64_t v) const {
    DataDesc r = *this;
    r.dims.set(d, v);
    return r;
  }
  /// Framework axis (0 = outermost of the default order) of this rank as a dimension.
  Dim axis_dim(int64_t axis) const;
  bool operator==(const DataDesc&) const = default;
};

enum class StrideRule : uint8_t { Any, Compact, Aligned, Fixed };
inline constexpr int64_t kStrideAlignment = 16;  ///< bytes, of the hardware's rows

/// What a tensor's strides must fulfil, per memory position (0 = innermost).
class StridesRequirement {
 public:
  static StridesRequirement any() { return {}; }  ///< requires nothing
  static StridesRequirement standard() {
    StridesRequirement r;
    r.set(0, StrideRule::Compact);
    return r;
  }
  static StridesRequirement compact() {
    StridesRequirement r;
    r.rules_.fill(StrideRule::Compact);
    return r;
  }
  static StridesRequirement fixed(DimValues strides) {
    StridesRequirement r;
    r.rules_.fill(StrideRule::Fixed);
    r.fixed_ = strides;
    return r;
  }

  StrideRule at(int position) const { return rules_[static_cast<size_t>(position)]; }
  StridesRequirement& set(int position, StrideRule rule) {
    rules_[static_cast<size_t>(position)] = rule;
    return *this;
  }
  StridesRequirement& remove(int position) { return set(position, StrideRule::Any); }
  bool is_fixed() const { return rules_[0] == StrideRule::Fixed; }
  const DimValues& fixed_strides() const { return fixed_; }
  bool operator==(const StridesRequirement&) const = default;

 private:
  std::array<StrideRule, kMaxDims> rules_{};
  DimValues fixed_;
};

/// Byte strides of a tensor of its own (not a region of another).
DimValues compute_strides(const DataDesc& desc, const StridesRequirement& requirement);
bool strides_satisfy(const DataDesc& desc, const DimValues& strides, const StridesRequirement& requirement);
/// stride[outermost] * dim[outermost].
int64_t byte_size(const DataDesc& desc, const DimValues& strides);
inline constexpr int64_t align_up(int64_t v, int64_t a) { return (v + a - 1) / a * a; }
inline constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace blobsmith::vpu
