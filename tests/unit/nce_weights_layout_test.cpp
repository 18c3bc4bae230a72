// Weights in the order of the convolution engine (hw-tiling spec §12, §4.5).
#include <gtest/gtest.h>

#include <numeric>

#include "core/float16.hpp"
#include "vpu/nce/weights_layout.hpp"

namespace blobsmith::vpu::nce {
namespace {

/// Elements 1, 2, 3... : the bits themselves, which are moved, not computed with.
Bytes counted(int64_t n) {
  std::vector<Half> v(static_cast<size_t>(n));
  std::iota(v.begin(), v.end(), Half{1});
  return Bytes::adopt(std::move(v));
}

/// The rule of the specification, element by element.
std::vector<Half> expected(const Bytes& source, const WeightsShape& s, int64_t first, int64_t count,
                           int64_t extended_in, int64_t extended_out) {
  const auto w = source.as<Half>();
  std::vector<Half> r(static_cast<size_t>(extended_in * extended_out * s.positions), 0);
  for (int64_t o = 0; o < s.out_channels; ++o)
    for (int64_t i = 0; i < std::min(count, s.in_channels - first); ++i)
      for (int64_t k = 0; k < s.positions; ++k)
        r[static_cast<size_t>(((o / 8 * extended_in + i) * s.positions + k) * 8 + o % 8)] =
            w[static_cast<size_t>((o * s.in_channels + first + i) * s.positions + k)];
  return r;
}

void check(const WeightsShape& s, int64_t first, int64_t count, int64_t extended_in, int64_t extended_out) {
  const Bytes source = counted(s.out_channels * s.in_channels * s.positions);
  const Bytes packed = hw_weights(source, s, first, count, extended_in, extended_out);
  const auto got = packed.as<Half>();
  EXPECT_EQ(std::vector<Half>(got.begin(), got.end()), expected(source, s, first, count, extended_in, extended_out));
}

TEST(HwWeights, InterleavesEightOutputChannels) {
  const Bytes packed = hw_weights(counted(16), {8, 2, 1}, 0, 2, 2, 8);
  const auto got = packed.as<Half>();
  EXPECT_EQ(std::vector<Half>(got.begin(), got.begin() + 8), (std::vector<Half>{1, 3, 5, 7, 9, 11, 13, 15}));
  EXPECT_EQ(got[8], 2);
}

TEST(HwWeights, MatchesTheRuleForAllShapes) {
  check({16, 4, 9}, 0, 4, 4, 16);
  check({64, 16, 1}, 0, 16, 16, 64);
  check({24, 3, 49}, 0, 3, 4, 24);
}

TEST(HwWeights, MissingChannelsAreZero) {
  check({5, 3, 9}, 0, 3, 16, 8);
  check({9, 20, 1}, 0, 20, 32, 16);
}

TEST(HwWeights, ATileTakesItsInputChannels) {
  check({16, 10, 9}, 4, 4, 4, 16);
  check({16, 10, 9}, 8, 4, 4, 16);  // only two of the four exist
}

TEST(HwWeights, ContentThatDoesNotFitItsShapeIsRefused) {
  EXPECT_THROW(hw_weights(counted(15), {8, 2, 1}, 0, 2, 2, 8), Error);
  EXPECT_THROW(hw_weights(counted(16), {8, 2, 1}, 2, 2, 2, 8), Error);
}

TEST(HwWeights, VectorsArePaddedWithZeros) {
  const Bytes padded = padded_with_zeros(counted(3), 8);
  const auto got = padded.as<Half>();
  EXPECT_EQ(std::vector<Half>(got.begin(), got.end()), (std::vector<Half>{1, 2, 3, 0, 0, 0, 0, 0}));
  EXPECT_THROW(padded_with_zeros(counted(3), 2), Error);
}

TEST(HwWeights, DepthwiseFiltersStandOnTheDiagonal) {
  const Bytes dense = diagonal_weights(counted(8), 1, 2, 2);  // of four channels the middle two
  const auto got = dense.as<Half>();
  EXPECT_EQ(std::vector<Half>(got.begin(), got.end()), (std::vector<Half>{3, 4, 0, 0, 0, 0, 5, 6}));
}

}  // namespace
}  // namespace blobsmith::vpu::nce
