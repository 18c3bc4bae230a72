// ONNX operators that Model Optimizer lacks, or whose layers the VPU lacks: what they are spelled out as.
#include <gtest/gtest.h>

#include <set>

#include "graph/ops/op.hpp"
#include "onnx_fixture.hpp"

namespace blobsmith {
namespace {

std::multiset<std::string> types_of(const Graph& g) {
  std::multiset<std::string> types;
  for (const Node* n : g.all())
    if (!n->is("Parameter") && !n->is("Result") && !n->is_constant()) types.insert(n->type);
  return types;
}
using Types = std::multiset<std::string>;

/// The layer "y" of one operator on x, alone.
ModelText one(const std::string& op, const std::vector<int64_t>& shape = {1, 8, 6, 5}, int64_t opset = 12) {
  return std::move(ModelText(opset).input("x", shape).node(op, "n", {"x"}, "y"));
}

TEST(OnnxOperators, AMeanIsASumTimesOneOverTheCount) {
  const Graph g =
      ModelText().input("a", {1, 3}).input("b", {1, 3}).node("Mean", "n", {"a", "b"}, "y").output("y").import();
  EXPECT_EQ(types_of(g), (Types{"Add", "Multiply"}));
  EXPECT_EQ(layer(g, "y")->input(1).node->constant.to_f32(), std::vector<float>{0.5f});
}

TEST(OnnxOperators, ALogSumExpTakesTheLargestValueOutFirst) {
  const Graph g = one("ReduceLogSumExp").with("axes", std::vector<int64_t>{1}).with("keepdims", 0).output("y").import();
  EXPECT_EQ(types_of(g), (Types{"ReduceMax", "Subtract", "Exp", "ReduceSum", "Log", "Add", "Squeeze"}));
  EXPECT_EQ(layer(g, "y")->output().shape, (Shape{1, 6, 5}));
}

TEST(OnnxOperators, OtherReductionsAreSums) {
  EXPECT_EQ(types_of(one("ReduceSumSquare").output("y").import()), (Types{"Multiply", "ReduceSum"}));
  EXPECT_EQ(types_of(one("ReduceLogSum").output("y").import()), (Types{"ReduceSum", "Log"}));
  EXPECT_EQ(types_of(one("ReduceL1").output("y").import()), (Types{"Abs", "ReduceSum"}));
}

TEST(OnnxOperators, ARemainderHasTheSignOfTheDivisorOrWithFmodOfTheDividend) {
  const auto mod = [](int64_t fmod) {
    return ModelText()
        .input("x", {1, 3})
        .constant("c", {1}, {2.5f})
        .node("Mod", "n", {"x", "c"}, "y")
        .with("fmod", fmod)
        .output("y")
        .import();
  };
  EXPECT_EQ(types_of(mod(0)), Types{"FloorMod"});
  EXPECT_EQ(types_of(mod(1)).count("FloorMod"), 2u);
}

TEST(OnnxOperators, ActivationsAreMadeOfElu) {
  EXPECT_EQ(types_of(one("Celu").output("y").import()), Types{"Elu"});
  EXPECT_EQ(types_of(one("Celu").with_real("alpha", 2).output("y").import()), (Types{"Multiply", "Elu", "Multiply"}));
  EXPECT_EQ(types_of(one("Selu").output("y").import()), (Types{"Elu", "Multiply"}));
  EXPECT_THROW(one("Celu").with_real("alpha", -1).output("y").import(), Error);
}

TEST(OnnxOperators, ASoftShrinkIsADifferenceAndAHardOneHasTwoMasks) {
  EXPECT_EQ(types_of(one("Shrink").with_real("bias", 0.5f).output("y").import()).count("Clamp"), 1u);
  EXPECT_EQ(types_of(one("Shrink").output("y").import()),
            (Types{"Greater", "Convert", "Multiply", "Less", "Convert", "Multiply", "Add"}));
}

TEST(OnnxOperators, RegionsArePooledByTheirLargestValues) {
  ModelText m =
      std::move(ModelText().input("x", {1, 8, 6, 5}).input("r", {3, 5}).node("MaxRoiPool", "n", {"x", "r"}, "y"));
  EXPECT_EQ(types_of(m.with("pooled_shape", std::vector<int64_t>{2, 3}).output("y").import()), Types{"ROIPooling"});
}

TEST(OnnxOperators, AHardmaxIsOneAtTheLargestValue) {
  const Graph rows = one("Hardmax", {2, 3, 4}).output("y").import();
  EXPECT_EQ(layer(rows, "y")->output().shape, (Shape{2, 3, 4}));
  EXPECT_EQ(layer(rows, "n/OneHot")->output().shape, (Shape{2, 12}));
  EXPECT_EQ(types_of(one("Hardmax", {2, 3, 4}, 13).with("axis", 1).output("y").import()),
            (Types{"TopK", "Squeeze", "OneHot"}));
}

TEST(OnnxOperators, ALayerNormalizationIsAnMvnOfAnyRank) {
  const auto norm = [](const std::vector<int64_t>& shape) {
    return ModelText(17)
        .input("x", shape)
        .constant("w", {4}, {1, 2, 3, 4})
        .constant("b", {4}, {1, 2, 3, 4})
        .node("LayerNormalization", "n", {"x", "w", "b"}, "y")
        .output("y")
        .import();
  };
  EXPECT_EQ(types_of(norm({1, 3, 4})), (Types{"MVN", "Multiply", "Add"}));
  EXPECT_EQ(types_of(norm({3, 4})), (Types{"MVN", "Multiply", "Add"}));
  EXPECT_EQ(types_of(norm({1, 2, 2, 3, 4})), (Types{"MVN", "Multiply", "Add"}));
}

TEST(OnnxOperators, AGridMayBeMorePreciseThanThePicture) {
  const Graph g = ModelText(16)
                      .input("x", {1, 2, 4, 4})
                      .input("places", {1, 3, 3, 2})
                      .node("Cast", "cast", {"places"}, "grid")
                      .with("to", 11)
                      .node("GridSample", "sample", {"x", "grid"}, "y")
                      .output("y")
                      .import();
  EXPECT_EQ(g.results()[0]->input(0).shape(), (Shape{1, 2, 3, 3}));
  EXPECT_EQ(g.results()[0]->input(0).type(), g.parameters()[0]->element_type());
}

TEST(OnnxOperators, ModelsOfHalvesAreComputedInHalves) {
  const Graph g = ModelText(16)
                      .input("x", {1, 2, 4, 4})
                      .constant("one", {2}, {1, 1})
                      .constant("zero", {2}, {0, 0})
                      .node("Cast", "half", {"x"}, "h")
                      .with("to", 10)
                      .node("Cast", "ones", {"one"}, "o")
                      .with("to", 10)
                      .node("Cast", "zeros", {"zero"}, "z")
                      .with("to", 10)
                      .node("BatchNormalization", "norm", {"h", "o", "z", "z", "o"}, "y")
                      .output("y")
                      .import();
  EXPECT_EQ(g.results()[0]->input(0).type(), ElementType::f16);
}

TEST(OnnxOperators, AGroupNormalizationHasOneScalePerGroupOrChannel) {
  const Graph g = ModelText(18)
                      .input("x", {1, 4, 3, 3})
                      .constant("w", {2}, {1, 2})
                      .constant("b", {4}, {1, 2, 3, 4})
                      .node("GroupNormalization", "n", {"x", "w", "b"}, "y")
                      .with("num_groups", 2)
                      .output("y")
                      .import();
  EXPECT_EQ(layer(g, "n/scale")->constant.to_f32(), (std::vector<float>{1, 1, 2, 2}));
  EXPECT_EQ(layer(g, "y")->output().shape, (Shape{1, 4, 3, 3}));
}

TEST(OnnxOperators, QuantizedValuesAreRoundedRealOnes) {
  const Graph g = ModelText()
                      .input("x", {1, 3})
                      .constant("s", {}, {0.5f})
                      .node("QuantizeLinear", "q", {"x", "s"}, "i")
                      .node("DequantizeLinear", "d", {"i", "s"}, "y")
                      .output("y")
                      .import();
  EXPECT_EQ(types_of(g), (Types{"Multiply", "Round", "Clamp", "Multiply"}));
  EXPECT_EQ(layer(g, "q")->attrs.real("max", 0), 255);
}

TEST(OnnxOperators, AnEquationWithoutOutputSumsOverRepeatedLetters) {
  const auto shape = [](bool quirks) {
    ImportOptions options;
    options.quirks = quirks;
    return layer(ModelText()
                     .input("a", {2, 3})
                     .input("b", {3, 4})
                     .node("Einsum", "n", {"a", "b"}, "y")
                     .with_text("equation", "ij, jk")
                     .output("y")
                     .import(options),
                 "y")
        ->output()
        .shape;
  };
  EXPECT_EQ(shape(false), (Shape{2, 4}));
  EXPECT_EQ(shape(true), (Shape{2, 3, 4}));
}

/// A recurrent operator of 3 inputs and 2 hidden values over 5 steps.
Graph recurrent(const std::string& op, int64_t gates, const std::string& direction, const std::string& also = "") {
  const int64_t n = direction == "bidirectional" ? 2 : 1, rows = gates * 2;
  const auto filled = [](int64_t count) { return std::vector<float>(static_cast<size_t>(count), 0.5f); };
  ModelText m = std::move(ModelText()
                              .input("x", {5, 1, 3})
                              .constant("w", {n, rows, 3}, filled(n * rows * 3))
                              .constant("r", {n, rows, 2}, filled(n * rows * 2))
                              .constant("b", {n, 2 * rows}, filled(n * 2 * rows)));
  m.node(op, "n", {"x", "w", "r", "b"}, "Y").also("Yh").with("hidden_size", 2).with_text("direction", direction);
  if (!also.empty()) m.with(also, 1);
  return m.output("Y").output("Yh").import();
}

Types body_of(const Graph& g) {
  for (const Node* n : g.all())
    if (n->is("TensorIterator")) return types_of(*n->body);
  return {};
}

TEST(OnnxOperators, RecurrentCellsAreLoopsOfTheirOperations) {
  EXPECT_EQ(body_of(recurrent("RNN", 1, "forward")), (Types{"Reshape", "MatMul", "Add", "Tanh", "Reshape"}));
  EXPECT_EQ(body_of(recurrent("GRU", 3, "forward")).count("MatMul"), 2u);
  EXPECT_EQ(body_of(recurrent("GRU", 3, "forward", "linear_before_reset")).count("Add"),
            body_of(recurrent("GRU", 3, "forward")).count("Add") + 1);
  EXPECT_EQ(types_of(recurrent("GRU", 3, "reverse")).count("TensorIterator"), 1u);
  EXPECT_EQ(types_of(recurrent("GRU", 3, "bidirectional")).count("TensorIterator"), 2u);
  EXPECT_EQ(recurrent("GRU", 3, "forward", "layout").results()[0]->shape(), (Shape{5, 1, 1, 2})) << "batch first";
  // The batch first is a form without a loop: here 5 items of one step.
  EXPECT_EQ(types_of(recurrent("GRU", 3, "forward", "layout")).count("TensorIterator"), 0u);
}

TEST(OnnxOperators, MatricesOfOnesAndChoicesOfSlicesAreConstants) {
  const Graph eye = ModelText()
                        .input("x", {2, 3})
                        .node("EyeLike", "e", {"x"}, "i")
                        .with("k", 1)
                        .node("Add", "n", {"i", "x"}, "y")
                        .output("y")
                        .import();
  EXPECT_EQ(layer(eye, "e")->constant.to_f32(), (std::vector<float>{0, 1, 0, 0, 0, 1}));
  const Graph chosen = ModelText()
                           .input("x", {1, 4})
                           .integers("c", {1, 0, 1})
                           .node("Compress", "n", {"x", "c"}, "y")
                           .with("axis", 1)
                           .output("y")
                           .import();
  EXPECT_EQ(layer(chosen, "y")->output().shape, (Shape{1, 2}));
}

TEST(OnnxOperators, IntegersAreNegatedAsIntegers) {
  const Graph g = ModelText()
                      .input("x", {1, 4})
                      .integers("n", {-2, 1})
                      .node("Neg", "m", {"n"}, "k")
                      .node("Reshape", "r", {"x", "k"}, "y")
                      .output("y")
                      .import();
  EXPECT_EQ(g.results().at(0)->input(0).shape(), (Shape{2, 2}));
}

TEST(OnnxOperators, SayWhichOperationTheyBecome) {
  size_t passing_on = 0;
  for (const auto& [op, operation] : onnx_operators()) {
    passing_on += operation.empty();
    EXPECT_TRUE(operation.empty() || is_known_operation(operation, 0) || ops::find_in_opset(operation, 7)) << op;
  }
  EXPECT_EQ(passing_on, 3u) << "Identity, Dropout and ZipMap";
}

}  // namespace
}  // namespace blobsmith
