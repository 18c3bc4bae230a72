// What Intel's own importer makes of single ONNX operators (front-end spec §16.2).
#include <gtest/gtest.h>

#include <limits>

#include "onnx_fixture.hpp"

namespace blobsmith {
namespace {

TEST(OnnxNativeRecipes, GemmIsAlwaysMultipliedByBeta) {
  const Graph g = ModelText()
                      .input("x", {1, 3})
                      .constant("w", {3, 2}, std::vector<float>(6))
                      .constant("c", {2}, {1, 2})
                      .node("Gemm", "", {"x", "w", "c"}, "y")
                      .output("y")
                      .read();
  const Node* add = layer(g, "y");
  ASSERT_TRUE(add && add->is("Add"));
  EXPECT_EQ(add->input(0).node->type, "MatMul");
  EXPECT_EQ(add->input(1).node->type, "Multiply");
}

TEST(OnnxNativeRecipes, IdentityAddsZero) {
  const Graph g = ModelText().input("x", {1, 3}).node("Identity", "", {"x"}, "y").output("y").read();
  EXPECT_EQ(layer(g, "y")->type, "Add");
}

TEST(OnnxNativeRecipes, ClipHasBoundsOfItsOwnWhereTheModelLeavesThemOut) {
  const Graph g =
      ModelText().input("x", {1, 3}).constant("low", {}, {0.5f}).node("Clip", "", {"x", "low"}, "y").output("y").read();
  const Node* minimum = layer(g, "y");
  ASSERT_TRUE(minimum && minimum->is("Minimum"));
  EXPECT_EQ(minimum->input(0).node->constant.to_f32(), std::vector<float>{std::numeric_limits<float>::infinity()});
  EXPECT_EQ(minimum->input(1).node->type, "Maximum");
}

TEST(OnnxNativeRecipes, SliceSpreadsItsListsOverAllAxesUpToTheLast) {
  const Graph g = ModelText()
                      .input("x", {4, 6})
                      .integers("from", {2})
                      .integers("to", {5})
                      .integers("axes", {-1})
                      .node("Slice", "", {"x", "from", "to", "axes"}, "y")
                      .output("y")
                      .read();
  const Node* slice = layer(g, "y");
  ASSERT_TRUE(slice && slice->is("StridedSlice"));
  EXPECT_EQ(slice->shape(), (Shape{4, 3}));
  EXPECT_EQ(slice->attrs.integers("begin_mask"), (std::vector<int64_t>{1, 0}));
  EXPECT_EQ(slice->input(1).node->type, "Concat");
}

TEST(OnnxNativeRecipes, SliceTakesListsForAllAxesAsTheyStand) {
  const Graph g = ModelText()
                      .input("x", {4, 6})
                      .integers("from", {1, 2})
                      .integers("to", {3, 5})
                      .node("Slice", "", {"x", "from", "to"}, "y")
                      .output("y")
                      .read();
  EXPECT_EQ(layer(g, "y")->shape(), (Shape{2, 3}));
  EXPECT_EQ(layer(g, "y")->input(1).node->name, "from");
}

TEST(OnnxNativeRecipes, ReductionsKeepAxesAsTheModelCountsThem) {
  const Graph g = ModelText()
                      .input("x", {4, 6})
                      .node("ReduceMean", "", {"x"}, "y")
                      .with("axes", std::vector<int64_t>{-1})
                      .output("y")
                      .read();
  EXPECT_EQ(layer(g, "y")->input(1).node->constant.to_i64(), std::vector<int64_t>{-1});
}

TEST(OnnxNativeRecipes, ArgMaxIsTheIndexOfTopK) {
  const Graph g = ModelText()
                      .input("x", {4, 6})
                      .node("ArgMax", "", {"x"}, "y")
                      .with("axis", 1)
                      .with("keepdims", 0)
                      .output("y")
                      .read();
  const Node* squeeze = layer(g, "y");
  ASSERT_TRUE(squeeze && squeeze->is("Squeeze"));
  EXPECT_EQ(squeeze->shape(), Shape{4});
  EXPECT_EQ(squeeze->input(0).node->input(0).node->type, "TopK");
  EXPECT_EQ(squeeze->input(0).node->input(0).port, 1);
}

TEST(OnnxNativeRecipes, ResizeToSizesHasScalesFromThem) {
  const Graph g = ModelText()
                      .input("x", {1, 2, 4, 4})
                      .integers("sizes", {1, 2, 8, 8})
                      .node("Resize", "", {"x", "", "", "sizes"}, "y")
                      .output("y")
                      .read();
  const Node* resize = layer(g, "y");
  ASSERT_TRUE(resize && resize->is("Interpolate"));
  EXPECT_EQ(resize->shape(), (Shape{1, 2, 8, 8}));
  EXPECT_EQ(resize->attrs.text("shape_calculation_mode"), "sizes");
}

TEST(OnnxNativeRecipes, LstmIsASequenceBetweenTransposes) {
  const Graph g = ModelText()
                      .input("x", {5, 1, 3})
                      .constant("w", {1, 8, 3}, std::vector<float>(24))
                      .constant("r", {1, 8, 2}, std::vector<float>(16))
                      .node("LSTM", "", {"x", "w", "r"}, "y")
                      .with("hidden_size", 2)
                      .output("y")
                      .read();
  const Node* y = layer(g, "y");
  ASSERT_TRUE(y && y->is("Transpose"));
  EXPECT_EQ(y->input(0).node->type, "LSTMSequence");
  EXPECT_EQ(y->shape(), (Shape{5, 1, 1, 2}));
}

TEST(OnnxNativeRecipes, MaxPoolDropsItsSecondOutputSilently) {
  const Graph g = ModelText()
                      .input("x", {1, 1, 4, 4})
                      .node("MaxPool", "", {"x"}, "y")
                      .also("places")
                      .with("kernel_shape", std::vector<int64_t>{2, 2})
                      .output("y")
                      .output("places")
                      .read();
  EXPECT_EQ(g.results().size(), 1u);
}

TEST(OnnxNativeRecipes, OldElementwiseOperatorsBroadcastFromAnAxis) {
  const Graph g = ModelText(6)
                      .input("x", {1, 3, 2, 2})
                      .constant("c", {3}, {1, 2, 3})
                      .node("Add", "", {"x", "c"}, "y")
                      .with("broadcast", 1)
                      .with("axis", 1)
                      .output("y")
                      .read();
  EXPECT_EQ(layer(g, "y")->input(1).node->type, "Reshape");
  EXPECT_EQ(layer(g, "y")->input(1).shape(), (Shape{3, 1, 1}));
}

}  // namespace
}  // namespace blobsmith
