// ONNX models as Intel's own importer reads them: names, numbers, functions, errors (front-end spec §16.1, §16.3).
#include <gtest/gtest.h>

#include "core/release.hpp"
#include "onnx_fixture.hpp"

namespace blobsmith {
namespace {

TEST(OnnxNativeImport, NamesNodesAfterOutputsAndTheOthersByNumber) {
  const Graph g = ModelText()
                      .input("x", {1, 1, 4, 4})
                      .constant("w", {1, 1, 1, 1}, {2})
                      .constant("b", {1}, {1})
                      .node("Conv", "conv", {"x", "w", "b"}, "y")
                      .output("y")
                      .read();
  ASSERT_TRUE(layer(g, "y"));
  EXPECT_EQ(layer(g, "y")->type, "Add");
  // The constants are 0 and 1, the parameter is 2.
  ASSERT_TRUE(layer(g, "Convolution_3"));
  EXPECT_FALSE(layer(g, "conv"));
  EXPECT_EQ(g.parameters()[0]->element_type(), ElementType::f32);
}

TEST(OnnxNativeImport, CountsTheNodesThatInferenceMakes) {
  // Reshape makes two constants while its shape is inferred: x is 0, the pattern 1, the Reshape 2, so that the next
  // is 5.
  const Graph g = ModelText()
                      .input("x", {1, 2, 3})
                      .node("Flatten", "f", {"x"}, "a")
                      .node("Reciprocal", "r", {"a"}, "y")
                      .output("y")
                      .read();
  EXPECT_TRUE(layer(g, "Constant_1"));
  EXPECT_TRUE(layer(g, "Constant_5"));
}

TEST(OnnxNativeImport, ANodeOfSeveralOutputsIsNamedAfterTheLast) {
  const Graph g = ModelText()
                      .input("x", {1, 4})
                      .node("Split", "s", {"x"}, "p")
                      .also("q")
                      .with("axis", 1)
                      .output("p")
                      .output("q")
                      .read();
  ASSERT_TRUE(layer(g, "q"));
  EXPECT_EQ(layer(g, "q")->type, "Split");
  ASSERT_TRUE(layer(g, "p/sink_port_0"));
  EXPECT_EQ(layer(g, "p/sink_port_0")->type, "Result");
}

TEST(OnnxNativeImport, AnOperatorThatReturnsItsInputRenamesIt) {
  const Graph g =
      ModelText().input("x", {1, 4}).node("Relu", "r", {"x"}, "a").node("Dropout", "d", {"a"}, "y").output("y").read();
  ASSERT_TRUE(layer(g, "y"));
  EXPECT_EQ(layer(g, "y")->type, "Relu");
}

TEST(OnnxNativeImport, DropsInputsThatNothingReads) {
  const Graph g = ModelText().input("x", {1, 4}).input("unused", {1}).node("Relu", "r", {"x"}, "y").output("y").read();
  ASSERT_EQ(g.parameters().size(), 1u);
  EXPECT_EQ(g.parameters()[0]->name, "x");
}

TEST(OnnxNativeImport, TakesTheMeaningOfTheOpset) {
  const auto type_of = [](int64_t opset) {
    const Graph g = ModelText(opset).input("x", {2, 3, 4}).node("Softmax", "s", {"x"}, "y").output("y").read();
    return layer(g, "y")->type;
  };
  EXPECT_EQ(type_of(10), "Reshape");  // two axes: around a Reshape
  EXPECT_EQ(type_of(11), "Softmax");
  EXPECT_EQ(type_of(99), "Softmax");  // newer models are read as opset 13
}

TEST(OnnxNativeImport, ExpandsFunctionsBehindAllOtherOperators) {
  const Graph g = ModelText(12).input("x", {1, 4}).node("Celu", "", {"x"}, "y").output("y").read();
  ASSERT_TRUE(layer(g, "y"));
  EXPECT_EQ(layer(g, "y")->type, "Multiply");
  const ModelText read_too_early =
      std::move(ModelText(12).input("x", {1, 4}).node("Celu", "", {"x"}, "a").node("Relu", "", {"a"}, "y").output("y"));
  EXPECT_EQ(
      std::string(read_error(read_too_early).what()),
      "While validating ONNX node '<Node(Relu): y>':\na node not found in graph cache: no earlier node computes it");
}

TEST(OnnxNativeImport, NamesAllUnknownOperatorsAtOnceInOrder) {
  const ModelText m = std::move(ModelText()
                                    .input("x", {1, 4})
                                    .node("Quux", "", {"x"}, "a")
                                    .node("Frobnicate", "", {"a"}, "b")
                                    .node("Quux", "", {"b"}, "y")
                                    .output("y"));
  const Error e = read_error(m);
  EXPECT_EQ(e.code(), ErrorCode::UnknownOperation);
  EXPECT_EQ(std::string(e.what()), "nGraph does not support the following ONNX operations: Frobnicate, Quux");
}

TEST(OnnxNativeImport, RefusesWithTheReferencesTexts) {
  const ModelText training = std::move(ModelText()
                                           .input("x", {1, 1, 2})
                                           .constant("c", {1}, {1})
                                           .node("BatchNormalization", "", {"x", "c", "c", "c", "c"}, "y")
                                           .also("m")
                                           .output("y"));
  EXPECT_EQ(std::string(read_error(training).what()),
            "While validating ONNX node '<Node(BatchNormalization): y, m>':\nTraining mode of BatchNormalization is "
            "not supported.");
  EXPECT_EQ(read_error(training).layer(), "y");
  const ModelText twice = std::move(ModelText()
                                        .input("x", {1, 4})
                                        .node("Relu", "", {"x"}, "a")
                                        .node("Dropout", "", {"a"}, "b")
                                        .output("a")
                                        .output("b"));
  EXPECT_EQ(std::string(read_error(twice).what()),
            "Function contains several inputs and outputs with one friendly name!");
  EXPECT_EQ(read_error(std::move(ModelText().input("x", {0, 3}).node("Relu", "r", {"x"}, "y").output("y"))).code(),
            ErrorCode::ShapeMismatch);
}

TEST(OnnxNativeImport, OneValueIsSeveralOutputsWhereTheReleaseAllowsIt) {
  const ModelText input = std::move(ModelText()
                                        .input("x", {1, 4})
                                        .node("Dropout", "", {"x"}, "a")
                                        .node("Relu", "", {"x"}, "y")
                                        .output("x")
                                        .output("a")
                                        .output("y"));
  EXPECT_EQ(input.read().results().size(), 3u);
  const ModelText between =
      std::move(ModelText().input("x", {1, 4}).node("Relu", "", {"x"}, "a").output("a").output("a"));
  EXPECT_EQ(read_error(between).code(), ErrorCode::BadGraph);
  EXPECT_EQ(import_onnx_as_inference_engine(between.bytes(), {}, kRelease2022).results().size(), 2u);
}

TEST(OnnxNativeImport, RejectsBrokenModelsWithAnError) {
  EXPECT_EQ(read_error(ModelText()).code(), ErrorCode::BadOnnx);
  EXPECT_EQ(read_error(std::move(ModelText().input("x", {1}).node("Relu", "", {"x"}, "y").output("z"))).code(),
            ErrorCode::BadOnnx);
  EXPECT_EQ(read_error(std::move(ModelText()
                                     .input("x", {1, 3})
                                     .constant("w", {5, 2}, std::vector<float>(10))
                                     .node("MatMul", "m", {"x", "w"}, "y")
                                     .output("y")))
                .code(),
            ErrorCode::ShapeMismatch);
}

}  // namespace
}  // namespace blobsmith
