#include <gtest/gtest.h>

#include "vpu/program/program.hpp"

namespace blobsmith::vpu {
namespace {

Bytes many(uint8_t value) { return Bytes::adopt(std::vector<uint8_t>(5000, value)); }

TEST(SharedContents, MakesEachContentOfTheNetworkOnce) {
  SharedContents shared;
  const Bytes constant = many(1), own = many(1);
  shared.know(constant);
  int made = 0;
  const auto content = [&](const char* what, const Bytes& source, int64_t number) {
    return shared.get(what, source, {number}, [&] { return many(static_cast<uint8_t>(10 + ++made)); });
  };
  const Bytes first = content("scaled", constant, 4);
  EXPECT_EQ(content("scaled", constant, 4).data(), first.data());
  EXPECT_EQ(made, 1);
  EXPECT_NE(content("scaled", constant, 5).data(), first.data());
  EXPECT_NE(content("other", constant, 4).data(), first.data());
  EXPECT_NE(content("scaled", constant.slice(0, 4000), 4).data(), first.data());
  const Bytes second = content("other", first, 0);  // of what was made here
  EXPECT_EQ(content("other", first, 0).data(), second.data());
  EXPECT_NE(content("scaled", own, 4).data(), content("scaled", own, 4).data());  // the next one may lie at its address
}

TEST(SharedContents, KeepsNothingOfWhatFailed) {
  SharedContents shared;
  const Bytes constant = many(1);
  shared.know(constant);
  const auto fail = []() -> Bytes { throw Error(ErrorCode::Internal, "no"); };
  EXPECT_THROW(shared.get("scaled", constant, {}, fail), Error);
  EXPECT_EQ(shared.get("scaled", constant, {}, [] { return many(3); }).span()[0], 3);
}

TEST(SharedContents, ConstantsStayForTheOtherThreads) {
  int made = 0;
  const Bytes constant = Bytes::deferred(5000, [&] { return ++made, many(1); });
  Program program;
  const auto use_and_leave = [&] {
    const uint8_t first = constant.span()[0];
    program.leave_memory(constant);
    return first;
  };
  EXPECT_EQ(use_and_leave() + use_and_leave(), 2);
  EXPECT_EQ(made, 2);
  program.shared = std::make_shared<SharedContents>();
  const uint8_t* place = constant.data();
  use_and_leave();
  EXPECT_EQ(constant.data(), place);
  EXPECT_EQ(made, 3);
}

}  // namespace
}  // namespace blobsmith::vpu
