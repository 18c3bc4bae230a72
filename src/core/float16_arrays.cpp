// Whole arrays of halves. Compiled once for each kind of processor (Highway): everything between HWY_BEFORE_NAMESPACE
// and HWY_AFTER_NAMESPACE.
#include "core/float16.hpp"
#include "core/float16_rows.hpp"
#include "core/scaled_halves.hpp"
#include "core/vector_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/float16_arrays.cpp"
#include <hwy/foreach_target.h>

#include "core/float16-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace blobsmith::HWY_NAMESPACE {

void rows_to_floats(const uint8_t* from, int64_t stride, float* to, int64_t pitch, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; ++r, from += stride, to += pitch)
    row_steps(hn::ScalableTag<float>(), width,
              [=](auto d, int64_t i) HWY_ATTR { hn::StoreU(load_halves(d, from + 2 * i), d, to + i); });
}

void rows_to_halves(const float* from, int64_t pitch, uint8_t* to, int64_t stride, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; ++r, from += pitch, to += stride)
    row_steps(hn::ScalableTag<float>(), width,
              [=](auto d, int64_t i) HWY_ATTR { store_halves(d, hn::LoadU(d, from + i), to + 2 * i); });
}

/// The steps of quirks::float_to_half.
template <class D>
HWY_INLINE void store_quirky_halves(D d, hn::Vec<D> v, Half* to) {
  const hn::RebindToSigned<D> d32;
  const hn::Rebind<int16_t, D> d16;
  const auto infinity = hn::Set(d32, 0x7F800000);
  const auto bits = hn::BitCast(d32, v), magnitude = hn::And(bits, hn::Set(d32, 0x7FFFFFFF));
  const auto half_unit = hn::Max(hn::Sub(hn::And(magnitude, infinity), hn::Set(d32, 11 << 23)), hn::Zero(d32));
  const auto sum = hn::BitCast(d32, hn::Add(hn::BitCast(d, magnitude), hn::BitCast(d, half_unit)));
  // As integers, positive floats keep their order.
  const auto limited =
      hn::Min(hn::Max(sum, hn::BitCast(d32, hn::Set(d, 0x1p-14f))), hn::BitCast(d32, hn::Set(d, 65504.0f)));
  auto value = hn::ShiftRight<13>(hn::Sub(limited, hn::Set(d32, 112 << 23)));
  value = hn::IfThenElse(hn::Lt(sum, hn::BitCast(d32, hn::Set(d, 0x1p-15f))), hn::Zero(d32), value);
  value = hn::IfThenElse(hn::Eq(magnitude, infinity), hn::Set(d32, 0x7C00), value);
  const auto sign =
      hn::ShiftRight<16>(hn::Xor(bits, magnitude));  // fills the upper half, so that the number fits int16_t
  auto half = hn::Or(value, sign);
  const auto nan = hn::Or(hn::ShiftRight<13>(magnitude), hn::Set(d32, -0x8000 | 0x200));  // always a negative one
  half = hn::IfThenElse(hn::Gt(magnitude, infinity), nan, half);
  hn::StoreU(hn::DemoteTo(d16, half), d16, reinterpret_cast<int16_t*>(to));
}

void to_quirky_halves(const float* from, Half* to, int64_t n) {
  row_steps(hn::ScalableTag<float>(), n,
            [=](auto d, int64_t i) HWY_ATTR { store_quirky_halves(d, hn::LoadU(d, from + i), to + i); });
}

void to_scaled_halves(const uint8_t* from, float factor, Half* to, int64_t n) {
  row_steps(hn::ScalableTag<float>(), n, [=](auto d, int64_t i) HWY_ATTR {
    store_quirky_halves(d, hn::Mul(load_halves(d, from + 2 * i), hn::Set(d, factor)), to + i);
  });
}

}  // namespace blobsmith::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace blobsmith {

HWY_EXPORT(rows_to_floats);
HWY_EXPORT(rows_to_halves);
HWY_EXPORT(to_quirky_halves);
HWY_EXPORT(to_scaled_halves);

void halves_to_floats(const void* from, int64_t stride, float* to, int64_t pitch, int64_t rows, int64_t width) {
  HWY_DYNAMIC_DISPATCH(rows_to_floats)(static_cast<const uint8_t*>(from), stride, to, pitch, rows, width);
}
void floats_to_halves(const float* from, int64_t pitch, void* to, int64_t stride, int64_t rows, int64_t width) {
  HWY_DYNAMIC_DISPATCH(rows_to_halves)(from, pitch, static_cast<uint8_t*>(to), stride, rows, width);
}
void halves_to_floats(const void* from, float* to, size_t n) {
  halves_to_floats(from, 0, to, 0, 1, static_cast<int64_t>(n));
}
void floats_to_halves(const float* from, void* to, size_t n) {
  floats_to_halves(from, 0, to, 0, 1, static_cast<int64_t>(n));
}

void quirks::floats_to_halves(std::span<const float> in, std::span<Half> out) {
  HWY_DYNAMIC_DISPATCH(to_quirky_halves)(in.data(), out.data(), static_cast<int64_t>(in.size()));
}

void quirks::scaled_halves(const void* from, float factor, std::span<Half> to) {
  HWY_DYNAMIC_DISPATCH(to_scaled_halves)
  (static_cast<const uint8_t*>(from), factor, to.data(), static_cast<int64_t>(to.size()));
}

}  // namespace blobsmith
#endif
