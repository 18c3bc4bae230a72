// Passes about outputs, batches, 3-D stages, poolings, dynamic shapes (middle-end spec §3.1 to §3.7, §3.23, §3.27,
// §3.28, §3.30, §3.38).
#include <cmath>

#include "passes_fixture.hpp"
#include "vpu/program/loops.hpp"

namespace blobsmith::vpu {
namespace {

using Shapes = PassTest;

TEST_F(Shapes, OutputReadInsideTheNetworkBecomesACopy) {
  read(R"(
    in = input {8,8,4,1}
    a: out = Relu(in) -> output
    b: last = Relu(out) -> output
  )");
  add_copy_for_outputs_inside_network(p);
  EXPECT_EQ(data("out")->producer_stage()->type, StageType::Copy);
  EXPECT_EQ(stage("b")->input(0)->usage, DataUsage::Intermediate);
  EXPECT_TRUE(data("out")->consumers().empty());
}

TEST_F(Shapes, InputsAreReorderedToChannelMinorWithoutTheEngine) {
  read(R"(
    in = input U8 {8,8,3,1}
    convert: half = Convert(in) -> FP16
    r: out = Relu(half) -> output
  )");
  data("in")->marks.fp16_copy = data("half")->id();
  reorder_inputs_to_channel_minor(p);
  EXPECT_EQ(types(), "Convert, Permute, Relu");
  EXPECT_EQ(stage("r")->input(0)->desc.order, orders::NHWC);
}

TEST_F(Shapes, GlobalAveragePoolingBecomesReduceMean) {
  read("in = input {7,5,4,1}  g: out = StubAvgPool(in, kernel=[7,5], hw=no) -> output {1,1,4,1}");
  replace_with_reduce_mean(p);
  ASSERT_EQ(types(), "ReduceMean");
  const auto axes = p.stages()[0]->input(1)->content.as<int32_t>();
  EXPECT_EQ(std::vector<int32_t>(axes.begin(), axes.end()), (std::vector<int32_t>{3, 2}));
}

TEST_F(Shapes, GlobalMaxPoolingHasAStageOfItsOwn) {
  read("in = input {7,5,4,1}  g: out = StubMaxPool(in, kernel=[7,5], hw=no) -> output {1,1,4,1}");
  sw_pool_adaptation(p);
  EXPECT_EQ(types(), "GlobalMaxPool");
}

TEST_F(Shapes, TransposedFirstMatrixIsPermuted) {
  read(R"(
    a = input {3,5,2}
    b = input {4,5,2}
    g: out = GEMM(a, b, transpose_a=yes) -> output {4,3,2}
  )");
  gemm_transpose(p);
  EXPECT_EQ(types(), "Permute, GEMM");
  EXPECT_EQ(dims(stage("g")->input(0)), (Dims{5, 3, 2}));
  EXPECT_FALSE(stage("g")->get<GemmParams>().transpose_a);
}

TEST_F(Shapes, BatchedConvolutionIsDuplicated) {
  read("in = input {4,4,2,2}  c: out = StubConv(in) -> output");
  adjust_data_batch(p);
  EXPECT_EQ(types(), "Split, StubConv, StubConv, StubConcat");
  EXPECT_EQ(p.stages()[1]->input(1), p.stages()[2]->input(1));
}

// A loop ends where a stage behind it wants all items: one reader of `a` is inside, the other is not.
TEST_F(Shapes, WithoutQuirksABatchLoopMayBeReadOnTheWay) {
  read(R"(
    in = input {4,4,2,3}
    c1: first = StubConv(in)
    c2: a = StubConv(first)
    left: b = StubConv(a)
    right: c = StubConv(a)
    after_left: left_out = Relu(b) -> output
    after_right: right_out = Relu(c) -> output
  )");
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
  read(R"(
    in = input {4,4,2,3}
    c1: a = StubConv(in)
    c2: b = StubConv(a)
    c3: out = StubConv(b) -> output
  )");
  adjust_data_batch(p);
  ASSERT_EQ(types(), "LoopStart, StubConv, StubConv, StubConv, LoopEnd");
  const LoopSpec& start = p.stages()[0]->get<LoopSpec>();
  EXPECT_EQ(start.iterations, 3);
  EXPECT_EQ(start.components, (LoopComponents{{0, {Dim::N, 0, 1, -1}, 0}}));
  EXPECT_EQ(p.stages()[2]->output()->desc.dim(Dim::N), 1);
  count_stages_in_loops(p);
  EXPECT_EQ(p.stages()[0]->get<LoopSpec>().stages, 2);  // stubs do not reach the blob
}

TEST_F(Shapes, ConvolutionIn3DBecomesSumsOf2D) {
  read(R"(
    in = input {4,4,3,1,1}
    c: out = ConvND(in, {1,1,2,1,2} from 0, {2} of 1) -> output {4,4,2,2,1}
  )");
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
  read(R"(
    in = input {4,4,4,3,1}
    g: out = PoolND(in, method=average, kernel=2, strides=2, exclude_pad=yes, hw=no) -> output {2,2,2,3,1}
  )");
  split_pool_3d_into_2d(p);
  EXPECT_EQ(of_type(StageType::StubAvgPool).size(), 4u);
  EXPECT_EQ(values(of_type(StageType::Scale)[0]->input(1)), (Floats{0.5f, 0.5f, 0.5f}));
}

TEST_F(Shapes, PriorBoxesAreComputed) {
  read(R"(
    in = input {1,1,4,1}
    r: map = Relu(in)
    keep: kept = Relu(in) -> output
    image = input {8,8,3,1}
    b: boxes = StubPriorBox(map, image, min_sizes=4, variances=[0.1,0.1,0.2,0.2]) -> {4,2,1}
    u: out = Relu(boxes) -> output
  )");
  replace_prior_box_with_const(p);
  p.clean_up();
  const Data* boxes = stage("u")->input(0);
  ASSERT_EQ(boxes->usage, DataUsage::Const);
  const Floats v = values(boxes);
  EXPECT_EQ(Floats(v.begin(), v.begin() + 4), (Floats{0.25f, 0.25f, 0.75f, 0.75f}));
  EXPECT_NEAR(v[4], 0.1f, 1e-3f);
  EXPECT_NEAR(v[7], 0.2f, 1e-3f);
  EXPECT_EQ(types(), "Relu, Relu");  // what computed the map is gone
}

TEST_F(Shapes, DimensionsOfDynamicDataAreReversed) {
  read(R"(
    in = input {4,4}
    n: out, shape = NonZero(in) -> {4,4}, S32 {2}
    r: result = Relu(out) -> output
  )");
  p.connect_shape(data("shape"), data("out"));
  convert_shape_notation(p);
  ASSERT_EQ(types(), "NonZero, Gather, Relu");
  EXPECT_TRUE(data("out")->shape_parent()->marks.converted_notation);
  EXPECT_EQ(p.stages()[1]->input(1)->content.as<int32_t>()[0], 1);
  EXPECT_EQ(p.stages()[1]->next(), (std::vector<Stage*>{stage("r")}));
  EXPECT_EQ(p.stages()[0], stage("n"));
}

TEST_F(Shapes, DilatedConvolutionBecomesOrdinaryOnesOverSubGrids) {
  read("in = input {32,32,4,1}  c: out = StubConv(in, kernel=3, pads=2, dilations=2) -> output");
  reshape_dilation_conv(p);
  const std::vector<Stage*> parts = of_type(StageType::StubConv);
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_FALSE(window_of(*parts[0]).dilated());
  EXPECT_EQ(dims(parts[0]->input(0)), (Dims{16, 16, 4, 1}));
  EXPECT_EQ(dims(parts[0]->output()), (Dims{16, 16, 4, 1}));
  EXPECT_EQ(window_of(*parts[0]).pad_left, 1);
}

TEST_F(Shapes, SmallStagesAreMarked) {
  read(R"(
    in = input {10,10}
    small: out = Relu(in) -> output
    in2 = input {101}
    large: out2 = Relu(in2) -> output
  )");
  mark_fast_stages(p);
  EXPECT_EQ(stage("small")->name, "small@fast-stage");
  EXPECT_EQ(stage("large")->name, "large");
}

}  // namespace
}  // namespace blobsmith::vpu
