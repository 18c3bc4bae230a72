#include <gtest/gtest.h>

#include "vpu/memory/pool.hpp"

namespace blobsmith::vpu {
namespace {

TEST(MemoryPool, StacksChunksAtTheTop) {
  Pool pool;
  EXPECT_EQ(pool.allocate(128), 0);
  EXPECT_EQ(pool.allocate(64), 128);
  EXPECT_EQ(pool.top(), 192);
  EXPECT_EQ(pool.high_water(), 192);
}

TEST(MemoryPool, CutsFromTheEndOfTheSmallestBlockThatFits) {
  Pool pool;
  pool.allocate(1024);  // 0
  pool.allocate(64);    // 1024
  pool.allocate(512);   // 1088
  pool.allocate(64);    // 1600
  pool.free(0, 1024);
  pool.free(1088, 512);
  EXPECT_EQ(pool.allocate(128), 1088 + 512 - 128);
  EXPECT_EQ(pool.allocate(384), 1088);  // the rest of that block, exactly
  EXPECT_EQ(pool.allocate(64), 1024 - 64);
}

TEST(MemoryPool, TakesTheBlockThatBecameFreeFirstAmongEquals) {
  Pool pool;
  for (int i = 0; i < 5; ++i) pool.allocate(64);
  pool.free(192, 64);
  pool.free(64, 64);
  EXPECT_EQ(pool.allocate(64), 192);
  EXPECT_EQ(pool.allocate(64), 64);
}

TEST(MemoryPool, MergesNeighboursIntoOneBlock) {
  Pool pool;
  for (int i = 0; i < 4; ++i) pool.allocate(64);
  pool.free(0, 64);
  pool.free(128, 64);
  pool.free(64, 64);
  EXPECT_EQ(pool.allocate(192), 0);
}

TEST(MemoryPool, LowersTheTopButKeepsTheHighWaterMark) {
  Pool pool;
  for (int i = 0; i < 3; ++i) pool.allocate(64);
  pool.free(64, 64);
  EXPECT_EQ(pool.top(), 192);
  pool.free(128, 64);
  EXPECT_EQ(pool.top(), 64);
  EXPECT_EQ(pool.high_water(), 192);
}

TEST(MemoryPool, RefusesNothingAndTooMuch) {
  Pool pool(256);
  EXPECT_FALSE(pool.allocate(0));
  EXPECT_FALSE(pool.allocate(257));
  EXPECT_EQ(pool.allocate(256), 0);
  EXPECT_FALSE(pool.allocate(1));
}

TEST(MemoryPool, ReservedBytesBindAtTheTopButNotInFreeBlocks) {
  Pool pool(256);
  pool.allocate(128);
  pool.allocate(64);
  EXPECT_FALSE(pool.allocate(64, 64));
  pool.free(0, 128);
  EXPECT_EQ(pool.allocate(64, 256), 64);
}

}  // namespace
}  // namespace blobsmith::vpu
