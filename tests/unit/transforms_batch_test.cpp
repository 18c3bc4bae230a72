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

}  // namespace
}  // namespace blobsmith
