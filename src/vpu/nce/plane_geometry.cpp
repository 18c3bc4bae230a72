// What both tiling searches share (hw-tiling spec §7, §9).
#include "vpu/nce/plane_geometry.hpp"

#include "core/error.hpp"

namespace blobsmith::vpu::nce {
namespace {

bool rounded_up(int64_t in, int64_t out, const AxisWindow& w, const std::string& stage, const char* axis) {
  const Rounding r = rounding_of(in, out, w);
  if (r.floor || r.ceil) return r.ceil;
  throw blobsmith::cannot_compile(stage, "",
                                  "Internal error: Output in " + stage + " has incorrect " + axis +
                                      " dimension. Expected: " + std::to_string(output_size(in, w, true)) + " or " +
                                      std::to_string(output_size(in, w, false)) + " Actual: " + std::to_string(out));
}

}  // namespace

PlaneRounding plane_rounding(const PlaneGeometry& g, const std::string& stage) {
  return {rounded_up(g.in.w, g.window_out.w, g.columns(), stage, "width"),
          rounded_up(g.in.h, g.window_out.h, g.rows(), stage, "height")};
}

PlaneSize tile_output(const PlaneGeometry& g, bool ceil, PlaneSize tile_in, PlaneSize limit) {
  const int64_t shrink = g.with_pool ? 2 : 1;
  return {std::min(limit.w, output_size(tile_in.w, g.columns(), ceil) / shrink),
          std::min(limit.h, output_size(tile_in.h, g.rows(), ceil) / shrink)};
}

AxisTiles tile_columns(const PlaneGeometry& g, bool ceil, int64_t tile_out) {
  return g.with_pool ? split_axis_with_pool(g.in.w, g.out.w, tile_out)
                     : split_axis(g.in.w, g.out.w, g.columns(), tile_out, ceil);
}

AxisTiles tile_rows(const PlaneGeometry& g, bool ceil, int64_t tile_out) {
  return g.with_pool ? split_axis_with_pool(g.in.h, g.out.h, tile_out)
                     : split_axis(g.in.h, g.out.h, g.rows(), tile_out, ceil);
}

}  // namespace blobsmith::vpu::nce
