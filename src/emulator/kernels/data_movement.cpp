// Stages that only move data (execution spec §3).
#include "vpu/format/data_movement.hpp"

#include "emulator/kernels/shared.hpp"

namespace blobsmith::emulator {
namespace {

/// Axis of an outermost-first grid for a memory position.
int grid_axis(const Grid& g, int64_t position) {
  if (position < 0 || position >= g.rank) throw Error(ErrorCode::BadBlob, "bad blob: an axis outside its tensor");
  return g.rank - 1 - static_cast<int>(position);
}

/// Repeats inner rows outwards along an axis whose elements [first, first + size) are there already.
void extend_axis(ThreadPool& pool, const Grid& g, int axis, int64_t first, int64_t size, uint32_t mode) {
  const auto a = static_cast<size_t>(axis);
  const bool mirror = mode != 1;  // reflect, symmetric
  const int64_t skip = mode == 2 ? 1 : 0, period = 2 * (size - skip);
  for (int64_t to = 0; to < g.dims[a]; ++to) {
    int64_t from = to - first;
    if (from >= 0 && from < size) continue;
    if (!mirror || period <= 0) {
      from = std::clamp<int64_t>(from, 0, size - 1);
    } else {
      from = ((from % period) + period) % period;
      if (from >= size) from = period - from - 1 + skip;
    }
    copy_elements(pool, at_index(g, axis, first + from), at_index(g, axis, to));
  }
}

void fill(const Grid& g, float value) {
  std::vector<float> row;
  for_each_row(nest_of(g), [&](const auto& at, const auto& step, int64_t n) {
    row.resize(static_cast<size_t>(n), value);
    store_row(row.data(), at[0], step[0], g.type, n);
  });
}

void run_none(StageRun&) {}

void run_copy(StageRun& s) {
  const Grid from = framework_order(s.in_parts(0)), to = framework_order(s.out_parts(1));
  copy_elements(s.pool(), from, to);
  s.touch({0, false, false, from});
  s.touch({1, true, false, to});
}

void run_convert(StageRun& s) {
  const auto& p = s.params<vpu::ConvertParams>();
  const Grid from = framework_order(s.in(0)), to = framework_order(s.out(1));
  s.check(from.rank == to.rank && from.dims == to.dims, "a conversion between different sizes");
  const bool plain = p.scale == 1 && p.bias == 0;
  if (plain && from.type == DataType::S32 && to.type != DataType::FP16 && to.type != DataType::FP32)
    return write(to, read_integers(from));
  map_rows(s.pool(), Nest<2>{to.rank, to.dims, {to.strides, from.strides}, {to.data, from.data}}, {to.type, from.type},
           [&](float* out, const auto& in, int64_t n) {
             for (int64_t i = 0; i < n; ++i) out[i] = plain ? in[0][i] : in[0][i] * p.scale + p.bias;
           });
}

/// The output for a permuted input. Where sizes are known at run time only, the input's count: those of the output are
/// wrong in some of Intel's blobs (docs/quirks.md).
Grid permuted(StageRun& s, const Grid& from) {
  const bool dynamic = s.is_dynamic(1);
  Grid to = memory_order(dynamic ? s.out_at_capacity(1) : s.out(1));
  s.check(from.rank == to.rank, "a permutation between different ranks");
  if (!dynamic) return to;
  for (size_t k = 0; k < static_cast<size_t>(to.rank); ++k) {
    s.check(from.dims[k] <= to.dims[k], "no room for what is permuted");
    to.dims[k] = from.dims[k];
  }
  s.touch({1, true, false, to});
  return to;
}

void run_permute(StageRun& s) {
  const auto& p = s.params<vpu::PermuteParams>();
  const View in = s.in(0);
  Grid from{in.data, in.type};
  unsigned used = 0;
  for (int k = in.rank - 1; k >= 0; --k) {
    const int32_t source = p.permutation[static_cast<size_t>(k)];
    s.check(source >= 0 && source < in.rank && !(used >> source & 1), "a permutation that is none");
    used |= 1u << source;
    from.push(in.dims[static_cast<size_t>(source)], in.strides[static_cast<size_t>(source)]);
  }
  copy_elements(s.pool(), from, permuted(s, from));
}

void run_pad(StageRun& s) {
  const auto& p = s.params<vpu::PadParams>();
  Grid from = memory_order(s.in(0));
  const Grid to = memory_order(s.out(1));
  s.check(from.rank == to.rank && p.pad_mode <= 3, "an unknown form of padding");
  if (p.pad_mode == 0) fill(to, p.pad_value);
  Grid inside = to;
  std::array<int64_t, kMaxRank> first{}, size{};
  for (int axis = 0; axis < to.rank; ++axis) {
    const auto a = static_cast<size_t>(axis), position = static_cast<size_t>(to.rank - 1 - axis);
    first[a] = position < p.pads.size() ? p.pads[position].begin : 0;
    size[a] = std::min(from.dims[a], to.dims[a] - first[a]);
    s.check(size[a] > 0, "padding that leaves no data");
    inside = slice(inside, axis, first[a], size[a]);
    from = slice(from, axis, 0, size[a]);
  }
  copy_elements(s.pool(), from, inside);
  if (p.pad_mode == 0) return;
  Grid done = inside;
  for (int axis = 0; axis < to.rank; ++axis) {
    const auto a = static_cast<size_t>(axis);
    done.data -= first[a] * done.strides[a];
    done.dims[a] = to.dims[a];
    extend_axis(s.pool(), done, axis, first[a], size[a], p.pad_mode);
  }
}

void run_tile(StageRun& s) {
  const auto& p = s.params<vpu::TileParams>();
  const Grid from = memory_order(s.in(0)), to = memory_order(s.out(1));
  const int axis = grid_axis(to, p.axis);
  s.check(from.rank == to.rank, "tiles of another rank");
  const int64_t size = from.dims[static_cast<size_t>(axis)];
  s.check(int64_t{p.tiles} * size == to.dims[static_cast<size_t>(axis)], "tiles that don't fill the output");
  for (int64_t t = 0; t < p.tiles && size > 0; ++t) copy_elements(s.pool(), from, slice(to, axis, t * size, size));
}

void run_concat(StageRun& s) {
  const auto& p = s.params<vpu::ConcatParams>();
  const int last = s.buffer_count() - 1;
  const Grid to = memory_order(s.out(last));
  const int axis = grid_axis(to, p.axis);
  int64_t at = 0;
  for (int k = 0; k < last; ++k) {
    const Grid from = memory_order(s.in(k));
    s.check(from.rank == to.rank, "a concatenation of different ranks");
    const int64_t size = from.dims[static_cast<size_t>(axis)];
    Grid part = slice(to, axis, at, size);
    for (int d = 0; d < to.rank; ++d) part = slice(part, d, 0, from.dims[static_cast<size_t>(d)]);
    copy_elements(s.pool(), from, part);
    at += size;
  }
}

void run_broadcast(StageRun& s) {
  const auto& p = s.params<vpu::BroadcastParams>();
  const Grid in = framework_order(s.in(0)), to = framework_order(s.out(s.buffer_count() - 1));
  constexpr int kExplicit = 1;
  s.check(in.rank <= to.rank, "a broadcast to fewer dimensions");
  std::vector<int64_t> axes;  // of `to`, per axis of `in`
  if (p.mode == kExplicit && s.buffer_count() == 4)
    axes = read_integers(memory_order(s.in(2)));
  else
    for (int k = 0; k < in.rank; ++k) axes.push_back(to.rank - in.rank + k);
  s.check(static_cast<int>(axes.size()) == in.rank, "a broadcast of unexpected rank");
  Grid from{in.data, in.type, to.rank, to.dims};
  for (size_t k = 0; k < axes.size(); ++k) {
    s.check(axes[k] >= 0 && axes[k] < to.rank, "a broadcast along a dimension that does not exist");
    const auto a = static_cast<size_t>(axes[k]);
    if (in.dims[k] == 1) continue;
    s.check(in.dims[k] == to.dims[a], "a broadcast of sizes that don't fit");
    from.strides[a] = in.strides[k];
  }
  copy_elements(s.pool(), from, to);
}

/// One dimension of a slice with Python's rules: first element, step, number of elements.
struct Range {
  int64_t first, step, count;
};

Range python_range(int64_t size, bool use_begin, int64_t begin, bool use_end, int64_t end, int64_t step) {
  const auto place = [&](int64_t v) {
    return std::clamp<int64_t>(v < 0 ? v + size : v, step < 0 ? -1 : 0, step < 0 ? size - 1 : size);
  };
  const int64_t first = use_begin  ? place(begin)
                        : step < 0 ? size - 1
                                   : 0,
                last = use_end    ? place(end)
                       : step < 0 ? -1
                                  : size;
  const int64_t distance = step < 0 ? first - last : last - first, width = step < 0 ? -step : step;
  return {first, step, distance > 0 ? (distance + width - 1) / width : 0};
}

void run_strided_slice(StageRun& s) {
  const auto& p = s.params<vpu::StridedSliceParams>();
  const Grid in = framework_order(s.in(0));
  const std::vector<int64_t> begin = read_integers(memory_order(s.in(1))), end = read_integers(memory_order(s.in(2)));
  std::vector<int64_t> step(begin.size(), 1);
  if (s.buffer_count() > 4 && s.has(3)) step = read_integers(memory_order(s.in(3)));
  s.check(begin.size() == end.size() && begin.size() == step.size() && begin.size() <= 32,
          "begin, end and strides of different length");
  Grid from{in.data, in.type};
  int axis = 0;
  const auto take = [&](int64_t first, int64_t stride, int64_t count, bool keep) {
    const auto a = static_cast<size_t>(axis++);
    if (count > 0) from.data += first * in.strides[a];
    if (keep) from.push(count, in.strides[a] * stride);
  };
  for (size_t i = 0; i < begin.size(); ++i) {
    const auto bit = [i](uint32_t mask) { return (mask >> i & 1) != 0; };
    s.check(from.rank < kMaxRank, "a slice of too many dimensions");
    if (bit(p.ellipsis_mask)) {
      const int others = static_cast<int>(begin.size() - i - 1) - __builtin_popcount(p.new_axis_mask >> i);
      while (axis < in.rank - others && from.rank < kMaxRank) take(0, 1, in.dims[static_cast<size_t>(axis)], true);
      continue;
    }
    if (bit(p.new_axis_mask)) {
      from.push(1, 0);
      continue;
    }
    s.check(axis < in.rank && step[i] != 0 && step[i] >= INT32_MIN && step[i] <= INT32_MAX,
            "a slice of a dimension that does not exist");
    const int64_t size = in.dims[static_cast<size_t>(axis)];
    if (bit(p.shrink_axis_mask)) {
      const int64_t index = begin[i] < 0 ? begin[i] + size : begin[i];
      s.check(index >= 0 && index < size, "a slice outside its tensor");
      take(index, 1, 1, false);
    } else {
      const Range r = python_range(size, bit(p.begin_mask), begin[i], bit(p.end_mask), end[i], step[i]);
      take(r.first, r.step, r.count, true);
    }
  }
  while (axis < in.rank) take(0, 1, in.dims[static_cast<size_t>(axis)], true);
  RawTensor(s.pool(), from).store(s.pool(), framework_order(s.out(s.buffer_count() - 1)));
}

void run_upsampling(StageRun& s) {
  const auto& p = s.params<vpu::UpsamplingParams>();
  const Grid from = planes(s.in(0)), to = planes(s.out(1));
  s.check(p.scale_x > 0 && p.scale_y > 0 && p.pad_left_x >= 0 && p.pad_left_y >= 0, "an upsampling by nothing");
  fill(to, 0);
  if (from.count() == 0) return;
  const auto spread = [](Grid g, int axis, int64_t first, int64_t count, int64_t step) {
    const auto a = static_cast<size_t>(axis);
    g = slice(g, axis, first, (count - 1) * step + 1);
    g.dims[a] = count;
    g.strides[a] *= step;
    return g;
  };
  copy_elements(s.pool(), from,
                spread(spread(to, 2, p.pad_left_y, from.dims[2], p.scale_y), 3, p.pad_left_x, from.dims[3], p.scale_x));
}

void run_hw_fc_relayout(StageRun& s) { RawTensor(s.pool(), planes(s.in(0))).store(s.pool(), planes(s.out(1))); }

constexpr KernelRow kRows[] = {
    {StageType::None, run_none},
    {StageType::Copy, run_copy},
    {StageType::Convert, run_convert},
    {StageType::Permute, run_permute},
    {StageType::Pad, run_pad},
    {StageType::Tile, run_tile},
    {StageType::Concat, run_concat},
    {StageType::Broadcast, run_broadcast},
    {StageType::StridedSlice, run_strided_slice},
    {StageType::Upsampling, run_upsampling},
    {StageType::HwFcRelayout, run_hw_fc_relayout},
};

}  // namespace

std::span<const KernelRow> data_movement_kernels() { return kRows; }

}  // namespace blobsmith::emulator
