#include "transforms_fixture.hpp"

namespace blobsmith {
namespace {

TEST(TransformsBatch, ABatchThatAllInputsHaveIsTakenOut) {
  Net n("x = Parameter {4,3,8,8}  y = Relu(x)  return y");
  const BatchInfo info = detect_batch(n.g);
  EXPECT_EQ(info.batch, 4);
  EXPECT_EQ(n.find("y")->shape(), (Shape{1, 3, 8, 8}));
  EXPECT_TRUE(info.unbatched_outputs.empty());
}

TEST(TransformsBatch, MatricesAloneKeepTheirBatch) {
  Net n("x = Parameter {4,3}  y = Relu(x)  return y");
  EXPECT_EQ(detect_batch(n.g).batch, 1);
  EXPECT_EQ(n.find("y")->shape(), (Shape{4, 3}));
}

TEST(TransformsBatch, DifferentBatchesStay) {
  Net n("a = Parameter {4,3,2,2}  y = Relu(a)  b = Parameter {2,3,2,2}  z = Relu(b)  return y, z");
  EXPECT_EQ(detect_batch(n.g).batch, 1);
}

TEST(TransformsBatch, AnInputWithoutTheBatchPreventsIt) {
  Net n("a = Parameter {4,3,2,2}  y = Relu(a)  b = Parameter {1,3}  z = Relu(b)  return y, z");
  EXPECT_EQ(detect_batch(n.g).batch, 1);
}

TEST(TransformsBatch, AFlattenWithTheBatchAsANumberFollowsIt) {
  Net n(R"(
    x = Parameter {4,3,2,2}
    y = MatMul(Reshape(x, [4,12], special_zero=false), {12,5} of 1)
    return y
  )");
  EXPECT_EQ(detect_batch(n.g).batch, 4);
  EXPECT_EQ(n.find("y")->shape(), (Shape{1, 5}));
}

TEST(TransformsBatch, OutputsWithoutTheBatchAreRemembered) {
  Net n("x = Parameter {2,3,4,4}  y = Relu(x)  fixed = Relu({5} of 1)  return y, fixed");
  EXPECT_EQ(detect_batch(n.g).unbatched_outputs, std::set<std::string>{"fixed"});
}

// ---- layers that work across the items ----

std::vector<std::string> across(const std::string& text) {
  Net n(text);
  std::vector<std::string> names;
  for (const Remark& r : detect_batch(n.g).across) names.push_back(r.layer);
  return names;
}
using Names = std::vector<std::string>;

TEST(TransformsBatch, AReductionAlongTheBatchWorksAcrossItems) {
  EXPECT_EQ(across("x = Parameter {2,3,4,4}  mean = ReduceMean(x, [0,1,2,3], keep_dims=true)  return mean"),
            Names{"mean"});
}

TEST(TransformsBatch, AReductionOfEveryItemDoesNot) {
  EXPECT_EQ(across("x = Parameter {2,3,4,4}  mean = ReduceMean(x, [1,2,3], keep_dims=true)  return mean"), Names{});
}

TEST(TransformsBatch, WithoutQuirksSuchABatchStays) {
  Net n("x = Parameter {2,3,4,4}  relu = Relu(x)  mean = ReduceMean(relu, [0], keep_dims=true)  return mean");
  const BatchInfo info = detect_batch(n.g, false);
  EXPECT_EQ(info.batch, 1);
  ASSERT_EQ(info.across.size(), 1U);
  EXPECT_EQ(info.across[0].type, "ReduceMean");
  EXPECT_EQ(n.find("relu")->shape(), (Shape{2, 3, 4, 4}));
}

TEST(TransformsBatch, WithoutQuirksABatchOfIndependentItemsIsStillTakenOut) {
  Net n("x = Parameter {4,3,8,8}  y = Relu(x)  return y");
  EXPECT_EQ(detect_batch(n.g, false).batch, 4);
}

TEST(TransformsBatch, TheAxisOfTheBatchIsFollowedThroughATranspose) {
  const auto softmax = [](const std::string& axis) {
    return across("x = Parameter {2,3,4,5}  softmax = Softmax(Transpose(x, [1,2,3,0]), axis=" + axis +
                  ")  back = Transpose(softmax, [3,0,1,2])  return back");
  };
  EXPECT_EQ(softmax("3"), Names{"softmax"});
  EXPECT_EQ(softmax("0"), Names{});
}

TEST(TransformsBatch, AnOutputWhoseItemsLieInterleavedIsOfAllItems) {
  EXPECT_EQ(across("x = Parameter {2,3,4,5}  turned = Transpose(x, [1,0,2,3])  return turned"), Names{"turned"});
}

TEST(TransformsBatch, AConstantWithAnItemForEachIsOfAllItems) {
  EXPECT_EQ(across("x = Parameter {2,3,4,5}  sum = Add(x, {2,3,1,1} of 1)  return sum"), Names{"sum"});
  EXPECT_EQ(across("x = Parameter {2,3,4,5}  sum = Add(x, {1,3,1,1} of 1)  return sum"), Names{});
}

TEST(TransformsBatch, JoiningItemsIsAcrossJoiningChannelsIsNot) {
  EXPECT_EQ(across("x = Parameter {2,3,4,5}  all = Concat(x, Relu(x), axis=0)  return all"), Names{"all"});
  EXPECT_EQ(across("x = Parameter {2,3,4,5}  all = Concat(x, Relu(x), axis=1)  return all"), Names{});
}

TEST(TransformsBatch, AProductOfAllItemsWithEachOtherIsAcross) {
  EXPECT_EQ(across(R"(
    x = Parameter {4,3,2,2}
    rows = Reshape(x, [0,-1], special_zero=true)
    gram = MatMul(rows, rows, transpose_a=false, transpose_b=true)
    return gram
  )"),
            Names{"gram"});
}

// Frames of a video as the batch, taken apart again inside.
TEST(TransformsBatch, AShapeThatIsImpossibleForOneItemKeepsTheBatch) {
  constexpr const char* kFrames =
      "x = Parameter {8,4,6,6}  frames = Reshape(x, [1,8,4,6,6], special_zero=false)  return frames";
  Net n(kFrames);
  const BatchInfo info = detect_batch(n.g, false);
  EXPECT_EQ(info.batch, 1);
  ASSERT_EQ(info.across.size(), 1U);
  EXPECT_EQ(info.across[0].layer, "frames");
  EXPECT_EQ(n.find("frames")->shape(), (Shape{1, 8, 4, 6, 6}));
  Net as_reference(kFrames);
  EXPECT_THROW(detect_batch(as_reference.g), Error);
}

}  // namespace
}  // namespace blobsmith
