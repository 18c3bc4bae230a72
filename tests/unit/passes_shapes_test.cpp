// Passes about outputs, batches, 3-D stages, poolings, dynamic shapes (middle-end spec §3.1 to §3.7, §3.23, §3.27,
// §3.28, §3.30, §3.38).
#include <cmath>

#include "passes_fixture.hpp"
#include "vpu/program/loops.hpp"

namespace blobsmith::vpu {
namespace {

using Shapes = PassTest;
const DataDesc kMap({8, 8, 4, 1});

TEST_F(Shapes, OutputReadInsideTheNetworkBecomesACopy) {
  Data* out = p.add_output("out", kMap);
  relu("a", p.add_input("in", kMap), out);
  Stage* b = relu("b", out, p.add_output("last", kMap));
  add_copy_for_outputs_inside_network(p);
  EXPECT_EQ(out->producer_stage()->type, StageType::Copy);
  EXPECT_EQ(b->input(0)->usage, DataUsage::Intermediate);
  EXPECT_TRUE(out->consumers().empty());
}

TEST_F(Shapes, InputsAreReorderedToChannelMinorWithoutTheEngine) {
  Data* in = p.add_input("in", DataDesc(DataType::U8, {8, 8, 3, 1}));
  Data* half = p.add_data("in@FP16", DataDesc({8, 8, 3, 1}));
  add_convert(p, "convert", nullptr, in, half);
  in->marks.fp16_copy = half->id();
  Stage* r = relu("r", half, p.add_output("out", DataDesc({8, 8, 3, 1})));
  reorder_inputs_to_channel_minor(p);
  EXPECT_EQ(types(), (Types{StageType::Convert, StageType::Permute, StageType::Relu}));
  EXPECT_EQ(r->input(0)->desc.order, orders::NHWC);
}

TEST_F(Shapes, GlobalAveragePoolingBecomesReduceMean) {
  pool("g", StageType::StubAvgPool, p.add_input("in", DataDesc({7, 5, 4, 1})),
       p.add_output("out", DataDesc({1, 1, 4, 1})), {.kernel_x = 7, .kernel_y = 5}, false);
  replace_with_reduce_mean(p);
  ASSERT_EQ(types(), (Types{StageType::ReduceMean}));
  const auto axes = p.stages()[0]->input(1)->content.as<int32_t>();
  EXPECT_EQ(std::vector<int32_t>(axes.begin(), axes.end()), (std::vector<int32_t>{3, 2}));
}

TEST_F(Shapes, GlobalMaxPoolingHasAStageOfItsOwn) {
  pool("g", StageType::StubMaxPool, p.add_input("in", DataDesc({7, 5, 4, 1})),
       p.add_output("out", DataDesc({1, 1, 4, 1})), {.kernel_x = 7, .kernel_y = 5}, false);
  sw_pool_adaptation(p);
  EXPECT_EQ(types(), (Types{StageType::GlobalMaxPool}));
}

TEST_F(Shapes, TransposedFirstMatrixIsPermuted) {
  Stage* g = add_gemm(p, "g", nullptr, 1.0, 1.0, true, false,
                      {p.add_input("a", DataDesc({3, 5, 2})), p.add_input("b", DataDesc({4, 5, 2}))},
                      p.add_output("out", DataDesc({4, 3, 2})));
  gemm_transpose(p);
  EXPECT_EQ(types(), (Types{StageType::Permute, StageType::GEMM}));
  EXPECT_EQ(dims(g->input(0)), (Dims{5, 3, 2}));
  EXPECT_FALSE(g->get<GemmParams>().transpose_a);
}

TEST_F(Shapes, BatchedConvolutionIsDuplicated) {
  Data* in = p.add_input("in", DataDesc({4, 4, 2, 2}));
  Data* out = p.add_output("out", DataDesc({4, 4, 2, 2}));
  conv("c", in, out, {});
  adjust_data_batch(p);
  EXPECT_EQ(types(), (Types{StageType::Split, StageType::StubConv, StageType::StubConv, StageType::StubConcat}));
  EXPECT_EQ(p.stages()[1]->input(1), p.stages()[2]->input(1));
}

// A loop ends where a stage behind it wants all items: one reader of `a` is inside, the other is not.
TEST_F(Shapes, WithoutQuirksABatchLoopMayBeReadOnTheWay) {
  const DataDesc batched({4, 4, 2, 3});
  Data *first = p.add_data("first", batched), *a = p.add_data("a", batched), *b = p.add_data("b", batched),
       *c = p.add_data("c", batched);
  conv("c1", p.add_input("in", batched), first, {});
  conv("c2", first, a, {});
  conv("left", a, b, {});
  conv("right", a, c, {});
  relu("after left", b, p.add_output("left out", batched));
  relu("after right", c, p.add_output("right out", batched));
  p.options.quirks = false;
  adjust_data_batch(p);
  int inside = 0, outside = 0;
  for (const Stage* s : of_type(StageType::StubConv)) {
    inside += s->input(0)->name == "a@loop";
    outside += s->input(0)->name.starts_with("a@batch=");
  }
  EXPECT_EQ(inside, 1);
  EXPECT_EQ(outside, 3) << "item by item";
  EXPECT_EQ(of_type(StageType::LoopEnd).size(), 1U);
  EXPECT_EQ(of_type(StageType::Split)[0]->input(0)->name, "a") << "as the loop left it";
}

TEST_F(Shapes, ThreeBatchedStagesBecomeALoop) {
  const DataDesc batched({4, 4, 2, 3});
  Data *a = p.add_data("a", batched), *b = p.add_data("b", batched);
  conv("c1", p.add_input("in", batched), a, {});
  conv("c2", a, b, {});
  conv("c3", b, p.add_output("out", batched), {});
  adjust_data_batch(p);
  ASSERT_EQ(types(), (Types{StageType::LoopStart, StageType::StubConv, StageType::StubConv, StageType::StubConv,
                            StageType::LoopEnd}));
  const LoopSpec& start = p.stages()[0]->get<LoopSpec>();
  EXPECT_EQ(start.iterations, 3);
  EXPECT_EQ(start.components, (LoopComponents{{0, {Dim::N, 0, 1, -1}, 0}}));
  EXPECT_EQ(p.stages()[2]->output()->desc.dim(Dim::N), 1);
  count_stages_in_loops(p);
  EXPECT_EQ(p.stages()[0]->get<LoopSpec>().stages, 2);  // stubs do not reach the blob
}

TEST_F(Shapes, ConvolutionIn3DBecomesSumsOf2D) {
  Data* in = p.add_input("in", DataDesc({4, 4, 3, 1, 1}));
  Data* out = p.add_output("out", DataDesc({4, 4, 2, 2, 1}));
  Stage* s = p.add_stage("c", StageType::ConvND, layer("c", "Convolution"),
                         {in, counted("w", {1, 1, 2, 1, 2}), constant("b", {2}, 1.0f)}, {out});
  ConvNDSpec spec;
  spec.pads_begin = spec.pads_end = {0, 0, 0};
  spec.strides = spec.dilations = {1, 1, 1};
  spec.try_hw = true;
  s->set(spec);
  split_conv_3d_into_2d(p);
  p.clean_up();
  EXPECT_EQ(of_type(StageType::StubConv).size(), 4u);
  EXPECT_EQ(of_type(StageType::Sum).size(), 2u);
  EXPECT_EQ(of_type(StageType::Split)[0]->output_count(), 3);
  const Stage* second_tap = of_type(StageType::Sum)[0]->input(1)->producer_stage();
  EXPECT_EQ(values(second_tap->input(1)), (Floats{1, 3}));  // plane 1 of both kernels
  EXPECT_TRUE(second_tap->get<StubSpec>().try_hw);
}

TEST_F(Shapes, AveragePoolingIn3DIsScaled) {
  Data* in = p.add_input("in", DataDesc({4, 4, 4, 3, 1}));
  Data* out = p.add_output("out", DataDesc({2, 2, 2, 3, 1}));
  Stage* s = p.add_stage("g", StageType::PoolND, layer("g", "Pooling"), {in}, {out});
  PoolNDSpec spec;
  spec.pads_begin = spec.pads_end = {0, 0, 0};
  spec.strides = spec.kernel = {2, 2, 2};
  spec.method = 2;
  spec.exclude_pad = 1;
  s->set(spec);
  split_pool_3d_into_2d(p);
  EXPECT_EQ(of_type(StageType::StubAvgPool).size(), 4u);
  EXPECT_EQ(values(of_type(StageType::Scale)[0]->input(1)), (Floats{0.5f, 0.5f, 0.5f}));
}

TEST_F(Shapes, PriorBoxesAreComputed) {
  Data* map = p.add_data("map", DataDesc({1, 1, 4, 1}));
  relu("r", p.add_input("in", DataDesc({1, 1, 4, 1})), map);
  relu("keep", p.find_data(1), p.add_output("kept", DataDesc({1, 1, 4, 1})));
  Data* boxes = p.add_data("boxes", DataDesc({4, 2, 1}));
  Stage* s = p.add_stage("b", StageType::StubPriorBox, layer("b", "PriorBox"),
                         {map, p.add_input("image", DataDesc({8, 8, 3, 1}))}, {boxes});
  PriorBoxSpec spec;
  spec.min_sizes = {4};
  spec.variances = {0.1f, 0.1f, 0.2f, 0.2f};
  s->set(spec);
  Stage* user = relu("u", boxes, p.add_output("out", DataDesc({4, 2, 1})));
  replace_prior_box_with_const(p);
  p.clean_up();
  ASSERT_EQ(user->input(0)->usage, DataUsage::Const);
  const Floats v = values(user->input(0));
  EXPECT_EQ(Floats(v.begin(), v.begin() + 4), (Floats{0.25f, 0.25f, 0.75f, 0.75f}));
  EXPECT_NEAR(v[4], 0.1f, 1e-3f);
  EXPECT_NEAR(v[7], 0.2f, 1e-3f);
  EXPECT_EQ(types(), (Types{StageType::Relu, StageType::Relu}));  // what computed the map is gone
}

TEST_F(Shapes, DimensionsOfDynamicDataAreReversed) {
  Data* in = p.add_input("in", DataDesc({4, 4}));
  Data* out = p.add_data("out", DataDesc({4, 4}));
  Data* shape = p.add_data("shape", DataDesc(DataType::S32, {2}));
  Stage* source = p.add_stage("n", StageType::NonZero, nullptr, {in}, {out, shape});
  p.connect_shape(shape, out);
  Stage* user = relu("r", out, p.add_output("result", DataDesc({4, 4})));
  convert_shape_notation(p);
  ASSERT_EQ(types(), (Types{StageType::NonZero, StageType::Gather, StageType::Relu}));
  EXPECT_TRUE(out->shape_parent()->marks.converted_notation);
  EXPECT_EQ(p.stages()[1]->input(1)->content.as<int32_t>()[0], 1);
  EXPECT_EQ(p.stages()[1]->next(), (std::vector<Stage*>{user}));
  EXPECT_EQ(p.stages()[0], source);
}

TEST_F(Shapes, DilatedConvolutionBecomesOrdinaryOnesOverSubGrids) {
  Data* in = p.add_input("in", DataDesc({32, 32, 4, 1}));
  Data* out = p.add_output("out", DataDesc({32, 32, 4, 1}));
  conv("c", in, out,
       {.kernel_x = 3,
        .kernel_y = 3,
        .pad_left = 2,
        .pad_right = 2,
        .pad_top = 2,
        .pad_bottom = 2,
        .dilation_x = 2,
        .dilation_y = 2});
  reshape_dilation_conv(p);
  const std::vector<Stage*> parts = of_type(StageType::StubConv);
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_FALSE(window_of(*parts[0]).dilated());
  EXPECT_EQ(dims(parts[0]->input(0)), (Dims{16, 16, 4, 1}));
  EXPECT_EQ(dims(parts[0]->output()), (Dims{16, 16, 4, 1}));
  EXPECT_EQ(window_of(*parts[0]).pad_left, 1);
}

TEST_F(Shapes, SmallStagesAreMarked) {
  Stage* small = relu("small", p.add_input("in", DataDesc({10, 10})), p.add_output("out", DataDesc({10, 10})));
  Stage* large = relu("large", p.add_input("in2", DataDesc({101})), p.add_output("out2", DataDesc({101})));
  mark_fast_stages(p);
  EXPECT_EQ(small->name, "small@fast-stage");
  EXPECT_EQ(large->name, "large");
}

}  // namespace
}  // namespace blobsmith::vpu
