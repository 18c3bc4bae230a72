// The passes that make hardware stages, on small Programs (hw-tiling spec §4.5 to §4.7, §8, §9, §11, §14).
#include "passes_fixture.hpp"
#include "vpu/nce/hw_stage.hpp"

namespace blobsmith::vpu {
namespace {

class HwStages : public PassTest {
 protected:
  HwStages() {
    p.resources.slices = 4;
    p.resources.tiling_cmx_limit = 327680;
  }
  static Window square(int64_t kernel, int64_t stride, int64_t pad) {
    return {kernel, kernel, stride, stride, pad, pad, pad, pad, 1, 1};
  }
  Data* input(const Dims& d) { return p.add_input("in", DataDesc(d)); }
  Data* output(const Dims& d) { return p.add_output("out", DataDesc(d)); }
  Stage* only_hw_stage() {
    const auto s = of_type(StageType::MyriadXHwOp);
    EXPECT_EQ(s.size(), 1u);
    return s.at(0);
  }
};

TEST_F(HwStages, SmallConvolutionBecomesOneStage) {
  conv("c", input({20, 20, 16, 1}), output({20, 20, 24, 1}), square(3, 1, 1));
  hw_conv_tiling(p);
  EXPECT_EQ(types(), (Types{StageType::MyriadXHwOp}));
  const Stage* s = only_hw_stage();
  EXPECT_EQ(s->name, "c");
  EXPECT_EQ(dims(s->input(1)), (Dims{8, 9, 16, 3}));
  EXPECT_EQ(s->input(1)->name, "c@weights@HW");
  EXPECT_EQ(dims(s->input(2)), (Dims{24}));
  EXPECT_EQ(s->input(3)->usage, DataUsage::Fake);
  EXPECT_EQ(s->get<HwStage>().pad, (nce::Padding{1, 1, 1, 1}));
}

TEST_F(HwStages, ImageChannelsAreExpandedToTheLanesOfTheMode) {
  conv("c", input({32, 32, 3, 1}), output({32, 32, 32, 1}), square(3, 1, 1));
  hw_conv_tiling(p);
  EXPECT_EQ(types(), (Types{StageType::Expand, StageType::MyriadXHwOp}));
  EXPECT_EQ(dims(only_hw_stage()->input(0)), (Dims{32, 32, 4, 1}));
  EXPECT_EQ(only_hw_stage()->input(0)->name, "in@extended");
}

TEST_F(HwStages, ChannelTilesAreSummedAndOnlyTheFirstHasTheBiases) {
  Stage* c = conv("c", input({7, 7, 512, 1}), output({7, 7, 64, 1}), square(3, 1, 1));
  c->change<StubSpec>([](StubSpec& stub) { stub.post.relu = true; });
  hw_conv_tiling(p);
  const auto hw = of_type(StageType::MyriadXHwOp);
  ASSERT_EQ(hw.size(), 2u);
  EXPECT_EQ(of_type(StageType::Sum).size(), 1u);
  EXPECT_EQ(of_type(StageType::Relu).at(0)->name, "c@soc=02/02@ReLU");
  EXPECT_EQ(hw[0]->input(2)->usage, DataUsage::Const);
  EXPECT_EQ(hw[1]->input(2)->usage, DataUsage::Fake);
  EXPECT_EQ(hw[1]->input(1)->name, "c@weights@HW@soc=02/02");
  EXPECT_FALSE(hw[0]->get<HwStage>().relu);
  const auto& offsets = of_type(StageType::Split).at(0)->get<PartsSpec>().offsets;
  EXPECT_EQ(offsets.at(1), (DimValues{{Dim::W, 0}, {Dim::H, 0}, {Dim::C, 256}}));
}

TEST_F(HwStages, PlaneTilesShareTheirWeightsAndCropTheirJunk) {
  Data* out = output({112, 112, 64, 1});
  conv("c", input({112, 112, 16, 1}), out, square(3, 1, 1));
  hw_conv_tiling(p);
  const auto hw = of_type(StageType::MyriadXHwOp);
  ASSERT_GT(hw.size(), 1u);
  for (const Stage* s : hw) EXPECT_EQ(s->input(1), hw[0]->input(1));
  EXPECT_EQ(of_type(StageType::Crop).size(), hw.size());
  EXPECT_EQ(of_type(StageType::StubConcat).at(0)->output(), out);
}

TEST_F(HwStages, LeakyReluScalesTheSums) {
  Stage* c = conv("c", input({8, 8, 16, 1}), output({8, 8, 8, 1}), square(1, 1, 0));
  c->change<StubSpec>([](StubSpec& stub) {
    stub.post.relu = true;
    stub.post.negative_slope = 0.125;
    stub.post.relu_scale = 0.125;
    stub.post.a0 = 1;
    stub.post.a1 = 8;
  });
  hw_conv_tiling(p);
  EXPECT_EQ(only_hw_stage()->input(3)->name, "c@scales");
  EXPECT_EQ(values(only_hw_stage()->input(3)), (Floats(8, 0.125f)));
}

TEST_F(HwStages, WhatDoesNotFitStaysSoftwareWithItsActivationBehindIt) {
  p.resources.tiling_cmx_limit = 0;
  Stage* c = conv("c", input({8, 8, 16, 1}), output({8, 8, 8, 1}), square(1, 1, 0));
  c->change<StubSpec>([](StubSpec& stub) {
    stub.post.clamp = true;
    stub.post.clamp_max = 6.0;
  });
  hw_conv_tiling(p);
  EXPECT_EQ(types(), (Types{StageType::StubConv, StageType::Clamp}));
  EXPECT_FALSE(c->get<StubSpec>().try_hw);
}

TEST_F(HwStages, PartsOfSplitConvolutionsCannotBeLeftToSoftwareWithAnActivation) {
  p.resources.tiling_cmx_limit = 0;
  Stage* c = conv("c", input({8, 8, 16, 1}), output({8, 8, 8, 1}), square(1, 1, 0));
  c->change<StubSpec>([](StubSpec& stub) {
    stub.conv_output = DataDesc({8, 8, 32, 1});
    stub.post.relu = true;
  });
  EXPECT_THROW(hw_conv_tiling(p), Error);
}

TEST_F(HwStages, MergedPoolingComesApartWhenTheTilesWouldBeTooSmall) {
  Stage* c = conv("c", input({4, 4, 16, 1}), output({2, 2, 8, 1}), square(3, 1, 1));
  c->change<StubSpec>([](StubSpec& stub) {
    stub.conv_output = DataDesc({4, 4, 8, 1});
    stub.post.pool = true;
    stub.post.pool_window.kernel_x = 2;
    stub.post.pool_window.kernel_y = 2;
    stub.post.pool_window.stride_x = stub.post.pool_window.stride_y = 2;
  });
  hw_conv_tiling(p);
  EXPECT_EQ(types(), (Types{StageType::MyriadXHwOp, StageType::StubMaxPool}));
  EXPECT_EQ(of_type(StageType::StubMaxPool).at(0)->name, "c@Pool");
  EXPECT_EQ(dims(only_hw_stage()->output()), (Dims{4, 4, 8, 1}));
  EXPECT_EQ(only_hw_stage()->get<HwStage>().op, HwOpType::Conv);
}

TEST_F(HwStages, DepthwiseConvolutionBecomesDenseTiles) {
  conv("c", input({20, 20, 40, 1}), output({20, 20, 40, 1}), square(3, 1, 1), 40);
  split_hw_depth_conv(p);
  EXPECT_EQ(types(), (Types{StageType::Split, StageType::StubConv, StageType::StubConv, StageType::StubConcat}));
  const Stage* second = of_type(StageType::StubConv).at(1);
  EXPECT_EQ(second->name, "c@tile=2/2");
  EXPECT_EQ(dims(second->input(1)), (Dims{3, 3, 20, 20}));
  EXPECT_EQ(values(second->input(2)).at(0), 20.0f);
  EXPECT_EQ(second->get<StubSpec>().groups, 1);
}

TEST_F(HwStages, OneChannelDepthwiseConvolutionStaysOneStage) {
  Stage* c = conv("c", input({20, 20, 1, 1}), output({20, 20, 1, 1}), square(3, 1, 1));
  const int before = c->input(1)->id();
  split_hw_depth_conv(p);
  EXPECT_EQ(types(), (Types{StageType::StubConv}));
  EXPECT_NE(c->input(1)->id(), before);  // quirk: the constants are made anew all the same
}

TEST_F(HwStages, ConvolutionAndPoolingAreDoneForSomeChannelsAtATime) {
  Data* middle = p.add_data("middle", DataDesc({56, 56, 256, 1}));
  conv("c", input({56, 56, 16, 1}), middle, square(1, 1, 0));
  pool("p", StageType::StubMaxPool, middle, output({28, 28, 256, 1}), square(2, 2, 0));
  split_hw_conv_and_pool(p);
  EXPECT_EQ(of_type(StageType::StubConv).size(), 8u);  // 32 channels of 56 rows of 112 bytes fit
  EXPECT_EQ(of_type(StageType::StubMaxPool).size(), 8u);
  EXPECT_EQ(of_type(StageType::StubConcat).at(0)->name, "p@concat");
  EXPECT_EQ(of_type(StageType::StubConv).at(7)->name, "c@tile=8/8");
}

TEST_F(HwStages, BatchCountsInTheOutputThatIsTooLargeButNotInItsParts) {
  Data* middle = p.add_data("middle", DataDesc({60, 20, 64, 3}));
  conv("c", input({60, 20, 16, 3}), middle, square(1, 1, 0));
  pool("p", StageType::StubMaxPool, middle, output({30, 10, 64, 3}), square(2, 2, 0));
  split_hw_conv_and_pool(p);
  EXPECT_EQ(of_type(StageType::StubConv).at(0)->name, "c@tile=1/1");
}

TEST_F(HwStages, OneSidedPaddingBecomesAStage) {
  Window w = square(3, 1, 0);
  w.pad_right = w.pad_bottom = 1;
  Stage* c = conv("c", input({20, 20, 8, 1}), output({19, 19, 8, 1}), w);
  hw_padding(p);
  EXPECT_EQ(types(), (Types{StageType::Pad, StageType::StubConv}));
  EXPECT_EQ(dims(c->input(0)), (Dims{21, 21, 8, 1}));
  EXPECT_TRUE(window_of(*c).no_pads());
}

TEST_F(HwStages, EvenMaxPoolingOfAnOddPlaneIsPaddedByItsEdge) {
  pool("p", StageType::StubMaxPool, input({15, 15, 8, 1}), output({7, 7, 8, 1}), square(2, 2, 0));
  hw_padding(p);
  const Stage* pad = of_type(StageType::Pad).at(0);
  EXPECT_EQ(pad->get<PadSpec>().mode, PadMode::Edge);
  EXPECT_EQ(dims(pad->output()), (Dims{16, 16, 8, 1}));
}

TEST_F(HwStages, HalfKernelPaddingStays) {
  conv("c", input({20, 20, 8, 1}), output({20, 20, 8, 1}), square(5, 1, 2));
  hw_padding(p);
  EXPECT_EQ(types(), (Types{StageType::StubConv}));
}

TEST_F(HwStages, PoolingHasThreeFakesAndItsOwnPads) {
  pool("p", StageType::StubMaxPool, input({20, 20, 40, 1}), output({10, 10, 40, 1}), square(3, 2, 1));
  hw_pool_tiling(p);
  const Stage* s = only_hw_stage();
  EXPECT_EQ(s->input_count(), 4);
  EXPECT_EQ(s->input(1)->usage, DataUsage::Fake);
  EXPECT_EQ(s->get<HwStage>().tiling.descriptors, 3);
  EXPECT_EQ(s->get<HwStage>().pool_type, HwPoolType::Max);
}

TEST_F(HwStages, FullyConnectedLayersThatReachTilingCannotBeCompiled) {
  Stage* s =
      p.add_stage("fc", StageType::StubFullyConnected, nullptr,
                  {input({1, 1, 8}), constant("w", {1, 8, 4}, 1), p.add_fake(), p.add_fake()}, {output({1, 1, 4})});
  StubSpec spec;
  spec.try_hw = true;
  s->set(spec);
  EXPECT_THROW(hw_fully_connected_tiling(p), Error);
  p.resources.tiling_cmx_limit = 0;
  hw_fully_connected_tiling(p);
  EXPECT_FALSE(s->get<StubSpec>().try_hw);
}

TEST_F(HwStages, DescriptorsOfAConvolutionShareOutItsChannels) {
  conv("c", input({20, 20, 16, 1}), output({20, 20, 300, 1}), square(3, 1, 1));
  hw_conv_tiling(p);
  finalize_hw_ops(p);
  const std::vector<HwOp>& ops = only_hw_stage()->get<HwOpParams>().ops;
  uint32_t at = 0;
  for (const HwOp& op : ops) {
    EXPECT_EQ(op.out_channel_offset, at);
    at += op.out_channels;
    EXPECT_EQ(op.type, HwOpType::Conv);
    EXPECT_EQ(op.with_pad, 1u);
    EXPECT_EQ(op.pad_mode, hw_pad::kZeros);
    EXPECT_EQ(op.input_index, 0);
    EXPECT_EQ(op.weights_index, 1);
    EXPECT_EQ(op.biases_index, 2);
    EXPECT_EQ(op.scales_index, -1);
    EXPECT_EQ(op.output_index, 3);
  }
  EXPECT_EQ(at, 300u);
}

TEST_F(HwStages, DescriptorsOfAPoolingTakeSixteenPlanesAndRepeatTheEdges) {
  pool("p", StageType::StubMaxPool, input({20, 20, 40, 1}), output({10, 10, 40, 1}), square(3, 2, 1));
  hw_pool_tiling(p);
  finalize_hw_ops(p);
  const std::vector<HwOp>& ops = only_hw_stage()->get<HwOpParams>().ops;
  ASSERT_EQ(ops.size(), 3u);
  EXPECT_EQ(ops[2].out_channel_offset, 32u);
  EXPECT_EQ(ops[2].out_channels, 8u);
  EXPECT_EQ(ops[0].pad_mode, 15u);
  EXPECT_EQ(ops[0].mode, HwOpMode::k16x16);
  EXPECT_EQ(ops[0].output_index, 1);
  EXPECT_EQ(ops[0].weights_index, -1);
}

TEST_F(HwStages, ExtraSplitHalvesPoolingsOfOneDescriptor) {
  pool("p", StageType::StubMaxPool, input({28, 28, 12, 1}), output({14, 14, 12, 1}), square(2, 2, 0));
  hw_pool_tiling(p);
  hw_extra_split(p);
  const auto hw = of_type(StageType::MyriadXHwOp);
  ASSERT_EQ(hw.size(), 2u);
  EXPECT_EQ(hw[1]->name, "p@extra_sok=02/02");
  EXPECT_EQ(hw[1]->get<HwStage>().tiling.channels_per_descriptor, 6);
}

TEST_F(HwStages, ExtraSplitGroupsDescriptorsByEight) {
  pool("p", StageType::StubMaxPool, input({28, 28, 330, 1}), output({14, 14, 330, 1}), square(2, 2, 0));
  hw_pool_tiling(p);
  hw_extra_split(p);
  const auto hw = of_type(StageType::MyriadXHwOp);
  ASSERT_EQ(hw.size(), 3u);
  EXPECT_EQ(hw[2]->get<HwStage>().tiling.descriptors, 5);
  EXPECT_EQ(dims(hw[2]->input(0)), (Dims{28, 28, 74, 1}));
}

TEST_F(HwStages, ExtraSplitRefusesConvolutions) {
  conv("c", input({20, 20, 16, 1}), output({20, 20, 24, 1}), square(3, 1, 1));
  hw_conv_tiling(p);
  EXPECT_THROW(hw_extra_split(p), Error);
}

TEST_F(HwStages, WeightsThatTheNetworkComputesAreRefused) {
  Data* weights = p.add_data("w", DataDesc({1, 1, 16, 8}));
  Stage* c = conv("c", input({8, 8, 16, 1}), output({8, 8, 8, 1}), square(1, 1, 0));
  p.replace_input(c, 1, weights);
  EXPECT_THROW(hw_conv_tiling(p), Error);
}

}  // namespace
}  // namespace blobsmith::vpu
