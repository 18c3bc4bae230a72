// Passes that take convolutions, deconvolutions and fully connected stages apart (middle-end spec §3.8 to §3.14,
// §3.22,
// §3.25).
#include "passes_fixture.hpp"

namespace blobsmith::vpu {
namespace {

using Passes = PassTest;

TEST_F(Passes, GroupedConvolutionBecomesOneStagePerGroup) {
  Data* in = p.add_input("in", DataDesc({4, 4, 4, 1}));
  Data* out = p.add_output("out", DataDesc({4, 4, 2, 1}));
  conv("c", in, out, {}, 2);
  split_grouped_conv(p);
  p.clean_up();
  EXPECT_EQ(types(), (Types{StageType::Split, StageType::StubConv, StageType::StubConv, StageType::StubConcat}));
  const std::vector<Stage*> convs = of_type(StageType::StubConv);
  EXPECT_EQ(values(convs[1]->input(1)), (Floats{2, 3}));
  EXPECT_EQ(values(convs[1]->input(2)), (Floats{1}));
  EXPECT_EQ(dims(convs[0]->input(0)), (Dims{4, 4, 2, 1}));
  EXPECT_EQ(convs[1]->get<StubSpec>().groups, 1);
}

TEST_F(Passes, DepthwiseConvolutionStaysWhole) {
  conv("c", p.add_input("in", DataDesc({4, 4, 4, 1})), p.add_output("out", DataDesc({4, 4, 4, 1})), {}, 4);
  split_grouped_conv(p);
  EXPECT_EQ(types(), (Types{StageType::StubConv}));
}

TEST_F(Passes, GroupedDeconvolutionReadsItsWeightsInTheWrongOrder) {
  Data* in = p.add_input("in", DataDesc({1, 1, 4, 1}));
  Data* out = p.add_output("out", DataDesc({1, 1, 4, 1}));
  Stage* s = p.add_stage("d", StageType::StubDeconv, layer("d", "Deconvolution"),
                         {in, counted("w", {1, 1, 2, 4}), p.add_fake(), p.add_fake()}, {out});
  s->set(stub({}, 2));
  split_grouped_conv(p);
  const std::vector<Stage*> parts = of_type(StageType::StubDeconv);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(values(parts[0]->input(1)), (Floats{0, 1, 4, 5}));
  EXPECT_EQ(values(parts[1]->input(1)), (Floats{2, 3, 6, 7}));
}

TEST_F(Passes, SmallWeightsAreScaledByAPowerOfTwo) {
  Data* in = p.add_input("in", DataDesc({4, 4, 2, 1}));
  Data* out = p.add_output("out", DataDesc({4, 4, 1, 1}));
  Stage* s = conv("c", in, out, {});
  p.replace_input(s, 1, halves("w", {1, 1, 2, 1}, {0.0078125f, 0.0f}));  // 2^-7; zeros do not count
  p.replace_input(s, 2, halves("b", {1}, {3.0f}));
  analyze_weightable_layers(p);
  EXPECT_EQ(values(s->input(1)), (Floats{1.0f, 0.0f}));
  EXPECT_EQ(values(s->input(2)), (Floats{384.0f}));
  EXPECT_EQ(values(s->input(3)), (Floats{0.0078125f}));
  EXPECT_EQ(s->get<StubSpec>().scale_factor, 128.0);
}

TEST_F(Passes, LargeFirstWeightsLowerTheScaleOfAllLaterLayers) {
  Data* a = p.add_data("a", DataDesc({4, 4, 2, 1}));
  Stage* first = conv("first", p.add_input("in", DataDesc({4, 4, 2, 1})), a, {}, 1, true, false);
  p.replace_input(first, 1, constant("w1", {1, 1, 2, 2}, 1.0f));
  Stage* second = conv("second", a, p.add_output("out", DataDesc({4, 4, 2, 1})), {}, 1, true, false);
  p.replace_input(second, 1, constant("w2", {1, 1, 2, 2}, 1.0f / 128));
  analyze_weightable_layers(p);
  EXPECT_EQ(first->get<StubSpec>().scale_factor, 1.0);
  EXPECT_EQ(second->get<StubSpec>().scale_factor, 4.0);  // 2^(7 - 5)
}

TEST_F(Passes, ScaledDownInputKeepsTheScaleOfLaterLayers) {
  Data* scaled = p.add_data("scaled", DataDesc({4, 4, 2, 1}));
  add_power(p, "pre", nullptr, 1.0 / 255, 1.0, 0.0, p.add_input("in", DataDesc({4, 4, 2, 1})), scaled);
  Data* a = p.add_data("a", DataDesc({4, 4, 2, 1}));
  p.replace_input(conv("first", scaled, a, {}, 1, true, false), 1, constant("w1", {1, 1, 2, 2}, 1.0f));
  Stage* second = conv("second", a, p.add_output("out", DataDesc({4, 4, 2, 1})), {}, 1, true, false);
  p.replace_input(second, 1, constant("w2", {1, 1, 2, 2}, 1.0f / 128));
  analyze_weightable_layers(p);
  EXPECT_EQ(second->get<StubSpec>().scale_factor, 128.0);
}

class FullyConnected : public PassTest {
 protected:
  Stage* fc(const std::string& name, Data* in, Data* out, float weight = 1.0f) {
    const int64_t inputs = in->desc.element_count() / in->desc.dim(Dim::N), outputs = out->desc.dim(Dim::C);
    Stage* s =
        p.add_stage(name, StageType::StubFullyConnected, layer(name, "FullyConnected"),
                    {in, constant(name + "@w", {1, inputs, outputs}, weight), p.add_fake(), p.add_fake()}, {out});
    return s->set(stub({}));
  }
};

TEST_F(FullyConnected, BecomesAConvolutionWithTheLargestKernelThatLeavesAPowerOfTwoOfChannels) {
  fc("fc", p.add_input("in", DataDesc({1568, 1})), p.add_output("out", DataDesc({10, 1})));  // 1568 = 7 * 7 * 32
  replace_fc_by_conv(p);
  EXPECT_EQ(types(), (Types{StageType::Reshape, StageType::StubConv, StageType::Reshape}));
  const Stage* c = of_type(StageType::StubConv)[0];
  EXPECT_EQ(dims(c->input(0)), (Dims{7, 7, 32, 1}));
  EXPECT_EQ(dims(c->input(1)), (Dims{7, 7, 32, 10}));
  EXPECT_EQ(dims(c->output()), (Dims{1, 1, 10, 1}));
  EXPECT_EQ(window_of(*c).stride_x, 7);
}

TEST_F(FullyConnected, BatchOfTenIsSpreadOverTheWidth) {
  fc("fc", p.add_input("in", DataDesc({64, 20})), p.add_output("out", DataDesc({8, 20})));
  replace_fc_by_conv(p);
  EXPECT_EQ(types(), (Types{StageType::Reshape, StageType::Permute, StageType::Reshape, StageType::StubConv,
                            StageType::Reshape, StageType::Permute, StageType::Reshape}));
  const Stage* c = of_type(StageType::StubConv)[0];
  EXPECT_EQ(dims(c->input(0)), (Dims{160, 8, 1, 1}));
  EXPECT_EQ(dims(c->output()), (Dims{20, 1, 8, 1}));
}

TEST_F(FullyConnected, ReadersOfOneInputAreMerged) {
  Data* in = p.add_input("in", DataDesc({4, 1}));
  fc("a", in, p.add_output("oa", DataDesc({2, 1})), 1.0f);
  fc("b", in, p.add_output("ob", DataDesc({3, 1})), 2.0f);
  merge_parallel_fc(p);
  p.clean_up();
  EXPECT_EQ(types(), (Types{StageType::StubFullyConnected, StageType::Split}));
  const Stage* merged = p.stages()[0];
  EXPECT_EQ(merged->layer, nullptr);
  EXPECT_EQ(dims(merged->input(1)), (Dims{1, 4, 5}));
  EXPECT_EQ(values(merged->input(1))[7], 1.0f);
  EXPECT_EQ(values(merged->input(1))[8], 2.0f);
  EXPECT_EQ(merged->input(2)->usage, DataUsage::Fake);
  EXPECT_EQ(p.stages()[1]->get<PartsSpec>().offsets[1], (DimValues{{Dim::C, 2}}));
}

TEST_F(Passes, DeconvolutionBecomesUpsamplingAndConvolution) {
  Data* in = p.add_input("in", DataDesc({3, 3, 1, 1}));
  Data* out = p.add_output("out", DataDesc({7, 7, 2, 1}));
  Stage* s = p.add_stage("d", StageType::StubDeconv, layer("d", "Deconvolution"),
                         {in, counted("w", {3, 3, 1, 2}), p.add_fake(), p.add_fake()}, {out});
  s->set(stub({.kernel_x = 3, .kernel_y = 3, .stride_x = 2, .stride_y = 2}));
  replace_deconv_by_conv(p);
  EXPECT_EQ(types(), (Types{StageType::Upsampling, StageType::StubConv}));
  const Stage* c = p.stages()[1];
  EXPECT_EQ(dims(c->input(0)), (Dims{9, 9, 1, 1}));
  EXPECT_EQ(p.stages()[0]->get<UpsamplingParams>().pad_left_x, 2);
  EXPECT_EQ(values(c->input(1))[0], 8.0f);  // flipped
  EXPECT_EQ(values(c->input(1))[9], 17.0f);
}

TEST_F(Passes, KernelOfSixteenIsSplitInTwo) {
  conv("c", p.add_input("in", DataDesc({32, 4, 1, 1})), p.add_output("out", DataDesc({17, 4, 1, 1})), {.kernel_x = 16});
  split_large_kernel_conv(p);
  p.clean_up();
  EXPECT_EQ(types(),
            (Types{StageType::Crop, StageType::StubConv, StageType::Crop, StageType::StubConv, StageType::Sum}));
  const std::vector<Stage*> halves_of_conv = of_type(StageType::StubConv);
  EXPECT_EQ(values(halves_of_conv[1]->input(1))[0], 8.0f);
  EXPECT_EQ(halves_of_conv[0]->input(2), halves_of_conv[1]->input(2));  // the bias counts twice
  EXPECT_EQ(dims(halves_of_conv[0]->input(0)), (Dims{24, 4, 1, 1}));
}

TEST_F(Passes, ShaveConvolutionGetsItsBiasBeforeItsScale) {
  Data* in = p.add_input("in", DataDesc({4, 4, 2, 1}));
  Stage* s = conv("c", in, p.add_output("out", DataDesc({4, 4, 3, 1})),
                  {.kernel_x = 3, .kernel_y = 3, .pad_left = 1, .pad_right = 1, .pad_top = 1, .pad_bottom = 1});
  p.replace_input(s, 3, constant("scales", {3}, 0.5f));
  sw_conv_adaptation(p);
  EXPECT_EQ(types(), (Types{StageType::Conv, StageType::Bias, StageType::Scale}));
  EXPECT_TRUE(p.stages()[0]->get<ShaveConvSpec>().spatial);
  EXPECT_EQ(p.stages()[2]->output()->usage, DataUsage::Output);
}

TEST_F(Passes, ShaveConvolutionOfOnePointIsFullyConnected) {
  conv("c", p.add_input("in", DataDesc({1, 1, 8, 1})), p.add_output("out", DataDesc({1, 1, 3, 1})), {}, 1, false,
       false);
  sw_conv_adaptation(p);
  EXPECT_EQ(types(), (Types{StageType::FC}));
  EXPECT_EQ(dims(p.stages()[0]->input(1)), (Dims{1, 8, 3}));
}

TEST_F(Passes, ConvolutionWithAStrideButALargeKernelUsesIm2col) {
  conv("c", p.add_input("in", DataDesc({16, 16, 32, 1})), p.add_output("out", DataDesc({12, 12, 32, 1})),
       {.kernel_x = 5, .kernel_y = 5}, 1, false, false);
  sw_conv_adaptation(p);
  EXPECT_EQ(types(), (Types{StageType::Im2ColConvolution}));
}

}  // namespace
}  // namespace blobsmith::vpu
