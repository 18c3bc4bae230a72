// The geometry of hardware tiles: limits, modes, cuts and the searches (hw-tiling spec §5 to §9).
#include <gtest/gtest.h>

#include "nce_tiling_cases.hpp"
#include "vpu/nce/conv_tiling_patterns.hpp"
#include "vpu/nce/conv_tiling_search.hpp"
#include "vpu/nce/pool_tiling_search.hpp"
#include "vpu/nce/restrictions.hpp"

namespace blobsmith::vpu::nce {
namespace {

constexpr int64_t kRoomy = 589824;  // bytes of CMX for an output tile, with nine slices

class Hash {
 public:
  void add(int64_t v) {
    for (int i = 0; i < 8; ++i)
      value_ = (value_ ^ (static_cast<uint64_t>(v) >> (8 * i) & 255)) * 16777619u & 0xffffffffu;
  }
  void add(const AxisTiles& tiles) {
    for (const AxisTile& t : tiles)
      for (int64_t v : {t.input_with_junk, t.output_with_junk, t.junk_before, t.junk_after, t.input_start, t.input_end,
                        t.output_start, t.output_end})
        add(v);
  }
  void add(const OutputChannelTiling& m) {
    for (int64_t v : {int64_t(m.mode), m.descriptors, m.channels_per_descriptor, m.last_channels,
                      m.extended_in_channels, m.extended_out_channels, m.cost})
      add(v);
  }
  uint32_t value() const { return static_cast<uint32_t>(value_); }

 private:
  uint64_t value_ = 2166136261u;
};

/// A square convolution that keeps its plane.
ConvGeometry same_conv(int64_t size, int64_t in_channels, int64_t out_channels, int64_t kernel) {
  ConvGeometry g;
  g.plane.in = g.plane.out = g.plane.window_out = {size, size};
  g.plane.kernel_x = g.plane.kernel_y = kernel;
  g.plane.pad = {kernel / 2, (kernel - 1) / 2, kernel / 2, (kernel - 1) / 2};
  g.in_channels = in_channels;
  g.out_channels = out_channels;
  return g;
}

TEST(HwTiling, RowsOfHardwareBuffersAreAlignedTo16Bytes) {
  EXPECT_EQ(buffer_bytes(7, 7, 512), 16 * 7 * 512);
  EXPECT_EQ(buffer_bytes(9, 1, 1, 2), 64);
  EXPECT_FALSE(is_misaligned(16));
  EXPECT_TRUE(is_misaligned(12));
}

TEST(HwTiling, WideLowPlanesAreRefusedUnlessTheyAreImages) {
  EXPECT_FALSE(conv_allowed(508, 32, 4, 64, 3, 3, 1, HwOpMode::k4x64));
  EXPECT_TRUE(conv_allowed(507, 32, 4, 64, 3, 3, 1, HwOpMode::k4x64));
  EXPECT_TRUE(conv_allowed(508, 32, 3, 64, 3, 3, 1, HwOpMode::k4x64));
  EXPECT_TRUE(conv_allowed(508, 64, 4, 64, 3, 3, 1, HwOpMode::k4x64));
}

TEST(HwTiling, CoefficientsOfABlockAreLimited) {
  EXPECT_TRUE(conv_allowed(8, 8, 256, 8, 1, 1, 1, HwOpMode::k1x256));
  EXPECT_FALSE(conv_allowed(8, 8, 257, 8, 1, 1, 1, HwOpMode::k1x256));
  EXPECT_TRUE(conv_allowed(8, 8, 257, 8, 1, 1, 1, HwOpMode::k2x128));
}

TEST(HwTiling, LocalMemoryMustHoldTheLinesOfTheWindow) {
  EXPECT_TRUE(pool_allowed(64, 64, 16, 2, 2));
  EXPECT_FALSE(pool_allowed(2048, 64, 16, 3, 2));
}

TEST(HwTiling, EmptyTilesAreRefused) {
  EXPECT_FALSE(conv_allowed(0, 8, 8, 8, 1, 1, 1, HwOpMode::k1x256));
  EXPECT_FALSE(pool_allowed(8, 0, 8, 1, 1));
}

TEST(HwTiling, CheapestModeWinsAndEqualCostsPreferFewerDescriptors) {
  const auto image = split_output_channels(224, 76, 3, 32, 3, 3, 2);
  ASSERT_TRUE(image);
  EXPECT_EQ(image->mode, HwOpMode::k4x64);  // 9 + 11 beats 27 + 0 and 18 + 5
  EXPECT_EQ(image->cost, 20);
  EXPECT_EQ(image->extended_in_channels, 4);
  const auto wide = split_output_channels(7, 7, 256, 512, 3, 3, 1);
  ASSERT_TRUE(wide);
  EXPECT_EQ(wide->mode, HwOpMode::k16x16);
  EXPECT_EQ(wide->descriptors, 32);
  EXPECT_EQ(wide->cost, 5600);
}

TEST(HwTiling, LastDescriptorTakesTheRestOfTheChannels) {
  const auto t = split_output_channels(7, 7, 64, 1001, 1, 1, 1);
  ASSERT_TRUE(t);
  EXPECT_EQ((t->descriptors - 1) * t->channels_per_descriptor + t->last_channels, 1001);
  EXPECT_EQ(t->extended_out_channels, 1008);
}

TEST(HwTiling, NoModeMeansNoTiling) { EXPECT_FALSE(split_output_channels(4097, 8, 8, 8, 3, 3, 1)); }

TEST(HwTiling, CutPlanesOverlapAndHaveJunkAtTheCuts) {
  const AxisTiles tiles = split_axis(224, 112, {7, 2, 3, 2}, 38, true);
  ASSERT_EQ(tiles.size(), 4u);
  EXPECT_EQ(tiles[0], (AxisTile{76, 38, 0, 1, 0, 76, 0, 37}));
  EXPECT_EQ(tiles[1], (AxisTile{76, 38, 2, 1, 70, 146, 37, 72}));
  EXPECT_EQ(tiles[3], (AxisTile{14, 7, 2, 0, 210, 224, 107, 112}));
}

TEST(HwTiling, TilesCoverTheOutputOnce) {
  for (const int64_t most : {9, 17, 30}) {
    const AxisTiles tiles = split_axis(100, 50, {5, 2, 2, 2}, most, true);
    ASSERT_FALSE(tiles.empty());
    int64_t at = 0;
    for (const AxisTile& t : tiles) {
      EXPECT_EQ(t.output_start, at);
      EXPECT_LE(t.output_with_junk, most);
      EXPECT_EQ(t.output_with_junk, t.junk_before + t.output_length() + t.junk_after);
      at = t.output_end;
    }
    EXPECT_EQ(at, 50);
  }
}

TEST(HwTiling, TilesTooSmallForTheirOwnJunkAreImpossible) {
  EXPECT_TRUE(split_axis(100, 100, {7, 1, 3, 3}, 5, true).empty());
}

TEST(HwTiling, TilesBeforeAMergedPoolingOverlapByFourPixels) {
  const AxisTiles tiles = split_axis_with_pool(64, 32, 12);
  ASSERT_EQ(tiles.size(), 4u);
  EXPECT_EQ(tiles[0], (AxisTile{22, 11, 0, 1, 0, 22, 0, 10}));  // an even limit is lowered by one
  EXPECT_EQ(tiles[1], (AxisTile{22, 11, 1, 1, 18, 40, 10, 19}));
  EXPECT_EQ(tiles[3].output_end, 32);
}

TEST(HwTiling, SmallConvolutionsAreNotCut) {
  const auto t = tile_convolution(same_conv(28, 64, 64, 3), {6, kRoomy}, "c");
  ASSERT_TRUE(t);
  EXPECT_EQ(t->plane_tiles(), 1u);
  EXPECT_EQ(t->channel_tiles, 1);
}

TEST(HwTiling, SplitsInputChannelsWhenCoefficientsExceedABlock) {
  const auto t = tile_convolution(same_conv(7, 512, 512, 3), {6, kRoomy}, "c");
  ASSERT_TRUE(t);
  EXPECT_EQ(t->channel_tiles, 2);
  EXPECT_EQ(t->tile_channels, 256);
}

TEST(HwTiling, PlanesAreCutUntilTheOutputTileFitsIntoCmx) {
  const auto t = tile_convolution(same_conv(112, 16, 64, 3), {4, 327680}, "c");
  ASSERT_TRUE(t);
  ASSERT_GT(t->plane_tiles(), 1u);
  for (const AxisTile& row : t->rows)
    for (const AxisTile& column : t->columns)
      EXPECT_LE(buffer_bytes(column.output_with_junk, row.output_with_junk, 64), 327680);
}

TEST(HwTiling, NoCmxMeansNoTiling) { EXPECT_FALSE(tile_convolution(same_conv(28, 64, 64, 3), {6, 0}, "c")); }

TEST(HwTiling, PatternsNeedNineSlices) {
  const ConvGeometry g = same_conv(28, 512, 512, 3);
  EXPECT_EQ(find_conv_pattern(g, 8), nullptr);
  ASSERT_NE(find_conv_pattern(g, 9), nullptr);
  EXPECT_EQ(tile_convolution(g, {9, kRoomy}, "c")->tile_channels, 172);
}

TEST(HwTiling, PatternsLookAtTheWindow) {
  EXPECT_EQ(find_conv_pattern(same_conv(28, 512, 512, 1), 9), nullptr);
  EXPECT_NE(find_conv_pattern(same_conv(17, 1088, 192, 1), 9), nullptr);
  EXPECT_EQ(find_conv_pattern(same_conv(17, 1088, 160, 1), 9), nullptr);
}

TEST(HwTiling, OutputsThatDoNotBelongToTheWindowAreErrors) {
  ConvGeometry g = same_conv(28, 64, 64, 3);
  g.plane.window_out.w = 20;
  EXPECT_THROW(tile_convolution(g, {6, kRoomy}, "c"), Error);
}

TEST(HwTiling, PaddedPoolingsOfLargePlanesAreCutIntoStrips) {
  PoolGeometry g;
  g.plane.in = {112, 112};
  g.plane.out = g.plane.window_out = {56, 56};
  g.plane.kernel_x = g.plane.kernel_y = 3;
  g.plane.stride = 2;
  g.plane.pad = {1, 1, 1, 1};
  g.channels = 64;
  const auto t = tile_pooling(g, {6, 458752}, "p");
  ASSERT_TRUE(t);
  EXPECT_EQ(t->rows.size(), 8u);
  EXPECT_EQ(t->columns.size(), 1u);
}

TEST(HwTiling, PoolingBatchesStayTogetherWhenThatCostsNothing) {
  PoolGeometry g;
  g.plane.in = {14, 14};
  g.plane.out = g.plane.window_out = {7, 7};
  g.plane.kernel_x = g.plane.kernel_y = g.plane.stride = 2;
  g.batch = 3;
  g.channels = 160;
  EXPECT_EQ(tile_pooling(g, {4, 327680}, "p")->batch_tiles, 1);
  g.channels = 150;  // 3 * 150 / 16 costs more than three times 150 / 16
  EXPECT_EQ(tile_pooling(g, {4, 327680}, "p")->batch_tiles, 3);
}

TEST(HwTiling, DepthwiseConvolutionsTakeTheCheapestTile) { EXPECT_EQ(best_depthwise_tile(20, 20, 40, 3, 3, 1), 20); }

TEST(HwTiling, DepthwiseTilesByModelledTime) {
  const auto fastest = [](int64_t side, int64_t channels, int64_t kernel, int64_t usual) {
    PlaneGeometry g;
    g.in = g.out = g.window_out = {side, side};
    g.kernel_x = g.kernel_y = kernel;
    return fastest_depthwise_tile(g, channels, usual);
  };
  EXPECT_EQ(fastest(8, 1024, 3, 32), 64);  // sixteen stages instead of 32
  EXPECT_EQ(fastest(10, 384, 7, 16), 32);  // hardly faster, but half as many
  EXPECT_EQ(fastest(40, 96, 7, 16), 16);   // as fast as it gets
  EXPECT_EQ(fastest(112, 64, 3, 16), 16);  // 32 channels would not fit
}

TEST(HwTilingReference, Convolutions) {
  for (const ConvCase& c : kConvCases) {
    ConvGeometry g;
    g.plane.in = {c.in_w, c.in_h};
    g.plane.out = {c.out_w, c.out_h};
    g.plane.with_pool = c.with_pool != 0;
    g.plane.window_out = g.plane.with_pool ? PlaneSize{2 * c.out_w, 2 * c.out_h} : g.plane.out;
    g.plane.kernel_x = c.kernel_x;
    g.plane.kernel_y = c.kernel_y;
    g.plane.stride = c.stride;
    g.plane.pad = {c.pad_left, c.pad_right, c.pad_top, c.pad_bottom};
    g.in_channels = c.in_c;
    g.out_channels = c.out_c;
    const std::string label = "case " + std::to_string(&c - kConvCases);
    const auto t = tile_convolution(g, {static_cast<int>(c.slices), c.cmx_bytes}, label);
    ASSERT_EQ(t.has_value(), c.rows != 0) << label;
    if (!t) continue;
    Hash h;
    h.add(t->rows);
    h.add(t->columns);
    h.add(t->channel_tiles);
    h.add(t->tile_channels);
    for (const OutputChannelTiling& m : t->modes) h.add(m);
    EXPECT_EQ(t->rows.size(), c.rows) << label;
    EXPECT_EQ(t->columns.size(), c.columns) << label;
    EXPECT_EQ(static_cast<uint64_t>(t->channel_tiles), c.channel_tiles) << label;
    EXPECT_EQ(h.value(), c.hash) << label;
  }
}

TEST(HwTilingReference, Poolings) {
  for (const PoolCase& c : kPoolCases) {
    PoolGeometry g;
    g.plane.in = {c.in_w, c.in_h};
    g.plane.out = g.plane.window_out = {c.out_w, c.out_h};
    g.plane.kernel_x = c.kernel_x;
    g.plane.kernel_y = c.kernel_y;
    g.plane.stride = c.stride;
    g.plane.pad = {c.pad_left, c.pad_right, c.pad_top, c.pad_bottom};
    g.channels = c.channels;
    g.batch = c.batch;
    const std::string label = "case " + std::to_string(&c - kPoolCases);
    const auto t = tile_pooling(g, {6, c.cmx_bytes}, label);
    ASSERT_EQ(t.has_value(), c.rows != 0) << label;
    if (!t) continue;
    Hash h;
    h.add(t->rows);
    h.add(t->columns);
    h.add(t->batch_tiles);
    h.add(t->tile_batch);
    EXPECT_EQ(t->rows.size(), c.rows) << label;
    EXPECT_EQ(t->columns.size(), c.columns) << label;
    EXPECT_EQ(static_cast<uint64_t>(t->batch_tiles), c.batch_tiles) << label;
    EXPECT_EQ(h.value(), c.hash) << label;
  }
}

TEST(HwTilingReference, DepthwiseTiles) {
  for (const DepthwiseCase& c : kDepthwiseCases)
    EXPECT_EQ(best_depthwise_tile(c.w, c.h, c.channels, c.kernel_x, c.kernel_y, c.stride), c.tile)
        << "case " << &c - kDepthwiseCases;
}

}  // namespace
}  // namespace blobsmith::vpu::nce
