// Passes that merge stages into others or remove them (middle-end spec §3.10, §3.12, §3.17 to §3.19, §3.31,
// §3.33,
// §3.34).
#include "passes_fixture.hpp"

namespace blobsmith::vpu {
namespace {

using Merging = PassTest;
const DataDesc kMap({8, 8, 4, 1});

TEST_F(Merging, ConvolutionTakesReluAndThenPool) {
  Data *a = p.add_data("a", kMap), *b = p.add_data("b", kMap);
  Stage* c = conv("c", p.add_input("in", kMap), a,
                  {.kernel_x = 3, .kernel_y = 3, .pad_left = 1, .pad_right = 1, .pad_top = 1, .pad_bottom = 1});
  relu("r", a, b);
  pool("m", StageType::StubMaxPool, b, p.add_output("out", DataDesc({4, 4, 4, 1})),
       {.kernel_x = 2, .kernel_y = 2, .stride_x = 2, .stride_y = 2});
  merge_hw_stages(p);
  p.clean_up();
  EXPECT_EQ(types(), (Types{StageType::StubConv}));
  EXPECT_TRUE(c->get<StubSpec>().post.relu);
  EXPECT_TRUE(c->get<StubSpec>().post.pool);
  EXPECT_EQ(c->output()->name, "out");
  EXPECT_EQ(c->get<StubSpec>().conv_output, kMap);
}

TEST_F(Merging, WithoutQuirksAPoolOfABatchStaysAlone) {
  const auto types_with = [](bool quirks) {
    struct Net : Merging {
      void TestBody() override {}
      std::vector<StageType> merged(bool quirks) {
        p.options.quirks = quirks;
        const DataDesc map({8, 8, 4, 2});
        Data* a = p.add_data("a", map);
        conv("c", p.add_input("in", map), a,
             {.kernel_x = 3, .kernel_y = 3, .pad_left = 1, .pad_right = 1, .pad_top = 1, .pad_bottom = 1});
        pool("m", StageType::StubMaxPool, a, p.add_output("out", DataDesc({4, 4, 4, 2})),
             {.kernel_x = 2, .kernel_y = 2, .stride_x = 2, .stride_y = 2});
        merge_hw_stages(p);
        p.clean_up();
        return types();
      }
    };
    return Net().merged(quirks);
  };
  EXPECT_EQ(types_with(true), (Types{StageType::StubConv})) << "which the reference can't take apart then";
  EXPECT_EQ(types_with(false), (Types{StageType::StubConv, StageType::StubMaxPool}));
}

TEST_F(Merging, LeakyReluNeedsAWholeReciprocal) {
  Data *a = p.add_data("a", kMap), *b = p.add_data("b", kMap), *c = p.add_data("c", kMap);
  Stage* first = conv("c1", p.add_input("in", kMap), a, {});
  relu("r1", a, b, 0.1);
  conv("c2", b, c, {});
  relu("r2", c, p.add_output("out", kMap), 0.3);
  merge_hw_stages(p);
  EXPECT_EQ(types(), (Types{StageType::StubConv, StageType::StubConv, StageType::LeakyRelu}));
  EXPECT_EQ(first->get<StubSpec>().post.a0, 1u);
  EXPECT_EQ(first->get<StubSpec>().post.a1, 10u);
}

TEST_F(Merging, ClampMustBeginAtZero) {
  Data *a = p.add_data("a", kMap), *b = p.add_data("b", kMap), *c = p.add_data("c", kMap);
  Stage* first = conv("c1", p.add_input("in", kMap), a, {});
  add_clamp(p, "l1", nullptr, 0.0, 6.0, a, b);
  conv("c2", b, c, {});
  add_clamp(p, "l2", nullptr, -1.0, 1.0, c, p.add_output("out", kMap));
  merge_hw_stages(p);
  EXPECT_EQ(types(), (Types{StageType::StubConv, StageType::StubConv, StageType::Clamp}));
  EXPECT_EQ(first->get<StubSpec>().post.clamp_max, 6.0);
}

TEST_F(Merging, OutputReadTwiceIsNotMerged) {
  Data* a = p.add_data("a", kMap);
  conv("c", p.add_input("in", kMap), a, {});
  relu("r", a, p.add_output("o1", kMap));
  relu("s", a, p.add_output("o2", kMap));
  merge_hw_stages(p);
  EXPECT_EQ(p.stages().size(), 3u);
}

TEST_F(Merging, ActivationMovesBeforeReshapesAndPermutes) {
  Data *a = p.add_data("a", kMap), *b = p.add_data("b", DataDesc({256, 1})), *c = p.add_data("c", kMap);
  conv("c", p.add_input("in", kMap), a, {});
  add_reshape(p, "x", nullptr, a, b);
  add_reshape(p, "y", nullptr, b, c);
  relu("r", c, p.add_output("out", kMap));
  uplift_activation_stages(p);
  EXPECT_EQ(types(), (Types{StageType::StubConv, StageType::Relu, StageType::Reshape, StageType::Reshape}));
  EXPECT_EQ(p.stages()[3]->output()->name, "out");
}

TEST_F(Merging, ReluBehindAConcatMovesIntoItsBranches) {
  Data *a = p.add_data("a", kMap), *b = p.add_data("b", DataDesc({8, 8, 2, 1})),
       *joined = p.add_data("joined", DataDesc({8, 8, 6, 1}));
  Data* in = p.add_input("in", kMap);
  conv("c1", in, a, {});
  conv("c2", in, b, {});
  Stage* concat = add_concat(p, "cat", nullptr, Dim::C, {a, b}, joined);
  relu("r", joined, p.add_output("out", DataDesc({8, 8, 6, 1})));
  swap_concat_and_hw_ops(p);
  EXPECT_EQ(types(),
            (Types{StageType::StubConv, StageType::Relu, StageType::StubConv, StageType::Relu, StageType::StubConcat}));
  EXPECT_EQ(concat->input(1)->desc.dim(Dim::C), 2);
  EXPECT_EQ(concat->output()->name, "out");
}

TEST_F(Merging, BiasAndReluBecomeOneStage) {
  Data* a = p.add_data("a", kMap);
  Data* biases = constant("b", {4}, 1.0f);
  add_bias(p, "bias", nullptr, p.add_input("in", kMap), biases, a);
  relu("r", a, p.add_output("out", kMap), 0.5);
  merge_relu_and_bias(p);
  EXPECT_EQ(types(), (Types{StageType::BiasLeakyRelu}));
  EXPECT_EQ(p.stages()[0]->name, "r");
  EXPECT_EQ(p.stages()[0]->input(1), biases);
}

TEST_F(Merging, SumTakesTheReluBehindIt) {
  Data* in = p.add_input("in", kMap);
  Data* a = p.add_data("a", kMap);
  Stage* sum = add_sum(p, "s", nullptr, in, in, a);
  add_clamp(p, "l", nullptr, -1.0, 2.0, a, p.add_output("out", kMap));
  merge_eltwise_and_relu_static(p);
  EXPECT_EQ(types(), (Types{StageType::Sum}));
  EXPECT_EQ(sum->get<EltwiseSpec>().post_operation, StageType::Clamp);
  EXPECT_EQ(sum->get<EltwiseSpec>().max_value, 2.0);
}

TEST_F(Merging, StridesOfReluInputAndOutputMustAgree) {
  Data* in = p.add_input("in", DataDesc({5, 8, 4, 1}));
  Data* a = p.add_data("a", in->desc);
  add_sum(p, "s", nullptr, in, in, a);
  Data* out = p.add_output("out", in->desc);
  relu("r", a, out);
  out->update_required_strides(StridesRequirement::standard().set(1, StrideRule::Aligned));
  merge_eltwise_and_relu_static(p);
  EXPECT_EQ(types(), (Types{StageType::Sum, StageType::Relu}));
}

TEST_F(Merging, RedundantConvertsDisappear) {
  Data* in = p.add_input("in", kMap);
  Data *same = p.add_data("same", kMap), *unread = p.add_data("unread", DataDesc(DataType::FP32, {8, 8, 4, 1}));
  add_convert(p, "c1", nullptr, in, same);
  add_convert(p, "c2", nullptr, in, unread);
  relu("r", same, p.add_output("out", kMap));
  add_convert(p, "c3", nullptr, in, p.add_output("out2", kMap));
  eliminate_redundant_conversions(p);
  p.clean_up();
  std::vector<StageType> left = types();
  std::ranges::sort(left);
  EXPECT_EQ(left, (Types{StageType::Relu, StageType::Copy}));
}

TEST_F(Merging, ConcatOfConstantsIsCarriedOut) {
  Data* joined = p.add_data("joined", DataDesc({2, 3}));
  add_concat(p, "cat", nullptr, Dim::N, {halves("a", {2, 1}, {1, 2}), halves("b", {2, 2}, {3, 4, 5, 6})}, joined);
  Stage* r = relu("r", joined, p.add_output("out", DataDesc({2, 3})));
  eliminate_const_concat(p);
  EXPECT_EQ(types(), (Types{StageType::Relu}));
  EXPECT_EQ(values(r->input(0)), (Floats{1, 2, 3, 4, 5, 6}));
}

DimValues swap_w_h() { return {{Dim::W, 1}, {Dim::H, 0}, {Dim::C, 2}, {Dim::N, 3}}; }

TEST_F(Merging, PermutesInARowAreCombined) {
  Data* a = p.add_data("a", DataDesc({6, 8, 4, 1}));
  add_permute(p, "p1", nullptr, p.add_input("in", DataDesc({8, 6, 4, 1})), a, swap_w_h());
  add_permute(p, "p2", nullptr, a, p.add_output("out", DataDesc({4, 8, 6, 1})),
              DimValues{{Dim::W, 2}, {Dim::H, 1}, {Dim::C, 0}, {Dim::N, 3}});
  merge_permute_stages(p);
  EXPECT_EQ(types(), (Types{StageType::Permute}));
  EXPECT_EQ(p.stages()[0]->get<PermuteSpec>().permutation,
            (DimValues{{Dim::W, 2}, {Dim::H, 0}, {Dim::C, 1}, {Dim::N, 3}}));
}

TEST_F(Merging, PermuteThereAndBackIsACopy) {
  Data* a = p.add_data("a", DataDesc({6, 8, 4, 1}));
  add_permute(p, "p1", nullptr, p.add_input("in", DataDesc({8, 6, 4, 1})), a, swap_w_h());
  add_permute(p, "p2", nullptr, a, p.add_output("out", DataDesc({8, 6, 4, 1})), swap_w_h());
  merge_permute_stages(p);
  EXPECT_EQ(types(), (Types{StageType::Copy}));
}

TEST_F(Merging, SinglePermuteStays) {
  add_permute(p, "p", nullptr, p.add_input("in", DataDesc({1, 6, 4, 1})), p.add_output("out", DataDesc({6, 1, 4, 1})),
              swap_w_h());
  merge_permute_stages(p);
  EXPECT_EQ(types(), (Types{StageType::Permute}));
}

}  // namespace
}  // namespace blobsmith::vpu
