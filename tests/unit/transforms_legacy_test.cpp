#include <limits>

#include "transforms/faults/rewrites.hpp"
#include "transforms_fixture.hpp"

namespace blobsmith {
namespace {

TEST(TransformsLegacy, MatMulByAMatrixHasBiases) {
  Net n;
  n.convert({n.op("MatMul", {n.input({2, 3}), n.counted({3, 4})}, "y")});
  const Node* y = n.find("y");
  ASSERT_EQ(n.types(), Types{"FullyConnected"});
  EXPECT_EQ(y->input(1).shape(), (Shape{4, 3}));
  EXPECT_EQ(y->input(1).node->constant.to_f32()[1], 5.0F);
  EXPECT_EQ(y->input(2).node->constant.to_f32(), (std::vector<float>{0, 0, 0, 0}));
}

TEST(TransformsLegacy, AdditionBehindAFullyConnectedIsItsBias) {
  Net n;
  const Value fc = n.op("MatMul", {n.input({2, 3}), n.counted({3, 4})}, "fc");
  n.convert({n.op("Add", {fc, n.counted({1, 4})}, "y")});
  ASSERT_EQ(n.types(), Types{"FullyConnected"});
  EXPECT_EQ(n.find("y")->input(2).node->constant.to_f32(), (std::vector<float>{1, 2, 3, 4}));
}

TEST(TransformsLegacy, OneValueInADimensionIsABiasButAScalarIsNot) {
  for (const Shape& shape : {Shape{1}, Shape{}}) {
    Net n;
    const Value fc = n.op("MatMul", {n.input({2, 3}), n.counted({3, 4})}, "fc");
    n.convert({n.op("Add", {fc, n.reals(shape, 7)}, "y")});
    EXPECT_EQ(n.types(), shape.empty() ? (Types{"FullyConnected", "PowerIE"}) : Types{"FullyConnected"});
  }
}

TEST(TransformsLegacy, FullyConnectedOfHigherRankIsFlattened) {
  Net n;
  n.convert({n.op("MatMul", {n.input({2, 5, 3}), n.counted({3, 4})}, "y")});
  EXPECT_EQ(n.types(), (Types{"Reshape", "FullyConnected", "Reshape"}));
  EXPECT_EQ(n.find("y/Reshape")->shape(), (Shape{10, 3}));
  EXPECT_EQ(n.find("y/FC")->shape(), (Shape{10, 4}));
  EXPECT_EQ(n.find("y")->shape(), (Shape{2, 5, 4}));
}

TEST(TransformsLegacy, FlattenInFrontOfAFullyConnectedVanishes) {
  Net n;
  const Value flat = n.op("Reshape", {n.input({1, 2, 3, 4}), n.ints({0, -1})}, "flat", with("special_zero", true));
  n.convert({n.op("MatMul", {flat, n.counted({24, 4})}, "y")});
  EXPECT_EQ(n.types(), Types{"FullyConnected"});
  EXPECT_TRUE(n.find("y")->input(0).node->is("Parameter"));
}

TEST(TransformsLegacy, MatMulOfTwoInputsGetsEqualRanks) {
  Net n;
  const Value a = n.input({2, 3, 4, 5}, "a"), b = n.input({5, 6}, "b");
  n.convert({n.op("MatMul", {a, b}, "y")});
  EXPECT_EQ(n.types(), (Types{"Reshape", "MatMul"}));
  EXPECT_EQ(n.find("y")->input(1).shape(), (Shape{1, 1, 5, 6}));
}

TEST(TransformsLegacy, GroupWeightsLoseTheirFirstAxis) {
  Net n;
  n.convert({n.convolution(n.input({1, 4, 6, 6}), n.reals({4, 1, 1, 3, 3}, 1), "y", "GroupConvolution")});
  ASSERT_EQ(n.types(), Types{"ConvolutionIE"});
  EXPECT_EQ(n.find("y")->input(1).shape(), (Shape{4, 1, 3, 3}));
  EXPECT_EQ(n.find("y")->attrs.integer("group"), 4);
}

TEST(TransformsLegacy, OneDimensionalConvolutionGetsAHeight) {
  Net n;
  n.convert({n.convolution(n.input({1, 2, 8}), n.reals({3, 2, 3}, 1), "y")});
  EXPECT_EQ(n.types(), (Types{"Reshape", "ConvolutionIE", "Reshape"}));
  EXPECT_EQ(n.find("y/new")->input(1).shape(), (Shape{3, 2, 1, 3}));
  EXPECT_EQ(n.find("y/new")->shape(), (Shape{1, 3, 1, 6}));
}

TEST(TransformsLegacy, ChannelConstantsAreAScaleShiftOnImagesOnly) {
  Net image;
  image.convert({image.op("Multiply", {image.input({1, 3, 2, 2}), image.counted({1, 3, 1, 1})}, "y")});
  EXPECT_EQ(image.types(), Types{"ScaleShiftIE"});
  Net rows;
  rows.convert({rows.op("Multiply", {rows.input({2, 3}), rows.counted({1, 3})}, "y")});
  EXPECT_EQ(rows.types(), Types{"Multiply"});
}

TEST(TransformsLegacy, MultiplyAndAddOfChannelsIsOneScaleShift) {
  Net n;
  const Value scaled = n.op("Multiply", {n.input({1, 3, 2, 2}), n.counted({1, 3, 1, 1})}, "m");
  n.convert({n.op("Add", {scaled, n.reals({}, 0.5)}, "y")});
  ASSERT_EQ(n.types(), Types{"ScaleShiftIE"});
  EXPECT_EQ(n.find("y")->input(1).node->constant.to_f32(), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(n.find("y")->input(2).node->constant.to_f32(), (std::vector<float>{0.5, 0.5, 0.5}));
}

TEST(TransformsLegacy, SingleValuesAreAPower) {
  Net n;
  n.convert({n.op("Add", {n.op("Multiply", {n.input({2, 3}), n.reals({}, 3)}, "m"), n.reals({1}, 4)}, "y")});
  ASSERT_EQ(n.types(), Types{"PowerIE"});
  EXPECT_EQ(n.find("y")->attrs.real("scale"), 3.0);
  EXPECT_EQ(n.find("y")->attrs.real("shift"), 4.0);
}

TEST(TransformsLegacy, AdditionOfNothingVanishesAndTheOutputKeepsItsName) {
  Net n;
  n.convert({n.op("Add", {n.op("Relu", {n.input({1, 3, 2, 2})}, "r"), n.reals({}, 0)}, "y")});
  EXPECT_EQ(n.types(), Types{"Relu"});
  EXPECT_EQ(n.type_of("y"), "Relu");
}

TEST(TransformsLegacy, ABroadcastOfVersion3ThatChangesNothingGivesItsNameToWhatItReads) {
  Net n;
  const Value x = n.op("Tanh", {n.input({1, 4})}, "x0"),
              same = n.op("Broadcast", {x, n.ints({1, 4})}, "same", with("mode", "numpy"), 3);
  n.convert({n.op("Relu", {same}, "y"), x});
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
  Net n;
  n.convert({n.op("Add", {n.input({1, 3, 2, 2}), n.reals({}, 0)}, "y")});
  EXPECT_EQ(n.types(), Types{"PowerIE"});
}

TEST(TransformsLegacy, SliceWithStepsOfOneIsACrop) {
  Net n;
  Attributes masks = with("begin_mask", std::vector<int64_t>{1, 1, 0, 0});
  masks.set("end_mask", std::vector<int64_t>{1, 1, 0, 0});
  n.convert({n.op("StridedSlice", {n.input({1, 3, 8, 8}), n.ints({0, 0, 2, -3}), n.ints({0, 0, 5, 8})}, "y", masks)});
  ASSERT_EQ(n.types(), Types{"CropIE"});
  EXPECT_EQ(n.find("y")->attrs.integers("offset"), (std::vector<int64_t>{0, 0, 2, 5}));
  EXPECT_EQ(n.find("y")->attrs.integers("dim"), (std::vector<int64_t>{1, 3, 3, 3}));
}

TEST(TransformsLegacy, EqualSlicesAreOneAndDisjointOnesStayApart) {
  Net n;
  const Value x = n.input({1, 6, 4, 4});
  Attributes masks = with("begin_mask", std::vector<int64_t>{1, 0, 1, 1});
  masks.set("end_mask", std::vector<int64_t>{1, 0, 1, 1});
  const auto slice = [&](int64_t begin, int64_t end, const char* name) {
    return n.op("StridedSlice", {x, n.ints({0, begin, 0, 0}), n.ints({0, end, 0, 0})}, name, masks);
  };
  // Only what equals the first slice in order is shared, and the last output comes first.
  n.convert({n.op("Exp", {slice(3, 6, "c")}, "rc"), n.op("Relu", {slice(0, 3, "a")}, "ra"),
             n.op("Tanh", {slice(0, 3, "b")}, "rb")});
  EXPECT_EQ(std::ranges::count(n.types(), "CropIE"), 2);
  EXPECT_EQ(n.find("ra")->input(0), n.find("rb")->input(0));
}

TEST(TransformsLegacy, IntegersAreOfThirtyTwoBits) {
  Net n;
  const Value k = n.g.constant(Tensor::scalar_i64(2))->value();
  Attributes a = with("axis", 1);
  a.set("mode", "max");
  a.set("sort", "value");
  a.set("index_element_type", "i64");
  const Value top = n.op("TopK", {n.input({1, 5}), k}, "t", a, 3);
  n.convert({top, {top.node, 1}});
  for (const Node* node : n.g.ordered())
    for (int i = 0; i < node->output_count(); ++i) EXPECT_NE(node->element_type(i), ElementType::i64) << node->name;
  EXPECT_EQ(n.type_of("t.1"), "Convert");
}

TEST(TransformsLegacy, LinearInterpolationOfOpset1IsInterp) {
  Net n;
  Attributes a = with("axes", std::vector<int64_t>{2, 3});
  a.set("mode", "linear");
  a.set("align_corners", true);
  n.convert({n.op("Interpolate", {n.input({1, 3, 4, 4}), n.ints({8, 8})}, "y", a, 0)});
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
