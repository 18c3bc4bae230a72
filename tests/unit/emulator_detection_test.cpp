// Detection heads, regions of interest, decoders (execution spec §9).
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "emulator_fixture.hpp"
#include "vpu/format/detection.hpp"
#include "vpu/format/roi.hpp"

namespace blobsmith::testing {
namespace {

void expect_close(const Values& got, const Values& want) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 2e-3f) << "element " << i;
}

// Two priors, background and one class; variance 1, no offsets.
vpu::DetectionOutputParams ssd() {
  vpu::DetectionOutputParams p;
  p.num_classes = 2;
  p.num_priors = 2;
  p.nms_threshold = 0.5f;
  p.confidence_threshold = 0.1f;
  p.variance_encoded_in_target = 1;
  return p;
}

Values run_ssd(const vpu::DetectionOutputParams& p, const Values& scores, const Values& priors) {
  BlobBuilder b;
  const int loc = b.input("a", {1, 8}), conf = b.input("b", {1, 4}), pri = b.input("c", {1, 1, 8}),
            y = b.output("y", {1, 1, 3, 7});
  b.stage(StageType::DetectionOutput, p, {loc, conf, pri, y});
  return run_blob(b, {Values(8), scores, priors}).values;
}

TEST(EmulatorDetectionOutput, ListsTheBestBoxesAndEndsWithMinusOne) {
  expect_close(run_ssd(ssd(), {0.5f, 0.5f, 0.25f, 0.75f}, {0, 0, 0.25f, 0.25f, 0.5f, 0.5f, 1, 1}),
               {0, 1, 0.75f, 0.5f, 0.5f, 1, 1, 0, 1, 0.5f, 0, 0, 0.25f, 0.25f, -1, 0, 0, 0, 0, 0, 0});
}

TEST(EmulatorDetectionOutput, DropsOverlapsAndLowScores) {
  expect_close(run_ssd(ssd(), {0.5f, 0.5f, 0.25f, 0.75f}, {0.5f, 0.5f, 1, 0.875f, 0.5f, 0.5f, 1, 1}),
               {0, 1, 0.75f, 0.5f, 0.5f, 1, 1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  const Values none = run_ssd(ssd(), {1, 0, 1, 0}, {0, 0, 1, 1, 0, 0, 1, 1});
  EXPECT_EQ(none[0], -1);
}

TEST(EmulatorDetectionOutput, KeepsOnlyTheBestOfAllClasses) {
  vpu::DetectionOutputParams p = ssd();
  p.keep_top_k = 1;
  const Values rows = run_ssd(p, {0.5f, 0.5f, 0.25f, 0.75f}, {0, 0, 0.25f, 0.25f, 0.5f, 0.5f, 1, 1});
  EXPECT_NEAR(rows[2], 0.75f, 1e-3f);
  EXPECT_EQ(rows[7], -1);
}

TEST(EmulatorDetectionOutput, RefusesCountsThatTheTensorsDoNotHold) {
  vpu::DetectionOutputParams p = ssd();
  p.num_priors = 1 << 30;
  EXPECT_THROW(run_ssd(p, Values(4), Values(8)), Error);
  p = ssd();
  p.num = 1000;
  EXPECT_THROW(run_ssd(p, Values(4), Values(8)), Error);
}

TEST(EmulatorNms, WritesRowsOfImageClassBox) {
  BlobBuilder b;
  const TensorLayout s32{.type = DataType::S32};
  const int boxes = b.input("a", {1, 3, 4}), scores = b.input("b", {1, 1, 3}), limit = b.constant({1}, {5}, s32),
            iou = b.constant({1}, {0.5f}), least = b.constant({1}, {0.25f});
  const int y = b.output("y", {3, 3}, s32), shape = b.output("z", {2}, s32);
  b.stage(StageType::StaticShapeNMS, vpu::StaticShapeNmsParams(), {boxes, scores, limit, iou, least, y, shape});
  const Values boxes_yx{0, 0, 1, 1, 1, 1, 0, 0.125f, 4, 4, 5, 5};
  EXPECT_EQ(run_blob(b, {boxes_yx, {0.5f, 0.25f, 0.75f}}).values, (Values{0, 0, 2, 0, 0, 0, -1, -1, -1}));
}

TEST(EmulatorRegionYolo, ActivatesPlaceObjectnessAndClasses) {
  BlobBuilder b;
  vpu::RegionYoloParams p;
  p.classes = 2;
  p.coords = 4;
  p.num = 1;
  p.do_softmax = 1;
  const int x = b.input("x", {1, 7, 1, 1}), y = b.output("y", {1, 7});
  b.stage(StageType::RegionYolo, p, {x, y});
  expect_close(run_blob(b, {{0, 0, 3, 4, 0, 1, 1}}).values, {0.5f, 0.5f, 3, 4, 0.5f, 0.5f, 0.5f});
}

TEST(EmulatorReorgYolo, TakesFurtherRowsWhereTheStrideDoesNotDivideTheChannels) {
  const auto run = [](int64_t channels, int64_t height) {
    BlobBuilder b;
    vpu::ReorgYoloParams p;
    p.stride = 2;
    const int x = b.input("x", {1, channels, height, 2}), y = b.output("y", {1, channels * 4, height / 2, 1});
    b.stage(StageType::ReorgYolo, p, {x, y});
    return run_blob(b, {counting(static_cast<size_t>(channels * height * 2))}).values;
  };
  // One channel of 4x4 is read, by steps of two from (0, 0), (0, 1), (1, 0), (1, 1), then (2, 0).
  EXPECT_EQ(run(5, 2), (Values{0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15, 8, 10, 16, 18}));
  EXPECT_THROW(run(3, 2), Error);
}

TEST(EmulatorReorgYolo, ReadsDepthAsSpace) {
  BlobBuilder b;
  vpu::ReorgYoloParams p;
  p.stride = 2;
  const int x = b.input("x", {1, 4, 1, 2}), y = b.output("y", {1, 16, 1, 1});
  (void)y;
  const int out = b.output("z", {1, 4, 1, 2});
  b.stage(StageType::ReorgYolo, p, {x, out});
  EXPECT_EQ(run_blob(b, {counting(8)}, {}, "z").values, (Values{0, 2, 1, 3, 4, 6, 5, 7}));
}

TEST(EmulatorCtc, DropsBlanksAndRepeats) {
  BlobBuilder b;
  const int x = b.input("a", {4, 1, 3}), q = b.input("b", {4, 1}), y = b.output("y", {1, 4});
  b.stage(StageType::CTCDecoder, {x, q, y});
  EXPECT_EQ(run_blob(b, {{1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0}, {0, 1, 1, 1}}).values, (Values{0, 1, -1, -1}));
}

TEST(EmulatorRoi, PoolsTheMaximumOfEachBin) {
  BlobBuilder b;
  vpu::RoiPoolingParams p;
  p.pooled_w = 2;
  p.pooled_h = 1;
  const int x = b.input("x", {1, 1, 2, 4}), r = b.constant({1, 5}, {0, 0, 0, 3, 1}), y = b.output("y", {1, 1, 1, 2});
  b.stage(StageType::ROIPooling, p, {x, y, r});
  EXPECT_EQ(run_blob(b, {counting(8)}).values, (Values{5, 7}));
}

TEST(EmulatorRoi, PoolingEndsWhereTheRegionsEnd) {
  BlobBuilder b;
  vpu::PsRoiPoolingParams p;
  p.group_size = 1;
  p.output_dim = 1;
  p.spatial_scale = 1;
  const int x = b.input("x", {1, 1, 1, 2}), r = b.constant({2, 5}, {0, 0, 0, 1, 0, -1, 0, 0, 1, 0}),
            y = b.output("y", {2, 1, 1, 1});
  b.stage(StageType::PSROIPooling, p, {x, y, r});
  EXPECT_EQ(run_blob(b, {{4, 6}}).values, (Values{5, 0}));
}

TEST(EmulatorRoi, DoesNotGuessChannelsThatAreNotThere) {
  BlobBuilder b;
  vpu::PsRoiPoolingParams p;
  p.group_size = 2;
  p.output_dim = 1;
  const int x = b.input("x", {1, 3, 1, 2}), r = b.constant({1, 5}, {0, 0, 0, 1, 0}), y = b.output("y", {1, 1, 2, 2});
  b.stage(StageType::PSROIPooling, p, {x, y, r});
  try {
    run_blob(b, {counting(6)});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::NotYetSupported);
    EXPECT_NE(std::string(e.what()).find("stage 0 (PSROIPooling)"), std::string::npos) << e.what();
  }
}

TEST(EmulatorRoi, AlignTakesTheMeanOfSamples) {
  for (const int32_t step : {1, 2}) {
    BlobBuilder b;
    vpu::RoiAlignParams p;
    p.sampling_ratio = 1;
    const int x = b.input("x", {1, 1, 4, 4}), packed = b.scratch({1, 1, 4, 4}), r = b.constant({1, 4}, {0, 0, 2, 2}),
              image = b.constant({1}, {0}, {.type = DataType::S32}), y = b.output("y", {1, 1, 1, 1});
    p.step = 0;
    if (step == 1) b.stage(StageType::ROIAlign, p, {x, packed});
    p.step = step;
    b.stage(StageType::ROIAlign, p, {step == 1 ? packed : x, r, image, y});
    EXPECT_EQ(run_blob(b, {counting(16)}).values, (Values{5}));
  }
}

TEST(EmulatorRoi, RefusesImagesThatDoNotExist) {
  BlobBuilder b;
  vpu::RoiAlignParams p;
  const int x = b.input("x", {1, 1, 4, 4}), r = b.constant({1, 4}, {0, 0, 2, 2}),
            image = b.constant({1}, {3}, {.type = DataType::S32}), y = b.output("y", {1, 1, 1, 1});
  b.stage(StageType::ROIAlign, p, {x, r, image, y});
  EXPECT_THROW(run_blob(b, {counting(16)}), Error);
}

TEST(EmulatorProposal, KeepsTheBestAnchorsInTheImage) {
  BlobBuilder b;
  vpu::ProposalParams p;
  p.base_size = 4;
  p.feat_stride = 4;
  p.min_size = 1;
  p.scales = p.ratios = {1};
  p.nms_thresh = 0.5f;
  const int s = b.input("a", {1, 2, 1, 2}), d = b.input("b", {1, 4, 1, 2}), info = b.constant({3}, {8, 8, 1}),
            y = b.output("y", {3, 5});
  b.stage(StageType::Proposal, p, {s, y, BlobBuilder::kFake, d, info});
  expect_close(run_blob(b, {{0, 0, 0.25f, 0.75f}, Values(8)}).values, {0, 4, 0, 7, 4, 0, 0, 0, 4, 4, -1, 0, 0, 0, 0});
}

}  // namespace
}  // namespace blobsmith::testing
