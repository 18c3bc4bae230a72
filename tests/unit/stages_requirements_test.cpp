// What stages ask of their data: orders, strides, batch, SHAVEs (stages spec, memory spec §2).
#include <gtest/gtest.h>

#include "vpu/program/builders.hpp"
#include "vpu/stages/stage_row.hpp"

namespace blobsmith::vpu {
namespace {

DataDesc shaped(DimsOrder order, std::vector<int64_t> whcn) { return DataDesc(whcn).reordered(order); }

class StageWishes : public ::testing::Test {
 protected:
  Data* data(DimsOrder order, std::vector<int64_t> whcn) { return p.add_data("d", shaped(order, whcn)); }
  Data* nchw() { return data(orders::NCHW, {7, 5, 3, 1}); }
  Stage* stage(StageType t, std::vector<Data*> in, std::vector<Data*> out) {
    return p.add_stage("s", t, nullptr, std::move(in), std::move(out));
  }
  Program p;
};

StridesRequirement rules(std::initializer_list<std::pair<int, StrideRule>> list) {
  StridesRequirement r;
  for (auto [i, rule] : list) r.set(i, rule);
  return r;
}
constexpr StrideRule kCompact = StrideRule::Compact, kAligned = StrideRule::Aligned;

TEST_F(StageWishes, PostOpKeepsTheOrderAndLeavesRowsFree) {
  const Stage* s = stage(StageType::Relu, {data(orders::NHWC, {7, 5, 3, 1})}, {nchw()});
  EXPECT_FALSE(order_requirements(*s).inputs[0]);
  EXPECT_EQ(order_requirements(*s).outputs[0], orders::NHWC);
  EXPECT_EQ(stride_requirements(*s).inputs[0], rules({{0, kCompact}, {2, kCompact}}));
  EXPECT_EQ(shave_requirement(*s), ShaveRequirement::TwoOrOne);
}

TEST_F(StageWishes, MishIsAPostOpThatTakesAllShaves) {
  const Stage* s = stage(StageType::Mish, {nchw()}, {nchw()});
  EXPECT_EQ(order_requirements(*s).outputs[0], orders::NCHW);
  EXPECT_EQ(shave_requirement(*s), ShaveRequirement::NeedMax);
}

TEST_F(StageWishes, HardwareStageWantsPlanesOfAlignedRows) {
  Data* in = data(orders::NHWC, {7, 5, 3, 2});
  const Stage* s = stage(StageType::MyriadXHwOp, {in, p.add_fake(), p.add_fake(), p.add_fake()}, {nchw()});
  EXPECT_EQ(order_requirements(*s).inputs[0], orders::NCHW);
  EXPECT_EQ(stride_requirements(*s).inputs[0], rules({{0, kCompact}, {1, kAligned}, {3, kCompact}}));  // N = 2
  EXPECT_EQ(stride_requirements(*s).outputs[0], rules({{0, kCompact}, {1, kAligned}}));
  EXPECT_FALSE(order_requirements(*s).inputs[1]);
  EXPECT_EQ(shave_requirement(*s), ShaveRequirement::NotNeeded);
}

TEST_F(StageWishes, VectorsOfHardwareStagesAreAlignedInside) {
  const Stage* s =
      stage(StageType::MyriadXHwOp, {p.add_data("v", DataDesc({16, 1}))}, {p.add_data("w", DataDesc({16, 1}))});
  EXPECT_EQ(stride_requirements(*s).inputs[0], rules({{0, kAligned}}));
  EXPECT_FALSE(order_requirements(*s).inputs[0]);
}

TEST_F(StageWishes, InjectedChildAddsItsOwn) {
  Stage* hw = stage(StageType::MyriadXHwOp, {nchw(), p.add_fake(), p.add_fake(), p.add_fake()}, {nchw()});
  Stage* sw = stage(StageType::Sigmoid, {data(orders::NHWC, {7, 5, 3, 1})}, {nchw()});
  p.inject(hw, sw);
  EXPECT_EQ(shave_requirement(*hw), ShaveRequirement::TwoOrOne);
  ASSERT_EQ(order_requirements(*hw).outputs.size(), 2u);
  EXPECT_EQ(order_requirements(*hw).outputs[1], orders::NHWC);
  EXPECT_EQ(stride_requirements(*hw).inputs[4], rules({{0, kCompact}, {2, kCompact}}));
  EXPECT_EQ(blob_buffers(*hw).size(), 2u);  // neither fakes nor the child's
}

TEST_F(StageWishes, ConvertToTheOutsideTakesTheOrderFromThere) {
  Data* out = p.add_output("out", shaped(orders::NHWC, {7, 5, 3, 1}));
  const Stage* outward = stage(StageType::Convert, {nchw()}, {out});
  EXPECT_EQ(order_requirements(*outward).inputs[0], orders::NHWC);
  EXPECT_FALSE(order_requirements(*outward).outputs[0]);
  const Stage* inward = stage(StageType::Convert, {nchw()}, {nchw()});
  EXPECT_EQ(order_requirements(*inward).outputs[0], orders::NCHW);
  EXPECT_EQ(stride_requirements(*inward).outputs[0], StridesRequirement::compact().remove(1));
}

TEST_F(StageWishes, CopyStatesThatItDemandsNothing) {
  const Stage* s = stage(StageType::Copy, {nchw()}, {nchw()});
  EXPECT_EQ(stride_requirements(*s).inputs[0], StridesRequirement::any());
}

TEST_F(StageWishes, PermuteOutputsItsFixedOrderOrThatOfItsInput) {
  Data* in = data(orders::NHWC, {7, 5, 3, 1});
  EXPECT_EQ(order_requirements(*add_reorder(p, "r", nullptr, in, nchw())).outputs[0], orders::NCHW);
  DimValues swap{{Dim::W, 1}, {Dim::H, 0}, {Dim::C, 2}, {Dim::N, 3}};
  EXPECT_EQ(order_requirements(*add_permute(p, "p", nullptr, in, nchw(), swap)).outputs[0], orders::NHWC);
}

TEST_F(StageWishes, EltwiseFollowsTheInputOfHigherRankAndPrefersChannelsInside) {
  const Stage* mixed = stage(StageType::Sum, {nchw(), data(orders::NHCW, {7, 5, 3, 1}), p.add_fake()}, {nchw()});
  EXPECT_EQ(order_requirements(*mixed).inputs[0], orders::NHCW);  // channels at position 1 win
  EXPECT_EQ(order_requirements(*mixed).outputs[0], orders::NHCW);
  EXPECT_EQ(order_requirements(*mixed).inputs[2], orders::C);
  const Stage* ranks =
      stage(StageType::Sum, {p.add_data("v", DataDesc({4})), data(orders::NHWC, {7, 5, 3, 1}), p.add_fake()}, {nchw()});
  EXPECT_EQ(order_requirements(*ranks).inputs[0], orders::C);
  EXPECT_EQ(order_requirements(*ranks).outputs[0], orders::NHWC);
  EXPECT_EQ(shave_requirement(*ranks), ShaveRequirement::CanBeLimited);
  EXPECT_FALSE(stride_requirements(*ranks).inputs[0]);
}

TEST_F(StageWishes, SoftwareConvolutionMovesChannelsOutOfTheMiddle) {
  const Stage* hcw = stage(StageType::Conv, {data(orders::NHCW, {7, 5, 3, 1}), nchw()}, {nchw()});
  EXPECT_EQ(order_requirements(*hcw).inputs[0], orders::NCHW);
  const Stage* hwc = stage(StageType::Conv, {data(orders::NHWC, {7, 5, 3, 1}), nchw()}, {nchw()});
  EXPECT_FALSE(order_requirements(*hwc).inputs[0]);
  EXPECT_EQ(order_requirements(*hwc).outputs[0], orders::NHWC);
  EXPECT_EQ(batch_requirements(*hwc).inputs[0], true);
  EXPECT_FALSE(batch_requirements(*hwc).inputs[1]);
}

// ---- views ----

TEST_F(StageWishes, ConcatTakesTheMostFrequentOrder) {
  Data* a = data(orders::NHWC, {7, 5, 3, 1});
  const auto concat = [&](std::vector<Data*> in) {
    return order_requirements(*add_concat(p, "c", nullptr, Dim::C, std::move(in), nchw())).outputs[0];
  };
  EXPECT_EQ(concat({a, nchw(), a}), orders::NHWC);
  EXPECT_EQ(concat({nchw(), a}), orders::NCHW);  // a tie: channels at position 2
  EXPECT_EQ(concat({a, nchw()}), orders::NCHW);
  EXPECT_EQ(concat({a, data(orders::NHCW, {7, 5, 3, 1})}), orders::NHCW);  // no favourite: the newest
}

TEST_F(StageWishes, ConcatPassesTheDemandsOfItsReaderOnBelowTheCut) {
  Data* a = nchw();
  Data* b = nchw();
  Data* out = data(orders::NCHW, {7, 5, 6, 1});
  const Stage* concat = add_concat(p, "c", nullptr, Dim::C, {a, b}, out);
  stage(StageType::MyriadXHwOp, {out, p.add_fake(), p.add_fake(), p.add_fake()}, {nchw()});
  const StrideRequirements w = stride_requirements(*concat);
  EXPECT_EQ(w.inputs[0], rules({{0, kCompact}, {1, kAligned}}));
  EXPECT_EQ(w.outputs[0], rules({{0, kCompact}, {1, kAligned}}));
}

TEST_F(StageWishes, SplitAlongRowsDoesNotAskCompactChannelsOfItsParts) {
  Data* in = nchw();
  in->required_strides = StridesRequirement::compact();
  Data* a = data(orders::NCHW, {3, 5, 3, 1});
  Data* b = data(orders::NCHW, {4, 5, 3, 1});
  const StrideRequirements w = stride_requirements(*add_split(p, "s", nullptr, Dim::W, in, {a, b}));
  EXPECT_EQ(w.outputs[0]->at(0), kCompact);
  EXPECT_EQ(w.outputs[0]->at(1), StrideRule::Any);
  EXPECT_EQ(w.inputs[0], StridesRequirement::compact());
}

TEST_F(StageWishes, DemandsTravelThroughAChainOfViews) {
  Data* in = nchw();
  Data* cropped = data(orders::NCHW, {7, 5, 2, 1});
  Data* expanded = data(orders::NCHW, {7, 5, 8, 1});
  const Stage* crop = add_crop(p, "crop", nullptr, in, cropped);
  add_expand(p, "expand", nullptr, cropped, expanded);
  stage(StageType::MyriadXHwOp, {expanded, p.add_fake(), p.add_fake(), p.add_fake()}, {nchw()});
  EXPECT_EQ(stride_requirements(*crop).inputs[0], rules({{0, kCompact}, {1, kAligned}}));
}

TEST_F(StageWishes, ReshapeNeedsTheDefaultOrderAndNoGaps) {
  Data* in = data(orders::NHWC, {7, 5, 3, 1});
  const Stage* s = add_reshape(p, "r", nullptr, in, p.add_data("flat", DataDesc({105, 1})));
  EXPECT_EQ(order_requirements(*s).inputs[0], orders::NCHW);
  EXPECT_EQ(order_requirements(*s).outputs[0], orders::NC);
  EXPECT_EQ(stride_requirements(*s).inputs[0], StridesRequirement::compact());
}

// ---- SHAVEs ----

TEST_F(StageWishes, GatherElementsNeedsShavesAlongTheInnermostAxis) {
  Stage* s = stage(StageType::GatherElements, {nchw(), nchw()}, {nchw()});
  GatherElementsParams params;
  params.axis = 3;
  s->set(params);
  EXPECT_EQ(shave_requirement(*s), ShaveRequirement::NeedMax);
  params.axis = 1;
  s->set(params);
  EXPECT_EQ(shave_requirement(*s), ShaveRequirement::NotNeeded);
  params.row_indices_mode = 1;
  s->set(params);
  EXPECT_EQ(shave_requirement(*s), ShaveRequirement::NeedMax);
}

TEST_F(StageWishes, NmsOfFewBoxesRunsOnOneShave) {
  const auto requirement = [&](int64_t boxes) {
    Data* b = p.add_data("boxes", DataDesc({4, boxes, 1}));
    return shave_requirement(*stage(StageType::StaticShapeNMS, {b}, {}));
  };
  EXPECT_EQ(requirement(1000), ShaveRequirement::OnlyOne);
  EXPECT_EQ(requirement(5000), ShaveRequirement::NeedMax);
}

// ---- types ----

std::string type_error(const Stage& s) {
  try {
    check_types(s);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::TypeMismatch);
    return e.what();
  }
  return "";
}

TEST_F(StageWishes, TypeErrorsHaveTheWordsOfTheReference) {
  const auto typed = [&](DataType t) { return p.add_data("d", DataDesc(t, {4, 4})); };
  Stage* s = stage(StageType::OneHot, {typed(DataType::FP16)}, {typed(DataType::FP16)});
  EXPECT_EQ(type_error(*s),
            "Stage node s (OneHot) types check error: input #0 has type FP16, but one of [S32] is expected");
  s = stage(StageType::Less_equal, {typed(DataType::FP16), typed(DataType::FP16), p.add_fake()},
            {typed(DataType::S32)});
  EXPECT_EQ(type_error(*s),
            "Stage node s (Less_equal) types check error: output #0 has type S32, but one of [FP16] is expected");
  s = stage(StageType::Logical_OR, {typed(DataType::S32), typed(DataType::S32), p.add_fake()}, {typed(DataType::S32)});
  EXPECT_EQ(type_error(*s),
            "Stage node s (Logical_OR) types check error: input #0 has type S32, but one of [FP16] is expected");
  s = stage(StageType::Gather, {typed(DataType::FP16)}, {typed(DataType::FP16)});
  EXPECT_EQ(type_error(*s),
            "Stage node s (Gather) types check error: the Stage has 1 of input edges, but 2 is expected");
}

TEST_F(StageWishes, ComparisonsMayTurnHalvesIntoIntegers) {
  const auto typed = [&](DataType t) { return p.add_data("d", DataDesc(t, {4, 4})); };
  EXPECT_EQ(type_error(*stage(StageType::Greater, {typed(DataType::FP16), typed(DataType::FP16), p.add_fake()},
                              {typed(DataType::S32)})),
            "");
  EXPECT_EQ(type_error(*stage(StageType::Sum, {typed(DataType::S32), typed(DataType::S32), p.add_fake()},
                              {typed(DataType::S32)})),
            "");
  EXPECT_EQ(type_error(*stage(StageType::Select, {typed(DataType::S32), typed(DataType::FP16), typed(DataType::FP16)},
                              {typed(DataType::FP16)})),
            "");
}

}  // namespace
}  // namespace blobsmith::vpu
