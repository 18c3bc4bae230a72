// ONNX models as Model Optimizer converts them (model-optimizer spec §5.2, §6, §8).
#include <gtest/gtest.h>

#include "core/float16.hpp"
#include "onnx_fixture.hpp"

namespace blobsmith {
namespace {

TEST(OnnxImport, NamesTheLastLayerAfterTheOutputAndTheConvolutionWithoutItsBias) {
  const Graph g = ModelText()
                      .input("x", {1, 1, 4, 4})
                      .constant("w", {1, 1, 1, 1}, {2})
                      .constant("b", {1}, {1})
                      .node("Conv", "conv", {"x", "w", "b"}, "y")
                      .output("y")
                      .import();
  ASSERT_TRUE(layer(g, "conv/WithoutBiases"));
  ASSERT_TRUE(layer(g, "y"));
  EXPECT_EQ(layer(g, "conv/WithoutBiases")->type, "Convolution");
  EXPECT_EQ(layer(g, "y")->type, "Add");
  EXPECT_EQ(g.parameters()[0]->element_type(), ElementType::f16);
}

TEST(OnnxImport, NamesLayersAlikeInHalfAndInFullPrecision) {
  const ModelText m = std::move(ModelText()
                                    .input("x", {1, 1, 4, 4})
                                    .constant("same", {1, 1, 1, 1}, {2})
                                    .node("Conv", "same", {"x", "same"}, "c")
                                    .node("Relu", "relu", {"c"}, "y")
                                    .output("y"));
  for (const bool half : {true, false}) {
    const Graph g = m.import({.half_precision = half});
    const Node* n = layer(g, "same");
    ASSERT_TRUE(n) << half;
    EXPECT_EQ(n->type, "Convolution") << "rather than its weights";
  }
}

TEST(OnnxImport, FoldsAMultiplicationIntoWeightsAndRoundsThemOnce) {
  // 1.0005 * 1.0005 = 1.00100025: rounding the factors to FP16 first would give 1.
  const Graph g = ModelText()
                      .input("x", {1, 1, 4, 4})
                      .constant("w", {1, 1, 1, 1}, {1.0005f})
                      .constant("s", {1, 1, 1, 1}, {1.0005f})
                      .node("Conv", "conv", {"x", "w"}, "c")
                      .node("Mul", "mul", {"c", "s"}, "y")
                      .output("y")
                      .import();
  const Node* conv = layer(g, "y");
  ASSERT_TRUE(conv && conv->is("Convolution"));
  EXPECT_EQ(conv->input(1).node->constant.as<Half>()[0], float_to_half(1.00100025f));
}

TEST(OnnxImport, AFactorAlongRowsStaysOutOfTheColumnsWithoutQuirks) {
  const ModelText m = std::move(ModelText()
                                    .input("x", {1, 2, 2})
                                    .constant("w", {2, 2}, {1, 2, 3, 4})
                                    .constant("s", {2, 1}, {10, 100})
                                    .node("MatMul", "product", {"x", "w"}, "p")
                                    .node("Mul", "mul", {"p", "s"}, "y")
                                    .output("y"));
  EXPECT_EQ(layer(m.import({.quirks = true}), "y")->type, "MatMul");
  EXPECT_EQ(layer(m.import({.quirks = false}), "y")->type, "Multiply");
  const ModelText flat = std::move(ModelText()
                                       .input("x", {2, 2})
                                       .constant("w", {2, 2}, {1, 2, 3, 4})
                                       .constant("s", {2}, {10, 100})
                                       .node("MatMul", "product", {"x", "w"}, "p")
                                       .node("Mul", "mul", {"p", "s"}, "y")
                                       .output("y"));
  EXPECT_EQ(layer(flat.import({.quirks = false}), "y")->type, "MatMul") << "columns";
}

TEST(OnnxImport, ZerosBeforeAMaximumStayThereWithoutQuirks) {
  const auto model = [](const char* before) {
    return std::move(ModelText()
                         .input("x", {1, 1, 4, 4})
                         .node(before, "before", {"x"}, "a")
                         .integers("pads", {0, 0, 1, 1, 0, 0, 1, 1})
                         .node("Pad", "pad", {"a", "pads"}, "b")
                         .node("MaxPool", "pool", {"b"}, "y")
                         .with("kernel_shape", std::vector<int64_t>{3, 3})
                         .output("y"));
  };
  const auto keeps = [&](const char* before, bool quirks) {
    return layer(model(before).import({.quirks = quirks}), "pad") != nullptr;
  };
  EXPECT_FALSE(keeps("Tanh", true)) << "as Model Optimizer";
  EXPECT_TRUE(keeps("Tanh", false));
  EXPECT_FALSE(keeps("Relu", false)) << "no value is below zero";
}

TEST(OnnxImport, WritesASubtractedConstantAsAnAddedOne) {
  const Graph g = ModelText()
                      .input("x", {1, 3})
                      .constant("c", {3}, {1, 2, 3})
                      .node("Sub", "sub", {"x", "c"}, "y")
                      .output("y")
                      .import();
  const Node* add = layer(g, "y");
  ASSERT_TRUE(add && add->is("Add"));
  EXPECT_EQ(add->input(1).node->constant.to_f32(), (std::vector<float>{-1, -2, -3}));
}

TEST(OnnxImport, MakesUnreadValuesNetworkOutputsAsModelOptimizerOnly) {
  const auto m = ModelText()
                     .input("x", {1, 3})
                     .input("unread", {1, 3})
                     .node("Relu", "dead", {"x"}, "d")
                     .node("Tanh", "live", {"x"}, "y")
                     .output("y");
  EXPECT_EQ(m.import().results().size(), 1u);
  EXPECT_EQ(m.import().parameters().size(), 2u);
  const Graph g = m.import({.quirks = true});
  EXPECT_EQ(g.parameters().size(), 1u);
  ASSERT_EQ(g.results().size(), 2u);
  EXPECT_EQ(g.results()[0]->input(0).node->name, "dead");
  EXPECT_EQ(g.results()[1]->input(0).node->name, "y");
}

TEST(OnnxImport, NamesAllUnknownOperatorsAtOnce) {
  try {
    ModelText()
        .input("x", {1, 3})
        .node("Frobnicate", "f", {"x"}, "a")
        .node("Quux", "q", {"a"}, "y")
        .output("y")
        .import();
    FAIL();
  } catch (const ErrorList& e) {
    ASSERT_EQ(e.errors().size(), 2u);
    EXPECT_NE(e.errors()[1].source().find("node \"q\" (Quux-11)"), std::string::npos);
  }
}

TEST(OnnxImport, TakesOneForAnOpenBatch) {
  const ModelText m = std::move(ModelText().input("x", {0, 3}).node("Relu", "r", {"x"}, "y").output("y"));
  EXPECT_EQ(m.import().parameters()[0]->shape(), (Shape{1, 3}));
}

TEST(OnnxImport, AsksForTheShapeOfAnOpenInputAndTakesIt) {
  const ModelText m = std::move(ModelText().input("x", {1, 0}).node("Relu", "r", {"x"}, "y").output("y"));
  const Error e = import_error(m);
  EXPECT_EQ(e.code(), ErrorCode::ShapeMismatch);
  EXPECT_EQ(e.hint(), "state it: --input-shape x=1,?");
  ImportOptions options;
  options.input_shapes["x"] = {2, 3};
  EXPECT_EQ(m.import(options).parameters()[0]->shape(), (Shape{2, 3}));
}

TEST(OnnxImport, RefusesNumbersOfBfloat16) {
  const Error e = import_error(ModelText().input("x", {1, 3}).node("Cast", "c", {"x"}, "y").with("to", 16).output("y"));
  EXPECT_NE(std::string(e.what()).find("BFLOAT16"), std::string::npos) << e.what();
}

TEST(OnnxImport, RejectsBrokenModelsWithAnError) {
  EXPECT_EQ(import_error(ModelText()).code(), ErrorCode::BadOnnx);
  EXPECT_EQ(import_error(ModelText().input("x", {1}).node("Add", "a", {"x", "b"}, "b").output("b")).code(),
            ErrorCode::BadOnnx);
  EXPECT_EQ(
      import_error(ModelText().input("x", {1}).constant("c", {4}, {1}).node("Add", "a", {"x", "c"}, "y").output("y"))
          .code(),
      ErrorCode::BadOnnx);
  EXPECT_EQ(import_error(ModelText()
                             .input("x", {1, 3})
                             .constant("w", {5, 2}, std::vector<float>(10))
                             .node("MatMul", "m", {"x", "w"}, "y")
                             .output("y"))
                .code(),
            ErrorCode::ShapeMismatch);
}

}  // namespace
}  // namespace blobsmith
