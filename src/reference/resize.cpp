// Interpolate (opset 1, 4).
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "graph/ops/resize_weights.hpp"
#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

/// One axis at a time: all modes are products of functions of one axis.
Tensor resize_axis(const Tensor& t, size_t axis, const ops::AxisWeights& w) {
  const auto x = t.as<float>();
  Shape shape = t.shape;
  const int64_t in_size = shape[axis];
  shape[axis] = static_cast<int64_t>(w.size());
  const int64_t inner = ops::dense_strides(t.shape)[axis],
                outer = in_size > 0 && inner > 0 ? static_cast<int64_t>(x.size()) / (in_size * inner) : 0;
  std::vector<float> y(static_cast<size_t>(element_count(shape)));
  std::vector<double> row(static_cast<size_t>(inner));
  size_t to = 0;
  for (int64_t o = 0; o < outer; ++o)
    for (const std::vector<ops::Term>& terms : w) {
      std::ranges::fill(row, 0.0);
      for (const ops::Term& term : terms)
        for (int64_t i = 0; i < inner; ++i)
          row[static_cast<size_t>(i)] +=
              term.weight * static_cast<double>(x[static_cast<size_t>((o * in_size + term.from) * inner + i)]);
      for (double v : row) y[to++] = static_cast<float>(v);
    }
  return float_tensor(std::move(shape), std::move(y));
}

Tensor padded(const Tensor& t, std::vector<int64_t> begin, std::vector<int64_t> end) {
  begin.resize(t.shape.size(), 0);
  end.resize(t.shape.size(), 0);
  Shape shape = t.shape;
  for (size_t i = 0; i < shape.size(); ++i) shape[i] += begin[i] + end[i];
  if (shape == t.shape) return t;
  ops::TensorBuilder out(t.type, shape);
  const std::vector<int64_t> strides = ops::dense_strides(shape);
  out.scatter_strided(t, std::inner_product(begin.begin(), begin.end(), strides.begin(), int64_t{0}), strides);
  return out.take();
}

Outputs run_interpolate(const Call& c) {
  c.require(c.input(0).type == ElementType::f32, "its data are not floating");
  c.require(c.attrs().text("mode") != "area", "not yet supported: mode \"area\" of opset 1");
  const bool is_newer = c.node().version == 4;
  const auto scales =
      ops::resize_scales(c.node(), c.shape(), c.out_shape(), is_newer ? c.input(2).to_f32() : std::vector<float>(),
                         is_newer && c.input_count() > 3 ? c.integers(3) : std::vector<int64_t>());
  const ops::Resize r = ops::resize_of(c.node(), scales);
  Tensor t = padded(c.input(0), c.attrs().integers("pads_begin"), c.attrs().integers("pads_end"));
  for (const auto& [axis, scale] : scales)
    t = resize_axis(t, axis, r.weights(t.shape[axis], c.out_shape()[axis], scale));
  return {std::move(t)};
}

constexpr OperationRow kOperations[] = {
    {"Interpolate", kAnyVersion, run_interpolate},
};

}  // namespace

std::span<const OperationRow> resize_operations() { return kOperations; }

}  // namespace blobsmith::reference
