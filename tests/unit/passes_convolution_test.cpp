// Passes that take convolutions, deconvolutions and fully connected stages apart (middle-end spec §3.8 to §3.14,
// §3.22, §3.25).
#include "passes_fixture.hpp"

namespace blobsmith::vpu {
namespace {

using Passes = PassTest;

TEST_F(Passes, GroupedConvolutionBecomesOneStagePerGroup) {
  read("in = input {4,4,4,1}  c: out = StubConv(in, groups=2) -> output {4,4,2,1}");
  split_grouped_conv(p);
  p.clean_up();
  EXPECT_EQ(types(), "Split, StubConv, StubConv, StubConcat");
  const std::vector<Stage*> convs = of_type(StageType::StubConv);
  EXPECT_EQ(values(convs[1]->input(1)), (Floats{2, 3}));
  EXPECT_EQ(values(convs[1]->input(2)), (Floats{1}));
  EXPECT_EQ(dims(convs[0]->input(0)), (Dims{4, 4, 2, 1}));
  EXPECT_EQ(convs[1]->get<StubSpec>().groups, 1);
}

TEST_F(Passes, DepthwiseConvolutionStaysWhole) {
  read("in = input {4,4,4,1}  c: out = StubConv(in, groups=4) -> output");
  split_grouped_conv(p);
  EXPECT_EQ(types(), "StubConv");
}

TEST_F(Passes, GroupedDeconvolutionReadsItsWeightsInTheWrongOrder) {
  read("in = input {1,1,4,1}  d: out = StubDeconv(in, {1,1,2,4} from 0, none, groups=2) -> output");
  split_grouped_conv(p);
  const std::vector<Stage*> parts = of_type(StageType::StubDeconv);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(values(parts[0]->input(1)), (Floats{0, 1, 4, 5}));
  EXPECT_EQ(values(parts[1]->input(1)), (Floats{2, 3, 6, 7}));
}

TEST_F(Passes, SmallWeightsAreScaledByAPowerOfTwo) {
  read(R"(
    in = input {4,4,2,1}
    c: out = StubConv(in, {1,1,2,1} [0.0078125,0], {1} of 3) -> output {4,4,1,1}  ; 2^-7; zeros do not count
  )");
  analyze_weightable_layers(p);
  const Stage* s = stage("c");
  EXPECT_EQ(values(s->input(1)), (Floats{1.0f, 0.0f}));
  EXPECT_EQ(values(s->input(2)), (Floats{384.0f}));
  EXPECT_EQ(values(s->input(3)), (Floats{0.0078125f}));
  EXPECT_EQ(s->get<StubSpec>().scale_factor, 128.0);
}

TEST_F(Passes, LargeFirstWeightsLowerTheScaleOfAllLaterLayers) {
  read(R"(
    in = input {4,4,2,1}
    first: a = StubConv(in, {1,1,2,2} of 1, none)
    second: out = StubConv(a, {1,1,2,2} of 0.0078125, none) -> output  ; 1 / 128
  )");
  analyze_weightable_layers(p);
  EXPECT_EQ(stage("first")->get<StubSpec>().scale_factor, 1.0);
  EXPECT_EQ(stage("second")->get<StubSpec>().scale_factor, 4.0);  // 2^(7 - 5)
}

TEST_F(Passes, ScaledDownInputKeepsTheScaleOfLaterLayers) {
  read(R"(
    in = input {4,4,2,1}
    pre: scaled = Power(in, scale=0.00392156862745098)  ; 1 / 255
    first: a = StubConv(scaled, {1,1,2,2} of 1, none)
    second: out = StubConv(a, {1,1,2,2} of 0.0078125, none) -> output
  )");
  analyze_weightable_layers(p);
  EXPECT_EQ(stage("second")->get<StubSpec>().scale_factor, 128.0);
}

using FullyConnected = PassTest;

TEST_F(FullyConnected, BecomesAConvolutionWithTheLargestKernelThatLeavesAPowerOfTwoOfChannels) {
  read(R"(
    in = input {1568,1}  ; 7 * 7 * 32
    fc: out = StubFullyConnected(in, {1,1568,10} of 1, none) -> output {10,1}
  )");
  replace_fc_by_conv(p);
  EXPECT_EQ(types(), "Reshape, StubConv, Reshape");
  const Stage* c = of_type(StageType::StubConv)[0];
  EXPECT_EQ(dims(c->input(0)), (Dims{7, 7, 32, 1}));
  EXPECT_EQ(dims(c->input(1)), (Dims{7, 7, 32, 10}));
  EXPECT_EQ(dims(c->output()), (Dims{1, 1, 10, 1}));
  EXPECT_EQ(window_of(*c).stride_x, 7);
}

TEST_F(FullyConnected, BatchOfTenIsSpreadOverTheWidth) {
  read("in = input {64,20}  fc: out = StubFullyConnected(in, {1,64,8} of 1, none) -> output {8,20}");
  replace_fc_by_conv(p);
  EXPECT_EQ(types(), "Reshape, Permute, Reshape, StubConv, Reshape, Permute, Reshape");
  const Stage* c = of_type(StageType::StubConv)[0];
  EXPECT_EQ(dims(c->input(0)), (Dims{160, 8, 1, 1}));
  EXPECT_EQ(dims(c->output()), (Dims{20, 1, 8, 1}));
}

TEST_F(FullyConnected, ReadersOfOneInputAreMerged) {
  read(R"(
    in = input {4,1}
    a: oa = StubFullyConnected(in, {1,4,2} of 1, none) -> output {2,1}
    b: ob = StubFullyConnected(in, {1,4,3} of 2, none) -> output {3,1}
  )");
  merge_parallel_fc(p);
  p.clean_up();
  EXPECT_EQ(types(), "StubFullyConnected, Split");
  const Stage* merged = p.stages()[0];
  EXPECT_EQ(merged->layer, nullptr);
  EXPECT_EQ(dims(merged->input(1)), (Dims{1, 4, 5}));
  EXPECT_EQ(values(merged->input(1))[7], 1.0f);
  EXPECT_EQ(values(merged->input(1))[8], 2.0f);
  EXPECT_EQ(merged->input(2)->usage, DataUsage::Fake);
  EXPECT_EQ(p.stages()[1]->get<PartsSpec>().offsets[1], (DimValues{{Dim::C, 2}}));
}

TEST_F(Passes, DeconvolutionBecomesUpsamplingAndConvolution) {
  read(R"(
    in = input {3,3,1,1}
    d: out = StubDeconv(in, {3,3,1,2} from 0, none, kernel=3, strides=2) -> output {7,7,2,1}
  )");
  replace_deconv_by_conv(p);
  EXPECT_EQ(types(), "Upsampling, StubConv");
  const Stage* c = p.stages()[1];
  EXPECT_EQ(dims(c->input(0)), (Dims{9, 9, 1, 1}));
  EXPECT_EQ(p.stages()[0]->get<UpsamplingParams>().pad_left_x, 2);
  EXPECT_EQ(values(c->input(1))[0], 8.0f);  // flipped
  EXPECT_EQ(values(c->input(1))[9], 17.0f);
}

TEST_F(Passes, KernelOfSixteenIsSplitInTwo) {
  read("in = input {32,4,1,1}  c: out = StubConv(in, kernel=[16,1]) -> output {17,4,1,1}");
  split_large_kernel_conv(p);
  p.clean_up();
  EXPECT_EQ(types(), "Crop, StubConv, Crop, StubConv, Sum");
  const std::vector<Stage*> halves_of_conv = of_type(StageType::StubConv);
  EXPECT_EQ(values(halves_of_conv[1]->input(1))[0], 8.0f);
  EXPECT_EQ(halves_of_conv[0]->input(2), halves_of_conv[1]->input(2));  // the bias counts twice
  EXPECT_EQ(dims(halves_of_conv[0]->input(0)), (Dims{24, 4, 1, 1}));
}

TEST_F(Passes, ShaveConvolutionGetsItsBiasBeforeItsScale) {
  read(R"(
    in = input {4,4,2,1}
    c: out = StubConv(in, {3,3,2,3} from 0, {3} from 0, {3} of 0.5, kernel=3, pads=1) -> output {4,4,3,1}
  )");
  sw_conv_adaptation(p);
  EXPECT_EQ(types(), "Conv, Bias, Scale");
  EXPECT_TRUE(p.stages()[0]->get<ShaveConvSpec>().spatial);
  EXPECT_EQ(p.stages()[2]->output()->usage, DataUsage::Output);
}

TEST_F(Passes, ShaveConvolutionOfOnePointIsFullyConnected) {
  read("in = input {1,1,8,1}  c: out = StubConv(in, {1,1,8,3} from 0, none, hw=no) -> output {1,1,3,1}");
  sw_conv_adaptation(p);
  EXPECT_EQ(types(), "FC");
  EXPECT_EQ(dims(p.stages()[0]->input(1)), (Dims{1, 8, 3}));
}

TEST_F(Passes, ConvolutionWithAStrideButALargeKernelUsesIm2col) {
  read(
      "in = input {16,16,32,1}  c: out = StubConv(in, {5,5,32,32} from 0, none, kernel=5, hw=no) -> output "
      "{12,12,32,1}");
  sw_conv_adaptation(p);
  EXPECT_EQ(types(), "Im2ColConvolution");
}

}  // namespace
}  // namespace blobsmith::vpu
