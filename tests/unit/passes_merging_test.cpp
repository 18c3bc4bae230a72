// Passes that merge stages into others or remove them (middle-end spec §3.10, §3.12, §3.17 to §3.19, §3.31, §3.33,
// §3.34).
#include "passes_fixture.hpp"

namespace blobsmith::vpu {
namespace {

using Merging = PassTest;

TEST_F(Merging, ConvolutionTakesReluAndThenPool) {
  read(R"(
    in = input {8,8,4,1}
    c: a = StubConv(in, kernel=3, pads=1)
    r: b = Relu(a)
    m: out = StubMaxPool(b, kernel=2, strides=2) -> output {4,4,4,1}
  )");
  merge_hw_stages(p);
  p.clean_up();
  EXPECT_EQ(types(), "StubConv");
  const Stage* c = stage("c");
  EXPECT_TRUE(c->get<StubSpec>().post.relu);
  EXPECT_TRUE(c->get<StubSpec>().post.pool);
  EXPECT_EQ(c->output()->name, "out");
  EXPECT_EQ(c->get<StubSpec>().conv_output, DataDesc({8, 8, 4, 1}));
}

TEST_F(Merging, WithoutQuirksAPoolOfABatchStaysAlone) {
  const auto types_with = [](bool quirks) {
    struct Net : Merging {
      void TestBody() override {}
      std::string merged(bool quirks) {
        p.options.quirks = quirks;
        read(R"(
          in = input {8,8,4,2}
          c: a = StubConv(in, kernel=3, pads=1)
          m: out = StubMaxPool(a, kernel=2, strides=2) -> output {4,4,4,2}
        )");
        merge_hw_stages(p);
        p.clean_up();
        return types();
      }
    };
    return Net().merged(quirks);
  };
  EXPECT_EQ(types_with(true), "StubConv") << "which the reference can't take apart then";
  EXPECT_EQ(types_with(false), "StubConv, StubMaxPool");
}

TEST_F(Merging, LeakyReluNeedsAWholeReciprocal) {
  read(R"(
    in = input {8,8,4,1}
    c1: a = StubConv(in)
    r1: b = Relu(a, slope=0.1)
    c2: c = StubConv(b)
    r2: out = Relu(c, slope=0.3) -> output
  )");
  merge_hw_stages(p);
  EXPECT_EQ(types(), "StubConv, StubConv, LeakyRelu");
  EXPECT_EQ(stage("c1")->get<StubSpec>().post.a0, 1u);
  EXPECT_EQ(stage("c1")->get<StubSpec>().post.a1, 10u);
}

TEST_F(Merging, ClampMustBeginAtZero) {
  read(R"(
    in = input {8,8,4,1}
    c1: a = StubConv(in)
    l1: b = Clamp(a, min=0, max=6)
    c2: c = StubConv(b)
    l2: out = Clamp(c, min=-1, max=1) -> output
  )");
  merge_hw_stages(p);
  EXPECT_EQ(types(), "StubConv, StubConv, Clamp");
  EXPECT_EQ(stage("c1")->get<StubSpec>().post.clamp_max, 6.0);
}

TEST_F(Merging, OutputReadTwiceIsNotMerged) {
  read(R"(
    in = input {8,8,4,1}
    c: a = StubConv(in)
    r: o1 = Relu(a) -> output
    s: o2 = Relu(a) -> output
  )");
  merge_hw_stages(p);
  EXPECT_EQ(p.stages().size(), 3u);
}

TEST_F(Merging, ActivationMovesBeforeReshapesAndPermutes) {
  read(R"(
    in = input {8,8,4,1}
    c: a = StubConv(in)
    x: b = Reshape(a) -> {256,1}
    y: c = Reshape(b) -> {8,8,4,1}
    r: out = Relu(c) -> output
  )");
  uplift_activation_stages(p);
  EXPECT_EQ(types(), "StubConv, Relu, Reshape, Reshape");
  EXPECT_EQ(p.stages()[3]->output()->name, "out");
}

TEST_F(Merging, ReluBehindAConcatMovesIntoItsBranches) {
  read(R"(
    in = input {8,8,4,1}
    c1: a = StubConv(in)
    c2: b = StubConv(in) -> {8,8,2,1}
    cat: joined = StubConcat(a, b, axis=C) -> {8,8,6,1}
    r: out = Relu(joined) -> output
  )");
  swap_concat_and_hw_ops(p);
  EXPECT_EQ(types(), "StubConv, Relu, StubConv, Relu, StubConcat");
  EXPECT_EQ(stage("cat")->input(1)->desc.dim(Dim::C), 2);
  EXPECT_EQ(stage("cat")->output()->name, "out");
}

TEST_F(Merging, BiasAndReluBecomeOneStage) {
  read(R"(
    in = input {8,8,4,1}
    b = {4} of 1
    bias: a = Bias(in, b)
    r: out = Relu(a, slope=0.5) -> output
  )");
  merge_relu_and_bias(p);
  EXPECT_EQ(types(), "BiasLeakyRelu");
  EXPECT_EQ(p.stages()[0]->name, "r");
  EXPECT_EQ(p.stages()[0]->input(1), data("b"));
}

TEST_F(Merging, SumTakesTheReluBehindIt) {
  read(R"(
    in = input {8,8,4,1}
    s: a = Sum(in, in)
    l: out = Clamp(a, min=-1, max=2) -> output
  )");
  merge_eltwise_and_relu_static(p);
  EXPECT_EQ(types(), "Sum");
  EXPECT_EQ(stage("s")->get<EltwiseSpec>().post_operation, StageType::Clamp);
  EXPECT_EQ(stage("s")->get<EltwiseSpec>().max_value, 2.0);
}

TEST_F(Merging, StridesOfReluInputAndOutputMustAgree) {
  read(R"(
    in = input {5,8,4,1}
    s: a = Sum(in, in)
    r: out = Relu(a) -> output
  )");
  data("out")->update_required_strides(StridesRequirement::standard().set(1, StrideRule::Aligned));
  merge_eltwise_and_relu_static(p);
  EXPECT_EQ(types(), "Sum, Relu");
}

TEST_F(Merging, RedundantConvertsDisappear) {
  read(R"(
    in = input {8,8,4,1}
    c1: same = Convert(in)
    c2: unread = Convert(in) -> FP32
    r: out = Relu(same) -> output
    c3: out2 = Convert(in) -> output
  )");
  eliminate_redundant_conversions(p);
  p.clean_up();
  EXPECT_EQ(p.stages().size(), 2u);
  EXPECT_EQ(of_type(StageType::Relu).size(), 1u);
  EXPECT_EQ(of_type(StageType::Copy).size(), 1u);
}

TEST_F(Merging, ConcatOfConstantsIsCarriedOut) {
  read(R"(
    cat: joined = StubConcat({2,1} [1,2], {2,2} [3,4,5,6], axis=N) -> {2,3}
    r: out = Relu(joined) -> output
  )");
  eliminate_const_concat(p);
  EXPECT_EQ(types(), "Relu");
  EXPECT_EQ(values(stage("r")->input(0)), (Floats{1, 2, 3, 4, 5, 6}));
}

TEST_F(Merging, PermutesInARowAreCombined) {
  read(R"(
    in = input {8,6,4,1}
    p1: a = Permute(in, order=[1,0,2,3]) -> {6,8,4,1}
    p2: out = Permute(a, order=[2,1,0,3]) -> output {4,8,6,1}
  )");
  merge_permute_stages(p);
  EXPECT_EQ(types(), "Permute");
  EXPECT_EQ(p.stages()[0]->get<PermuteSpec>().permutation,
            (DimValues{{Dim::W, 2}, {Dim::H, 0}, {Dim::C, 1}, {Dim::N, 3}}));
}

TEST_F(Merging, PermuteThereAndBackIsACopy) {
  read(R"(
    in = input {8,6,4,1}
    p1: a = Permute(in, order=[1,0,2,3]) -> {6,8,4,1}
    p2: out = Permute(a, order=[1,0,2,3]) -> output {8,6,4,1}
  )");
  merge_permute_stages(p);
  EXPECT_EQ(types(), "Copy");
}

TEST_F(Merging, SinglePermuteStays) {
  read("in = input {1,6,4,1}  p: out = Permute(in, order=[1,0,2,3]) -> output {6,1,4,1}");
  merge_permute_stages(p);
  EXPECT_EQ(types(), "Permute");
}

}  // namespace
}  // namespace blobsmith::vpu
