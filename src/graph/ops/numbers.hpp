// Arithmetic of constant folding (front-end spec §2.4): every tensor is computed as one of four working types.
// FP16 computes in float and rounds to nearest even after each step; integers wrap around in their own width.
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "core/float16.hpp"
#include "graph/graph.hpp"

namespace blobsmith::quirks {
/// quirk: the rounding of the reference's graph arithmetic is IEEE's, but a number below 2^-14 comes out doubled when
/// its mantissa rounds up to the next power of two at ten bits (its fraction is 0x7ff000 or more).
Half fold_to_half(float f);
}  // namespace blobsmith::quirks

namespace blobsmith::ops {

/// A float that is rounded to FP16 whenever one is made.
class Rounded {
 public:
  Rounded() = default;
  template <class T>
  explicit Rounded(T v) : value_(half_to_float(quirks::fold_to_half(static_cast<float>(v)))) {}
  operator float() const { return value_; }

 private:
  float value_ = 0;
};

/// Calls f with a value of the working type of `type`: Rounded, float, double or int64_t. False when there is none.
template <class F>
bool with_working_type(ElementType type, F f) {
  switch (type) {
    case ElementType::f16: f(Rounded()); return true;
    case ElementType::f32: f(float()); return true;
    case ElementType::f64: f(double()); return true;
    case ElementType::i8:
    case ElementType::i16:
    case ElementType::i32:
    case ElementType::i64:
    case ElementType::u8:
    case ElementType::u16:
    case ElementType::u32:
    case ElementType::u64:
    case ElementType::boolean: f(int64_t()); return true;
    default: return false;
  }
}

/// The elements as a working type. Nothing where an element doesn't fit in it (u64 beyond 2^63).
template <class T>
std::optional<std::vector<T>> load(const Tensor& t);
/// A tensor of `type` from working values: integers wrap to their width, reals are cut off when an integer type is
/// wanted.
template <class T>
Tensor store(ElementType type, const Shape& shape, std::span<const T> values);

/// The same, which becomes the tensor's own where it is stored as it is.
template <class T>
Tensor store(ElementType type, const Shape& shape, std::vector<T>&& values) {
  if constexpr (std::is_same_v<T, float>)
    if (type == ElementType::f32) return Tensor::of(type, shape, std::move(values));
  return store<T>(type, shape, std::span<const T>(values));
}

/// load(), without a copy of what is stored as it is computed.
template <class T>
class Loaded {
 public:
  explicit Loaded(const Tensor& t) {
    if constexpr (std::is_same_v<T, float>)
      if (t.type == ElementType::f32) {
        bytes_ = t.bytes.aligned(alignof(float));
        values_ = bytes_.template as<float>();
        return;
      }
    own_ = load<T>(t);
    if (own_) values_ = *own_;
    is_known_ = own_.has_value();
  }
  bool is_known() const { return is_known_; }
  std::span<const T> values() const { return values_; }

 private:
  Bytes bytes_;
  std::optional<std::vector<T>> own_;
  std::span<const T> values_;
  bool is_known_ = true;
};

/// A real as an integer: truncated, saturated, NaN as 0 (plain C++ leaves the last two undefined).
int64_t truncate(double v);

inline int64_t wrapping_add(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
inline int64_t wrapping_subtract(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
inline int64_t wrapping_multiply(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}

template <class T>
T add(T a, T b) {
  if constexpr (std::is_same_v<T, int64_t>)
    return wrapping_add(a, b);
  else
    return T(a + b);
}
template <class T>
T subtract(T a, T b) {
  if constexpr (std::is_same_v<T, int64_t>)
    return wrapping_subtract(a, b);
  else
    return T(a - b);
}
template <class T>
T multiply(T a, T b) {
  if constexpr (std::is_same_v<T, int64_t>)
    return wrapping_multiply(a, b);
  else
    return T(a * b);
}

}  // namespace blobsmith::ops
