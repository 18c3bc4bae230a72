// Interp (bilinear) and Resample (nearest) (execution spec §7).
#include "vpu/format/resize.hpp"

#include <cmath>

#include "emulator/kernels/shared.hpp"

namespace blobsmith::emulator {
namespace {

/// Where output element o of `out` lies among `in` elements.
float source_coordinate(uint32_t mode, int64_t in, int64_t out, int64_t o) {
  const float scale = static_cast<float>(in) / static_cast<float>(out), at = static_cast<float>(o);
  switch (mode) {
    case 0: return (at + 0.5f) * scale - 0.5f;                   // half_pixel
    case 1: return out > 1 ? (at + 0.5f) * scale - 0.5f : 0.0f;  // pytorch_half_pixel
    case 2: return at * scale;                                   // asymmetric
    case 3: return (at + 0.5f) * scale;                          // tf_half_pixel_for_nn
    default: return out > 1 ? at * (static_cast<float>(in - 1) / static_cast<float>(out - 1)) : 0.0f;  // align_corners
  }
}

struct Neighbours {
  int64_t low, high;
  float weight;  ///< of `high`
};

std::vector<Neighbours> linear_axis(uint32_t mode, int64_t in, int64_t out) {
  std::vector<Neighbours> list;
  for (int64_t o = 0; o < out; ++o) {
    const float c = std::clamp(source_coordinate(mode, in, out, o), 0.0f, static_cast<float>(in - 1));
    const auto low = static_cast<int64_t>(c);
    list.push_back({low, std::min(low + 1, in - 1), c - static_cast<float>(low)});
  }
  return list;
}

/// A row of the input at the width of the output.
struct WideRow {
  const std::vector<Neighbours>* columns;
  std::vector<float> values;
  int64_t row = -1;

  explicit WideRow(const std::vector<Neighbours>& c) : columns(&c), values(c.size()) {}
  void make(const float* plane, int64_t width, int64_t wanted) {
    if (row == wanted) return;
    row = wanted;
    const float* from = plane + row * width;
    for (size_t i = 0; i < values.size(); ++i) {
      const Neighbours& c = (*columns)[i];
      values[i] = from[c.low] * (1 - c.weight) + from[c.high] * c.weight;
    }
  }
};

/// Between two rows; a function of its own, so that it becomes vector instructions.
void mix(const float* upper, const float* lower, float weight_of_lower, size_t n, float* to) {
  for (size_t i = 0; i < n; ++i) to[i] = upper[i] * (1 - weight_of_lower) + lower[i] * weight_of_lower;
}

std::vector<int64_t> nearest_axis(const vpu::ResampleParams& p, int64_t in, int64_t out) {
  std::vector<int64_t> list;
  for (int64_t o = 0; o < out; ++o) {
    float c = source_coordinate(p.coordinate_mode, in, out, o);
    switch (p.nearest_mode) {
      case 0: c = std::ceil(c - 0.5f); break;   // round_prefer_floor
      case 1: c = std::floor(c + 0.5f); break;  // round_prefer_ceil
      case 2: c = std::floor(c); break;
      case 3: c = std::ceil(c); break;
      default: c = out < in ? std::ceil(c) : std::floor(c); break;  // simple
    }
    list.push_back(std::clamp<int64_t>(static_cast<int64_t>(c), 0, in - 1));
  }
  return list;
}

void check_channels(StageRun& s, const Grid& in, const Grid& out) {
  s.check(in.dims[0] == out.dims[0] && in.dims[1] == out.dims[1] && in.count() > 0,
          "a resize between different channels");
}

void run_interp(StageRun& s) {
  const auto& p = s.params<vpu::InterpParams>();
  const Grid in = planes(s.in(0)), out = planes(s.out(1));
  check_channels(s, in, out);
  const std::vector<Neighbours> rows = linear_axis(p.coordinate_mode, in.dims[2], out.dims[2]),
                                columns = linear_axis(p.coordinate_mode, in.dims[3], out.dims[3]);
  s.pool().run(
      in.dims[0] * in.dims[1],
      [&](int64_t plane) {
        const int64_t n = plane / in.dims[1], channel = plane % in.dims[1];
        const std::vector<float> from = read_floats(plane_at(in, n, channel));
        const Grid to = plane_at(out, n, channel);
        std::vector<float> row(columns.size());
        WideRow upper(columns), lower(columns);
        for (size_t y = 0; y < rows.size(); ++y) {
          const Neighbours& r = rows[y];
          if (lower.row == r.low) std::swap(upper, lower);
          upper.make(from.data(), in.dims[3], r.low);
          lower.make(from.data(), in.dims[3], r.high);
          mix(upper.values.data(), lower.values.data(), r.weight, row.size(), row.data());
          store_row(row.data(), to.data + static_cast<int64_t>(y) * to.strides[0], to.strides[1], to.type,
                    static_cast<int64_t>(row.size()));
        }
      },
      out.count() * 4);
}

void run_resample(StageRun& s) {
  const auto& p = s.params<vpu::ResampleParams>();
  const Grid in = volumes(s.in(0)), out = volumes(s.out(1));
  check_channels(s, in, out);
  std::vector<int64_t> places[3];  // by depth, row, column
  for (size_t k = 0; k < 3; ++k) places[k] = nearest_axis(p, in.dims[k + 2], out.dims[k + 2]);
  const int64_t layers = out.dims[2], width = out.dims[4];
  s.pool().run(
      in.dims[0] * in.dims[1] * layers,
      [&](int64_t k) {
        const int64_t volume = k / layers, n = volume / in.dims[1], channel = volume % in.dims[1];
        const Grid from = at_index(plane_at(in, n, channel), 0, places[0][static_cast<size_t>(k % layers)]),
                   to = at_index(plane_at(out, n, channel), 0, k % layers);
        std::vector<float> row(static_cast<size_t>(in.dims[4])), wide(static_cast<size_t>(width));
        int64_t last = -1;
        uint8_t* at = to.data;
        for (int64_t r : places[1]) {
          if (r != last) {
            load_row(from.data + r * from.strides[0], from.strides[1], from.type, in.dims[4], row.data());
            for (size_t c = 0; c < wide.size(); ++c) wide[c] = row[static_cast<size_t>(places[2][c])];
          }
          last = r;
          store_row(wide.data(), at, to.strides[1], to.type, width);
          at += to.strides[0];
        }
      },
      out.count());
}

constexpr KernelRow kRows[] = {
    {StageType::Interp, run_interp},
    {StageType::Resample, run_resample},
};

}  // namespace

std::span<const KernelRow> resize_kernels() { return kRows; }

}  // namespace blobsmith::emulator
