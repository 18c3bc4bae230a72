#include <limits>

#include "transforms/faults/rewrites.hpp"
#include "transforms_fixture.hpp"

namespace blobsmith {
namespace {

TEST(TransformsLegacy, MatMulByAMatrixHasBiases) {
  const Net n = converted("x = Parameter {2,3}  y = MatMul(x, {3,4} counted)  return y");
  const Node* y = n.find("y");
  ASSERT_EQ(n.types(), Types{"FullyConnected"});
  EXPECT_EQ(y->input(1).shape(), (Shape{4, 3}));
  EXPECT_EQ(y->input(1).node->constant.to_f32()[1], 5.0F);
  EXPECT_EQ(y->input(2).node->constant.to_f32(), (std::vector<float>{0, 0, 0, 0}));
}

TEST(TransformsLegacy, AdditionBehindAFullyConnectedIsItsBias) {
  const Net n = converted("x = Parameter {2,3}  y = Add(MatMul(x, {3,4} counted), {1,4} counted)  return y");
  ASSERT_EQ(n.types(), Types{"FullyConnected"});
  EXPECT_EQ(n.find("y")->input(2).node->constant.to_f32(), (std::vector<float>{1, 2, 3, 4}));
}

TEST(TransformsLegacy, OneValueInADimensionIsABiasButAScalarIsNot) {
  const auto types = [](const std::string& bias) {
    return converted("x = Parameter {2,3}  y = Add(MatMul(x, {3,4} counted), " + bias + ")  return y").types();
  };
  EXPECT_EQ(types("{1} of 7"), Types{"FullyConnected"});
  EXPECT_EQ(types("7.0"), (Types{"FullyConnected", "PowerIE"}));
}

TEST(TransformsLegacy, FullyConnectedOfHigherRankIsFlattened) {
  const Net n = converted("x = Parameter {2,5,3}  y = MatMul(x, {3,4} counted)  return y");
  EXPECT_EQ(n.types(), (Types{"Reshape", "FullyConnected", "Reshape"}));
  EXPECT_EQ(n.find("y/Reshape")->shape(), (Shape{10, 3}));
  EXPECT_EQ(n.find("y/FC")->shape(), (Shape{10, 4}));
  EXPECT_EQ(n.find("y")->shape(), (Shape{2, 5, 4}));
}

TEST(TransformsLegacy, FlattenInFrontOfAFullyConnectedVanishes) {
  const Net n = converted(R"(
    x = Parameter {1,2,3,4}
    y = MatMul(Reshape(x, [0,-1], special_zero=true), {24,4} counted)
    return y
  )");
  EXPECT_EQ(n.types(), Types{"FullyConnected"});
  EXPECT_TRUE(n.find("y")->input(0).node->is("Parameter"));
}

TEST(TransformsLegacy, MatMulOfTwoInputsGetsEqualRanks) {
  const Net n = converted("a = Parameter {2,3,4,5}  b = Parameter {5,6}  y = MatMul(a, b)  return y");
  EXPECT_EQ(n.types(), (Types{"Reshape", "MatMul"}));
  EXPECT_EQ(n.find("y")->input(1).shape(), (Shape{1, 1, 5, 6}));
}

TEST(TransformsLegacy, GroupWeightsLoseTheirFirstAxis) {
  const Net n = converted("x = Parameter {1,4,6,6}  y = GroupConvolution(x, {4,1,1,3,3} of 1)  return y");
  ASSERT_EQ(n.types(), Types{"ConvolutionIE"});
  EXPECT_EQ(n.find("y")->input(1).shape(), (Shape{4, 1, 3, 3}));
  EXPECT_EQ(n.find("y")->attrs.integer("group"), 4);
}

TEST(TransformsLegacy, OneDimensionalConvolutionGetsAHeight) {
  const Net n = converted("x = Parameter {1,2,8}  y = Convolution(x, {3,2,3} of 1)  return y");
  EXPECT_EQ(n.types(), (Types{"Reshape", "ConvolutionIE", "Reshape"}));
  EXPECT_EQ(n.find("y/new")->input(1).shape(), (Shape{3, 2, 1, 3}));
  EXPECT_EQ(n.find("y/new")->shape(), (Shape{1, 3, 1, 6}));
}

TEST(TransformsLegacy, ChannelConstantsAreAScaleShiftOnImagesOnly) {
  EXPECT_EQ(converted("x = Parameter {1,3,2,2}  y = Multiply(x, {1,3,1,1} counted)  return y").types(),
            Types{"ScaleShiftIE"});
  EXPECT_EQ(converted("x = Parameter {2,3}  y = Multiply(x, {1,3} counted)  return y").types(), Types{"Multiply"});
}

TEST(TransformsLegacy, MultiplyAndAddOfChannelsIsOneScaleShift) {
  const Net n = converted("x = Parameter {1,3,2,2}  y = Add(Multiply(x, {1,3,1,1} counted), 0.5)  return y");
  ASSERT_EQ(n.types(), Types{"ScaleShiftIE"});
  EXPECT_EQ(n.find("y")->input(1).node->constant.to_f32(), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(n.find("y")->input(2).node->constant.to_f32(), (std::vector<float>{0.5, 0.5, 0.5}));
}

TEST(TransformsLegacy, SingleValuesAreAPower) {
  const Net n = converted("x = Parameter {2,3}  y = Add(Multiply(x, 3.0), {1} of 4)  return y");
  ASSERT_EQ(n.types(), Types{"PowerIE"});
  EXPECT_EQ(n.find("y")->attrs.real("scale"), 3.0);
  EXPECT_EQ(n.find("y")->attrs.real("shift"), 4.0);
}

TEST(TransformsLegacy, AdditionOfNothingVanishesAndTheOutputKeepsItsName) {
  const Net n = converted("x = Parameter {1,3,2,2}  y = Add(Relu(x), 0.0)  return y");
  EXPECT_EQ(n.types(), Types{"Relu"});
  EXPECT_EQ(n.type_of("y"), "Relu");
}

TEST(TransformsLegacy, ABroadcastOfVersion3ThatChangesNothingGivesItsNameToWhatItReads) {
  const Net n = converted(R"(
    x = Parameter {1,4}
    x0 = Tanh(x)
    same = Broadcast@3(x0, [1,4], mode=numpy)
    y = Relu(same)
    return y, x0
  )");
  EXPECT_EQ(n.type_of("same"), "Tanh");
  EXPECT_EQ(n.type_of("x0"), "(none)");
}

TEST(TransformsLegacy, AnEpsilonOfExactlyTheToleranceIsAddedAndInfinityIsAnInput) {
  Net n;
  const Value x = n.op("Tanh", {n.input({1, 4})}, "x0");
  n.convert({n.op("Add", {x, n.reals({}, 1e-5F)}, "epsilon"),
             n.op("Multiply", {x, n.reals({}, std::numeric_limits<double>::infinity())}, "many")});
  EXPECT_EQ(n.type_of("epsilon"), "PowerIE");
  EXPECT_EQ(n.type_of("many"), "Multiply");
}

TEST(TransformsLegacy, AnInputIsNeverAnOutputItself) {
  EXPECT_EQ(converted("x = Parameter {1,3,2,2}  y = Add(x, 0.0)  return y").types(), Types{"PowerIE"});
}

TEST(TransformsLegacy, SliceWithStepsOfOneIsACrop) {
  const Net n = converted(R"(
    x = Parameter {1,3,8,8}
    y = StridedSlice(x, [0,0,2,-3], [0,0,5,8], begin_mask=[1,1,0,0], end_mask=[1,1,0,0])
    return y
  )");
  ASSERT_EQ(n.types(), Types{"CropIE"});
  EXPECT_EQ(n.find("y")->attrs.integers("offset"), (std::vector<int64_t>{0, 0, 2, 5}));
  EXPECT_EQ(n.find("y")->attrs.integers("dim"), (std::vector<int64_t>{1, 3, 3, 3}));
}

TEST(TransformsLegacy, SlicesOfOneAxisBecomeOneSplit) {
  const Net n = converted(R"(
    x = Parameter {1,6,4,4}
    rc = Exp(StridedSlice(x, [0,3,0,0], [0,6,0,0], begin_mask=[1,0,1,1], end_mask=[1,0,1,1]))
    ra = Relu(StridedSlice(x, [0,0,0,0], [0,3,0,0], begin_mask=[1,0,1,1], end_mask=[1,0,1,1]))
    rb = Tanh(StridedSlice(x, [0,0,0,0], [0,3,0,0], begin_mask=[1,0,1,1], end_mask=[1,0,1,1]))
    return rc, ra, rb
  )");
  EXPECT_EQ(std::ranges::count(n.types(), "CropIE"), 0);
  EXPECT_EQ(std::ranges::count(n.types(), "VariadicSplit"), 1);
  EXPECT_EQ(n.find("ra")->input(0), n.find("rb")->input(0));
  EXPECT_EQ(n.find("ra")->input(0).node, n.find("rc")->input(0).node);
}

TEST(TransformsLegacy, IntegersAreOfThirtyTwoBits) {
  const Net n = converted(R"(
    x = Parameter {1,5}
    t = TopK@3(x, 2, axis=1, mode=max, sort=value, index_element_type=i64)
    return t, t.1
  )");
  for (const Node* node : n.g.ordered())
    for (int i = 0; i < node->output_count(); ++i) EXPECT_NE(node->element_type(i), ElementType::i64) << node->name;
  EXPECT_EQ(n.type_of("t.1"), "Convert");
}

TEST(TransformsLegacy, LinearInterpolationOfOpset1IsInterp) {
  const Net n = converted(R"(
    x = Parameter {1,3,4,4}
    y = Interpolate(x, [8,8], axes=[2,3], mode=linear, align_corners=true)
    return y
  )");
  EXPECT_EQ(n.types(), Types{"Interp"});
}

TEST(TransformsLegacy, CoordinatesOfTheFirstOpsetAreSaidWhereAskedFor) {
  const auto coordinates = [](const char* mode, bool align, std::vector<int64_t> sizes) {
    Net n;
    Attributes a;
    a.set("axes", std::vector<int64_t>{2, 3});
    a.set("mode", std::string(mode));
    a.set("align_corners", align);
    a.set("antialias", false);
    n.g.result(n.op("Interpolate", {n.input({1, 2, 4, 4}), n.ints(std::move(sizes))}, "y", a));
    const auto list = transforms::state_coordinates(n.g);
    return list.empty() ? "" : n.find(list[0].layer)->attrs.text("coordinate_transformation_mode");
  };
  EXPECT_EQ(coordinates("linear", true, {8, 8}), "align_corners");
  EXPECT_EQ(coordinates("linear", false, {8, 8}), "asymmetric");
  EXPECT_EQ(coordinates("nearest", false, {6, 6}), "asymmetric");
  EXPECT_EQ(coordinates("nearest", false, {8, 8}), "") << "whole multiples are the same";
}

}  // namespace
}  // namespace blobsmith
