#include "transforms_fixture.hpp"

namespace blobsmith {
namespace {

TEST(TransformsBatch, ABatchThatAllInputsHaveIsTakenOut) {
  Net n;
  const Value x = n.input({4, 3, 8, 8});
  n.g.result(n.op("Relu", {x}, "y"));
  const BatchInfo info = detect_batch(n.g);
  EXPECT_EQ(info.batch, 4);
  EXPECT_EQ(n.find("y")->shape(), (Shape{1, 3, 8, 8}));
  EXPECT_TRUE(info.unbatched_outputs.empty());
}

TEST(TransformsBatch, MatricesAloneKeepTheirBatch) {
  Net n;
  n.g.result(n.op("Relu", {n.input({4, 3})}, "y"));
  EXPECT_EQ(detect_batch(n.g).batch, 1);
  EXPECT_EQ(n.find("y")->shape(), (Shape{4, 3}));
}

TEST(TransformsBatch, DifferentBatchesStay) {
  Net n;
  n.g.result(n.op("Relu", {n.input({4, 3, 2, 2}, "a")}, "y"));
  n.g.result(n.op("Relu", {n.input({2, 3, 2, 2}, "b")}, "z"));
  EXPECT_EQ(detect_batch(n.g).batch, 1);
}

TEST(TransformsBatch, AnInputWithoutTheBatchPreventsIt) {
  Net n;
  n.g.result(n.op("Relu", {n.input({4, 3, 2, 2}, "a")}, "y"));
  n.g.result(n.op("Relu", {n.input({1, 3}, "b")}, "z"));
  EXPECT_EQ(detect_batch(n.g).batch, 1);
}

TEST(TransformsBatch, AFlattenWithTheBatchAsANumberFollowsIt) {
  Net n;
  const Value flat = n.op("Reshape", {n.input({4, 3, 2, 2}), n.ints({4, 12})}, "flat", with("special_zero", false));
  n.g.result(n.op("MatMul", {flat, n.reals({12, 5}, 1)}, "y"));
  EXPECT_EQ(detect_batch(n.g).batch, 4);
  EXPECT_EQ(n.find("y")->shape(), (Shape{1, 5}));
}

TEST(TransformsBatch, OutputsWithoutTheBatchAreRemembered) {
  Net n;
  const Value x = n.input({2, 3, 4, 4});
  n.g.result(n.op("Relu", {x}, "y"));
  n.g.result(n.op("Relu", {n.reals({5}, 1)}, "fixed"));
  EXPECT_EQ(detect_batch(n.g).unbatched_outputs, std::set<std::string>{"fixed"});
}

// ---- layers that work across the items ----

std::vector<std::string> across(Net& n, Value y) {
  n.g.result(y);
  std::vector<std::string> names;
  for (const Remark& r : detect_batch(n.g).across) names.push_back(r.layer);
  return names;
}
using Names = std::vector<std::string>;

TEST(TransformsBatch, AReductionAlongTheBatchWorksAcrossItems) {
  Net n;
  EXPECT_EQ(
      across(n, n.op("ReduceMean", {n.input({2, 3, 4, 4}), n.ints({0, 1, 2, 3})}, "mean", with("keep_dims", true))),
      Names{"mean"});
}

TEST(TransformsBatch, AReductionOfEveryItemDoesNot) {
  Net n;
  EXPECT_EQ(across(n, n.op("ReduceMean", {n.input({2, 3, 4, 4}), n.ints({1, 2, 3})}, "mean", with("keep_dims", true))),
            Names{});
}

TEST(TransformsBatch, WithoutQuirksSuchABatchStays) {
  Net n;
  n.g.result(n.op("ReduceMean", {n.op("Relu", {n.input({2, 3, 4, 4})}, "relu"), n.ints({0})}, "mean",
                  with("keep_dims", true)));
  const BatchInfo info = detect_batch(n.g, false);
  EXPECT_EQ(info.batch, 1);
  ASSERT_EQ(info.across.size(), 1U);
  EXPECT_EQ(info.across[0].type, "ReduceMean");
  EXPECT_EQ(n.find("relu")->shape(), (Shape{2, 3, 4, 4}));
}

TEST(TransformsBatch, WithoutQuirksABatchOfIndependentItemsIsStillTakenOut) {
  Net n;
  n.g.result(n.op("Relu", {n.input({4, 3, 8, 8})}, "y"));
  EXPECT_EQ(detect_batch(n.g, false).batch, 4);
}

TEST(TransformsBatch, TheAxisOfTheBatchIsFollowedThroughATranspose) {
  const auto softmax = [](int64_t axis) {
    Net n;
    const Value t = n.op("Transpose", {n.input({2, 3, 4, 5}), n.ints({1, 2, 3, 0})}, "there");
    return across(
        n, n.op("Transpose", {n.op("Softmax", {t}, "softmax", with("axis", axis)), n.ints({3, 0, 1, 2})}, "back"));
  };
  EXPECT_EQ(softmax(3), Names{"softmax"});
  EXPECT_EQ(softmax(0), Names{});
}

TEST(TransformsBatch, AnOutputWhoseItemsLieInterleavedIsOfAllItems) {
  Net n;
  EXPECT_EQ(across(n, n.op("Transpose", {n.input({2, 3, 4, 5}), n.ints({1, 0, 2, 3})}, "turned")), Names{"turned"});
}

TEST(TransformsBatch, AConstantWithAnItemForEachIsOfAllItems) {
  Net n;
  EXPECT_EQ(across(n, n.op("Add", {n.input({2, 3, 4, 5}), n.reals({2, 3, 1, 1}, 1)}, "sum")), Names{"sum"});
  Net each;
  EXPECT_EQ(across(each, each.op("Add", {each.input({2, 3, 4, 5}), each.reals({1, 3, 1, 1}, 1)}, "sum")), Names{});
}

TEST(TransformsBatch, JoiningItemsIsAcrossJoiningChannelsIsNot) {
  Net n;
  const Value x = n.input({2, 3, 4, 5});
  EXPECT_EQ(across(n, n.op("Concat", {x, n.op("Relu", {x}, "relu")}, "all", with("axis", 0))), Names{"all"});
  Net channels;
  const Value y = channels.input({2, 3, 4, 5});
  EXPECT_EQ(across(channels, channels.op("Concat", {y, channels.op("Relu", {y}, "relu")}, "all", with("axis", 1))),
            Names{});
}

TEST(TransformsBatch, AProductOfAllItemsWithEachOtherIsAcross) {
  Net n;
  const Value rows = n.op("Reshape", {n.input({4, 3, 2, 2}), n.ints({0, -1})}, "rows", with("special_zero", true));
  Attributes a;
  a.set("transpose_a", false);
  a.set("transpose_b", true);
  EXPECT_EQ(across(n, n.op("MatMul", {rows, rows}, "gram", a)), Names{"gram"});
}

// Frames of a video as the batch, taken apart again inside.
TEST(TransformsBatch, AShapeThatIsImpossibleForOneItemKeepsTheBatch) {
  const auto build = [](Net& n) {
    n.g.result(
        n.op("Reshape", {n.input({8, 4, 6, 6}), n.ints({1, 8, 4, 6, 6})}, "frames", with("special_zero", false)));
  };
  Net n;
  build(n);
  const BatchInfo info = detect_batch(n.g, false);
  EXPECT_EQ(info.batch, 1);
  ASSERT_EQ(info.across.size(), 1U);
  EXPECT_EQ(info.across[0].layer, "frames");
  EXPECT_EQ(n.find("frames")->shape(), (Shape{1, 8, 4, 6, 6}));
  Net as_reference;
  build(as_reference);
  EXPECT_THROW(detect_batch(as_reference.g), Error);
}

}  // namespace
}  // namespace blobsmith
