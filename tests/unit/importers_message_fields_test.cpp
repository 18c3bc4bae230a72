#include <gtest/gtest.h>

#include "importers/common/message_fields.hpp"

namespace blobsmith::importers {
namespace {

using Kind = MessageFields::Kind;

Bytes message(std::vector<uint8_t> bytes) { return Bytes::adopt(std::move(bytes)); }

TEST(MessageFields, ListsAreReadPackedOrOneByOneAndTheRestIsPassedOver) {
  // 1: 300; 1 (packed): 1, 2; 9: "text"; 4: 1.5f; 4 (packed): 2.5f
  const Bytes m = message({0x08, 0xac, 0x02, 0x0a, 2,    1,    2,    0x4a, 4,    't',  'e',  'x',
                           't',  0x25, 0x00, 0x00, 0xc0, 0x3f, 0x22, 0x04, 0x00, 0x00, 0x20, 0x40});
  std::vector<int64_t> integers;
  std::vector<float> floats;
  for (MessageFields f(m); f.next();) {
    const bool taken = (f.number() == 1 && f.integers(integers)) || (f.number() == 4 && f.floats(floats));
    EXPECT_EQ(taken, f.number() != 9);
  }
  EXPECT_EQ(integers, (std::vector<int64_t>{300, 1, 2}));
  EXPECT_EQ(floats, (std::vector<float>{1.5f, 2.5f}));
}

TEST(MessageFields, BytesAreAPartOfTheMessage) {
  const Bytes m = message({0x4a, 3, 7, 8, 9});
  MessageFields f(m);
  ASSERT_TRUE(f.next());
  ASSERT_TRUE(f.is(9, Kind::Bytes));
  EXPECT_EQ(f.bytes().data(), m.data() + 2);
  EXPECT_FALSE(f.next());
}

TEST(MessageFields, WhatBreaksOffIsAnError) {
  const std::vector<std::vector<uint8_t>> broken{{0x08},
                                                 {0x08, 0xff},
                                                 {0x4a, 3, 7},
                                                 {0x25, 0, 0},
                                                 {0x00, 0x01},
                                                 {0x0b, 0x01},
                                                 {0x4a, 0xff, 0xff, 0xff, 0xff, 0x0f}};
  for (const auto& bytes : broken) {
    const Bytes m = message(bytes);
    EXPECT_THROW(
        {
          for (MessageFields f(m); f.next();) {}
        },
        BrokenMessage);
  }
}

TEST(MessageFields, APackedListOfHalfANumberIsNone) {
  const Bytes m = message({0x22, 3, 0, 0, 0x20});
  MessageFields f(m);
  ASSERT_TRUE(f.next());
  std::vector<float> list;
  EXPECT_FALSE(f.floats(list));
  EXPECT_TRUE(list.empty());
}

}  // namespace
}  // namespace blobsmith::importers
