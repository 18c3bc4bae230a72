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
  Stage* only_hw_stage() {
    const auto s = of_type(StageType::MyriadXHwOp);
    EXPECT_EQ(s.size(), 1u);
    return s.at(0);
  }
};

TEST_F(HwStages, SmallConvolutionBecomesOneStage) {
  read("in = input {20,20,16,1}  c: out = StubConv(in, kernel=3, pads=1) -> output {20,20,24,1}");
  hw_conv_tiling(p);
  EXPECT_EQ(types(), "MyriadXHwOp");
  const Stage* s = only_hw_stage();
  EXPECT_EQ(s->name, "c");
  EXPECT_EQ(dims(s->input(1)), (Dims{8, 9, 16, 3}));
  EXPECT_EQ(s->input(1)->name, "c@weights@HW");
  EXPECT_EQ(dims(s->input(2)), (Dims{24}));
  EXPECT_EQ(s->input(3)->usage, DataUsage::Fake);
  EXPECT_EQ(s->get<HwStage>().pad, (nce::Padding{1, 1, 1, 1}));
}

TEST_F(HwStages, ImageChannelsAreExpandedToTheLanesOfTheMode) {
  read("in = input {32,32,3,1}  c: out = StubConv(in, kernel=3, pads=1) -> output {32,32,32,1}");
  hw_conv_tiling(p);
  EXPECT_EQ(types(), "Expand, MyriadXHwOp");
  EXPECT_EQ(dims(only_hw_stage()->input(0)), (Dims{32, 32, 4, 1}));
  EXPECT_EQ(only_hw_stage()->input(0)->name, "in@extended");
}

TEST_F(HwStages, ChannelTilesAreSummedAndOnlyTheFirstHasTheBiases) {
  read("in = input {7,7,512,1}  c: out = StubConv(in, kernel=3, pads=1) -> output {7,7,64,1}");
  Stage* c = stage("c");
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
  read("in = input {112,112,16,1}  c: out = StubConv(in, kernel=3, pads=1) -> output {112,112,64,1}");
  hw_conv_tiling(p);
  const auto hw = of_type(StageType::MyriadXHwOp);
  ASSERT_GT(hw.size(), 1u);
  for (const Stage* s : hw) EXPECT_EQ(s->input(1), hw[0]->input(1));
  EXPECT_EQ(of_type(StageType::Crop).size(), hw.size());
  EXPECT_EQ(of_type(StageType::StubConcat).at(0)->output(), data("out"));
}

TEST_F(HwStages, LeakyReluScalesTheSums) {
  read("in = input {8,8,16,1}  c: out = StubConv(in) -> output {8,8,8,1}");
  Stage* c = stage("c");
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
  read("in = input {8,8,16,1}  c: out = StubConv(in) -> output {8,8,8,1}");
  Stage* c = stage("c");
  c->change<StubSpec>([](StubSpec& stub) {
    stub.post.clamp = true;
    stub.post.clamp_max = 6.0;
  });
  hw_conv_tiling(p);
  EXPECT_EQ(types(), "StubConv, Clamp");
  EXPECT_FALSE(c->get<StubSpec>().try_hw);
}

TEST_F(HwStages, PartsOfSplitConvolutionsCannotBeLeftToSoftwareWithAnActivation) {
  p.resources.tiling_cmx_limit = 0;
  read("in = input {8,8,16,1}  c: out = StubConv(in) -> output {8,8,8,1}");
  Stage* c = stage("c");
  c->change<StubSpec>([](StubSpec& stub) {
    stub.conv_output = DataDesc({8, 8, 32, 1});
    stub.post.relu = true;
  });
  EXPECT_THROW(hw_conv_tiling(p), Error);
}

TEST_F(HwStages, MergedPoolingComesApartWhenTheTilesWouldBeTooSmall) {
  read("in = input {4,4,16,1}  c: out = StubConv(in, kernel=3, pads=1) -> output {2,2,8,1}");
  Stage* c = stage("c");
  c->change<StubSpec>([](StubSpec& stub) {
    stub.conv_output = DataDesc({4, 4, 8, 1});
    stub.post.pool = true;
    stub.post.pool_window.kernel_x = 2;
    stub.post.pool_window.kernel_y = 2;
    stub.post.pool_window.stride_x = stub.post.pool_window.stride_y = 2;
  });
  hw_conv_tiling(p);
  EXPECT_EQ(types(), "MyriadXHwOp, StubMaxPool");
  EXPECT_EQ(of_type(StageType::StubMaxPool).at(0)->name, "c@Pool");
  EXPECT_EQ(dims(only_hw_stage()->output()), (Dims{4, 4, 8, 1}));
  EXPECT_EQ(only_hw_stage()->get<HwStage>().op, HwOpType::Conv);
}

TEST_F(HwStages, DepthwiseConvolutionBecomesDenseTiles) {
  read("in = input {20,20,40,1}  c: out = StubConv(in, kernel=3, pads=1, groups=40) -> output {20,20,40,1}");
  split_hw_depth_conv(p);
  EXPECT_EQ(types(), "Split, StubConv, StubConv, StubConcat");
  const Stage* second = of_type(StageType::StubConv).at(1);
  EXPECT_EQ(second->name, "c@tile=2/2");
  EXPECT_EQ(dims(second->input(1)), (Dims{3, 3, 20, 20}));
  EXPECT_EQ(values(second->input(2)).at(0), 20.0f);
  EXPECT_EQ(second->get<StubSpec>().groups, 1);
}

TEST_F(HwStages, OneChannelDepthwiseConvolutionStaysOneStage) {
  read("in = input {20,20,1,1}  c: out = StubConv(in, kernel=3, pads=1) -> output {20,20,1,1}");
  Stage* c = stage("c");
  const int before = c->input(1)->id();
  split_hw_depth_conv(p);
  EXPECT_EQ(types(), "StubConv");
  EXPECT_NE(c->input(1)->id(), before);  // quirk: the constants are made anew all the same
}

TEST_F(HwStages, ConvolutionAndPoolingAreDoneForSomeChannelsAtATime) {
  read(R"(
    in = input {56,56,16,1}
    c: middle = StubConv(in) -> {56,56,256,1}
    p: out = StubMaxPool(middle, kernel=2, strides=2) -> output {28,28,256,1}
  )");
  split_hw_conv_and_pool(p);
  EXPECT_EQ(of_type(StageType::StubConv).size(), 8u);  // 32 channels of 56 rows of 112 bytes fit
  EXPECT_EQ(of_type(StageType::StubMaxPool).size(), 8u);
  EXPECT_EQ(of_type(StageType::StubConcat).at(0)->name, "p@concat");
  EXPECT_EQ(of_type(StageType::StubConv).at(7)->name, "c@tile=8/8");
}

TEST_F(HwStages, BatchCountsInTheOutputThatIsTooLargeButNotInItsParts) {
  read(R"(
    in = input {60,20,16,3}
    c: middle = StubConv(in) -> {60,20,64,3}
    p: out = StubMaxPool(middle, kernel=2, strides=2) -> output {30,10,64,3}
  )");
  split_hw_conv_and_pool(p);
  EXPECT_EQ(of_type(StageType::StubConv).at(0)->name, "c@tile=1/1");
}

TEST_F(HwStages, OneSidedPaddingBecomesAStage) {
  read("in = input {20,20,8,1}  c: out = StubConv(in, kernel=3, pads=[0,1,0,1]) -> output {19,19,8,1}");
  hw_padding(p);
  const Stage* c = stage("c");
  EXPECT_EQ(types(), "Pad, StubConv");
  EXPECT_EQ(dims(c->input(0)), (Dims{21, 21, 8, 1}));
  EXPECT_TRUE(window_of(*c).no_pads());
}

TEST_F(HwStages, EvenMaxPoolingOfAnOddPlaneIsPaddedByItsEdge) {
  read("in = input {15,15,8,1}  p: out = StubMaxPool(in, kernel=2, strides=2) -> output {7,7,8,1}");
  hw_padding(p);
  const Stage* pad = of_type(StageType::Pad).at(0);
  EXPECT_EQ(pad->get<PadSpec>().mode, PadMode::Edge);
  EXPECT_EQ(dims(pad->output()), (Dims{16, 16, 8, 1}));
}

TEST_F(HwStages, HalfKernelPaddingStays) {
  read("in = input {20,20,8,1}  c: out = StubConv(in, kernel=5, pads=2) -> output {20,20,8,1}");
  hw_padding(p);
  EXPECT_EQ(types(), "StubConv");
}

TEST_F(HwStages, PoolingHasThreeFakesAndItsOwnPads) {
  read("in = input {20,20,40,1}  p: out = StubMaxPool(in, kernel=3, strides=2, pads=1) -> output {10,10,40,1}");
  hw_pool_tiling(p);
  const Stage* s = only_hw_stage();
  EXPECT_EQ(s->input_count(), 4);
  EXPECT_EQ(s->input(1)->usage, DataUsage::Fake);
  EXPECT_EQ(s->get<HwStage>().tiling.descriptors, 3);
  EXPECT_EQ(s->get<HwStage>().pool_type, HwPoolType::Max);
}

TEST_F(HwStages, FullyConnectedLayersThatReachTilingCannotBeCompiled) {
  read("in = input {1,1,8}  fc: out = StubFullyConnected(in, {1,8,4} of 1, none) -> output {1,1,4}");
  EXPECT_THROW(hw_fully_connected_tiling(p), Error);
  p.resources.tiling_cmx_limit = 0;
  hw_fully_connected_tiling(p);
  EXPECT_FALSE(stage("fc")->get<StubSpec>().try_hw);
}

TEST_F(HwStages, DescriptorsOfAConvolutionShareOutItsChannels) {
  read("in = input {20,20,16,1}  c: out = StubConv(in, kernel=3, pads=1) -> output {20,20,300,1}");
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
  read("in = input {20,20,40,1}  p: out = StubMaxPool(in, kernel=3, strides=2, pads=1) -> output {10,10,40,1}");
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
  read("in = input {28,28,12,1}  p: out = StubMaxPool(in, kernel=2, strides=2) -> output {14,14,12,1}");
  hw_pool_tiling(p);
  hw_extra_split(p);
  const auto hw = of_type(StageType::MyriadXHwOp);
  ASSERT_EQ(hw.size(), 2u);
  EXPECT_EQ(hw[1]->name, "p@extra_sok=02/02");
  EXPECT_EQ(hw[1]->get<HwStage>().tiling.channels_per_descriptor, 6);
}

TEST_F(HwStages, ExtraSplitGroupsDescriptorsByEight) {
  read("in = input {28,28,330,1}  p: out = StubMaxPool(in, kernel=2, strides=2) -> output {14,14,330,1}");
  hw_pool_tiling(p);
  hw_extra_split(p);
  const auto hw = of_type(StageType::MyriadXHwOp);
  ASSERT_EQ(hw.size(), 3u);
  EXPECT_EQ(hw[2]->get<HwStage>().tiling.descriptors, 5);
  EXPECT_EQ(dims(hw[2]->input(0)), (Dims{28, 28, 74, 1}));
}

TEST_F(HwStages, ExtraSplitRefusesConvolutions) {
  read("in = input {20,20,16,1}  c: out = StubConv(in, kernel=3, pads=1) -> output {20,20,24,1}");
  hw_conv_tiling(p);
  EXPECT_THROW(hw_extra_split(p), Error);
}

TEST_F(HwStages, WeightsThatTheNetworkComputesAreRefused) {
  read("in = input {8,8,16,1}  w = data {1,1,16,8}  c: out = StubConv(in, w) -> output {8,8,8,1}");
  EXPECT_THROW(hw_conv_tiling(p), Error);
}

}  // namespace
}  // namespace blobsmith::vpu
