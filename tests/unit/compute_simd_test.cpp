// The vector loops of every kind of processor that this one can stand in for, against plain ones.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "compute/simd.hpp"
#include "core/float16.hpp"
#include "vector_target_fixture.hpp"

namespace blobsmith::compute {
namespace {

std::vector<float> numbers(size_t n, unsigned seed = 1) {
  std::vector<float> v(n);
  for (float& f : v) {
    seed = seed * 1664525u + 1013904223u;
    f = static_cast<float>(static_cast<int>(seed >> 24) - 128) / 32;
  }
  return v;
}

std::vector<Half> halves_of(const std::vector<float>& v) {
  std::vector<Half> h(v.size());
  floats_to_halves(v.data(), h.data(), v.size());
  return h;
}

class Simd : public testing::VectorTarget {};

// Multiples of 1/32 up to 4: sums are exact, whatever the order.
TEST_P(Simd, SumsOfShiftedRows) {
  constexpr int64_t kRows = 13, kWidth = 150, kPitch = 192;
  const std::vector<float> x = numbers(kRows * kWidth + kSlack), w = numbers(kRows * kGroup, 5);
  std::vector<int32_t> offsets;
  for (int32_t k = 0; k < kRows; ++k) offsets.push_back(k * 7 % kRows * static_cast<int32_t>(kWidth));
  for (int64_t pixels = 1; pixels <= kWidth; ++pixels) {
    std::vector<float> out(kPitch * kGroup + kSlack), one(kPitch);
    accumulate(w.data(), x.data(), offsets.data(), kRows, out.data(), kPitch, pixels);
    accumulate_one(w.data(), x.data(), offsets.data(), kRows, one.data(), pixels);
    for (int64_t p = 0; p < pixels; ++p) {
      float single = 0;
      for (int64_t k = 0; k < kRows; ++k)
        single += w[static_cast<size_t>(k)] * x[static_cast<size_t>(offsets[static_cast<size_t>(k)] + p)];
      EXPECT_EQ(one[static_cast<size_t>(p)], single) << pixels << " " << p;
      for (int64_t m = 0; m < kGroup; ++m) {
        float sum = 0;
        for (int64_t k = 0; k < kRows; ++k)
          sum += w[static_cast<size_t>(k * kGroup + m)] * x[static_cast<size_t>(offsets[static_cast<size_t>(k)] + p)];
        EXPECT_EQ(out[static_cast<size_t>(m * kPitch + p)], sum) << pixels << " " << p << " " << m;
      }
    }
  }
}

TEST_P(Simd, SumsForFewPixels) {
  constexpr int64_t kElements = 11, kGroups = 10;
  std::vector<float> w = numbers(kElements * kGroup * kGroups, 3), x = numbers(64);
  for (int64_t g = 0; g < kGroups; ++g) std::fill_n(w.begin() + (g * kElements + 4) * kGroup, kGroup, 0.0f);
  const std::vector<Half> halves = halves_of(w);
  const int32_t places[8] = {0, 1, 2, 9, 17, 18, 19, 30};
  std::vector<int32_t> offsets;
  for (int32_t k = 0; k < kElements; ++k) offsets.push_back(k * 3);
  for (const bool skip_zeros : {false, true}) {
    if (skip_zeros)
      x[12] = std::numeric_limits<float>::quiet_NaN();  // what element 4 reads for the first pixel, and no other does
    for (int64_t pixels = 1; pixels <= (skip_zeros ? 1 : 8); ++pixels) {
      std::vector<float> out(static_cast<size_t>(kGroups * pixels * kGroup));
      accumulate_columns({halves.data(), kGroups, kElements * kGroup, skip_zeros}, x.data(), offsets.data(), kElements,
                         places, pixels, out.data());
      for (size_t i = 0; i < out.size(); ++i) {
        const auto m = static_cast<int64_t>(i) % kGroup, p = static_cast<int64_t>(i) / kGroup % pixels,
                   g = static_cast<int64_t>(i) / kGroup / pixels;
        float sum = 0;
        for (int64_t k = 0; k < kElements; ++k)
          if (k != 4)
            sum += w[static_cast<size_t>((g * kElements + k) * kGroup + m)] *
                   x[static_cast<size_t>(offsets[static_cast<size_t>(k)] + places[p])];
        EXPECT_EQ(out[i], sum) << pixels << " " << i;
      }
    }
  }
}

TEST_P(Simd, PackedWeightsAreThoseRowsThatAreNotZero) {
  constexpr int64_t kElements = 45;
  std::vector<float> w(kElements * kGroup, 1.5f);
  for (int64_t k : {3, 17, 18, 44}) std::fill_n(w.begin() + k * kGroup, kGroup, k == 17 ? -0.0f : 0.0f);
  w[30 * kGroup + 2] = w[30 * kGroup + 7] = 0;
  w[20 * kGroup + 1] = -std::numeric_limits<float>::infinity();
  w[31 * kGroup + 5] = 0x1p-24f;
  std::vector<float> packed(w.size());
  std::vector<int32_t> kept(kElements);
  std::vector<uint8_t> masks(kElements);
  const PackedRows n = pack_weights(halves_of(w).data(), kElements, packed.data(), kept.data(), masks.data());
  EXPECT_EQ(n.rows, kElements - 4);
  EXPECT_EQ(n.zeros, 2);
  for (int64_t i = 0; i < n.rows; ++i) {
    const auto k = static_cast<size_t>(kept[static_cast<size_t>(i)]);
    EXPECT_EQ(masks[static_cast<size_t>(i)], k == 30 ? 0xFF & ~0x84 : 0xFF);
    for (size_t m = 0; m < kGroup; ++m) EXPECT_EQ(packed[static_cast<size_t>(i) * kGroup + m], w[k * kGroup + m]);
    EXPECT_NE(k, 3u);
    EXPECT_NE(k, 17u);
  }
}

TEST_P(Simd, EverySecondNumber) {
  for (int64_t n = 0; n < 70; ++n) {
    const std::vector<float> from =
        numbers(static_cast<size_t>(std::max<int64_t>(2 * n - 1, 0)));  // the last has no neighbour
    std::vector<float> to(static_cast<size_t>(n));
    every_second(from.data(), n, to.data());
    for (size_t i = 0; i < to.size(); ++i) EXPECT_EQ(to[i], from[2 * i]);
  }
}

TEST_P(Simd, ThreeChannelsSideBySide) {
  constexpr int64_t kCount = 5, kStep = 62;  // bytes: also misaligned
  std::vector<uint8_t> from(kCount * kStep);
  for (size_t i = 0; i < from.size(); ++i) from[i] = static_cast<uint8_t>(i * 7);
  std::vector<uint16_t> to(3 * kCount * kGroup);
  separate_three(from.data(), kStep, kCount, to.data(), kCount * kGroup);
  for (int64_t channel = 0; channel < 3; ++channel)
    for (int64_t i = 0; i < kCount; ++i)
      for (int64_t m = 0; m < kGroup; ++m) {
        uint16_t want;
        std::memcpy(&want, from.data() + i * kStep + 2 * (3 * m + channel), sizeof want);
        EXPECT_EQ(to[static_cast<size_t>((channel * kCount + i) * kGroup + m)], want);
      }
}

TEST_P(Simd, NumbersThatAreNotFinite) {
  for (size_t n : {1, 7, 16, 33}) {
    std::vector<float> v = numbers(n);
    EXPECT_TRUE(all_finite(v.data(), static_cast<int64_t>(n)));
    for (size_t i = 0; i < n; ++i)
      for (float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                        std::numeric_limits<float>::quiet_NaN()}) {
        std::vector<float> one = v;
        one[i] = bad;
        EXPECT_FALSE(all_finite(one.data(), static_cast<int64_t>(n)));
      }
  }
}

TEST_P(Simd, SigmoidAndHyperbolicTangent) {
  std::vector<float> x = numbers(203), s = x, t = x;
  sigmoids(s.data(), static_cast<int64_t>(s.size()));
  hyperbolic_tangents(t.data(), static_cast<int64_t>(t.size()));
  for (size_t i = 0; i < x.size(); ++i) {
    EXPECT_NEAR(s[i], 1 / (1 + std::exp(-static_cast<double>(x[i]))), 3e-7);
    EXPECT_NEAR(t[i], std::tanh(static_cast<double>(x[i])), 3e-7);
  }
}

TEST_P(Simd, WhatFollowsASum) {
  Finish f{.bias = 0.5f,
           .scale = 2,
           .relu = true,
           .threshold = 1,
           .slope_below = 0.25f,
           .slope_above = 0.5f,
           .clamp = true,
           .clamp_max = 1.5f};
  for (size_t n : {1, 8, 19, 37}) {
    std::vector<float> v = numbers(n), expected = v;
    for (float& e : expected) {
      e = (e + 0.5f) * 2;
      e *= e > 1 ? 0.5f : 0.25f;
      e = std::min(std::max(e, 0.0f), 1.5f);
    }
    finish(f, v.data(), static_cast<int64_t>(n));
    EXPECT_EQ(v, expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, Simd, ::testing::ValuesIn(Simd::all()), Simd::name);

}  // namespace
}  // namespace blobsmith::compute
