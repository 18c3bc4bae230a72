#include "transforms/faults/rewrites.hpp"
#include "transforms_fixture.hpp"

namespace blobsmith {
namespace {

TEST(TransformsFusions, SigmoidTimesItsInputIsSwish) {
  Net n;
  const Value x = n.input({1, 4, 2, 2});
  n.convert({n.op("Multiply", {x, n.op("Sigmoid", {x}, "s")}, "y")});
  EXPECT_EQ(n.types(), Types{"SwishIE"});
  EXPECT_EQ(n.find("y")->attrs.real("alpha"), 1.0);
}

TEST(TransformsFusions, SwishTakesAUniformBetaOnly) {
  Net n;
  const Value x = n.input({1, 4, 2, 2});
  const Value uniform =
      n.op("Multiply", {x, n.op("Sigmoid", {n.op("Multiply", {x, n.reals({1, 4, 1, 1}, 2)}, "m")}, "s")}, "y");
  n.convert({uniform});
  EXPECT_EQ(n.type_of("y"), "SwishIE");
  EXPECT_EQ(n.find("y")->attrs.real("alpha"), 2.0);

  Net varied;
  const Value z = varied.input({1, 4, 2, 2});
  varied.convert({varied.op(
      "Multiply", {z, varied.op("Sigmoid", {varied.op("Multiply", {z, varied.counted({1, 4, 1, 1})}, "m")}, "s")},
      "y")});
  EXPECT_EQ(varied.type_of("y"), "Multiply");
}

TEST(TransformsFusions, HSwishWithClampAndDivision) {
  Net n;
  const Value x = n.input({1, 4, 2, 2});
  Attributes limits = with("min", 0.0);
  limits.set("max", 6.0);
  const Value gate = n.op("Clamp", {n.op("Add", {x, n.reals({}, 3)}, "a")}, "c", limits);
  n.convert({n.op("Multiply", {x, n.op("Divide", {gate, n.reals({}, 6)}, "d")}, "y")});
  EXPECT_EQ(n.types(), Types{"HSwish"});
  EXPECT_EQ(n.type_of("y"), "HSwish");
}

TEST(TransformsFusions, AGateThatIsReadTwiceIsNoHSwish) {
  Net n;
  const Value x = n.op("Relu", {n.input({1, 4, 2, 2})}, "x0"), gate = n.op("HSigmoid", {x}, "gate");
  n.convert({n.op("Multiply", {x, gate}, "y"), n.op("Tanh", {gate}, "z")});
  EXPECT_EQ(n.type_of("y"), "Multiply");
}

TEST(TransformsFusions, ADeconvolutionWithAStatedShapeKeepsItsWeights) {
  Net n;
  Attributes a;
  for (const char* list : {"strides", "dilations"}) a.set(list, std::vector<int64_t>{1, 1});
  a.set("output_padding", std::vector<int64_t>{0, 0});
  a.set("auto_pad", "same_upper");
  const Value y =
      n.op("ConvolutionBackpropData", {n.input({1, 2, 4, 4}), n.counted({2, 3, 3, 3}), n.ints({4, 4})}, "up", a);
  n.convert({n.op("Multiply", {y, n.counted({1, 3, 1, 1})}, "y")});
  EXPECT_EQ(n.type_of("up"), "DeconvolutionIE");
  EXPECT_EQ(n.type_of("y"), "ScaleShiftIE");
}

TEST(TransformsFusions, ClampDividedBySixStaysAsItIs) {
  Net n;
  Attributes limits = with("min", 0.0);
  limits.set("max", 6.0);
  const Value gate = n.op("Clamp", {n.op("Add", {n.input({1, 4, 2, 2}), n.reals({}, 3)}, "a")}, "c", limits);
  n.convert({n.op("Divide", {gate, n.reals({}, 6)}, "y")});
  EXPECT_EQ(n.types(), (Types{"PowerIE", "Clamp", "PowerIE"}));
}

TEST(TransformsFusions, ReshapeTransposeReshapeOfChannelsIsOneShuffleAgainDecomposed) {
  Net n;
  const Value x = n.input({1, 6, 4, 4});
  const Value split = n.op("Reshape", {x, n.ints({1, 2, 3, 4, 4})}, "r1", with("special_zero", false));
  const Value moved = n.op("Transpose", {split, n.ints({0, 2, 1, 3, 4})}, "t");
  n.convert({n.op("Reshape", {moved, n.ints({1, 6, 4, 4})}, "y", with("special_zero", false))});
  EXPECT_EQ(n.types(), (Types{"Reshape", "Transpose", "Reshape"}));
  EXPECT_EQ(n.find("y")->input(0).node->shape(), (Shape{1, 3, 2, 16}));
  EXPECT_EQ(n.find("t"), nullptr);
}

TEST(TransformsFusions, TransposeThatMovesOnlyOnesIsAReshape) {
  Net n;
  n.convert({n.op("Transpose", {n.input({1, 8, 1, 1}), n.ints({0, 2, 3, 1})}, "y")});
  EXPECT_EQ(n.type_of("y"), "Reshape");
}

TEST(TransformsFusions, TwoTransposesBecomeOneOrNone) {
  Net n;
  const Value x = n.input({1, 2, 3, 4});
  const Value there = n.op("Transpose", {x, n.ints({0, 2, 3, 1})}, "t1");
  n.convert({n.op("Relu", {n.op("Transpose", {there, n.ints({0, 3, 1, 2})}, "t2")}, "y")});
  EXPECT_EQ(n.types(), Types{"Relu"});
}

TEST(TransformsFusions, MultiplicationGoesIntoConvolutionWeightsAndAdditionIntoBiases) {
  Net n;
  const Value conv = n.convolution(n.input({1, 2, 4, 4}), n.reals({3, 2, 1, 1}, 2), "conv");
  const Value scaled = n.op("Multiply", {conv, n.counted({1, 3, 1, 1})}, "mul");
  n.convert({n.op("Add", {scaled, n.counted({1, 3, 1, 1})}, "y")});
  EXPECT_EQ(n.types(), Types{"ConvolutionIE"});
  const Node* y = n.find("y");
  ASSERT_NE(y, nullptr);
  EXPECT_EQ(y->input(1).node->constant.to_f32(), (std::vector<float>{2, 2, 4, 4, 6, 6}));
  EXPECT_EQ(y->input(2).node->constant.to_f32(), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(y->input(2).shape(), Shape{3});
}

TEST(TransformsFusions, AConstantOnTheLastAxisIsNoBias) {
  Net n;
  const Value conv = n.convolution(n.input({1, 2, 3, 3}), n.reals({3, 2, 1, 1}, 2), "conv");
  n.convert({n.op("Add", {conv, n.counted({3})}, "y")});
  EXPECT_EQ(n.types(), (Types{"ConvolutionIE", "Add"}));
}

TEST(TransformsFusions, ConvolutionReadTwiceKeepsItsWeights) {
  Net n;
  const Value conv = n.convolution(n.input({1, 2, 4, 4}), n.reals({3, 2, 1, 1}, 2), "conv");
  n.convert({n.op("Multiply", {conv, n.counted({1, 3, 1, 1})}, "y"), n.op("Relu", {conv}, "z")});
  EXPECT_EQ(n.type_of("y"), "ScaleShiftIE");
}

TEST(TransformsFusions, BatchNormIsPartOfTheConvolution) {
  Net n;
  const Value conv = n.convolution(n.input({1, 2, 4, 4}), n.reals({3, 2, 1, 1}, 1), "conv");
  const Value c = n.reals({3}, 4);
  n.convert({n.op("BatchNormInference", {conv, c, c, c, c}, "y", with("epsilon", 0.0), 5)});
  EXPECT_EQ(n.types(), Types{"ConvolutionIE"});
  EXPECT_EQ(n.find("y")->input(1).node->constant.to_f32()[0], 2.0F);   // gamma / sqrt(var)
  EXPECT_EQ(n.find("y")->input(2).node->constant.to_f32()[0], -4.0F);  // beta - mean · 2
}

TEST(TransformsFusions, PadInFrontOfAConvolutionIsItsPadding) {
  Net n;
  const Value padded = n.op("Pad", {n.input({1, 2, 4, 4}), n.ints({0, 0, 1, 1}), n.ints({0, 0, 1, 1}), n.reals({}, 0)},
                            "pad", with("pad_mode", "constant"));
  n.convert({n.convolution(padded, n.reals({3, 2, 3, 3}, 1), "y")});
  EXPECT_EQ(n.types(), Types{"ConvolutionIE"});
  EXPECT_EQ(n.find("y")->attrs.integers("pads_begin"), (std::vector<int64_t>{1, 1}));
}

TEST(TransformsFusions, APadThatIsKeptApartStaysAPad) {
  const auto types = [](bool kept) {
    Net n;
    const Value padded =
        n.op("Pad", {n.input({1, 2, 4, 4}), n.ints({0, 0, 1, 1}), n.ints({0, 0, 1, 1}), n.reals({}, 0)}, "pad",
             with("pad_mode", "constant"));
    const std::vector<int64_t> three{3, 3}, ones{1, 1}, zeros{0, 0};
    Attributes a;
    a.set("kernel", three);
    a.set("strides", ones);
    a.set("pads_begin", zeros);
    a.set("pads_end", zeros);
    n.g.result(n.op("MaxPool", {padded}, "y", a));
    if (kept) {
      const auto windows = transforms::keep_pads_apart(n.g);
      EXPECT_EQ(windows.size(), 1U);
    }
    convert_to_legacy(n.g);
    return n.types();
  };
  EXPECT_EQ(types(false), Types{"MaxPool"});
  EXPECT_EQ(types(true), (Types{"PadIE", "MaxPool"}));
}

TEST(TransformsFusions, ANormThatIsKeptApartKeepsItsEps) {
  const auto types = [](double eps) {
    Net n;
    const Value x = n.input({1, 8, 4, 4});
    const Value sum =
        n.op("ReduceSum", {n.op("Power", {x, n.reals({}, 2)}, "square"), n.ints({1})}, "sum", with("keep_dims", true));
    n.g.result(n.op("Divide", {x, n.op("Add", {n.op("Sqrt", {sum}, "root"), n.reals({}, eps)}, "guard")}, "y"));
    transforms::keep_norms_apart(n.g);
    convert_to_legacy(n.g);
    return n.types();
  };
  EXPECT_EQ(types(1.0), Types{"NormalizeIE"}) << "what the fusion makes of any eps";
  const Types spelled_out = types(1e-3);
  EXPECT_EQ(std::ranges::count(spelled_out, "NormalizeIE"), 0);
}

TEST(TransformsFusions, SeveralIndicesAreCountedFromTheFrontWhereAskedFor) {
  Net n;
  Value y = n.op("Gather", {n.input({1, 4, 5}), n.ints({-1, 1}), n.ints({1})}, "y", {}, 1);
  n.g.result(y);
  EXPECT_TRUE(transforms::takes_from_the_back(*y.node));
  EXPECT_EQ(transforms::count_indices_from_front(n.g).size(), 1U);
  EXPECT_EQ(y.node->input(1).node->constant.to_i64(), (std::vector<int64_t>{3, 1}));
  EXPECT_FALSE(transforms::takes_from_the_back(*y.node));
}

TEST(TransformsFusions, NormsOverOtherAxesAreMovedWhereAskedFor) {
  const auto types = [](std::vector<int64_t> axes) {
    Net n;
    Attributes a = with("eps", 1e-3);
    a.set("eps_mode", std::string("add"));
    n.g.result(n.op("NormalizeL2", {n.input({1, 8, 4, 4}), n.ints(std::move(axes))}, "y", a));
    transforms::move_norms(n.g);
    return n.types();
  };
  EXPECT_EQ(types({1}), Types{"NormalizeL2"});
  EXPECT_EQ(types({1, 2, 3}), Types{"NormalizeL2"});
  EXPECT_EQ(types({3}), (Types{"Transpose", "Reshape", "NormalizeL2", "Reshape", "Transpose"}));
}

}  // namespace
}  // namespace blobsmith
