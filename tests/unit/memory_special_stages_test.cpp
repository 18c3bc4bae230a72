#include <gtest/gtest.h>

#include "vpu/memory/passes.hpp"
#include "vpu/nce/hw_stage.hpp"
#include "vpu/program/builders.hpp"
#include "vpu/stages/stage_row.hpp"

namespace blobsmith::vpu {
namespace {

const DataDesc kPart({16, 8, 16, 1});
const DataDesc kWhole({16, 8, 32, 1});

/// Two stages feed a concat over the channels; its result is read by a further one.
struct ConcatNet {
  Program p;
  Data* in = p.add_input("in", kPart);
  Data *a = p.add_data("a", kPart), *b = p.add_data("b", kPart), *whole = p.add_data("whole", kWhole),
       *out = p.add_output("out", kWhole);
  Stage *first, *second, *concat, *last;
  explicit ConcatNet(StageType producer = StageType::Relu) {
    first = p.add_stage("first", producer, nullptr, {in}, {a});
    second = p.add_stage("second", StageType::Relu, nullptr, {in}, {b});
    concat = add_concat(p, "concat", nullptr, Dim::C, {a, b}, whole);
    last = p.add_stage("last", StageType::Relu, nullptr, {whole}, {out});
    if (producer == StageType::MyriadXHwOp) first->set(HwStage());
  }
};

TEST(SpecialStages, ConcatInputsAreWrittenInPlace) {
  ConcatNet n;
  process_special_stages(n.p);
  EXPECT_EQ(n.a->parent(), n.whole);
  EXPECT_EQ(n.b->parent(), n.whole);
  EXPECT_EQ(n.b->sharing()->offset[Dim::C], 16);
  EXPECT_EQ(n.p.stages().size(), 4u);
}

TEST(SpecialStages, AfterHardwareTheCopyIsOptional) {
  ConcatNet n(StageType::MyriadXHwOp);
  process_special_stages(n.p);
  const Stage* copy = n.concat->input(0)->producer_stage();
  ASSERT_TRUE(copy->is(StageType::Copy));
  EXPECT_TRUE(copy->get<CopySpec>().optional);
  EXPECT_EQ(copy->input(0), n.a);
  EXPECT_EQ(n.a->parent(), nullptr);
}

TEST(SpecialStages, ANetworkInputIsCopiedIntoAConcat) {
  ConcatNet n;
  n.p.replace_input(n.concat, 1, n.in);
  n.p.remove(n.second);
  process_special_stages(n.p);
  const Stage* copy = n.concat->input(1)->producer_stage();
  ASSERT_TRUE(copy->is(StageType::Copy));
  EXPECT_FALSE(copy->get<CopySpec>().optional);
  EXPECT_EQ(n.concat->input(1)->parent(), n.whole);
}

TEST(SpecialStages, EliminatedCopiesLetHardwareWriteIntoTheConcatInCmx) {
  ConcatNet n(StageType::MyriadXHwOp);
  n.a->required_strides = n.whole->required_strides = StridesRequirement::standard().set(1, StrideRule::Aligned);
  process_special_stages(n.p);
  adjust_data_location(n.p);
  eliminate_copy_stages(n.p);
  EXPECT_EQ(n.first->output()->parent(), n.whole);
  EXPECT_EQ(n.whole->memory_type, MemoryType::CMX);
  EXPECT_TRUE(n.a->consumers().empty());
}

TEST(SpecialStages, AnEliminationThatDoesNotFitLeavesTheCopy) {
  ConcatNet n(StageType::MyriadXHwOp);
  n.a->required_strides = n.whole->required_strides = StridesRequirement::standard().set(1, StrideRule::Aligned);
  n.p.resources.slices = n.p.resources.shaves = 4;
  n.last->type = StageType::SoftMax;  // wants all slices while `whole` lives
  process_special_stages(n.p);
  adjust_data_location(n.p);
  eliminate_copy_stages(n.p);
  EXPECT_EQ(n.first->output(), n.a);
  EXPECT_EQ(n.whole->memory_type, MemoryType::DDR);
  ASSERT_NE(n.a->single_consumer(), nullptr);
  EXPECT_FALSE(n.a->single_consumer()->get<CopySpec>().optional);
}

TEST(SpecialStages, SplitOutputsAreViewsUnlessTheyLeaveTheNetwork) {
  Program p;
  Data* in = p.add_input("in", kWhole);
  Data *whole = p.add_data("whole", kWhole), *a = p.add_data("a", kPart), *out = p.add_output("out", kPart),
       *out2 = p.add_output("out2", kPart);
  p.add_stage("first", StageType::Relu, nullptr, {in}, {whole});
  Stage* split = add_split(p, "split", nullptr, Dim::C, whole, {a, out});
  p.add_stage("last", StageType::Relu, nullptr, {a}, {out2});
  process_special_stages(p);
  EXPECT_EQ(a->parent(), whole);
  EXPECT_NE(split->output(1), out);
  EXPECT_EQ(split->output(1)->parent(), whole);
  EXPECT_TRUE(out->producer_stage()->is(StageType::Copy));
}

TEST(SpecialStages, AFreeReshapeInputLiesInTheOutput) {
  Program p;
  Data* in = p.add_input("in", kPart);
  Data *a = p.add_data("a", kPart), *out = p.add_output("out", DataDesc({16 * 8 * 16, 1}));
  p.add_stage("first", StageType::Relu, nullptr, {in}, {a});
  add_reshape(p, "reshape", nullptr, a, out);
  process_special_stages(p);
  EXPECT_EQ(a->parent(), out);
  EXPECT_EQ(a->sharing()->mode, Sharing::Mode::Reshape);
}

TEST(SpecialStages, EqualExpandsOfOneTensorBecomeOne) {
  Program p;
  Data* in = p.add_input("in", kPart);
  Data *a = p.add_data("a", kPart), *x = p.add_data("x", kWhole), *y = p.add_data("y", kWhole);
  Data *o1 = p.add_output("o1", kWhole), *o2 = p.add_output("o2", kWhole);
  p.add_stage("first", StageType::Relu, nullptr, {in}, {a});
  add_expand(p, "expand1", nullptr, a, x);
  add_expand(p, "expand2", nullptr, a, y);
  p.add_stage("l1", StageType::Relu, nullptr, {x}, {o1});
  Stage* l2 = p.add_stage("l2", StageType::Relu, nullptr, {y}, {o2});
  process_special_stages(p);
  EXPECT_EQ(l2->input(0), x);
  EXPECT_EQ(p.stages().size(), 4u);
}

TEST(SpecialStages, ExpandsWithOtherOffsetsAreMergedWithQuirksAlone) {
  const auto stages = [](bool quirks) {
    Program p;
    p.options.quirks = quirks;
    Data* in = p.add_input("in", kPart);
    Data *a = p.add_data("a", kPart), *x = p.add_data("x", kWhole), *y = p.add_data("y", kWhole);
    p.add_stage("first", StageType::Relu, nullptr, {in}, {a});
    add_expand(p, "expand1", nullptr, a, x, {{Dim::C, 0}});
    add_expand(p, "expand2", nullptr, a, y, {{Dim::C, kWhole.dim(Dim::C) - kPart.dim(Dim::C)}});
    p.add_stage("l1", StageType::Relu, nullptr, {x}, {p.add_output("o1", kWhole)});
    p.add_stage("l2", StageType::Relu, nullptr, {y}, {p.add_output("o2", kWhole)});
    process_special_stages(p);
    int expands = 0;
    for (const Stage* s : p.stages()) expands += s->is(StageType::Expand);
    return expands;
  };
  EXPECT_EQ(stages(true), 1);
  EXPECT_EQ(stages(false), 2);
}

TEST(ConcatOrder, TheMostFrequentOrderWinsAndOnATieTheChannelMajorOne) {
  const auto vote = [](const std::vector<DimsOrder>& orders_of_inputs) {
    Program p;
    std::vector<Data*> ins;
    for (DimsOrder o : orders_of_inputs) ins.push_back(p.add_data("in", kPart.reordered(o)));
    Data* out = p.add_data("out", kPart.with_dim(Dim::C, 16 * static_cast<int64_t>(ins.size())));
    return order_requirements(*add_concat(p, "concat", nullptr, Dim::C, ins, out)).outputs[0];
  };
  using namespace orders;
  EXPECT_EQ(vote({NHWC, NHWC, NCHW}), NHWC);
  EXPECT_EQ(vote({NHWC, NCHW}), NCHW);
  EXPECT_EQ(vote({NCHW, NHWC}), NCHW);
  EXPECT_EQ(vote({NHWC, NHCW}), NHCW);  // neither is channel-major: the one that appeared last
  EXPECT_EQ(vote({NHCW, NHWC}), NHWC);
}

TEST(AdjustDataLayout, AWishForAnotherOrderPutsAPermuteInBetween) {
  Program p;
  Data* in = p.add_input("in", kPart.reordered(orders::NHWC));
  Data *a = p.add_data("a", kPart), *out = p.add_output("out", kPart);
  p.add_stage("up", StageType::Upsampling, nullptr, {in}, {a});  // works on NCHW only
  p.add_stage("last", StageType::Relu, nullptr, {a}, {out});
  adjust_data_layout(p);
  const Stage* permute = p.stages()[0];
  EXPECT_TRUE(permute->is(StageType::Permute));
  EXPECT_EQ(permute->name, "up@reorder-input-data=0");
  EXPECT_EQ(permute->output()->desc.order, orders::NCHW);
}

}  // namespace
}  // namespace blobsmith::vpu
