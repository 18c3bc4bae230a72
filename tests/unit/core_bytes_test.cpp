#include <gtest/gtest.h>

#include "core/bytes.hpp"

namespace blobsmith {
namespace {

TEST(DeferredBytes, AreComputedWhenTheyAreReadAndAgainWhenTheyWereForgotten) {
  int computed = 0;
  const Bytes b = Bytes::deferred(8, [&] {
    ++computed;
    return Bytes::adopt(std::vector<int32_t>{3, 5});
  });
  EXPECT_EQ(b.size(), 8u);
  EXPECT_EQ(computed, 0);
  const Bytes copy = b;
  EXPECT_EQ(copy.as<int32_t>()[1], 5);
  EXPECT_EQ(b.slice(4, 4).as<int32_t>()[0], 5);
  EXPECT_EQ(computed, 1);
  b.leave_memory();
  EXPECT_EQ(copy.as<int32_t>()[0], 3);
  EXPECT_EQ(computed, 2);
}

TEST(DeferredBytes, OfAnotherSizeThanWasSaidAreAnError) {
  const Bytes b = Bytes::deferred(8, [] { return Bytes::adopt(std::vector<int32_t>{3}); });
  EXPECT_THROW(b.data(), Error);
}

}  // namespace
}  // namespace blobsmith
