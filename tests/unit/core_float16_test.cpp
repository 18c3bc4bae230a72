// Both roundings to FP16 (blob-format spec §7, middle-end spec, the box on halves).
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/float16.hpp"

namespace blobsmith {
namespace {

TEST(Float16, EveryHalfSurvivesTheWayThroughFloat) {
  for (uint32_t h = 0; h < 0x10000; ++h) {
    const auto half = static_cast<Half>(h);
    const float f = half_to_float(half);
    if (std::isnan(f))
      EXPECT_TRUE(std::isnan(half_to_float(float_to_half(f))));
    else
      EXPECT_EQ(float_to_half(f), half);
  }
}

TEST(Float16, RoundsToNearestEven) {
  EXPECT_EQ(float_to_half(1.0f + 0x1p-11f), 0x3C00);
  EXPECT_EQ(float_to_half(1.0f + 3 * 0x1p-11f), 0x3C02);
  EXPECT_EQ(float_to_half(2049.0f), 0x6800);
  EXPECT_EQ(float_to_half(0x1p-24f), 0x0001);
  EXPECT_EQ(float_to_half(0x1p-25f), 0x0000);
  EXPECT_EQ(float_to_half(65519.0f), 0x7BFF);
  EXPECT_EQ(float_to_half(65520.0f), 0x7C00);
}

TEST(Float16, ArraysAgreeWithSingleValues) {
  std::vector<float> values;
  for (int i = -3000; i < 3000; ++i) values.push_back(std::ldexp(static_cast<float>(i) * 1.37f, i % 23));
  std::vector<Half> halves(values.size());
  floats_to_halves(values.data(), halves.data(), values.size());
  std::vector<float> back(values.size());
  halves_to_floats(halves.data(), back.data(), halves.size());
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(halves[i], float_to_half(values[i]));
    EXPECT_EQ(back[i], half_to_float(halves[i]));
  }
}

TEST(QuirkyFloat16, ArraysAgreeWithSingleValues) {
  std::vector<float> values{
      0.0f,   -0.0f,  std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::quiet_NaN(), 1e-45f,
      -1e-8f, 3.4e38f};
  for (int i = -3000; i < 3000; ++i) values.push_back(std::ldexp(static_cast<float>(i) * 1.37f, i % 37 - 18));
  for (uint32_t h = 0; h < 0x10000; ++h) {
    const float f = half_to_float(static_cast<Half>(h));
    for (float v : {f, std::nextafter(f, 1e9f), std::nextafter(f, -1e9f), f * (1 + 0x1p-11f)}) values.push_back(v);
  }
  std::vector<Half> halves(values.size());
  quirks::floats_to_halves(values, halves);
  for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(halves[i], quirks::float_to_half(values[i])) << values[i];
  quirks::float_to_half_blob(values, halves);
  for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(halves[i], quirks::float_to_half(values[i] + 0.0f)) << values[i];
}

TEST(QuirkyFloat16, RoundsTiesAwayFromZero) {
  EXPECT_EQ(quirks::float_to_half(1.0f + 0x1p-11f), 0x3C01);
  EXPECT_EQ(quirks::float_to_half(-1.0f - 0x1p-11f), 0xBC01);
  EXPECT_EQ(quirks::float_to_half(2049.0f), 0x6801);
}

TEST(QuirkyFloat16, MakesNoDenormals) {
  EXPECT_EQ(quirks::float_to_half(0x1p-24f), 0x0000);
  EXPECT_EQ(quirks::float_to_half(-0x1p-24f), 0x8000);
  EXPECT_EQ(quirks::float_to_half(0x1p-15f), 0x0400);
  EXPECT_EQ(quirks::float_to_half(0x1p-14f * (1 - 0x1p-10f)), 0x0400);
}

TEST(QuirkyFloat16, Saturates) {
  EXPECT_EQ(quirks::float_to_half(70000.0f), 0x7BFF);
  EXPECT_EQ(quirks::float_to_half(-1e30f), 0xFBFF);
  EXPECT_EQ(quirks::float_to_half(std::numeric_limits<float>::infinity()), 0x7C00);
  EXPECT_EQ(quirks::float_to_half(std::numeric_limits<float>::quiet_NaN()), 0xFE00);
}

TEST(QuirkyFloat16, ABlobLosesTheSignOfZero) {
  const std::vector<float> in{-0.0f, -0x1p-30f, 1.0f};
  std::vector<Half> out(in.size());
  quirks::float_to_half_blob(in, out);
  EXPECT_EQ(out, (std::vector<Half>{0x0000, 0x8000, 0x3C00}));
}

}  // namespace
}  // namespace blobsmith
