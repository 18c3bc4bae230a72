// Vectors of halves to floats and back, for files that Highway compiles once for each kind of processor. Where there
// are no instructions for it, the same steps as half_to_float and float_to_half.
#include <hwy/highway.h>

#include <cstdint>

#if defined(BLOBSMITH_CORE_FLOAT16_INL_HPP) == defined(HWY_TARGET_TOGGLE)  // once for each target
#ifdef BLOBSMITH_CORE_FLOAT16_INL_HPP
#undef BLOBSMITH_CORE_FLOAT16_INL_HPP
#else
#define BLOBSMITH_CORE_FLOAT16_INL_HPP
#endif

HWY_BEFORE_NAMESPACE();
namespace blobsmith::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Vectors of a size known when compiling only.
template <class D>
constexpr int64_t lanes_of = static_cast<int64_t>(hn::MaxLanes(D()));

/// Two halves alone Highway 1.0.3 can't load on NEON: two of its functions fit.
template <class D>
constexpr bool has_halves =
    HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2 || (HWY_TARGET == HWY_NEON && lanes_of<D> >= 4);

/// D: of floats. The halves may lie anywhere.
template <class D>
HWY_INLINE hn::Vec<D> load_halves(D d, const uint8_t* from) {
  if constexpr (has_halves<D>) {
    const hn::Rebind<hwy::float16_t, D> d16;
    return hn::PromoteTo(d, hn::LoadU(d16, reinterpret_cast<const hwy::float16_t*>(from)));
  } else {
    const hn::Rebind<uint16_t, D> d16;
    const hn::RebindToSigned<D> d32;
    const auto bits = hn::PromoteTo(d32, hn::LoadU(d16, reinterpret_cast<const uint16_t*>(from)));
    const auto magnitude = hn::And(bits, hn::Set(d32, 0x7FFF)), sign = hn::ShiftLeft<16>(hn::Xor(bits, magnitude));
    const auto bias = hn::Set(d32, 112 << 23);
    auto value = hn::Add(hn::ShiftLeft<13>(magnitude), bias);
    value = hn::IfThenElse(hn::Gt(magnitude, hn::Set(d32, 0x7BFF)), hn::Add(value, bias), value);  // infinity
    value = hn::IfThenElse(hn::Gt(magnitude, hn::Set(d32, 0x7C00)), hn::Or(value, hn::Set(d32, 0x400000)),
                           value);  // a quiet NaN
    const auto denormal = hn::BitCast(d32, hn::Mul(hn::ConvertTo(d, magnitude), hn::Set(d, 0x1p-24f)));
    value = hn::IfThenElse(hn::Lt(magnitude, hn::Set(d32, 0x400)), denormal, value);
    return hn::BitCast(d, hn::Or(value, sign));
  }
}

/// To nearest even.
template <class D>
HWY_INLINE void store_halves(D d, hn::Vec<D> v, uint8_t* to) {
  if constexpr (has_halves<D>) {
    const hn::Rebind<hwy::float16_t, D> d16;
    hn::StoreU(hn::DemoteTo(d16, v), d16, reinterpret_cast<hwy::float16_t*>(to));
  } else {
    const hn::Rebind<int16_t, D> d16;
    const hn::RebindToSigned<D> d32;
    const auto bits = hn::BitCast(d32, v), magnitude = hn::And(bits, hn::Set(d32, 0x7FFFFFFF)),
               cut = hn::ShiftRight<13>(magnitude);
    const auto odd = hn::And(cut, hn::Set(d32, 1)), infinity = hn::Set(d32, 0x7C00);
    const auto rounded =
        hn::ShiftRight<13>(hn::Add(hn::Add(hn::Sub(magnitude, hn::Set(d32, 112 << 23)), hn::Set(d32, 0xFFF)), odd));
    auto value = hn::Min(rounded, infinity);
    // Below 2^-14: add a number whose last place is 2^-24.
    const auto tiny =
        hn::Sub(hn::BitCast(d32, hn::Add(hn::BitCast(d, magnitude), hn::Set(d, 0.5f))), hn::Set(d32, 0x3F000000));
    value = hn::IfThenElse(hn::Lt(magnitude, hn::Set(d32, 0x38800000)), tiny, value);
    const auto nan = hn::Or(hn::And(cut, hn::Set(d32, 0x3FF)), hn::Set(d32, 0x7E00));
    value = hn::IfThenElse(hn::Gt(magnitude, hn::Set(d32, 0x7F800000)), nan, value);
    const auto sign =
        hn::ShiftRight<16>(hn::Xor(bits, magnitude));  // fills the upper half, so that the number fits int16_t
    hn::StoreU(hn::DemoteTo(d16, hn::Or(value, sign)), d16, reinterpret_cast<int16_t*>(to));
  }
}

/// Steps of a whole row, where a number may be done twice: the last step overlaps the one before; rows that are shorter
/// than a vector take shorter ones.
template <class D, class F>
HWY_INLINE void row_steps(D d, int64_t width, F step) {
  constexpr int64_t kLanes = lanes_of<D>;
  if constexpr (kLanes > 1)
    if (width < kLanes) return row_steps(hn::CappedTag<float, kLanes / 2>(), width, step);
  for (int64_t i = 0; i + kLanes <= width; i += kLanes) step(d, i);
  if (width % kLanes) step(d, width - kLanes);
}

}  // namespace blobsmith::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
