// Max and average pooling (opset 1).
#include <algorithm>
#include <limits>

#include "reference/axes.hpp"
#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

/// The window of one output along one axis: elements [first, last) of the input, and how many it has with its padding.
struct Reach {
  int64_t first, last, padded;
};

struct Pool {
  Axes in, out, kernel, strides, begin, end;

  explicit Pool(const Call& c)
      : in(filled_up(std::span(c.shape()).subspan(2), 1)),
        out(filled_up(std::span(c.out_shape()).subspan(2), 1)),
        kernel(filled_up(c.attrs().integers("kernel"), 1)),
        strides(filled_up(c.attrs().integers("strides"), 1)),
        begin(filled_up(c.attrs().integers("pads_begin"), 0)),
        end(filled_up(c.attrs().integers("pads_end"), 0)) {}

  /// Windows that ceil rounding lets hang over count no more than the padding.
  Reach reach(size_t axis, int64_t at) const {
    const int64_t from = at * strides[axis] - begin[axis], to = std::min(from + kernel[axis], in[axis] + end[axis]);
    const int64_t first = std::max<int64_t>(from, 0);
    return {first, std::max(first, std::min(to, in[axis])), to - from};
  }

  /// Calls f(sum or maximum so far, value) over the valid elements of each window; g(accumulated, valid, padded) gives
  /// the output.
  template <class F, class G>
  Outputs run(const Call& c, double start, F f, G g) const {
    const int64_t planes = c.dim(0, 0) * c.dim(0, 1), size = in[0] * in[1] * in[2], out_size = out[0] * out[1] * out[2];
    std::vector<float> y(static_cast<size_t>(planes * out_size));
    c.pool().run(planes, [&](int64_t p) {
      const float* x = c.floats(0).data() + p * size;
      float* to = y.data() + p * out_size;
      for (int64_t i = 0; i < out_size; ++i) {
        const Reach rz = reach(0, i / (out[1] * out[2])), ry = reach(1, i / out[2] % out[1]), rx = reach(2, i % out[2]);
        double v = start;
        for (int64_t iz = rz.first; iz < rz.last; ++iz)
          for (int64_t iy = ry.first; iy < ry.last; ++iy)
            for (int64_t ix = rx.first; ix < rx.last; ++ix)
              v = f(v, static_cast<double>(x[(iz * in[1] + iy) * in[2] + ix]));
        to[i] = static_cast<float>(g(v, (rz.last - rz.first) * (ry.last - ry.first) * (rx.last - rx.first),
                                     rz.padded * ry.padded * rx.padded));
      }
    });
    return {float_tensor(c.out_shape(), std::move(y))};
  }
};

Outputs run_max_pool(const Call& c) {
  if (c.input(0).type != ElementType::f32) return evaluate(c.node(), c.inputs());
  return Pool(c).run(
      c, -std::numeric_limits<double>::infinity(), [](double a, double b) { return a < b ? b : a; },
      [](double v, int64_t, int64_t) { return v; });
}

Outputs run_average_pool(const Call& c) {
  const bool exclude = c.attrs().flag("exclude-pad");
  return Pool(c).run(
      c, 0, [](double a, double b) { return a + b; },
      [&](double v, int64_t valid, int64_t padded) {
        return valid == 0 ? 0.0 : v / static_cast<double>(exclude ? valid : padded);
      });
}

constexpr OperationRow kOperations[] = {
    {"MaxPool", kAnyVersion, run_max_pool},
    {"AvgPool", kAnyVersion, run_average_pool},
};

}  // namespace

std::span<const OperationRow> pooling_operations() { return kOperations; }

}  // namespace blobsmith::reference
