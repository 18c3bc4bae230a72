#include "graph/ops/resize_weights.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "graph/ops/interpolation.hpp"
#include "graph/ops/strided.hpp"

namespace blobsmith::ops {

double Resize::source(double at, double scale, double in_size, double out_size) const {
  if (coordinates == "half_pixel") return (at + 0.5) / scale - 0.5;
  if (coordinates == "pytorch_half_pixel") return out_size > 1 ? (at + 0.5) / scale - 0.5 : 0;
  if (coordinates == "asymmetric") return at / scale;
  if (coordinates == "tf_half_pixel_for_nn") return (at + 0.5) / scale;
  return out_size == 1 ? 0 : at * (in_size - 1) / (out_size - 1);
}

int64_t Resize::nearest(double x, bool shrinks) const {
  if (rounding == "round_prefer_floor") return static_cast<int64_t>(std::ceil(x - 0.5));
  if (rounding == "round_prefer_ceil") return static_cast<int64_t>(std::floor(x + 0.5));
  if (rounding == "floor") return static_cast<int64_t>(std::floor(x));
  if (rounding == "ceil") return static_cast<int64_t>(std::ceil(x));
  return static_cast<int64_t>(shrinks ? std::ceil(x) : x);
}

std::vector<Term> Resize::terms(double x, double scale, int64_t size) const {
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

/// "linear": a triangle around the position, with antialias wider along an axis that shrinks and narrower along one
/// that grows, where some outputs may reach no input: they are 0. Other weights are made to sum up to 1.
std::vector<Term> Resize::triangle(double x, double scale, int64_t size) const {
  const double a = antialias ? scale : 1;
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

std::vector<Term> Resize::cubic(double x, int64_t size) const {
  const double a = cube, low = std::floor(x), r = x - low;
  const double weights[4] = {a * (((r - 2) * r + 1) * r), ((a + 2) * r - (a + 3)) * r * r + 1,
                             (((-a - 2) * r + (2 * a + 3)) * r - a) * r, -a * r * r * (r - 1)};
  std::vector<Term> list;
  for (int64_t k = 0; k < 4; ++k)
    list.push_back({std::clamp<int64_t>(static_cast<int64_t>(low) - 1 + k, 0, size - 1), weights[k]});
  return list;
}

AxisWeights Resize::weights(int64_t in_size, int64_t out_size, double scale) const {
  AxisWeights w;
  for (int64_t i = 0; i < out_size; ++i) {
    if (in_size == out_size && scale == 1)
      w.push_back({{i, 1}});
    else
      w.push_back(
          terms(source(static_cast<double>(i), scale, static_cast<double>(in_size), static_cast<double>(out_size)),
                scale, in_size));
  }
  return w;
}

Shape padded_shape(const Node& n, const Shape& data) {
  Shape shape = data;
  for (const char* name : {"pads_begin", "pads_end"}) {
    std::vector<int64_t> pads = n.attrs.get_or<std::vector<int64_t>>(name, {});
    pads.resize(shape.size(), 0);
    for (size_t i = 0; i < shape.size(); ++i) shape[i] += pads[i];
  }
  return shape;
}

std::map<size_t, double> resize_scales(const Node& n, const Shape& data, const Shape& out,
                                       const std::vector<float>& scales, const std::vector<int64_t>& axes) {
  std::map<size_t, double> list;
  const bool by_scales = n.version == 4 && n.attrs.text("shape_calculation_mode") == "scales";
  const Shape in = n.version == 4 ? padded_shape(n, data) : data;  // opset 1 does not count its pads
  std::vector<int64_t> resized = n.version == 4 ? axes : n.attrs.integers("axes");
  if (n.version == 4 && axes.empty()) {
    resized.resize(data.size());
    std::iota(resized.begin(), resized.end(), 0);
  }
  for (size_t i = 0; i < resized.size(); ++i) {
    const auto axis = static_cast<size_t>(from_front(resized[i], data.size()));
    list[axis] =
        by_scales ? static_cast<double>(scales.at(i)) : static_cast<double>(out[axis]) / static_cast<double>(in[axis]);
  }
  return list;
}

Resize resize_of(const Node& n, const std::map<size_t, double>& scales) {
  const Attributes& a = n.attrs;
  const bool antialias =
      a.flag("antialias") && std::ranges::any_of(scales, [](const auto& axis) { return axis.second < 1; });
  if (n.version == 4)
    return {a.text("mode"), a.text("coordinate_transformation_mode"), a.text("nearest_mode"), antialias,
            a.real("cube_coeff")};
  return {a.text("mode"), std::string(coordinates_of_opset1(a, n.input(0).shape().size())),
          std::string(kNearestOfOpset1), antialias};
}

}  // namespace blobsmith::ops
