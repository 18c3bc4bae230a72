// Poolings that run on the SHAVEs (execution spec §5).
#include "vpu/format/pooling.hpp"

#include <limits>

#include "emulator/kernels/shared.hpp"
#include "emulator/pool_plane.hpp"

namespace blobsmith::emulator {
namespace {

void run_software_pool(StageRun& s) {
  const auto& p = s.params<vpu::PoolParams>();
  const Window w = p.window();
  check_window(w, kLargestPool);
  const Grid in = planes(s.in(0)), out = planes(s.out(1));
  s.check(in.dims[0] == out.dims[0] && in.dims[1] == out.dims[1], "a pool between different channels");
  const bool max = s.type() == vpu::StageType::MaxPool || s.type() == vpu::StageType::GlobalMaxPool;
  s.pool().run(
      in.dims[0] * in.dims[1],
      [&](int64_t plane) {
        const int64_t n = plane / in.dims[1], channel = plane % in.dims[1];
        pool_plane(max, w, plane_at(in, n, channel), plane_at(out, n, channel),
                   [&](int64_t oy, int64_t ox, std::span<float> values) {
                     if (max) return;
                     for (float& v : values) {
                       // Padding counts, unless excluded; what hangs over beyond it does not. The far pads are taken to
                       // be as the near ones.
                       const int64_t y0 = oy * w.stride_y - w.pad_top, x0 = ox++ * w.stride_x - w.pad_left,
                                     far_y = p.exclude_pad ? 0 : w.pad_top, far_x = p.exclude_pad ? 0 : w.pad_left;
                       const int64_t area = cut(y0, w.kernel_y, -far_y, in.dims[2] + far_y).length() *
                                            cut(x0, w.kernel_x, -far_x, in.dims[3] + far_x).length();
                       v /= static_cast<float>(std::max<int64_t>(area, 1));
                     }
                   });
      },
      out.count() * 4);
}

// Lists start with X.
void run_pool_nd(StageRun& s) {
  const auto& p = s.params<vpu::PoolNDParams>();
  const size_t n = p.kernel.size();
  s.check(n >= 1 && n <= 3 && p.pads_begin.size() == n && p.strides.size() == n, "lists of different length");
  const Grid in = volumes(s.in(0)), out = volumes(s.out(1));
  s.check(in.dims[0] == out.dims[0] && in.dims[1] == out.dims[1], "a pool between different channels");
  std::array<int64_t, 3> kernel{1, 1, 1}, stride{1, 1, 1}, pad{};
  for (size_t k = 0; k < n; ++k) {
    kernel[k] = p.kernel[k];
    stride[k] = p.strides[k];
    pad[k] = p.pads_begin[k];
    check_window(axis_window(kernel[k], stride[k], pad[k]), kLargestPool);
  }
  const bool max = p.method == 1;
  s.pool().run(
      out.dims[0] * out.dims[1],
      [&](int64_t plane) {
        const std::vector<float> x = read_floats(plane_at(in, plane / in.dims[1], plane % in.dims[1]));
        std::vector<float> y;
        for (int64_t oz = 0; oz < out.dims[2]; ++oz)
          for (int64_t oy = 0; oy < out.dims[3]; ++oy)
            for (int64_t ox = 0; ox < out.dims[4]; ++ox) {
              const Span xs = cut(ox * stride[0] - pad[0], kernel[0], 0, in.dims[4]),
                         ys = cut(oy * stride[1] - pad[1], kernel[1], 0, in.dims[3]);
              const Span zs = cut(oz * stride[2] - pad[2], kernel[2], 0, in.dims[2]);
              float v = max ? -std::numeric_limits<float>::infinity() : 0.0f;
              for (int64_t iz = zs.begin; iz < zs.end; ++iz)
                for (int64_t iy = ys.begin; iy < ys.end; ++iy)
                  for (int64_t ix = xs.begin; ix < xs.end; ++ix) {
                    const float e = x[static_cast<size_t>((iz * in.dims[3] + iy) * in.dims[4] + ix)];
                    v = max ? std::max(v, e) : v + e;
                  }
              const int64_t area =
                  p.exclude_pad ? xs.length() * ys.length() * zs.length() : kernel[0] * kernel[1] * kernel[2];
              y.push_back(max ? v : v / static_cast<float>(std::max<int64_t>(area, 1)));
            }
        write(plane_at(out, plane / in.dims[1], plane % in.dims[1]), y);
      },
      out.count() * kernel[0] * kernel[1] * kernel[2]);
}

constexpr KernelRow kRows[] = {
    {StageType::MaxPool, run_software_pool},
    {StageType::AvgPool, run_software_pool},
    {StageType::GlobalMaxPool, run_software_pool},
    {StageType::GlobalAvgPool, run_software_pool},
    {StageType::PoolND, run_pool_nd},
};

}  // namespace

std::span<const KernelRow> pooling_kernels() { return kRows; }

}  // namespace blobsmith::emulator
