// Layout finalisers and the parameters that follow from the final layout (stages spec §6, §9, §10; middle-end spec
// §3.25).
#include <gtest/gtest.h>

#include <numeric>

#include "vpu/format/convolution.hpp"
#include "vpu/format/data_movement.hpp"
#include "vpu/format/detection.hpp"
#include "vpu/format/eltwise.hpp"
#include "vpu/format/roi.hpp"
#include "vpu/program/builders.hpp"
#include "vpu/program/contents.hpp"
#include "vpu/stages/stage_row.hpp"

namespace blobsmith::vpu {
namespace {

Bytes counted(int64_t n) {
  std::vector<Half> v(static_cast<size_t>(n));
  std::iota(v.begin(), v.end(), Half{0});
  return Bytes::adopt(std::move(v));
}

std::vector<Half> halves(const Data* d) {
  const auto s = d->content.as<Half>();
  return {s.begin(), s.end()};
}

class Finalize : public ::testing::Test {
 protected:
  /// 2 channels to 2 channels, 3x1 kernel on a row of 4.
  Stage* conv(StageType t, DimsOrder order) {
    if (!weights) weights = p.add_const("w", DataDesc({3, 1, 2, 2}), counted(12));
    Data* in = p.add_data("in", DataDesc({4, 1, 2, 1}).reordered(order));
    Data* out = p.add_data("out", DataDesc({4, 1, 2, 1}).reordered(order));
    Stage* s = p.add_stage("conv", t, nullptr, {in, weights}, {out});
    ShaveConvSpec spec;
    spec.set_window({.kernel_x = 3});
    return s->set(spec);
  }
  Program p;
  Data* weights = nullptr;
};

TEST_F(Finalize, Im2ColWeightsHaveInputChannelsInside) {
  Stage* s = conv(StageType::Im2ColConvolution, orders::NHWC);
  finalize_layout(p, *s);
  EXPECT_EQ(s->type, StageType::Im2ColConvolution);
  EXPECT_EQ(halves(s->input(1)), (std::vector<Half>{0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11}));  // [out][position][in]
  EXPECT_EQ(s->input(1)->name, "w@SW");
  EXPECT_EQ(s->input(1)->desc, DataDesc({3, 2, 2}));
  ASSERT_EQ(s->temps().size(), 1u);
  EXPECT_EQ(s->temps()[0]->desc.dim(Dim::C), 3 * 4 * 1 * 2 * 2 + 64);
}

TEST_F(Finalize, StagesWithTheSameWeightsShareTheCopyAndOnlyTheFirstGetsABuffer) {
  Stage* first = conv(StageType::Im2ColConvolution, orders::NHWC);
  Stage* second = conv(StageType::Im2ColConvolution, orders::NHWC);
  finalize_layout(p, *first);
  finalize_layout(p, *second);
  EXPECT_EQ(first->input(1), second->input(1));
  EXPECT_TRUE(second->temps().empty());
}

TEST_F(Finalize, WithoutQuirksEveryIm2ColHasABuffer) {
  p.options.quirks = false;
  Stage* first = conv(StageType::Im2ColConvolution, orders::NHWC);
  Stage* second = conv(StageType::Im2ColConvolution, orders::NHWC);
  finalize_layout(p, *first);
  finalize_layout(p, *second);
  EXPECT_EQ(first->temps().size(), 1U);
  EXPECT_EQ(second->temps().size(), 1U);
}

TEST_F(Finalize, Im2ColOnPlanesIsAnOrdinaryConvolution) {
  Stage* s = conv(StageType::Im2ColConvolution, orders::NCHW);
  finalize_layout(p, *s);
  EXPECT_EQ(s->type, StageType::Conv);
  EXPECT_EQ(halves(s->input(1)), (std::vector<Half>{0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11}));  // [position][out][in]
  EXPECT_TRUE(s->temps().empty());
}

TEST_F(Finalize, SpatialConvolutionsHaveOutputChannelsInside) {
  Stage* s = conv(StageType::Conv, orders::NHWC);
  s->change<ShaveConvSpec>([](ShaveConvSpec& spec) { spec.spatial = true; });
  finalize_layout(p, *s);
  EXPECT_EQ(halves(s->input(1)), (std::vector<Half>{0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11}));  // [position][in][out]
}

TEST_F(Finalize, DeconvolutionFlipsTheKernel) {
  Stage* s = conv(StageType::Deconvolution, orders::NCHW);
  finalize_layout(p, *s);  // source [in][out][position]
  EXPECT_EQ(halves(s->input(1)), (std::vector<Half>{2, 8, 5, 11, 1, 7, 4, 10, 0, 6, 3, 9}));
}

TEST_F(Finalize, ReducedAxesBecomeSortedPositions) {
  Data* in = p.add_data("in", DataDesc({7, 5, 3, 1}).reordered(orders::NHWC));
  Data* axes = p.add_const("axes", DataDesc(DataType::S32, {2}), contents::int32s({1, -1}));  // C, W
  Stage* s =
      add_reduce(p, "r", nullptr, StageType::ReduceMean, in, axes, p.add_data("out", DataDesc({1, 5, 1, 1})), true);
  finalize_layout(p, *s);
  const auto positions = s->input(1)->content.as<int32_t>();
  EXPECT_EQ(std::vector<int32_t>(positions.begin(), positions.end()), (std::vector<int32_t>{0, 1}));
  EXPECT_EQ(s->input(1)->name, "axes");
  EXPECT_NE(s->input(1), axes);
}

TEST_F(Finalize, NmsThatFitsNoCmxGetsADdrBuffer) {
  p.resources.shaves = 2;
  Data* boxes = p.add_data("boxes", DataDesc({4, 20000, 1}));
  Stage* s = p.add_stage("nms", StageType::StaticShapeNMS, nullptr, {boxes}, {})->set(StaticShapeNmsParams());
  finalize_layout(p, *s);
  ASSERT_EQ(s->temps().size(), 1u);
  EXPECT_EQ(s->temps()[0]->desc, DataDesc(DataType::FP16, {2 * 14 * 20000 + 128}));
  const auto params = encode_params(*s);
  EXPECT_EQ(dynamic_cast<const StaticShapeNmsParams&>(*params).use_ddr_buffer, 1);
}

// ---- parameters ----

TEST_F(Finalize, PermuteNamesPositionsOfItsInput) {
  Data* in = p.add_data("in", DataDesc({7, 5, 3, 1}));
  Data* out = p.add_data("out", DataDesc({7, 5, 3, 1}).reordered(orders::NHWC));
  const auto params = encode_params(*add_reorder(p, "r", nullptr, in, out));
  EXPECT_EQ(dynamic_cast<const PermuteParams&>(*params).permutation,
            (std::array<int32_t, 8>{2, 0, 1, 3, -1, -1, -1, -1}));
  const auto back = encode_params(*add_reorder(p, "r", nullptr, out, p.add_data("b", DataDesc({7, 5, 3, 1}))));
  EXPECT_EQ(dynamic_cast<const PermuteParams&>(*back).permutation,
            (std::array<int32_t, 8>{1, 2, 0, 3, -1, -1, -1, -1}));
}

TEST_F(Finalize, PadsFollowTheMemoryOrder) {
  Data* in = p.add_data("in", DataDesc({7, 5, 3, 1}).reordered(orders::NHWC));
  const Stage* s = add_pad(p, "p", nullptr, in, p.add_data("out", DataDesc({9, 5, 3, 1})), PadMode::Edge, 0,
                           {{Dim::W, 1}}, {{Dim::W, 1}, {Dim::C, 2}});
  const auto params = encode_params(*s);
  const auto& pads = dynamic_cast<const PadParams&>(*params).pads;
  ASSERT_EQ(pads.size(), 4u);
  EXPECT_EQ(pads[0].end, 2u);  // C
  EXPECT_EQ(pads[1].begin, 1u);
}

TEST_F(Finalize, EltwiseNumbersAreIntegersForIntegers) {
  const auto coefficient = [&](DataType t) {
    Stage* s = add_sum(p, "s", nullptr, p.add_data("a", DataDesc(t, {4})), p.add_data("b", DataDesc(t, {4})),
                       p.add_data("c", DataDesc(t, {4})));
    s->change<EltwiseSpec>([](EltwiseSpec& e) { e.coeff2 = -1; });
    const auto params = encode_params(*s);
    const auto& e = dynamic_cast<const EltwiseParams&>(*params);
    EXPECT_EQ(e.post_operation, -1);
    return std::pair(e.coeff1, e.coeff2);
  };
  EXPECT_EQ(coefficient(DataType::S32), (std::pair<uint32_t, uint32_t>{1, 0xFFFFFFFF}));
  EXPECT_EQ(coefficient(DataType::FP16), (std::pair<uint32_t, uint32_t>{0x3F800000, 0xBF800000}));
}

TEST(TempBuffers, HaveTheSizesOfTheReference) {
  EXPECT_EQ(detection_output_temp_bytes(1, 21, 100, 6), 49080);
  EXPECT_EQ(detection_output_temp_bytes(1, 3, 20, 6), 3408);
  EXPECT_EQ(proposal_temp_bytes(14, 14, 6, 100, 6), 60096);
  EXPECT_EQ(exp_generate_proposals_temp_bytes(3, 3, 4, 100, 50), 1708);
}

}  // namespace
}  // namespace blobsmith::vpu
