#include "transforms/faults/rewrites.hpp"
#include "transforms_fixture.hpp"

namespace blobsmith {
namespace {

TEST(TransformsFusions, SigmoidTimesItsInputIsSwish) {
  const Net n = converted(R"(
    x = Parameter {1,4,2,2}
    y = Multiply(x, Sigmoid(x))
    return y
  )");
  EXPECT_EQ(n.types(), Types{"SwishIE"});
  EXPECT_EQ(n.find("y")->attrs.real("alpha"), 1.0);
}

TEST(TransformsFusions, SwishTakesAUniformBetaOnly) {
  const Net uniform = converted(R"(
    x = Parameter {1,4,2,2}
    y = Multiply(x, Sigmoid(Multiply(x, {1,4,1,1} of 2)))
    return y
  )");
  EXPECT_EQ(uniform.type_of("y"), "SwishIE");
  EXPECT_EQ(uniform.find("y")->attrs.real("alpha"), 2.0);

  const Net varied = converted(R"(
    x = Parameter {1,4,2,2}
    y = Multiply(x, Sigmoid(Multiply(x, {1,4,1,1} counted)))
    return y
  )");
  EXPECT_EQ(varied.type_of("y"), "Multiply");
}

TEST(TransformsFusions, HSwishWithClampAndDivision) {
  const Net n = converted(R"(
    x = Parameter {1,4,2,2}
    gate = Clamp(Add(x, 3.0), min=0, max=6)
    y = Multiply(x, Divide(gate, 6.0))
    return y
  )");
  EXPECT_EQ(n.types(), Types{"HSwish"});
  EXPECT_EQ(n.type_of("y"), "HSwish");
}

TEST(TransformsFusions, AGateThatIsReadTwiceIsNoHSwish) {
  const Net n = converted(R"(
    x = Relu(Parameter {1,4,2,2})
    gate = HSigmoid(x)
    y = Multiply(x, gate)
    z = Tanh(gate)
    return y, z
  )");
  EXPECT_EQ(n.type_of("y"), "Multiply");
}

TEST(TransformsFusions, ADeconvolutionWithAStatedShapeKeepsItsWeights) {
  const Net n = converted(R"(
    x = Parameter {1,2,4,4}
    up = ConvolutionBackpropData(x, {2,3,3,3} counted, [4,4], output_padding=[0,0], auto_pad=same_upper)
    y = Multiply(up, {1,3,1,1} counted)
    return y
  )");
  EXPECT_EQ(n.type_of("up"), "DeconvolutionIE");
  EXPECT_EQ(n.type_of("y"), "ScaleShiftIE");
}

TEST(TransformsFusions, ClampDividedBySixStaysAsItIs) {
  const Net n = converted(R"(
    x = Parameter {1,4,2,2}
    y = Divide(Clamp(Add(x, 3.0), min=0, max=6), 6.0)
    return y
  )");
  EXPECT_EQ(n.types(), (Types{"PowerIE", "Clamp", "PowerIE"}));
}

TEST(TransformsFusions, ReshapeTransposeReshapeOfChannelsIsOneShuffleAgainDecomposed) {
  const Net n = converted(R"(
    x = Parameter {1,6,4,4}
    r = Reshape(x, [1,2,3,4,4], special_zero=false)
    t = Transpose(r, [0,2,1,3,4])
    y = Reshape(t, [1,6,4,4], special_zero=false)
    return y
  )");
  EXPECT_EQ(n.types(), (Types{"Reshape", "Transpose", "Reshape"}));
  EXPECT_EQ(n.find("y")->input(0).node->shape(), (Shape{1, 3, 2, 16}));
  EXPECT_EQ(n.find("t"), nullptr);
}

TEST(TransformsFusions, TransposeThatMovesOnlyOnesIsAReshape) {
  const Net n = converted(R"(
    x = Parameter {1,8,1,1}
    y = Transpose(x, [0,2,3,1])
    return y
  )");
  EXPECT_EQ(n.type_of("y"), "Reshape");
}

TEST(TransformsFusions, TwoTransposesBecomeOneOrNone) {
  const Net n = converted(R"(
    x = Parameter {1,2,3,4}
    y = Relu(Transpose(Transpose(x, [0,2,3,1]), [0,3,1,2]))
    return y
  )");
  EXPECT_EQ(n.types(), Types{"Relu"});
}

TEST(TransformsFusions, MultiplicationGoesIntoConvolutionWeightsAndAdditionIntoBiases) {
  const Net n = converted(R"(
    x = Parameter {1,2,4,4}
    conv = Convolution(x, {3,2,1,1} of 2)
    y = Add(Multiply(conv, {1,3,1,1} counted), {1,3,1,1} counted)
    return y
  )");
  EXPECT_EQ(n.types(), Types{"ConvolutionIE"});
  const Node* y = n.find("y");
  ASSERT_NE(y, nullptr);
  EXPECT_EQ(y->input(1).node->constant.to_f32(), (std::vector<float>{2, 2, 4, 4, 6, 6}));
  EXPECT_EQ(y->input(2).node->constant.to_f32(), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(y->input(2).shape(), Shape{3});
}

TEST(TransformsFusions, AConstantOnTheLastAxisIsNoBias) {
  const Net n = converted(R"(
    x = Parameter {1,2,3,3}
    y = Add(Convolution(x, {3,2,1,1} of 2), {3} counted)
    return y
  )");
  EXPECT_EQ(n.types(), (Types{"ConvolutionIE", "Add"}));
}

TEST(TransformsFusions, ConvolutionReadTwiceKeepsItsWeights) {
  const Net n = converted(R"(
    x = Parameter {1,2,4,4}
    conv = Convolution(x, {3,2,1,1} of 2)
    y = Multiply(conv, {1,3,1,1} counted)
    z = Relu(conv)
    return y, z
  )");
  EXPECT_EQ(n.type_of("y"), "ScaleShiftIE");
}

TEST(TransformsFusions, BatchNormIsPartOfTheConvolution) {
  const Net n = converted(R"(
    x = Parameter {1,2,4,4}
    c = {3} of 4
    y = BatchNormInference@5(Convolution(x, {3,2,1,1} of 1), c, c, c, c, epsilon=0)
    return y
  )");
  EXPECT_EQ(n.types(), Types{"ConvolutionIE"});
  EXPECT_EQ(n.find("y")->input(1).node->constant.to_f32()[0], 2.0F);   // gamma / sqrt(var)
  EXPECT_EQ(n.find("y")->input(2).node->constant.to_f32()[0], -4.0F);  // beta - mean · 2
}

TEST(TransformsFusions, PadInFrontOfAConvolutionIsItsPadding) {
  const Net n = converted(R"(
    x = Parameter {1,2,4,4}
    pad = Pad(x, [0,0,1,1], [0,0,1,1], 0.0, pad_mode=constant)
    y = Convolution(pad, {3,2,3,3} of 1)
    return y
  )");
  EXPECT_EQ(n.types(), Types{"ConvolutionIE"});
  EXPECT_EQ(n.find("y")->attrs.integers("pads_begin"), (std::vector<int64_t>{1, 1}));
}

TEST(TransformsFusions, APadThatIsKeptApartStaysAPad) {
  constexpr std::string_view kNet = R"(
    x = Parameter {1,2,4,4}
    pad = Pad(x, [0,0,1,1], [0,0,1,1], 0.0, pad_mode=constant)
    y = MaxPool(pad, kernel=[3,3])
    return y
  )";
  EXPECT_EQ(converted(kNet).types(), Types{"MaxPool"});

  Net apart(kNet);
  EXPECT_EQ(transforms::keep_pads_apart(apart.g).size(), 1U);
  convert_to_legacy(apart.g);
  EXPECT_EQ(apart.types(), (Types{"PadIE", "MaxPool"}));
}

TEST(TransformsFusions, ANormThatIsKeptApartKeepsItsEps) {
  const auto types = [](const std::string& eps) {
    Net n(R"(
      x = Parameter {1,8,4,4}
      sum = ReduceSum(Power(x, 2.0), [1], keep_dims=true)
      y = Divide(x, Add(Sqrt(sum), )" +
          eps + R"())
      return y
    )");
    transforms::keep_norms_apart(n.g);
    convert_to_legacy(n.g);
    return n.types();
  };
  EXPECT_EQ(types("1.0"), Types{"NormalizeIE"}) << "what the fusion makes of any eps";
  EXPECT_EQ(std::ranges::count(types("1e-3"), "NormalizeIE"), 0);
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
  const auto types = [](const std::string& axes) {
    Net n("x = Parameter {1,8,4,4}\n y = NormalizeL2(x, " + axes + ", eps=1e-3, eps_mode=add)\n return y");
    transforms::move_norms(n.g);
    return n.types();
  };
  EXPECT_EQ(types("[1]"), Types{"NormalizeL2"});
  EXPECT_EQ(types("[1,2,3]"), Types{"NormalizeL2"});
  EXPECT_EQ(types("[3]"), (Types{"Transpose", "Reshape", "NormalizeL2", "Reshape", "Transpose"}));
}

}  // namespace
}  // namespace blobsmith
