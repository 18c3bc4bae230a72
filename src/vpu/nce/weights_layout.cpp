// Weights as the convolution engine reads them (hw-tiling spec §12).
#include "vpu/nce/weights_layout.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "vpu/nce/constants.hpp"
#include "vpu/program/contents.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace blobsmith::vpu::nce {
namespace {

constexpr size_t kLanes = kOutputChannelGroup;

#if defined(__SSE2__)
/// Transposes eight rows of eight elements.
void transpose_8x8(const std::array<const Half*, kLanes>& rows, size_t at, Half* out) {
  const auto load = [&](size_t i) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[i] + at)); };
  const __m128i r0 = load(0), r1 = load(1), r2 = load(2), r3 = load(3), r4 = load(4), r5 = load(5), r6 = load(6),
                r7 = load(7);
  const __m128i a0 = _mm_unpacklo_epi16(r0, r1), a1 = _mm_unpackhi_epi16(r0, r1), a2 = _mm_unpacklo_epi16(r2, r3),
                a3 = _mm_unpackhi_epi16(r2, r3);
  const __m128i a4 = _mm_unpacklo_epi16(r4, r5), a5 = _mm_unpackhi_epi16(r4, r5), a6 = _mm_unpacklo_epi16(r6, r7),
                a7 = _mm_unpackhi_epi16(r6, r7);
  const __m128i b0 = _mm_unpacklo_epi32(a0, a2), b1 = _mm_unpackhi_epi32(a0, a2), b2 = _mm_unpacklo_epi32(a1, a3),
                b3 = _mm_unpackhi_epi32(a1, a3);
  const __m128i b4 = _mm_unpacklo_epi32(a4, a6), b5 = _mm_unpackhi_epi32(a4, a6), b6 = _mm_unpacklo_epi32(a5, a7),
                b7 = _mm_unpackhi_epi32(a5, a7);
  auto* o = reinterpret_cast<__m128i*>(out);
  _mm_storeu_si128(o + 0, _mm_unpacklo_epi64(b0, b4));
  _mm_storeu_si128(o + 1, _mm_unpackhi_epi64(b0, b4));
  _mm_storeu_si128(o + 2, _mm_unpacklo_epi64(b1, b5));
  _mm_storeu_si128(o + 3, _mm_unpackhi_epi64(b1, b5));
  _mm_storeu_si128(o + 4, _mm_unpacklo_epi64(b2, b6));
  _mm_storeu_si128(o + 5, _mm_unpackhi_epi64(b2, b6));
  _mm_storeu_si128(o + 6, _mm_unpacklo_epi64(b3, b7));
  _mm_storeu_si128(o + 7, _mm_unpackhi_epi64(b3, b7));
}
#endif

/// out[8 * i + lane] = rows[lane][i]
void interleave(const std::array<const Half*, kLanes>& rows, size_t length, Half* out) {
  size_t i = 0;
#if defined(__SSE2__)
  for (; i + kLanes <= length; i += kLanes) transpose_8x8(rows, i, out + i * kLanes);
#endif
  for (; i < length; ++i)
    for (size_t lane = 0; lane < kLanes; ++lane) out[i * kLanes + lane] = rows[lane][i];
}

}  // namespace

Bytes hw_weights(const Bytes& source, const WeightsShape& shape, int64_t first, int64_t count, int64_t extended_in,
                 int64_t extended_out) {
  const Bytes aligned = source.aligned(alignof(Half));
  const auto weights = aligned.as<Half>();
  const auto out_channels = static_cast<size_t>(shape.out_channels),
             row = static_cast<size_t>(shape.in_channels * shape.positions);
  ensure(weights.size() == out_channels * row, "weights do not match their shape");
  ensure(first >= 0 && first < shape.in_channels && extended_in >= count && extended_out >= shape.out_channels &&
             extended_out % kOutputChannelGroup == 0,
         "tile of weights");

  const int64_t channels = std::min(count, shape.in_channels - first);
  const auto begin = static_cast<size_t>(first * shape.positions),
             length = static_cast<size_t>(channels * shape.positions);
  const size_t block = static_cast<size_t>(extended_in * shape.positions) * kLanes,
               blocks = static_cast<size_t>(extended_out) / kLanes;
  const std::vector<Half> zeros(length, 0);
  contents::Buffer out(blocks * block);
  for (size_t b = 0; b < blocks; ++b) {
    std::array<const Half*, kLanes> rows;
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const size_t channel = b * kLanes + lane;
      rows[lane] = channel < out_channels ? weights.data() + channel * row + begin : zeros.data();
    }
    Half* to = out.data + b * block;
    interleave(rows, length, to);
    std::fill(to + length * kLanes, to + block, Half{0});
  }
  return std::move(out).bytes();
}

Bytes padded_with_zeros(const Bytes& values, int64_t count) {
  const auto size = static_cast<size_t>(count) * sizeof(Half);
  ensure(values.size() <= size, "padding to less than the content");
  std::vector<uint8_t> r(size, 0);
  std::ranges::copy(values.span(), r.begin());
  return Bytes::adopt(std::move(r));
}

Bytes diagonal_weights(const Bytes& source, int64_t first, int64_t channels, int64_t positions) {
  const Bytes aligned = source.aligned(alignof(Half));
  const auto weights = aligned.as<Half>();
  const auto n = static_cast<size_t>(channels), k = static_cast<size_t>(positions), from = static_cast<size_t>(first);
  ensure((from + n) * k <= weights.size(), "weights do not match their shape");
  std::vector<Half> r(n * n * k, 0);
  for (size_t i = 0; i < n; ++i) std::copy_n(weights.data() + (from + i) * k, k, r.data() + (i * n + i) * k);
  return Bytes::adopt(std::move(r));
}

}  // namespace blobsmith::vpu::nce
