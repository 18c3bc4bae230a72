// The reference executor: operations of detection, of sequences, and the rare ones; numbers checked by hand.
#include <cmath>

#include "reference/executor.hpp"
#include "reference_fixture.hpp"

namespace blobsmith {
namespace {

TEST_F(Reference, DeformedWindowsAreTakenFromWhereTheirOffsetsPoint) {
  // One element per window; offsets are (y, x): half a pixel to the right, one row up (outside of the image).
  const Attributes a = attributes({{"strides", ints({1, 1})}, {"dilations", ints({1, 1})}});
  Node* n = make("DeformableConvolution",
                 {input({1, 1, 1, 3}), reals({1, 2, 1, 3}, {0, 0, -1, 0.5, 0, 0}), reals({1, 1, 1, 1}, {2})}, a);
  EXPECT_EQ(floats(n, {of({1, 1, 1, 3}, {1, 5, 7})}), (Floats{6, 10, 0}));
}

TEST_F(Reference, BinaryConvolutionCountsEqualBits) {
  // Filters 1 and 0, in the lowest bits of a byte; padding of value 0 counts for nothing.
  const Value w = g.constant(Tensor::of(ElementType::u1, {2, 1, 1, 1}, std::vector<uint8_t>{0b01}))->value();
  const Attributes a = attributes({{"strides", ints({1, 1})},
                                   {"pads_begin", ints({0, 1})},
                                   {"pads_end", ints({0, 0})},
                                   {"mode", "xnor-popcount"},
                                   {"pad_value", 0.0}});
  EXPECT_EQ(floats(make("BinaryConvolution", {input({1, 1, 1, 2}), w}, a), {of({1, 1, 1, 2}, {0, 1})}),
            (Floats{0, -1, 1, 0, 1, -1}));
}

TEST_F(Reference, EinsumSumsWhatTheOutputLeavesOut) {
  EXPECT_EQ(floats(make("Einsum", {input({2, 2}), reals({2, 2}, {1, 10, 100, 1000})},
                        attributes({{"equation", "ij,jk->ki"}})),
                   {of({2, 2}, counting(4))}),
            (Floats{201, 403, 2010, 4030}));
  g = Graph();
  EXPECT_EQ(floats(make("Einsum", {input({3, 3})}, attributes({{"equation", "ii->"}})), {of({3, 3}, counting(9))}),
            (Floats{15}));
}

TEST_F(Reference, FourierTransformsThereAndBack) {
  // 1, 0, 0 has a flat spectrum; filled up with a zero the same; the inverse of four ones is a pulse.
  EXPECT_EQ(floats(make("DFT", {input({3, 2}), integers({0})}), {of({3, 2}, {1, 0, 0, 0, 0, 0})}),
            (Floats{1, 0, 1, 0, 1, 0}));
  g = Graph();
  EXPECT_EQ(floats(make("DFT", {input({3, 2}), integers({0}), integers({4})}), {of({3, 2}, {1, 0, 0, 0, 0, 0})}),
            (Floats{1, 0, 1, 0, 1, 0, 1, 0}));
  g = Graph();
  const Floats pulse = floats(make("IDFT", {input({4, 2}), integers({0})}), {of({4, 2}, {1, 0, 1, 0, 1, 0, 1, 0})});
  for (size_t i = 0; i < pulse.size(); ++i) EXPECT_NEAR(pulse[i], i == 0 ? 1 : 0, 1e-7) << i;
}

TEST_F(Reference, RowsOfTablesAreSummedByBag) {
  const Value table = reals({3, 1}, {1, 10, 100});
  // Bags of rows 0 and 1, of none (the default row 2), and of row 1, weighted.
  Node* n = make("EmbeddingBagOffsetsSum",
                 {table, integers({0, 1, 1}), integers({0, 2, 2}), scalar(2), reals({3}, {2, 1, 3})});
  EXPECT_EQ(floats(n), (Floats{12, 100, 30}));
  g = Graph();
  EXPECT_EQ(floats(make("EmbeddingSegmentsSum",
                        {reals({3, 1}, {1, 10, 100}), integers({0, 2}), integers({1, 1}), scalar(2)})),
            (Floats{0, 101}));
}

TEST_F(Reference, RowsThatDoNotExistAreErrors) {
  g.result(make("EmbeddingBagOffsetsSum", {input({3, 1}), integers({3}), integers({0})})->value());
  EXPECT_THROW(reference::Executor(std::move(g), 1).run({of({3, 1}, counting(3))}), Error);
}

TEST_F(Reference, RolledValuesComeInAtTheOtherEnd) {
  EXPECT_EQ(floats(make("Roll", {input({2, 3}), integers({1}), integers({-1})}), {of({2, 3}, counting(6))}),
            (Floats{3, 1, 2, 6, 4, 5}));
}

TEST_F(Reference, PatchesBecomeChannels) {
  const Attributes a =
      attributes({{"sizes", ints({1, 2})}, {"strides", ints({1, 2})}, {"rates", ints({1, 1})}, {"auto_pad", "valid"}});
  EXPECT_EQ(floats(make("ExtractImagePatches", {input({1, 1, 1, 4})}, a), {of({1, 1, 1, 4}, counting(4))}),
            (Floats{1, 3, 2, 4}));
}

TEST_F(Reference, BucketsIncludeOneOfTheirBorders) {
  for (const bool right : {true, false}) {
    g = Graph();
    const auto places =
        run({make("Bucketize", {input({3}), reals({2}, {1, 2})}, attributes({{"with_right_bound", right}}))->value()},
            {of({3}, {0.5, 1, 3})});
    EXPECT_EQ(places[0].to_i64(), right ? (List{0, 0, 2}) : (List{0, 1, 2}));
  }
}

TEST_F(Reference, BeamsAreFollowedFromTheirEnd) {
  // Two steps, two beams that cross; the token 9 ends a sequence.
  Node* n = make("GatherTree",
                 {reals({2, 1, 2}, {1, 2, 3, 9}), reals({2, 1, 2}, {0, 0, 1, 0}), reals({1}, {2}), reals({}, {9})});
  EXPECT_EQ(floats(n), (Floats{2, 1, 3, 9}));
}

TEST_F(Reference, TheLossCountsAllWaysToSayTheLabels) {
  // Two steps of even odds between a label and the blank (class 1): "a" is said by a-, -a and, merged, aa: 3/4.
  for (const bool merge : {true, false}) {
    g = Graph();
    Node* n =
        make("CTCLoss",
             {input({1, 2, 2}), integers({2}),
              g.constant(Tensor::of(ElementType::i64, {1, 2}, std::vector<int64_t>{0, 0}))->value(), integers({1})},
             attributes({{"ctc_merge_repeated", merge}}));
    EXPECT_NEAR(floats(n, {of({1, 2, 2}, {0, 0, 0, 0})})[0], -std::log(merge ? 0.75 : 0.5), 1e-6);
  }
}

TEST_F(Reference, ProposalsAreMovedAnchorsBestFirst) {
  const Attributes a = attributes(
      {{"min_size", 2.0}, {"nms_threshold", 0.5}, {"pre_nms_count", int64_t{10}}, {"post_nms_count", int64_t{3}}});
  // Two places of one anchor; the second box is moved by half its width of 4 and cut to the image of 8 by 16.
  const Value anchors = reals({2, 4}, {0, 0, 3, 3, 4, 4, 7, 7});
  Node* n = make(
      "ExperimentalDetectronGenerateProposalsSingleImage",
      {reals({3}, {8, 16, 1}), anchors, reals({4, 1, 2}, {0, 0.5, 0, 0, 0, 0, 0, 0}), reals({1, 1, 2}, {0.25, 0.75})},
      a);
  const auto found = run({n->value(0), n->value(1)});
  EXPECT_EQ(found[0].to_f32(), (Floats{6, 4, 9, 7, 0, 0, 3, 3, 0, 0, 0, 0}));
  EXPECT_EQ(found[1].to_f32(), (Floats{0.75, 0.25, 0}));
}

TEST_F(Reference, RegionsAreTakenFromTheLevelThatFitsTheirSize) {
  // An area of 224 x 224 belongs to the third level, one of 16 x 16 to the first.
  const Attributes a =
      attributes({{"output_size", int64_t{1}}, {"sampling_ratio", int64_t{1}}, {"pyramid_scales", ints({4, 8, 16})}});
  const auto level = [&](float v) {
    return g.constant(Tensor::of(ElementType::f32, {1, 1, 2, 2}, Floats(4, v)))->value();
  };
  Node* n = make("ExperimentalDetectronROIFeatureExtractor",
                 {reals({2, 4}, {0, 0, 16, 16, 0, 0, 224, 224}), level(1), level(2), level(3)}, a);
  EXPECT_EQ(floats(n)[0], 1);
  g = Graph();
  n = make("ExperimentalDetectronROIFeatureExtractor",
           {reals({1, 4}, {0, 0, 224, 224}), level(1), level(2),
            g.constant(Tensor::of(ElementType::f32, {1, 1, 20, 20}, Floats(400, 3)))->value()},
           a);
  EXPECT_EQ(floats(n), (Floats{3}));
}

TEST_F(Reference, PriorsLieAroundTheMiddleOfTheirCells) {
  const Attributes a = attributes({{"stride_x", 8.0}, {"stride_y", 0.0}});
  Node* n = make("ExperimentalDetectronPriorGridGenerator",
                 {reals({1, 4}, {-1, -2, 1, 2}), input({1, 1, 1, 2}), input({1, 3, 6, 16})}, a);
  EXPECT_EQ(floats(n, {of({1, 1, 1, 2}, Floats(2)), of({1, 3, 6, 16}, Floats(288))}),
            (Floats{3, 1, 5, 5, 11, 1, 13, 5}));
}

TEST_F(Reference, TheBestRegionsComeFirst) {
  Node* n = make("ExperimentalDetectronTopKROIs",
                 {reals({3, 4}, {1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3}), reals({3}, {0.5, 0.25, 0.75})},
                 attributes({{"max_rois", int64_t{2}}}));
  EXPECT_EQ(floats(n), (Floats{3, 3, 3, 3, 1, 1, 1, 1}));
}

TEST_F(Reference, RegionsBecomeObjectsOfTheirClasses) {
  const Attributes a = attributes({{"score_threshold", 0.1},
                                   {"nms_threshold", 0.5},
                                   {"max_delta_log_wh", 4.0},
                                   {"num_classes", int64_t{2}},
                                   {"post_nms_count", int64_t{5}},
                                   {"max_detections_per_image", int64_t{2}},
                                   {"deltas_weights", std::vector<double>{2, 2, 1, 1}}});
  // One region of 4 by 4; its object lies half of that further right (delta 1, weight 2).
  Node* n = make("ExperimentalDetectronDetectionOutput",
                 {reals({1, 4}, {0, 0, 3, 3}), reals({1, 8}, {0, 0, 0, 0, 1, 0, 0, 0}), reals({1, 2}, {0.75, 0.25}),
                  reals({1, 3}, {8, 8, 1})},
                 a);
  const auto found = run({n->value(0), n->value(1), n->value(2)});
  EXPECT_EQ(found[0].to_f32(), (Floats{2, 0, 5, 3, 0, 0, 0, 0}));
  EXPECT_EQ(found[1].to_i64(), (List{1, 0}));
  EXPECT_EQ(found[2].to_f32(), (Floats{0.25, 0}));
}

TEST_F(Reference, BinsOfRegionsAreMovedByTheirOffsets) {
  const Attributes a = attributes({{"output_dim", int64_t{1}},
                                   {"group_size", int64_t{1}},
                                   {"spatial_scale", 1.0},
                                   {"trans_std", 0.5},
                                   {"part_size", int64_t{1}}});
  // The region [0, 0, 3, 0] begins half a pixel before its first one, is 4 wide and moved by 0.5 * 0.75 of that: to
  // pixel 1.
  Node* n = make("DeformablePSROIPooling",
                 {input({1, 1, 1, 4}), reals({1, 5}, {0, 0, 0, 3, 0}), reals({1, 2, 1, 1}, {0.75, 0})}, a);
  EXPECT_EQ(floats(n, {of({1, 1, 1, 4}, {1, 3, 5, 7})}), (Floats{3}));
}

TEST_F(Reference, PositionSensitiveBinsMayBeInterpolated) {
  const Attributes a = attributes({{"output_dim", int64_t{1}},
                                   {"group_size", int64_t{1}},
                                   {"spatial_scale", 1.0},
                                   {"spatial_bins_x", int64_t{2}},
                                   {"spatial_bins_y", int64_t{1}},
                                   {"mode", "bilinear"}});
  // The left half's middle lies at 0.25 * 4 pixels of the first channel, the right one's at 0.75 * 4 of the second.
  Node* n = make("PSROIPooling", {input({1, 2, 1, 5}), reals({1, 5}, {0, 0, 0, 1, 1})}, a);
  EXPECT_EQ(floats(n, {of({1, 2, 1, 5}, {0, 2, 0, 0, 0, 0, 0, 0, 6, 0})}), (Floats{4}));
}

TEST_F(Reference, DivisionsOfIntegersByZeroAreErrors) {
  g.result(make("Divide", {input({1}, ElementType::i32),
                           g.constant(Tensor::of(ElementType::i32, {1}, std::vector<int32_t>{0}))->value()})
               ->value());
  reference::Executor executor(std::move(g), 1);
  expect_layer_error(ErrorCode::ShapeMismatch, "can't be computed",
                     [&] { executor.run({Tensor::of(ElementType::i32, {1}, std::vector<int32_t>{1})}); });
}

TEST_F(Reference, SizesThatMakeNoSenseAreErrors) {
  const auto fails = [&](Node* n, std::vector<Tensor> inputs) {
    g.result(n->value());
    expect_layer_error(ErrorCode::ShapeMismatch, "can't be computed",
                       [&] { reference::Executor(std::move(g), 1).run(std::move(inputs)); });
    g = Graph();
  };
  const Attributes features =
      attributes({{"output_size", int64_t{1}}, {"sampling_ratio", int64_t{1}}, {"pyramid_scales", ints({4})}});
  fails(make("ExperimentalDetectronROIFeatureExtractor", {input({4, 5}), reals({1, 1, 1, 1}, {1})}, features),
        {of({4, 5}, counting(20))});
  fails(
      make("ExperimentalDetectronTopKROIs", {input({1, 4}), reals({1}, {1})}, attributes({{"max_rois", int64_t{-1}}})),
      {of({1, 4}, counting(4))});
  fails(make("Einsum", {input({2}), integers({1, 2})}, attributes({{"equation", "i,i->"}})), {of({2}, counting(2))});
  fails(make("GatherTree", {input({2}), reals({2}, {0, 0}), reals({1}, {2}), reals({}, {9})}), {of({2}, counting(2))});
}

}  // namespace
}  // namespace blobsmith
