// Stages that move data or are driven by indices (execution spec §3).
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "emulator_fixture.hpp"
#include "vpu/format/data_movement.hpp"
#include "vpu/format/indexing.hpp"

namespace blobsmith::testing {
namespace {

constexpr DataType kS32 = DataType::S32;

TEST(EmulatorCopy, GoesBetweenDifferentStrides) {
  BlobBuilder b;
  const int x = b.input("x", {2, 3}), t = b.scratch({2, 3}, {.strides = {32, 4}}), y = b.output("y", {2, 3});
  b.stage(StageType::Copy, {x, t}).stage(StageType::Copy, {t, y});
  EXPECT_EQ(run_blob(b, {counting(6)}).values, counting(6));
}

TEST(EmulatorConvert, RoundsToHalfAndTruncatesToIntegers) {
  BlobBuilder b;
  const int x = b.input("x", {4}, {.type = DataType::FP32}), h = b.scratch({4}), y = b.output("y", {4}, {.type = kS32});
  b.stage(StageType::Convert, vpu::ConvertParams(), {x, h}).stage(StageType::Convert, vpu::ConvertParams(), {h, y});
  EXPECT_EQ(run_blob(b, {{2049, -1.75f, 1.75f, 0}}).values, (Values{2048, -1, 1, 0}));
}

TEST(EmulatorPermute, TakesPositionsInnermostFirst) {
  vpu::PermuteParams p;
  p.permutation = {1, 0, -1, -1, -1, -1, -1, -1};
  EXPECT_EQ(run_stage(StageType::Permute, p, {2, 3}, counting(6), {3, 2}), (Values{0, 3, 1, 4, 2, 5}));
  p.permutation = {7, 0, -1, -1, -1, -1, -1, -1};
  EXPECT_THROW(run_stage(StageType::Permute, p, {2, 3}, counting(6), {3, 2}), Error);
}

TEST(EmulatorPermute, TakesSizesKnownAtRunTimeFromItsInput) {
  BlobBuilder b;
  const int x = b.input("x", {2, 3}), wrong = b.input("sizes", {2}, {.type = kS32}), y = b.output("y", {3, 2});
  b.set_dims_from(y, wrong);
  vpu::PermuteParams p;
  p.permutation = {1, 0, -1, -1, -1, -1, -1, -1};
  b.stage(StageType::Permute, p, {x, y});
  EXPECT_EQ(run_blob(b, {counting(6), {3, 2}}).values, (Values{0, 3, 1, 4, 2, 5}));
}

TEST(EmulatorPad, KnowsTheFourModes) {
  const auto padded = [](uint32_t mode) {
    vpu::PadParams p;
    p.pads = {{2, 1}, {0, 0}, {0, 0}, {0, 0}};
    p.pad_value = 9;
    p.pad_mode = mode;
    return run_stage(StageType::Pad, p, {1, 1, 1, 3}, {1, 2, 3}, {1, 1, 1, 6});
  };
  EXPECT_EQ(padded(0), (Values{9, 9, 1, 2, 3, 9}));
  EXPECT_EQ(padded(1), (Values{1, 1, 1, 2, 3, 3}));
  EXPECT_EQ(padded(2), (Values{3, 2, 1, 2, 3, 2}));
  EXPECT_EQ(padded(3), (Values{2, 1, 1, 2, 3, 3}));
}

TEST(EmulatorPad, FillsCornersFromRowsAlreadyPadded) {
  vpu::PadParams p;
  p.pads = {{1, 1}, {1, 1}, {0, 0}, {0, 0}};
  p.pad_mode = 1;
  EXPECT_EQ(run_stage(StageType::Pad, p, {1, 1, 2, 2}, {1, 2, 3, 4}, {1, 1, 4, 4}),
            (Values{1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4}));
}

TEST(EmulatorTile, RepeatsAlongAPosition) {
  vpu::TileParams p;
  p.axis = 1;
  p.tiles = 2;
  EXPECT_EQ(run_stage(StageType::Tile, p, {1, 3}, {1, 2, 3}, {2, 3}), (Values{1, 2, 3, 1, 2, 3}));
}

TEST(EmulatorUpsampling, InsertsZeros) {
  vpu::UpsamplingParams p;
  p.scale_x = p.scale_y = 2;
  p.pad_left_x = 1;
  EXPECT_EQ(run_stage(StageType::Upsampling, p, {1, 1, 2, 2}, {1, 2, 3, 4}, {1, 1, 3, 5}),
            (Values{0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 4, 0}));
}

// ---- slices ----

Values run_slice(const vpu::StridedSliceParams& p, const Values& begin, const Values& end, const Values& step,
                 const Shape& out) {
  BlobBuilder b;
  const auto n = static_cast<int64_t>(begin.size());
  const int x = b.input("x", {2, 4}), first = b.constant({n}, begin, {.type = kS32}),
            last = b.constant({n}, end, {.type = kS32}), steps = b.constant({n}, step, {.type = kS32}),
            y = b.output("y", out);
  b.stage(StageType::StridedSlice, p, {x, first, last, steps, y});
  return run_blob(b, {counting(8)}).values;
}

TEST(EmulatorStridedSlice, UsesValuesWhoseMaskBitIsSet) {
  EXPECT_EQ(run_slice({}, {1, 2}, {1, 1}, {1, 2}, {2, 2}), (Values{0, 2, 4, 6}));
  vpu::StridedSliceParams p;
  p.begin_mask = p.end_mask = 3;
  EXPECT_EQ(run_slice(p, {1, 1}, {2, -1}, {1, 1}, {1, 2}), (Values{5, 6}));
}

TEST(EmulatorStridedSlice, GoesBackwards) {
  vpu::StridedSliceParams p;
  EXPECT_EQ(run_slice(p, {0, 0}, {0, 0}, {1, -1}, {2, 4}), (Values{3, 2, 1, 0, 7, 6, 5, 4}));
  p.begin_mask = p.end_mask = 2;
  EXPECT_EQ(run_slice(p, {0, -2}, {0, 0}, {-1, -1}, {2, 2}), (Values{6, 5, 2, 1}));
}

TEST(EmulatorStridedSlice, DropsShrunkAxes) {
  vpu::StridedSliceParams p;
  p.begin_mask = p.shrink_axis_mask = 1;
  EXPECT_EQ(run_slice(p, {-1, 0}, {0, 0}, {1, 1}, {4}), (Values{4, 5, 6, 7}));
  EXPECT_THROW(run_slice(p, {5, 0}, {0, 0}, {1, 1}, {4}), Error);
  EXPECT_THROW(run_slice({}, {0, 0}, {0, 0}, {1, 0}, {2, 4}), Error);
}

// ---- indices ----

template <class P>
Values run_indexed(StageType type, const P& params, const Shape& in, const Shape& index_shape, const Values& indices,
                   const Shape& out) {
  BlobBuilder b;
  const int x = b.input("x", in), i = b.constant(index_shape, indices, {.type = kS32}), y = b.output("y", out);
  b.stage(type, params, {x, y, i});
  size_t n = 1;
  for (int64_t d : in) n *= static_cast<size_t>(d);
  return run_blob(b, {counting(n, 1)}).values;
}

TEST(EmulatorGather, GivesZerosForIndicesOutside) {
  vpu::GatherParams p;
  p.axis = 0;
  EXPECT_EQ(run_indexed(StageType::Gather, p, {2, 3}, {4}, {2, 0, -1, 3}, {2, 4}), (Values{3, 1, 0, 0, 6, 4, 0, 0}));
  p.axis = 1;
  EXPECT_EQ(run_indexed(StageType::Gather, p, {2, 3}, {1, 2}, {1, 1}, {1, 2, 3}), (Values{4, 5, 6, 4, 5, 6}));
}

TEST(EmulatorGather, SharesLeadingDimensionsWhereTheSizesSaySo) {
  vpu::GatherParams p;
  p.axis = 0;
  EXPECT_EQ(run_indexed(StageType::Gather, p, {2, 3}, {2, 2}, {2, 0, 1, 1}, {2, 2}), (Values{3, 1, 5, 5}));
  p.axis = 1;
  EXPECT_EQ(run_indexed(StageType::Gather, p, {2, 2, 2}, {2, 1}, {1, 0}, {2, 1, 2}), (Values{3, 4, 5, 6}));
  EXPECT_EQ(run_indexed(StageType::Gather, p, {1, 2, 2}, {1, 1}, {1}, {1, 1, 2}), (Values{3, 4}));
  EXPECT_THROW(run_indexed(StageType::Gather, p, {2, 2, 2}, {3, 1}, {1, 0, 1}, {3, 1, 2}), Error);
  EXPECT_THROW(run_indexed(StageType::Gather, p, {2, 2, 2}, {2, 1}, {1, 0}, {2, 3, 2}), Error);
}

TEST(EmulatorGatherND, TakesRowsBehindTheIndexedDimensions) {
  vpu::GatherNDParams p;
  EXPECT_EQ(run_indexed(StageType::GatherND, p, {2, 3}, {2, 2}, {0, 1, 1, 2}, {2}), (Values{2, 6}));
  EXPECT_EQ(run_indexed(StageType::GatherND, p, {2, 3}, {1, 1}, {1}, {1, 3}), (Values{4, 5, 6}));
  p.batch_dims = 1;
  EXPECT_EQ(run_indexed(StageType::GatherND, p, {2, 3}, {2, 1}, {0, 2}, {2}), (Values{1, 6}));
  EXPECT_THROW(run_indexed(StageType::GatherND, p, {2, 3}, {2, 1}, {0, 3}, {2}), Error);
}

TEST(EmulatorGatherElements, CountsItsAxisFromTheOutside) {
  vpu::GatherElementsParams p;
  p.axis = 1;
  EXPECT_EQ(run_indexed(StageType::GatherElements, p, {2, 3}, {2, 2}, {2, 0, 1, 1}, {2, 2}), (Values{3, 1, 5, 5}));
  p.axis = 0;
  EXPECT_EQ(run_indexed(StageType::GatherElements, p, {2, 3}, {1, 3}, {1, 0, 1}, {1, 3}), (Values{4, 2, 6}));
}

// Elements `indices` (along `axis`) of the rows `rows` of 0, 1, 2...
Values run_merged(const Shape& in, const Shape& row_shape, const Values& rows, const Shape& index_shape,
                  const Values& indices, int32_t axis) {
  BlobBuilder b;
  vpu::GatherElementsParams p;
  p.axis = axis;
  p.row_indices_mode = 1;
  size_t n = 1;
  for (int64_t d : in) n *= static_cast<size_t>(d);
  const int x = b.input("x", in), i = b.constant(index_shape, indices, {.type = kS32}),
            r = b.constant(row_shape, rows, {.type = kS32}), y = b.output("y", index_shape);
  b.stage(StageType::GatherElements, p, {x, y, i, r});
  return run_blob(b, {counting(n)}).values;
}

TEST(EmulatorGatherElements, TakesElementsOfGatheredRows) {
  EXPECT_EQ(run_merged({2, 4}, {1, 3}, {1, 0, 1}, {1, 3, 2}, {3, 0, 1, 2, -1, 1}, 1), (Values{7, 4, 1, 2, 7, 5}));
  EXPECT_THROW(run_merged({2, 4}, {1, 3}, {1, 0, 2}, {1, 3, 1}, {0, 0, 0}, 1), Error);
  EXPECT_THROW(run_merged({2, 4}, {3, 1}, {1, 0, 1}, {1, 3, 1}, {0, 0, 0}, 1), Error);
  EXPECT_THROW(run_merged({2, 4}, {1, 3}, {1, 0, 1}, {1, 3, 1}, {0, 0, 0}, 0), Error);
}

TEST(EmulatorGatherElements, FindsTheAxisOfRowsFromTheSizes) {
  EXPECT_EQ(run_merged({3, 2, 2}, {1, 1}, {2}, {1, 1, 2, 1}, {0, 1}, 2), (Values{8, 11})) << "axis 0";
  EXPECT_EQ(run_merged({1, 3, 2}, {1, 2}, {2, 0}, {1, 1, 2, 1}, {0, 1}, 2), (Values{4, 1})) << "axis 1";
  EXPECT_EQ(run_merged({2, 2, 2}, {2, 2}, {1, 0, 1, 1}, {2, 2, 2, 1}, {0, 0, 0, 0, 1, 1, 1, 1}, 2),
            (Values{2, 0, 2, 2, 7, 5, 7, 7}))
      << "both fit: the inner one";
}

TEST(EmulatorReverseSequence, TurnsTheFirstElementsOfEachSequence) {
  const auto run = [](int32_t sequence) {
    BlobBuilder b;
    vpu::ReverseSequenceParams p;
    p.seq_axis = sequence;
    p.batch_axis = 1;
    const int x = b.input("x", {2, 3}), n = b.constant({2}, {2, 3}), y = b.output("y", {2, 3});
    b.stage(StageType::ReverseSequence, p, {x, n, y});
    return run_blob(b, {counting(6)}).values;
  };
  EXPECT_EQ(run(0), (Values{1, 0, 2, 5, 4, 3}));
  EXPECT_THROW(run(1), Error);
}

Values run_scatter(StageType type, const Shape& index_shape, const Values& indices, const Shape& update_shape,
                   const Values& updates, float axis) {
  BlobBuilder b;
  const int x = b.input("x", {2, 3}), i = b.constant(index_shape, indices, {.type = kS32}),
            u = b.constant(update_shape, updates), a = b.constant({1}, {axis}, {.type = kS32}),
            y = b.output("y", {2, 3});
  b.stage(type, {x, y, i, u, a});
  return run_blob(b, {counting(6)}).values;
}

TEST(EmulatorScatter, ReplacesRowsOrElements) {
  EXPECT_EQ(run_scatter(StageType::ScatterUpdate, {1}, {1}, {1, 3}, {7, 8, 9}, 0), (Values{0, 1, 2, 7, 8, 9}));
  EXPECT_EQ(run_scatter(StageType::ScatterUpdate, {1}, {0}, {2, 1}, {7, 8}, -1), (Values{7, 1, 2, 8, 4, 5}));
  EXPECT_EQ(run_scatter(StageType::ScatterElementsUpdate, {2, 1}, {2, 0}, {2, 1}, {7, 8}, 1),
            (Values{0, 1, 7, 8, 4, 5}));
  EXPECT_THROW(run_scatter(StageType::ScatterUpdate, {1}, {2}, {1, 3}, {7, 8, 9}, 0), Error);
}

TEST(EmulatorOneHot, MarksTheIndexAlongItsAxis) {
  BlobBuilder b;
  const int x = b.input("x", {3}, {.type = kS32}), y = b.output("y", {3, 2});
  vpu::OneHotParams p;
  p.depth = 2;
  p.off_value = -1;
  b.stage(StageType::OneHot, p, {x, y});
  EXPECT_EQ(run_blob(b, {{0, 1, 5}}).values, (Values{1, -1, -1, 1, -1, -1}));
}

TEST(EmulatorConcat, JoinsInInputOrder) {
  BlobBuilder b;
  const int x = b.input("a", {2, 1}), z = b.input("b", {2, 2}), y = b.output("y", {2, 3});
  vpu::ConcatParams p;
  p.num_inputs = 2;
  b.stage(StageType::Concat, p, {x, z, y});
  EXPECT_EQ(run_blob(b, {{1, 2}, {3, 4, 5, 6}}).values, (Values{1, 3, 4, 2, 5, 6}));
}

TEST(EmulatorBroadcast, FollowsNumpyOrExplicitAxes) {
  const auto run = [](int32_t mode) {
    BlobBuilder b;
    const int x = b.input("x", {2}), shape = b.constant({2}, {2, 2}, {.type = kS32}),
              axes = b.constant({1}, {0}, {.type = kS32}), y = b.output("y", {2, 2});
    vpu::BroadcastParams p;
    p.mode = mode;
    b.stage(StageType::Broadcast, p, mode == 1 ? std::vector<int>{x, shape, axes, y} : std::vector<int>{x, shape, y});
    return run_blob(b, {{1, 2}}).values;
  };
  EXPECT_EQ(run(0), (Values{1, 2, 1, 2}));
  EXPECT_EQ(run(1), (Values{1, 1, 2, 2}));
}

TEST(EmulatorOutShapeOfReshape, ReplacesZerosAndMinusOne) {
  BlobBuilder b;
  const int x = b.input("x", {3}, {.type = kS32}), wanted = b.constant({2}, {0, -1}, {.type = kS32}),
            y = b.output("y", {2}, {.type = kS32});
  vpu::OutShapeOfReshapeParams p;
  p.special_zero = 1;
  b.stage(StageType::OutShapeOfReshape, p, {x, wanted, y});
  EXPECT_EQ(run_blob(b, {{2, 3, 4}}).values, (Values{2, 12}));
}

}  // namespace
}  // namespace blobsmith::testing
