// Search for the cheapest tiling of a convolution (hw-tiling spec §7.1 to §7.3). A tile must fit the engine
// (split_output_channels finds a mode for it) and its output the CMX memory for tiles. Tried are 1 to 15 parts of
// the input channels and of the columns; for each, the smallest number of row parts that works. The cost of a tiling
// is
//
//   cycles of all tiles
//     + elements of tiles that begin at no multiple of 16 bytes (they are copied)
//     + elements of the sums over channel parts
//
// and among equal costs the fewer tiles win. A 3x3 convolution of 112x112x16 to 112x112x64, whose whole output of
// 1.6 MB does not fit, is cut into rows: each tile of the output needs one more input row above and below than its
// share, so neighbouring input tiles overlap. A few well-known shapes have tilings of their own
// (conv_tiling_patterns).
#include "vpu/nce/conv_tiling_search.hpp"

#include <algorithm>

#include "vpu/nce/conv_tiling_patterns.hpp"

namespace blobsmith::vpu::nce {
namespace {

struct ConvParts {
  int64_t columns = 0, rows = 0, channels = 0;
  int64_t total() const { return columns * rows * channels; }
};

/// The widest input tile with which the engine can pool behind a convolution, by its channels; 0: any.
int64_t pooled_width_limit(int64_t channels) {
  struct Row {
    int64_t above, up_to, width;
  };
  static constexpr Row kRows[] = {{112, 128, 72}, {96, 112, 80}, {80, 96, 96}, {64, 80, 112},
                                  {48, 64, 144},  {32, 48, 192}, {16, 32, 288}};
  for (const Row& r : kRows)
    if (channels > r.above && channels <= r.up_to) return r.width;
  return 0;
}

bool pooled_tile_allowed(const AxisTile& row, const AxisTile& column, int64_t channels) {
  if (column.input_with_junk % 2 || row.input_with_junk % 2 || column.output_with_junk % 2) return false;
  if (column.output_with_junk <= 2 || row.output_with_junk <= 2) return false;
  const int64_t limit = pooled_width_limit(channels);
  return limit == 0 || column.input_with_junk <= limit;
}

class ConvSearch {
 public:
  ConvSearch(const ConvGeometry& g, const TilingLimits& limits, const std::string& stage)
      : g_(g), plane_(g.plane), limits_(limits) {
    const PlaneRounding r = plane_rounding(plane_, stage);
    ceil_ = r.x || r.y;
    whole_out_ = tile_output(plane_, ceil_,
                             {std::min(kMaxTilePlane, plane_.in.w), std::min(kMaxTilePlane, plane_.in.h)}, plane_.out);
  }

  std::optional<ConvTiling> run() {
    const int64_t max_channel_parts = plane_.with_pool ? 1 : kMaxTilesPerAxis;
    for (int64_t channels = 1; channels <= max_channel_parts; ++channels)
      if (ceil_div(g_.in_channels, channels) <= kMaxSearchedTileSize) search_columns(channels);
    if (!best_) return std::nullopt;
    return cut(*best_);
  }

 private:
  void search_columns(int64_t channels) {
    const int64_t narrowest = plane_.with_pool ? 128 : 64;
    for (int64_t columns = 1; columns <= kMaxTilesPerAxis; ++columns) {
      if (ceil_div(plane_.in.w, columns) > kMaxSearchedTileSize) continue;
      const int64_t width = part_length(plane_.in.w, columns, plane_.stride);
      if (columns > 1 && width < narrowest) return;
      search_rows({columns, 0, channels}, width);
    }
  }

  /// Takes the smallest number of row parts that works.
  void search_rows(ConvParts parts, int64_t width) {
    const int64_t lowest = plane_.with_pool ? 2 * plane_.kernel_y : plane_.kernel_y;
    for (parts.rows = 1; parts.rows <= kMaxTilesPerAxis; ++parts.rows) {
      if (ceil_div(plane_.in.h, parts.rows) > kMaxSearchedTileSize) continue;
      const int64_t height = tile_height(parts.rows);
      if (parts.rows > 1 && height < lowest) return;
      const PlaneSize out = tile_output(plane_, ceil_, {width, height}, whole_out_);
      if (plane_.with_pool && (out.w <= 2 || out.h <= 2)) return;
      const AxisTiles rows = tile_rows(plane_, ceil_, out.h);
      if (rows.empty()) continue;
      const AxisTiles columns = tile_columns(plane_, ceil_, out.w);
      if (columns.empty()) return;
      const auto cost = total_cost(rows, columns, parts.channels);
      if (!cost) continue;
      if (!best_ || *cost < best_cost_ || (*cost == best_cost_ && parts.total() < best_->total())) {
        best_ = parts;
        best_cost_ = *cost;
      }
      return;
    }
  }

  int64_t tile_height(int64_t parts) const {
    const int64_t height = part_length(plane_.in.h, parts, plane_.stride);
    if (parts == 1) return height;
    // A tile must yield its share of the output, or more tiles than parts would come out. For such a share the
    // reference swaps the front and the back pad, which changes nothing, as only their sum counts.
    const int64_t share = ceil_div(plane_.out.h, parts);
    return output_size(height, plane_.rows(), false) < share ? input_size(share, plane_.rows()) : height;
  }

  std::optional<OutputChannelTiling> mode_of(const AxisTile& row, const AxisTile& column, int64_t tile_channels) const {
    return split_output_channels(column.input_with_junk, row.input_with_junk, tile_channels, g_.out_channels,
                                 plane_.kernel_x, plane_.kernel_y, plane_.stride);
  }

  /// Cycles plus the elements copied because of misaligned tiles plus those summed over channel tiles; none: a tile is
  /// impossible.
  std::optional<double> total_cost(const AxisTiles& rows, const AxisTiles& columns, int64_t channel_parts) const {
    const int64_t tile_channels = ceil_div(g_.in_channels, channel_parts);
    double cost = 0;
    for (const AxisTile& row : rows) {
      for (const AxisTile& column : columns) {
        if (plane_.with_pool && !pooled_tile_allowed(row, column, tile_channels)) return std::nullopt;
        if (buffer_bytes(column.output_with_junk, row.output_with_junk, g_.out_channels) > limits_.cmx_bytes)
          return std::nullopt;
        const auto mode = mode_of(row, column, tile_channels);
        if (!mode) return std::nullopt;
        const double out_elements = static_cast<double>(column.output_with_junk) *
                                    static_cast<double>(row.output_with_junk) * static_cast<double>(g_.out_channels);
        const double in_elements = static_cast<double>(column.input_with_junk) *
                                   static_cast<double>(row.input_with_junk) *
                                   static_cast<double>(mode->extended_in_channels);
        cost += static_cast<double>(mode->cost * channel_parts);
        if (is_misaligned(column.output_start)) cost += out_elements;
        if (is_misaligned(column.input_start)) cost += in_elements;
        cost += static_cast<double>(channel_parts - 1) * out_elements;
      }
    }
    return cost;
  }

  std::optional<ConvTiling> cut(const ConvParts& parts) const {
    TileShape tile{part_length(plane_.in.w, parts.columns, plane_.stride), tile_height(parts.rows),
                   ceil_div(g_.in_channels, parts.channels)};
    PlaneSize out = tile_output(plane_, ceil_, {tile.w, tile.h}, whole_out_);
    if (const ConvPattern* pattern = find_conv_pattern(g_, limits_.slices)) {
      tile = pattern->applied_to(tile);
      out = tile_output(plane_, ceil_, {tile.w, tile.h}, pattern->restarts_from_whole_output ? plane_.out : out);
    }
    ConvTiling t{tile_rows(plane_, ceil_, out.h),
                 tile_columns(plane_, ceil_, out.w),
                 ceil_div(g_.in_channels, tile.channels),
                 tile.channels,
                 {}};
    for (const AxisTile& row : t.rows) {
      for (const AxisTile& column : t.columns) {
        const auto mode = mode_of(row, column, t.tile_channels);
        if (!mode) return std::nullopt;
        t.modes.push_back(*mode);
      }
    }
    return t;
  }

  const ConvGeometry& g_;
  const PlaneGeometry& plane_;
  TilingLimits limits_;
  bool ceil_ = false;
  PlaneSize whole_out_;
  std::optional<ConvParts> best_;
  double best_cost_ = 0;
};

}  // namespace

std::optional<ConvTiling> tile_convolution(const ConvGeometry& g, const TilingLimits& limits,
                                           const std::string& stage) {
  return ConvSearch(g, limits, stage).run();
}

}  // namespace blobsmith::vpu::nce
