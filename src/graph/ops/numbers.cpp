#include "graph/ops/numbers.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

namespace blobsmith::quirks {

Half fold_to_half(float f) {
  const uint32_t fraction = std::bit_cast<uint32_t>(f) & 0x7fffffU;
  const bool carries = fraction >= 0x7ff000U;
  return blobsmith::float_to_half(carries && std::fabs(f) < 1.0F / 32768 ? 2 * f : f);
}

}  // namespace blobsmith::quirks

namespace blobsmith::ops {
namespace {

template <class T, class Stored>
std::optional<std::vector<T>> load_as(const Tensor& t) {
  const auto in = t.bytes.aligned(alignof(Stored));
  std::vector<T> out;
  out.reserve(in.as<Stored>().size());
  for (Stored x : in.as<Stored>()) {
    if constexpr (std::is_same_v<Stored, uint64_t>)
      if (x > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
    if constexpr (std::is_same_v<T, int64_t> && std::is_floating_point_v<Stored>)
      out.push_back(truncate(static_cast<double>(x)));
    else
      out.push_back(static_cast<T>(x));
  }
  return out;
}

template <class T>
std::optional<std::vector<T>> load_halves(const Tensor& t) {
  const auto in = t.bytes.aligned(alignof(Half));
  std::vector<T> out;
  out.reserve(in.as<Half>().size());
  for (Half h : in.as<Half>()) {
    if constexpr (std::is_same_v<T, int64_t>)
      out.push_back(truncate(static_cast<double>(half_to_float(h))));
    else
      out.push_back(static_cast<T>(half_to_float(h)));
  }
  return out;
}

template <class T, class Stored>
Tensor store_as(ElementType type, const Shape& shape, std::span<const T> values) {
  std::vector<Stored> out(values.size());
  std::ranges::transform(values, out.begin(), [](T v) {
    if constexpr (std::is_integral_v<Stored> && !std::is_same_v<T, int64_t>)
      return static_cast<Stored>(truncate(static_cast<double>(v)));
    else
      return static_cast<Stored>(v);
  });
  return Tensor::of(type, shape, std::move(out));
}

template <class T>
Tensor store_halves(const Shape& shape, std::span<const T> values) {
  std::vector<Half> out(values.size());
  std::ranges::transform(values, out.begin(), [](T v) { return quirks::fold_to_half(static_cast<float>(v)); });
  return Tensor::of(ElementType::f16, shape, std::move(out));
}

template <class T>
Tensor store_booleans(const Shape& shape, std::span<const T> values) {
  std::vector<uint8_t> out(values.size());
  std::ranges::transform(values, out.begin(), [](T v) { return static_cast<uint8_t>(v != T(0)); });
  return Tensor::of(ElementType::boolean, shape, std::move(out));
}

}  // namespace

int64_t truncate(double v) {
  if (std::isnan(v)) return 0;
  if (v >= 9223372036854775808.0) return std::numeric_limits<int64_t>::max();
  if (v < -9223372036854775808.0) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(v);
}

template <class T>
std::optional<std::vector<T>> load(const Tensor& t) {
  switch (t.type) {
    case ElementType::f16: return load_halves<T>(t);
    case ElementType::f32: return load_as<T, float>(t);
    case ElementType::f64: return load_as<T, double>(t);
    case ElementType::i8: return load_as<T, int8_t>(t);
    case ElementType::i16: return load_as<T, int16_t>(t);
    case ElementType::i32: return load_as<T, int32_t>(t);
    case ElementType::i64: return load_as<T, int64_t>(t);
    case ElementType::u8:
    case ElementType::boolean: return load_as<T, uint8_t>(t);
    case ElementType::u16: return load_as<T, uint16_t>(t);
    case ElementType::u32: return load_as<T, uint32_t>(t);
    case ElementType::u64: return load_as<T, uint64_t>(t);
    default: return std::nullopt;
  }
}

template <class T>
Tensor store(ElementType type, const Shape& shape, std::span<const T> values) {
  switch (type) {
    case ElementType::f16: return store_halves<T>(shape, values);
    case ElementType::f32: return store_as<T, float>(type, shape, values);
    case ElementType::f64: return store_as<T, double>(type, shape, values);
    case ElementType::i8: return store_as<T, int8_t>(type, shape, values);
    case ElementType::i16: return store_as<T, int16_t>(type, shape, values);
    case ElementType::i32: return store_as<T, int32_t>(type, shape, values);
    case ElementType::i64: return store_as<T, int64_t>(type, shape, values);
    case ElementType::u8: return store_as<T, uint8_t>(type, shape, values);
    case ElementType::u16: return store_as<T, uint16_t>(type, shape, values);
    case ElementType::u32: return store_as<T, uint32_t>(type, shape, values);
    case ElementType::u64: return store_as<T, uint64_t>(type, shape, values);
    case ElementType::boolean: return store_booleans<T>(shape, values);
    default: throw internal_error("folding a tensor of type " + std::string(to_string(type)));
  }
}

template std::optional<std::vector<Rounded>> load<Rounded>(const Tensor&);
template std::optional<std::vector<float>> load<float>(const Tensor&);
template std::optional<std::vector<double>> load<double>(const Tensor&);
template std::optional<std::vector<int64_t>> load<int64_t>(const Tensor&);
template Tensor store<Rounded>(ElementType, const Shape&, std::span<const Rounded>);
template Tensor store<float>(ElementType, const Shape&, std::span<const float>);
template Tensor store<double>(ElementType, const Shape&, std::span<const double>);
template Tensor store<int64_t>(ElementType, const Shape&, std::span<const int64_t>);

}  // namespace blobsmith::ops
