// The reference executor: operations as they are defined, in FP32; what it does with types, shapes and bad input.
#include <cmath>

#include "core/float16.hpp"
#include "reference/executor.hpp"
#include "reference_fixture.hpp"

namespace blobsmith {
namespace {

TEST_F(Reference, ConvolutionPadsStridesAndDilates) {
  const Value x = input({1, 1, 3, 3});
  Node* n = make("Convolution", {x, reals({1, 1, 2, 2}, {1, 2, 3, 4})},
                 attributes({{"strides", ints({2, 2})}, {"pads_begin", ints({1, 1})}, {"pads_end", ints({0, 0})}}));
  // Windows begin at -1 and 1: 4*1, 3*2+4*3, 2*4+4*7, 1*5+2*6+3*8+4*9.
  EXPECT_EQ(floats(n, {of({1, 1, 3, 3}, counting(9))}), (Floats{4, 18, 36, 77}));
}

TEST_F(Reference, DilationSkipsElements) {
  Node* n = make("Convolution", {input({1, 1, 1, 5}), reals({1, 1, 1, 2}, {1, 10})},
                 attributes({{"dilations", ints({1, 3})}}));
  EXPECT_EQ(floats(n, {of({1, 1, 1, 5}, counting(5))}), (Floats{41, 52}));
}

TEST_F(Reference, GroupsSeeTheirOwnChannels) {
  Node* n = make("GroupConvolution", {input({1, 4, 1, 1}), reals({2, 1, 2, 1, 1}, {1, 10, 1, 10})});
  EXPECT_EQ(floats(n, {of({1, 4, 1, 1}, counting(4))}), (Floats{21, 43}));
}

TEST_F(Reference, ConvolutionHasOneToThreeSpatialAxes) {
  EXPECT_EQ(floats(make("Convolution", {input({1, 1, 3}), reals({1, 1, 2}, {1, 10})}), {of({1, 1, 3}, counting(3))}),
            (Floats{21, 32}));
  g = Graph();
  EXPECT_EQ(floats(make("Convolution", {input({1, 1, 2, 1, 2}), reals({1, 1, 2, 1, 1}, {1, 10})}),
                   {of({1, 1, 2, 1, 2}, counting(4))}),
            (Floats{31, 42}));
}

TEST_F(Reference, TransposedConvolutionSpreadsEveryInput) {
  Node* n = make("ConvolutionBackpropData", {input({1, 1, 1, 2}), reals({1, 1, 1, 3}, {1, 2, 3})},
                 attributes({{"strides", ints({1, 2})}}));
  EXPECT_EQ(floats(n, {of({1, 1, 1, 2}, {1, 10})}), (Floats{1, 2, 13, 20, 30}));
}

TEST_F(Reference, AveragesCountPaddingUnlessItIsExcluded) {
  for (const bool exclude : {false, true}) {
    g = Graph();
    Node* n = make("AvgPool", {input({1, 1, 1, 2})},
                   attributes({{"kernel", ints({1, 2})},
                               {"strides", ints({1, 1})},
                               {"pads_begin", ints({0, 1})},
                               {"pads_end", ints({0, 1})},
                               {"exclude-pad", exclude}}));
    EXPECT_EQ(floats(n, {of({1, 1, 1, 2}, {2, 4})}), exclude ? (Floats{2, 3, 4}) : (Floats{1, 3, 2}));
  }
}

TEST_F(Reference, MaximaIgnorePadding) {
  Node* n = make("MaxPool", {input({1, 1, 1, 2})},
                 attributes({{"kernel", ints({1, 2})}, {"strides", ints({1, 1})}, {"pads_begin", ints({0, 1})}}));
  EXPECT_EQ(floats(n, {of({1, 1, 1, 2}, {-2, -4})}), (Floats{-2, -2}));
}

TEST_F(Reference, MatrixProductsBroadcastAndTranspose) {
  Node* n = make("MatMul", {input({2, 1, 2}), reals({3, 2}, {1, 0, 0, 1, 1, 1})}, attributes({{"transpose_b", true}}));
  EXPECT_EQ(floats(n, {of({2, 1, 2}, counting(4))}), (Floats{1, 2, 3, 3, 4, 7}));
}

TEST_F(Reference, SoftPlusAndMishOfLargeNumbersStayFinite) {
  EXPECT_EQ(floats(make("SoftPlus", {input({2})}), {of({2}, {200, -200})}), (Floats{200, 0}));
  g = Graph();
  EXPECT_EQ(floats(make("Mish", {input({1})}), {of({1}, {200})}), (Floats{200}));
}

TEST_F(Reference, MomentsAreNormalised) {
  const Attributes inside = attributes({{"eps", 3.0}, {"eps_mode", "inside_sqrt"}, {"normalize_variance", true}});
  EXPECT_EQ(floats(make("MVN", {input({1, 2}), integers({1})}, inside, 6), {of({1, 2}, {1, 3})}), (Floats{-0.5, 0.5}));
}

TEST_F(Reference, HalvesPrecisionIsNotRoundedAgain) {
  // 1 + 2^-11 is no FP16 number: a network of FP16 type keeps it all the same.
  Node* n =
      make("Add", {input({1}, ElementType::f16),
                   g.constant(Tensor::of(ElementType::f16, {1}, std::vector<Half>{float_to_half(0x1p-11F)}))->value()});
  EXPECT_EQ(floats(n, {of({1}, {1})}), (Floats{1.0F + 0x1p-11F}));
}

TEST_F(Reference, ShapesMayFollowFromTheData) {
  Node* places = make("NonZero", {input({4})});
  const auto results =
      run({places->value(), make("Gather", {reals({4}, {5, 6, 7, 8}), places->value(), scalar(0)}, {}, 1)->value()},
          {of({4}, {0, 1, 0, 3})});
  EXPECT_EQ(results[0].shape, (Shape{1, 2}));
  EXPECT_EQ(results[0].to_i64(), (List{1, 3}));
  EXPECT_EQ(results[1].to_f32(), (Floats{6, 8}));
}

TEST_F(Reference, SequencesRunBackwardsToo) {
  // An RNN of one unit: h = relu(x + h).
  const Attributes a = attributes(
      {{"hidden_size", int64_t{1}}, {"activations", std::vector<std::string>{"relu"}}, {"direction", "reverse"}});
  Node* n = make("RNNSequence",
                 {input({1, 3, 1}), reals({1, 1, 1}, {0}), integers({3}), reals({1, 1, 1}, {1}), reals({1, 1, 1}, {1}),
                  reals({1, 1}, {0})},
                 a);
  const auto results = run({n->value(0), n->value(1)}, {of({1, 3, 1}, counting(3))});
  EXPECT_EQ(results[0].to_f32(), (Floats{6, 5, 3}));
  EXPECT_EQ(results[1].to_f32(), (Floats{6}));
}

TEST_F(Reference, BiasesOfCellsAreCounted) {
  Node* cell = make(
      "RNNCell",
      {reals({1, 1}, {1}), reals({1, 2}, {0, 0}), reals({2, 1}, {1, 1}), reals({2, 2}, {0, 0, 0, 0}), reals({1}, {1})},
      attributes({{"hidden_size", int64_t{2}}}));
  expect_layer_error(ErrorCode::ShapeMismatch, "biases", [&] { run({cell->value()}); });
}

TEST_F(Reference, TheBatchItselfHasNoBlocks) {
  Node* blocks =
      make("BatchToSpace", {reals({4, 2}, counting(8)), integers({1, 2}), integers({1, 0}), integers({0, 0})});
  expect_layer_error(ErrorCode::ShapeMismatch, "of the batch itself", [&] { run({blocks->value()}); });
}

TEST_F(Reference, SuppressionKeepsTheBestOfOverlappingBoxes) {
  const Value boxes = reals({1, 3, 4}, {0, 0, 1, 1, 0, 0, 1, 0.9F, 2, 2, 3, 3}),
              scores = reals({1, 1, 3}, {0.5F, 0.9F, 0.3F});
  Node* n = make("NonMaxSuppression", {boxes, scores, scalar(10), reals({}, {0.5F}), reals({}, {0.1F})}, {}, 5);
  EXPECT_EQ(run({n->value()})[0].to_i64(), (List{0, 0, 1, 0, 0, 2}));
}

TEST_F(Reference, SoftSuppressionLowersScores) {
  // The second box overlaps the first by 1/3; exp(-0.5 / 0.5 / 9) = 0.895 of its score is less than the third's.
  const Value boxes = reals({1, 3, 4}, {0, 0, 2, 1, 1, 0, 3, 1, 5, 5, 6, 6}),
              scores = reals({1, 1, 3}, {0.9F, 0.8F, 0.75F});
  Node* n =
      make("NonMaxSuppression", {boxes, scores, scalar(10), reals({}, {0.5F}), reals({}, {0.1F}), reals({}, {0.5F})},
           attributes({{"sort_result_descending", false}}), 5);
  const auto found = run({n->value(0), n->value(1)});
  EXPECT_EQ(found[0].to_i64(), (List{0, 0, 0, 0, 0, 2, 0, 0, 1}));
  EXPECT_NEAR(found[1].to_f32()[8], 0.8 * std::exp(-1.0 / 9), 1e-6);
}

TEST_F(Reference, RegionsOfYoloAreActivated) {
  // One region of x, y, w, h, objectness and one class: all but w and h go through a sigmoid.
  const Attributes a = attributes({{"axis", int64_t{1}},
                                   {"end_axis", int64_t{3}},
                                   {"coords", int64_t{4}},
                                   {"classes", int64_t{1}},
                                   {"num", int64_t{1}},
                                   {"do_softmax", false},
                                   {"mask", List{0}}});
  EXPECT_EQ(floats(make("RegionYolo", {input({1, 6, 1, 1})}, a), {of({1, 6, 1, 1}, {0, 0, 7, 8, 0, 0})}),
            (Floats{0.5, 0.5, 7, 8, 0.5, 0.5}));
}

TEST_F(Reference, RegionsArePooled) {
  const Attributes largest =
      attributes({{"pooled_h", int64_t{1}}, {"pooled_w", int64_t{2}}, {"spatial_scale", 1.0}, {"method", "max"}});
  EXPECT_EQ(floats(make("ROIPooling", {input({1, 1, 2, 4}), reals({1, 5}, {0, 0, 0, 3, 1})}, largest),
                   {of({1, 1, 2, 4}, counting(8))}),
            (Floats{6, 8}));
  g = Graph();
  const Attributes mean = attributes({{"pooled_h", int64_t{1}},
                                      {"pooled_w", int64_t{1}},
                                      {"sampling_ratio", int64_t{1}},
                                      {"spatial_scale", 1.0},
                                      {"mode", "avg"}});
  EXPECT_EQ(floats(make("ROIAlign", {input({1, 1, 2, 2}), reals({1, 4}, {0, 0, 1, 1}), integers({0})}, mean),
                   {of({1, 1, 2, 2}, counting(4))}),
            (Floats{2.5}));
}

TEST_F(Reference, RegionsOfImagesThatDoNotExistAreErrors) {
  const Attributes a =
      attributes({{"pooled_h", int64_t{1}}, {"pooled_w", int64_t{1}}, {"spatial_scale", 1.0}, {"method", "max"}});
  g.result(make("ROIPooling", {input({1, 1, 2, 2}), reals({1, 5}, {3, 0, 0, 1, 1})}, a)->value());
  reference::Executor executor(std::move(g), 1);
  expect_layer_error(ErrorCode::ShapeMismatch, "image that does not exist",
                     [&] { executor.run({of({1, 1, 2, 2}, counting(4))}); });
}

TEST_F(Reference, DetectionsComeBestFirstByClass) {
  // Two priors of one size, locations that leave them where they are, two classes of which 0 is the background.
  const Attributes a = attributes({{"num_classes", int64_t{2}},
                                   {"keep_top_k", List{2}},
                                   {"nms_threshold", 0.5},
                                   {"confidence_threshold", 0.1},
                                   {"normalized", true},
                                   {"code_type", "caffe.PriorBoxParameter.CENTER_SIZE"}});
  const Value priors = reals({1, 2, 8}, {0, 0, 0.5, 0.5, 0.5, 0.5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
  Node* n = make("DetectionOutput", {input({1, 8}), reals({1, 4}, {0.7F, 0.3F, 0.1F, 0.9F}), priors}, a);
  EXPECT_EQ(floats(n, {of({1, 8}, Floats(8))}), (Floats{0, 1, 0.9F, 0.5, 0.5, 1, 1, 0, 1, 0.3F, 0, 0, 0.5, 0.5}));
}

TEST_F(Reference, TheHookSeesEveryNodeThatComputes) {
  Node* relu = make("Relu", {input({2})});
  Node* negated = g.make("Negative", {relu->value()}, {}, 0, "negated");
  g.result(negated->value());
  std::vector<std::string> seen;
  reference::Executor(std::move(g), 1).run({of({2}, {-1, 1})}, [&](const Node& n, std::span<const Tensor> out) {
    seen.push_back(n.name + " " + std::to_string(out[0].to_f32()[1]).substr(0, 2));
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"layer 1.", "negated -1"}));
}

TEST_F(Reference, InputsMustFit) {
  g.result(make("Relu", {input({2})})->value());
  reference::Executor executor(std::move(g), 1);
  EXPECT_THROW(executor.run({}), Error);
  EXPECT_THROW(executor.run({of({3}, counting(3))}), Error);
  EXPECT_THROW(executor.run({Tensor::i64({1, 2})}), Error);
}

TEST_F(Reference, WhatItCanNotComputeItNames) {
  g.result(make("DynamicShapeResolver", {input({4}), integers({2})})->value());
  try {
    reference::Executor executor(std::move(g), 1);
    FAIL() << "no error";
  } catch (const ErrorList& e) {
    ASSERT_EQ(e.errors().size(), 1U);
    EXPECT_EQ(e.errors()[0].code(), ErrorCode::NotYetSupported);
    EXPECT_EQ(e.errors()[0].layer(), "layer");
  }
}

TEST_F(Reference, IndicesOutOfRangeAreErrors) {
  g.result(make("GatherElements", {input({2}), integers({2})}, attributes({{"axis", int64_t{0}}}))->value());
  reference::Executor executor(std::move(g), 1);
  expect_layer_error(ErrorCode::ShapeMismatch, "out of range", [&] { executor.run({of({2}, counting(2))}); });
}

TEST_F(Reference, ShapesThatOnlyTheDataTellMustFitTheOthers) {
  Node* places = make("Squeeze", {make("NonZero", {input({4})})->value(), integers({0})});
  const Value rows = make("Gather", {reals({4, 1, 2}, counting(8)), places->value(), scalar(0)}, {}, 1)->value();
  Node* product = make("MatMul", {rows, reals({3, 2, 1}, counting(6))});
  ASSERT_EQ(product->shape(), (Shape{3, 1, 1})) << "two matrices would not fit";
  g.result(product->value());
  reference::Executor executor(std::move(g), 1);
  EXPECT_EQ(executor.run({of({4}, {1, 1, 0, 1})})[0].to_f32(), (Floats{5, 25, 83}));
  EXPECT_THROW(executor.run({of({4}, {1, 1, 0, 0})}), Error);
}

}  // namespace
}  // namespace blobsmith
