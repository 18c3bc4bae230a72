// Interpolate (opset 1, 4).
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "graph/ops/interpolation.hpp"
#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

struct Term {
  int64_t from;
  double weight;
};
/// Of every output position along one axis, the inputs that it is a weighted sum of.
using AxisWeights = std::vector<std::vector<Term>>;

struct Resize {
  std::string mode, coordinates, rounding;
  bool antialias = false;
  double cube = -0.75;

  double source(double at, double scale, double in_size, double out_size) const {
    if (coordinates == "half_pixel") return (at + 0.5) / scale - 0.5;
    if (coordinates == "pytorch_half_pixel") return out_size > 1 ? (at + 0.5) / scale - 0.5 : 0;
    if (coordinates == "asymmetric") return at / scale;
    if (coordinates == "tf_half_pixel_for_nn") return (at + 0.5) / scale;
    return out_size == 1 ? 0 : at * (in_size - 1) / (out_size - 1);
  }

  int64_t nearest(double x, bool shrinks) const {
    if (rounding == "round_prefer_floor") return static_cast<int64_t>(std::ceil(x - 0.5));
    if (rounding == "round_prefer_ceil") return static_cast<int64_t>(std::floor(x + 0.5));
    if (rounding == "floor") return static_cast<int64_t>(std::floor(x));
    if (rounding == "ceil") return static_cast<int64_t>(std::ceil(x));
    return static_cast<int64_t>(shrinks ? std::ceil(x) : x);
  }

  std::vector<Term> terms(double x, double scale, int64_t size) const {
    const auto cut = [&](int64_t i) { return std::clamp<int64_t>(i, 0, size - 1); };
    if (mode == "nearest") return {{cut(nearest(x, scale < 1)), 1}};
    if (mode == "cubic") return cubic(x, size);
    if (mode == "linear_onnx") {
      const double c = std::clamp(x, 0.0, static_cast<double>(size - 1));
      const auto low = static_cast<int64_t>(c);
      return {{low, 1 - (c - static_cast<double>(low))}, {cut(low + 1), c - static_cast<double>(low)}};
    }
    return triangle(x, scale, size);
  }

  /// "linear": a triangle around the position, wider when an image shrinks and antialias is on; weights are made to sum up to 1.
  std::vector<Term> triangle(double x, double scale, int64_t size) const {
    const double a = antialias && scale < 1 ? scale : 1;
    const auto reach = static_cast<int64_t>(std::ceil(1 / a)), centre = static_cast<int64_t>(std::round(x));
    std::vector<Term> list;
    double sum = 0;
    for (int64_t i = centre - reach; i <= centre + reach; ++i) {
      if (i < 0 || i >= size) continue;
      const double w = a * std::max(0.0, 1 - std::fabs(a * (x - static_cast<double>(i))));
      if (w > 0) list.push_back({i, w});
      sum += w;
    }
    for (Term& t : list) t.weight /= sum;
    return list;
  }

  std::vector<Term> cubic(double x, int64_t size) const {
    const double a = cube, low = std::floor(x), r = x - low;
    const double weights[4] = {a * (((r - 2) * r + 1) * r), ((a + 2) * r - (a + 3)) * r * r + 1, (((-a - 2) * r + (2 * a + 3)) * r - a) * r, -a * r * r * (r - 1)};
    std::vector<Term> list;
    for (int64_t k = 0; k < 4; ++k) list.push_back({std::clamp<int64_t>(static_cast<int64_t>(low) - 1 + k, 0, size - 1), weights[k]});
    return list;
  }

  AxisWeights weights(int64_t in_size, int64_t out_size, double scale) const {
    AxisWeights w;
    for (int64_t i = 0; i < out_size; ++i) {
      if (in_size == out_size && scale == 1) w.push_back({{i, 1}});
      else w.push_back(terms(source(static_cast<double>(i), scale, static_cast<double>(in_size), static_cast<double>(out_size)), scale, in_size));
    }
    return w;
  }
};

/// One axis at a time: all modes are products of functions of one axis.
Tensor resize_axis(const Tensor& t, size_t axis, const AxisWeights& w) {
  const auto x = t.as<float>();
  Shape shape = t.shape;
  const int64_t in_size = shape[axis];
  shape[axis] = static_cast<int64_t>(w.size());
  const int64_t inner = ops::dense_strides(t.shape)[axis], outer = in_size > 0 && inner > 0 ? static_cast<int64_t>(x.size()) / (in_size * inner) : 0;
  std::vector<float> y(static_cast<size_t>(element_count(shape)));
  std::vector<double> row(static_cast<size_t>(inner));
  size_t to = 0;
  for (int64_t o = 0; o < outer; ++o)
    for (const std::vector<Term>& terms : w) {
      std::ranges::fill(row, 0.0);
      for (const Term& term : terms)
        for (int64_t i = 0; i < inner; ++i) row[static_cast<size_t>(i)] += term.weight * static_cast<double>(x[static_cast<size_t>((o * in_size + term.from) * inner + i)]);
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

Outputs resize(const Call& c, const Resize& r, const std::map<size_t, double>& scales) {
  c.require(c.input(0).type == ElementType::f32, "its data are not floating");
  Tensor t = padded(c.input(0), c.attrs().integers("pads_begin"), c.attrs().integers("pads_end"));
  for (const auto& [axis, scale] : scales) {
    const int64_t in_size = t.shape[axis], out_size = c.out_shape()[axis];
    t = resize_axis(t, axis, r.weights(in_size, out_size, scale));
  }
  return {std::move(t)};
}

Outputs run_interpolate_4(const Call& c) {
  const Attributes& a = c.attrs();
  const Resize r{a.text("mode"), a.text("coordinate_transformation_mode"), a.text("nearest_mode"), a.flag("antialias"), a.real("cube_coeff")};
  const size_t rank = c.shape().size();
  std::vector<int64_t> axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  if (c.input_count() > 3) axes = c.integers(3);
  const std::vector<float> given = c.input(2).to_f32();
  std::vector<int64_t> begin = a.integers("pads_begin"), end = a.integers("pads_end");
  begin.resize(rank, 0);
  end.resize(rank, 0);
  std::map<size_t, double> scales;
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<size_t>(ops::from_front(axes[i], rank));
    const int64_t in_size = c.shape()[axis] + begin[axis] + end[axis];
    scales[axis] = a.text("shape_calculation_mode") == "scales" ? static_cast<double>(given.at(i)) : static_cast<double>(c.out_shape()[axis]) / static_cast<double>(in_size);
  }
  return resize(c, r, scales);
}

Outputs run_interpolate_1(const Call& c) {
  const Attributes& a = c.attrs();
  c.require(a.text("mode") != "area", "not yet supported: mode \"area\" of opset 1");
  const Resize r{a.text("mode"), std::string(ops::coordinates_of_opset1(a, c.shape().size())), std::string(ops::kNearestOfOpset1), a.flag("antialias"), -0.75};
  std::map<size_t, double> scales;
  for (int64_t axis : a.integers("axes")) {
    const auto k = static_cast<size_t>(ops::from_front(axis, c.shape().size()));
    scales[k] = static_cast<double>(c.out_shape()[k]) / static_cast<double>(c.shape()[k]);
  }
  return resize(c, r, scales);
}

constexpr Operation kOperations[] = {
    {"Interpolate", 0, run_interpolate_1},
    {"Interpolate", 4, run_interpolate_4},
};

}  // namespace

std::span<const Operation> resize_operations() { return kOperations; }

}  // namespace blobsmith::reference
