// Cutting one axis of a plane into tiles (hw-tiling spec §5).
#include "vpu/nce/plane_tiling.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace blobsmith::vpu::nce {
namespace {

AxisTiles whole_axis(int64_t in, int64_t out) { return {AxisTile{in, out, 0, 0, 0, in, 0, out}}; }

/// Ceiling of a / b + 1 as real numbers.
int64_t ceil_quotient_plus_one(int64_t a, int64_t b) { return a / b + (a % b > 0 ? 1 : 0) + 1; }

/// The part of the input that outputs [out_start, out_end) need, and the junk that the engine makes beside them.
struct InputRange {
  int64_t start, end;
  int64_t before;  ///< extra pixels in front that keep the tile's start on the grid of the stride
  int64_t junk_before, junk_after;
};

InputRange input_for_output(int64_t in, const AxisWindow& w, int64_t out_start, int64_t out_end) {
  InputRange r{out_start * w.stride - w.pad_begin, (out_end - 1) * w.stride + w.kernel - w.pad_begin, 0, 0, 0};
  if (r.start < 0) {
    // The first window begins in the padding: the tile starts with the axis.
    r.start = 0;
    r.junk_before = out_start;
  } else {
    r.before = r.start % w.stride;
    r.junk_before = (r.before + w.pad_begin) / w.stride;
  }
  const int64_t past_end = std::max<int64_t>(0, r.end - in);
  r.end -= past_end;
  // Of the trailing padding, what the last windows do not use makes further outputs.
  r.junk_after = std::max<int64_t>(0, (w.pad_end - past_end) / w.stride);
  return r;
}

/// The last output of a tile that begins with out_start, so that its outputs with junk do not exceed `most`.
int64_t fit_output_end(int64_t in, const AxisWindow& w, int64_t out_start, int64_t out_end, int64_t most, bool ceil) {
  const auto total = [&](int64_t end) {
    const InputRange r = input_for_output(in, w, out_start, end);
    return r.junk_before + (end - out_start) + r.junk_after;
  };
  const int64_t all = output_size(in, w, ceil);
  int64_t end = out_end;
  while (total(end) > most || end > all) --end;
  // quirk: the reference tests the end that was asked for, not the reduced end, against the size of the axis.
  return out_end <= all ? end : end + 1;
}

}  // namespace

int64_t output_size(int64_t in, const AxisWindow& w, bool ceil) {
  const int64_t span = in - w.kernel + w.pad_begin + w.pad_end;
  return ceil ? ceil_quotient_plus_one(span, w.stride) : span / w.stride + 1;
}

int64_t input_size(int64_t out, const AxisWindow& w) {
  return (out - 1) * w.stride + w.kernel - w.pad_begin - w.pad_end;
}

Rounding rounding_of(int64_t in, int64_t out, const AxisWindow& w) {
  const int64_t span = in - w.kernel + w.pad_begin + w.pad_end;
  return {out == (span + w.stride) / w.stride, out == ceil_quotient_plus_one(span, w.stride)};
}

AxisTiles split_axis(int64_t in, int64_t out, const AxisWindow& w, int64_t tile_out, bool ceil) {
  if (tile_out == out) return whole_axis(in, out);
  AxisTiles tiles;
  for (int64_t start = 0;;) {
    const int64_t end = fit_output_end(in, w, start, std::min(out, start + tile_out), tile_out, ceil);
    if (end <= start) return {};
    const InputRange r = input_for_output(in, w, start, end);
    tiles.push_back({r.before + r.end - r.start, r.junk_before + end - start + r.junk_after, r.junk_before,
                     r.junk_after, r.start - r.before, r.end, start, end});
    if (end >= out) return tiles;
    start = end;
  }
}

AxisTiles split_axis_with_pool(int64_t in, int64_t out, int64_t tile_out) {
  if (tile_out == out) return whole_axis(in, out);
  const int64_t length = out > tile_out && tile_out % 2 == 0 ? tile_out - 1 : tile_out;
  ensure(length > 2 && out * 2 == in, "tile of a convolution with pooling");
  AxisTiles tiles;
  for (int64_t in_start = 0, out_start = 0;;) {
    const int64_t in_end = std::min(in_start + 2 * length, in), out_end = std::min(out_start + length, out);
    const int64_t junk_before = out_start > 0 ? 1 : 0, junk_after = out_end < out ? 1 : 0;
    tiles.push_back({in_end - in_start, out_end - out_start, junk_before, junk_after, in_start, in_end,
                     out_start + junk_before, out_end - junk_after});
    if (junk_after == 0) return tiles;
    in_start = in_end - 4;
    out_start = out_end - junk_after - 1;
  }
}

}  // namespace blobsmith::vpu::nce
