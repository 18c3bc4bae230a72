// Whole arrays of halves on every kind of processor that this one can stand in for, against single conversions: the
// same bits, whatever they mean.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "core/float16.hpp"
#include "core/float16_rows.hpp"
#include "core/scaled_halves.hpp"
#include "vector_target_fixture.hpp"

namespace blobsmith {
namespace {

class Float16Arrays : public testing::VectorTarget {};

uint32_t bits_of(float f) { return std::bit_cast<uint32_t>(f); }

std::vector<Half> all_halves() {
  std::vector<Half> h(0x10000);
  std::iota(h.begin(), h.end(), Half{0});
  return h;
}

/// Every half, what lies beside it and in the middle to the next one; and one of 997 of all floats: NaNs, denormals,
/// huge ones.
std::vector<float> samples() {
  std::vector<float> v;
  for (const Half h : all_halves()) {
    const float f = half_to_float(h);
    const float middle = (f + half_to_float(static_cast<Half>(h + 1))) / 2;
    for (const float s : {f, middle}) {
      v.push_back(s);
      for (const uint32_t d : {1u, ~0u}) v.push_back(std::bit_cast<float>(bits_of(s) + d));
    }
  }
  for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += 997)
    v.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  return v;
}

/// The first few of different elements.
template <class T, class F>
void expect_same(const std::vector<T>& got, F expected) {
  int reports = 0;
  for (size_t i = 0; i < got.size() && reports < 5; ++i)
    if (got[i] != expected(i))
      ++reports, ADD_FAILURE() << "element " << i << ": " << std::hex << got[i] << " instead of " << expected(i);
}

TEST_P(Float16Arrays, EveryHalfBecomesTheSameFloat) {
  const std::vector<Half> halves = all_halves();
  std::vector<uint32_t> floats(halves.size());
  halves_to_floats(halves.data(), reinterpret_cast<float*>(floats.data()), halves.size());
  expect_same(floats, [&](size_t i) { return bits_of(half_to_float(halves[i])); });
}

TEST_P(Float16Arrays, FloatsBecomeTheSameHalves) {
  const std::vector<float> floats = samples();
  std::vector<Half> halves(floats.size());
  floats_to_halves(floats.data(), halves.data(), floats.size());
  expect_same(halves, [&](size_t i) { return float_to_half(floats[i]); });
}

TEST_P(Float16Arrays, FloatsBecomeTheSameQuirkyHalves) {
  const std::vector<float> floats = samples();
  std::vector<Half> halves(floats.size());
  quirks::floats_to_halves(floats, halves);
  expect_same(halves, [&](size_t i) { return quirks::float_to_half(floats[i]); });
}

TEST_P(Float16Arrays, HalvesTimesAFactor) {
  const std::vector<Half> halves = all_halves();
  for (const float factor : {1.0f, 256.0f, 0.3f, -2.0f}) {
    std::vector<Half> products(halves.size());
    quirks::scaled_halves(halves.data(), factor, products);
    expect_same(products, [&](size_t i) { return quirks::float_to_half(half_to_float(halves[i]) * factor); });
  }
}

TEST_P(Float16Arrays, AnyLengthStaysWithinItsBounds) {
  const std::vector<float> floats{1,  -2, 3.5f, 1e9f, -1e-9f, 0,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18,
                                  19, 20, 21,   22,   23,     24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36};
  for (size_t n = 0; n <= floats.size(); ++n) {
    std::vector<Half> halves(n + 1, 0x1234), quirky = halves;
    floats_to_halves(floats.data(), halves.data(), n);
    quirks::floats_to_halves(std::span(floats).first(n), quirky);
    expect_same(halves, [&](size_t i) { return i < n ? float_to_half(floats[i]) : 0x1234; });
    expect_same(quirky, [&](size_t i) { return i < n ? quirks::float_to_half(floats[i]) : 0x1234; });
    std::vector<float> back(n + 1, 99.0f);
    halves_to_floats(halves.data(), back.data(), n);
    expect_same(back, [&](size_t i) { return i < n ? half_to_float(halves[i]) : 99.0f; });
  }
}

TEST_P(Float16Arrays, RowsStayWithinTheirWidth) {
  constexpr int64_t kRows = 3, kPitch = 48;
  std::vector<float> values(kRows * kPitch);
  std::iota(values.begin(), values.end(), -50.0f);
  for (int64_t width = 0; width <= 40; ++width) {
    const auto inside = [&](size_t i) { return static_cast<int64_t>(i) % kPitch < width; };
    std::vector<Half> halves(kRows * kPitch, 0x1234);
    floats_to_halves(values.data(), kPitch, halves.data(), 2 * kPitch, kRows, width);
    expect_same(halves, [&](size_t i) { return inside(i) ? float_to_half(values[i]) : 0x1234; });
    std::vector<float> back(kRows * kPitch, 99.0f);
    halves_to_floats(halves.data(), 2 * kPitch, back.data(), kPitch, kRows, width);
    expect_same(back, [&](size_t i) { return inside(i) ? values[i] : 99.0f; });
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, Float16Arrays, ::testing::ValuesIn(Float16Arrays::all()), Float16Arrays::name);

}  // namespace
}  // namespace blobsmith
