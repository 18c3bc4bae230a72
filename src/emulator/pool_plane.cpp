#include "emulator/pool_plane.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

namespace blobsmith::emulator {
namespace {

/// Rows of a plane as floats: all of them, or as many of the last ones as there is room for.
class Rows {
 public:
  Rows(const Grid& plane, int64_t most) : plane_(plane), width_(plane.dims[1]) {
    constexpr int64_t kFloats = 1 << 14;
    const int64_t room = std::max<int64_t>(kFloats / std::max<int64_t>(width_, 1), 1);
    slots_ = std::min(plane.dims[0] <= room ? plane.dims[0] : most, room);
    values_ = std::make_unique_for_overwrite<float[]>(static_cast<size_t>(slots_ * width_));
    if (slots_ == plane.dims[0])
      load_rows(plane.data, plane.strides[0], plane.strides[1], plane.type, slots_, width_, values_.get(), width_);
    else
      rows_.assign(static_cast<size_t>(slots_), -1);
  }
  const float* get(int64_t y) {
    if (rows_.empty()) return values_.get() + y * width_;
    const int64_t slot = y % slots_;
    float* to = values_.get() + slot * width_;
    if (int64_t& row = rows_[static_cast<size_t>(slot)]; row != y) {
      load_row(plane_.data + y * plane_.strides[0], plane_.strides[1], plane_.type, width_, to);
      row = y;
    }
    return to;
  }

 private:
  const Grid& plane_;
  int64_t width_, slots_;
  std::unique_ptr<float[]> values_;
  std::vector<int64_t> rows_;  ///< by slot; empty: all are there
};

template <class Combine>
void pool(const Window& w, const Grid& in, float start, Combine combine, const Grid& out, int64_t first_column,
          const PooledRow& finish) {
  const int64_t height = in.dims[0], width = in.dims[1];
  Rows rows(in, w.kernel_y);
  std::vector<float> column(static_cast<size_t>(width));  // of each column, what falls into the window's rows
  std::vector<float> results(static_cast<size_t>(out.dims[1]));
  for (int64_t oy = 0; oy < out.dims[0]; ++oy) {
    const Span wanted = cut(oy * w.stride_y - w.pad_top, w.kernel_y, 0, height);
    std::fill(column.begin(), column.end(), start);
    for (int64_t y = wanted.begin; y < wanted.end; ++y) {
      const float* row = rows.get(y);
      for (size_t x = 0; x < column.size(); ++x) column[x] = combine(column[x], row[x]);
    }
    for (size_t ox = 0; ox < results.size(); ++ox) {
      const Span columns = cut(static_cast<int64_t>(ox) * w.stride_x - w.pad_left, w.kernel_x, 0, width);
      float v = start;
      for (int64_t x = columns.begin; x < columns.end; ++x) v = combine(v, column[static_cast<size_t>(x)]);
      results[ox] = v;
    }
    finish(oy, first_column, results);
    store_row(results.data(), out.data + oy * out.strides[0], out.strides[1], out.type, out.dims[1]);
  }
}

}  // namespace

void pool_plane(bool max, const Window& window, const Grid& plane, const Grid& results, const PooledRow& finish) {
  constexpr int64_t kColumns = 4096;  // at once
  for (int64_t first = 0; first < results.dims[1]; first += kColumns) {
    Grid in = plane, out = results;
    Window w = window;
    out.data += first * out.strides[1];
    out.dims[1] = std::min(kColumns, out.dims[1] - first);
    const int64_t begin = first * w.stride_x - w.pad_left, end = begin + (out.dims[1] - 1) * w.stride_x + w.kernel_x,
                  skipped = std::clamp<int64_t>(begin, 0, in.dims[1]);
    in.data += skipped * in.strides[1];
    in.dims[1] = std::clamp<int64_t>(end, skipped, in.dims[1]) - skipped;
    w.pad_left = skipped - begin;
    if (max)
      pool(
          w, in, -std::numeric_limits<float>::infinity(), [](float a, float b) { return std::max(a, b); }, out, first,
          finish);
    else
      pool(w, in, 0.0f, [](float a, float b) { return a + b; }, out, first, finish);
  }
}

}  // namespace blobsmith::emulator
