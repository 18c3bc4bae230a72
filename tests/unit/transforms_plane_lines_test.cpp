// Lengths of lines; times and stages of the cases are those that `estimate` gives for blobs of such products.
#include <gtest/gtest.h>

#include <array>

#include "transforms/legalise/plane_lines.hpp"

namespace blobsmith::legalise_rows {
namespace {

int64_t length_of(const Product& p) { return line_length({&p, 1}); }

TEST(PlaneLines, ATileIsComputedWhileTheOneBeforeItIsCopied) {
  // 64: 6 tiles, of which two have no room beside each other, and 5 copies; 392: 8 tiles, one copy.
  EXPECT_EQ(length_of({.rows = 3136, .in = 98, .out = 384}), 392);
}

TEST(PlaneLines, ShortLinesLeaveRoomForAllInputChannels) {
  // 64: two parts of the channels for each of two tiles, and the sums; 32: two tiles.
  EXPECT_EQ(length_of({.rows = 3136, .in = 384, .out = 98}), 32);
}

TEST(PlaneLines, ProductsBehindEachOtherHaveTheSameLines) {
  const std::array both{Product{.rows = 3136, .in = 98, .out = 384},
                        Product{.rows = 3136, .in = 384, .out = 98, .activated = true}};
  EXPECT_EQ(line_length(both), 32);  // other lengths for the second would cost two Permutes between them
}

TEST(PlaneLines, WindowsAreNotTornApart) {
  EXPECT_EQ(length_of({.rows = 784, .in = 192, .out = 194}), 56);
  const int64_t w = length_of({.rows = 784, .in = 192, .out = 194, .item = 49});
  EXPECT_TRUE(w % 49 == 0 || 49 % w == 0 || 49 % (w / 16) == 0) << w;
}

TEST(PlaneLines, RowsWithoutDivisorsAreOneLine) {
  EXPECT_EQ(length_of({.rows = 197, .in = 192, .out = 576}), 197);
  EXPECT_EQ(length_of({.rows = 4099, .in = 32, .out = 32}), 1);
}

TEST(PlaneLines, AnInputThatFillsTheMemoryIsNotNear) {
  EXPECT_TRUE(lies_near({.rows = 784, .in = 194, .out = 768}, 112));
  EXPECT_FALSE(lies_near({.rows = 3136, .in = 384, .out = 98}, 64));
}

}  // namespace
}  // namespace blobsmith::legalise_rows
