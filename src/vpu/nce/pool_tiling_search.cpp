// Search for the cheapest tiling of a pooling (hw-tiling spec §9). As for convolutions (conv_tiling_search.cpp), but
// the batch takes the place of the input channels, for the engine sees batch x channels planes: parts of the batch,
// which must divide it, then columns, then the smallest number of row parts whose tiles fit. A 2x2 pooling with
// stride 2 of 8 items, 20x20x40, is one tile when 8 x 40 planes fit the CMX memory for tiles, else 2 tiles of 4
// items.
#include "vpu/nce/pool_tiling_search.hpp"

#include <algorithm>

#include "vpu/nce/restrictions.hpp"

namespace blobsmith::vpu::nce {
namespace {

struct PoolParts {
  int64_t columns = 0, rows = 0, batches = 0;
  int64_t total() const { return columns * rows * batches; }
};

class PoolSearch {
 public:
  PoolSearch(const PoolGeometry& g, const TilingLimits& limits, const std::string& stage)
      : g_(g), plane_(g.plane), limits_(limits) {
    const PlaneRounding r = plane_rounding(plane_, stage);
    ceil_ = r.x && r.y;
    whole_out_ = tile_output(plane_, ceil_, plane_.in, plane_.out);
  }

  std::optional<PoolTiling> run() {
    for (int64_t batches = 1; batches <= g_.batch; ++batches)
      if (g_.batch % batches == 0) search_columns(batches);
    if (!best_) return std::nullopt;
    const PlaneSize out = tile_out(*best_);
    const int64_t tile_batch = ceil_div(g_.batch, best_->batches);
    return PoolTiling{tile_rows(plane_, ceil_, out.h), tile_columns(plane_, ceil_, out.w),
                      ceil_div(g_.batch, tile_batch), tile_batch};
  }

 private:
  PlaneSize tile_in(const PoolParts& p) const {
    return {part_length(plane_.in.w, p.columns, plane_.stride), part_length(plane_.in.h, p.rows, plane_.stride)};
  }
  PlaneSize tile_out(const PoolParts& p) const { return tile_output(plane_, ceil_, tile_in(p), whole_out_); }

  void search_columns(int64_t batches) {
    const int64_t narrowest = std::max<int64_t>(8, plane_.kernel_x);
    for (PoolParts p{1, 1, batches}; p.columns <= kMaxTilesPerAxis; ++p.columns) {
      if (p.columns > 1 && tile_in(p).w < narrowest) return;
      search_rows(p);
    }
  }

  /// Unlike for convolutions, more row parts are tried even when fewer work.
  void search_rows(PoolParts p) {
    for (p.rows = 1; p.rows <= kMaxTilesPerAxis; ++p.rows) {
      if (p.rows > 1 && tile_in(p).h < plane_.kernel_y) return;
      const PlaneSize out = tile_out(p);
      const AxisTiles rows = tile_rows(plane_, ceil_, out.h);
      if (rows.empty()) continue;
      const AxisTiles columns = tile_columns(plane_, ceil_, out.w);
      if (columns.empty()) return;
      const auto cost = total_cost(rows, columns, p.batches);
      if (!cost) continue;
      if (!best_ || *cost < best_cost_ || (*cost == best_cost_ && p.total() < best_->total())) {
        best_ = p;
        best_cost_ = *cost;
      }
    }
  }

  bool tile_allowed(const AxisTile& row, const AxisTile& column, int64_t tile_batch) const {
    if (buffer_bytes(column.output_with_junk, row.output_with_junk, g_.channels, tile_batch) > limits_.cmx_bytes)
      return false;
    if (row.input_with_junk < plane_.kernel_y ||
        !pool_allowed(column.input_with_junk, row.input_with_junk, g_.channels, plane_.kernel_y, plane_.stride))
      return false;
    // Padded planes must be small, or the engine runs out of memory for the padding.
    constexpr int64_t kMostBytes = 4096, kMostBytesPaddedBelow = 2048;
    const Padding pad =
        required_padding({column.input_with_junk, row.input_with_junk}, {column.output_with_junk, row.output_with_junk},
                         plane_.kernel_x, plane_.kernel_y, plane_.stride, plane_.pad.left, plane_.pad.top);
    if (pad.left <= 0 && pad.right <= 0 && pad.bottom <= 0) return true;
    const int64_t bytes = row_bytes(column.input_with_junk) * (row.input_with_junk - 1 + plane_.kernel_y - 1);
    return bytes <= (pad.bottom > 0 ? kMostBytesPaddedBelow : kMostBytes);
  }

  std::optional<double> total_cost(const AxisTiles& rows, const AxisTiles& columns, int64_t batch_parts) const {
    const int64_t planes = g_.channels * (g_.batch / batch_parts);
    double cost = 0;
    for (const AxisTile& row : rows) {
      for (const AxisTile& column : columns) {
        if (!tile_allowed(row, column, g_.batch / batch_parts)) return std::nullopt;
        const int64_t descriptors = planes / kPoolChannelsPerDescriptor;
        cost += static_cast<double>(descriptors * plane_.kernel_x * plane_.kernel_y * batch_parts);
        if (is_misaligned(column.output_start))
          cost += static_cast<double>(column.output_with_junk) * static_cast<double>(row.output_with_junk) *
                  static_cast<double>(planes);
        if (is_misaligned(column.input_start))
          cost += static_cast<double>(column.input_with_junk) * static_cast<double>(row.input_with_junk) *
                  static_cast<double>(planes);
      }
    }
    return cost;
  }

  const PoolGeometry& g_;
  const PlaneGeometry& plane_;
  TilingLimits limits_;
  bool ceil_ = false;
  PlaneSize whole_out_;
  std::optional<PoolParts> best_;
  double best_cost_ = 0;
};

}  // namespace

std::optional<PoolTiling> tile_pooling(const PoolGeometry& g, const TilingLimits& limits, const std::string& stage) {
  return PoolSearch(g, limits, stage).run();
}

}  // namespace blobsmith::vpu::nce
