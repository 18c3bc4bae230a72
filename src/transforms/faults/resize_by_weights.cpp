// Interpolations that the VPU has no stage for (cubic, antialiased, padded ones of opset 1, volumes, scales that sizes
// don't follow): every row of the
// output is a sum of rows of the input with constant weights, so a 1x1 convolution does it whose channels are the rows;
// then one for the columns, and one for each other axis.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "graph/ops/interpolation.hpp"
#include "graph/ops/resize_weights.hpp"
#include "transforms/faults/common.hpp"

namespace blobsmith::transforms {
namespace {

constexpr int64_t kLargestSide = 4096;  ///< weights are a matrix of both sizes

bool is_side(int64_t size) { return size >= 1 && size <= kLargestSide; }
bool is_scale(double scale) { return scale >= 1.0 / kLargestSide && scale <= kLargestSide; }

bool are_small(const Attributes& attrs, std::string_view pads) {
  return std::ranges::all_of(attrs.get_or<std::vector<int64_t>>(pads, {}),
                             [](int64_t p) { return p >= 0 && p <= kLargestSide; });
}

constexpr size_t kPlaneRank = 4, kVolumeRank = 5;

bool lacks_stage(const Node& n) {
  const std::string mode = n.attrs.text("mode");
  const Shape &in = n.input(0).shape(), &out = n.shape();
  if (mode == "cubic" || in.size() == kVolumeRank) return true;
  bool shrinks = false;
  for (size_t i = 0; i < in.size(); ++i) shrinks = shrinks || out[i] < in[i];
  if (n.version == 4) return mode == "linear" && n.attrs.flag("antialias") && shrinks;
  return mode != "area" && (pads_interpolation(n) || (mode == "linear" && n.attrs.flag("antialias")));
}

struct Scales {
  std::map<size_t, double> stated, of_sizes;  ///< of_sizes: output by input, which are what the chip's stages know
};

/// Nothing where they are not known.
std::optional<Scales> scales_of(const Node& n) {
  std::vector<float> scales;
  std::vector<int64_t> axes;
  if (n.version == 4) {
    const Tensor *stated = constant_of(n.input(2)), *along = n.input_count() > 3 ? constant_of(n.input(3)) : nullptr;
    if (!stated || (n.input_count() > 3 && !along)) return std::nullopt;
    scales = stated->to_f32();
    if (along) axes = along->to_i64();
  }
  const Shape &in = n.input(0).shape(), &out = n.shape(), padded = ops::padded_shape(n, in);
  Scales s{ops::resize_scales(n, in, out, scales, axes), {}};
  for (const auto& [axis, scale] : s.stated)
    s.of_sizes[axis] = static_cast<double>(out[axis]) / static_cast<double>(padded[axis]);
  return s;
}

bool is_alike(const ops::AxisWeights& a, const ops::AxisWeights& b) {
  constexpr double kAlike = 1e-3;
  const auto close = [](const ops::Term& s, const ops::Term& t) {
    return s.from == t.from && std::fabs(s.weight - t.weight) < kAlike;
  };
  return std::ranges::equal(a, b, [&](const auto& s, const auto& t) { return std::ranges::equal(s, t, close); });
}

bool has_known_sizes(const Node& n) {
  const Shape& in = n.input(0).shape();
  return (in.size() == kPlaneRank || in.size() == kVolumeRank) && is_static(in) && is_static(n.shape()) &&
         is_float(n.element_type()) && are_small(n.attrs, "pads_begin") && are_small(n.attrs, "pads_end");
}

/// Scales of which sizes are rounded down (5 by 1.5 is 7) place other inputs under the outputs than the sizes say.
bool scales_depart(const Node& n) {
  if (n.version != 4 || n.attrs.text("shape_calculation_mode") != "scales" || !has_known_sizes(n)) return false;
  const std::optional<Scales> s = scales_of(n);
  if (!s) return false;
  const ops::Resize by_scales = ops::resize_of(n, s->stated), by_sizes = ops::resize_of(n, s->of_sizes);
  const Shape padded = ops::padded_shape(n, n.input(0).shape());
  return std::ranges::any_of(s->stated, [&](const auto& stated) {
    const auto [axis, scale] = stated;
    const int64_t from = padded[axis], to = n.shape()[axis];
    if (!is_side(from) || !is_side(to) || !is_scale(scale)) return false;
    return !is_alike(by_scales.weights(from, to, scale), by_sizes.weights(from, to, s->of_sizes.at(axis)));
  });
}

/// Axes whose size or values change.
using WeightedAxes = std::map<size_t, ops::AxisWeights>;

bool is_identity(const ops::AxisWeights& w, int64_t in_size) {
  for (size_t i = 0; i < w.size(); ++i)
    if (w[i].size() != 1 || w[i][0].from != static_cast<int64_t>(i)) return false;
  return static_cast<int64_t>(w.size()) == in_size;
}

/// Nothing where weights are not known, or more than a plane of images is resized.
std::optional<WeightedAxes> weighted_axes(const Node& n) {
  if (!has_known_sizes(n)) return std::nullopt;
  const std::optional<Scales> scales = scales_of(n);
  if (!scales) return std::nullopt;
  const Shape &in = n.input(0).shape(), &out = n.shape(), padded = ops::padded_shape(n, in);
  const ops::Resize resize = ops::resize_of(n, scales->stated);
  WeightedAxes list;
  for (const auto& [axis, scale] : scales->stated) {
    if (axis < 2 && scale == 1 && padded[axis] == out[axis]) continue;
    if (!is_side(padded[axis]) || !is_side(out[axis]) || !is_scale(scale)) return std::nullopt;
    ops::AxisWeights w = resize.weights(padded[axis], out[axis], scale);
    if (is_identity(w, padded[axis])) continue;
    if (axis < 2) return std::nullopt;
    list[axis] = std::move(w);
  }
  return list;
}

Value padded(Rewriter& rw, const Node& n) {
  const Value x = n.input(0);
  if (!pads_interpolation(n)) return x;
  std::vector<int64_t> begin = n.attrs.integers("pads_begin"), end = n.attrs.integers("pads_end");
  begin.resize(x.shape().size(), 0);
  end.resize(x.shape().size(), 0);
  const Value from = rw.indices(std::move(begin)), to = rw.indices(std::move(end)), zero = rw.scalar(x.type(), 0);
  return rw.make("Pad", {x, from, to, zero}, attributes({{"pad_mode", "constant"}}))->value();
}

/// The channels of v become sums of them.
Value mixed(Rewriter& rw, Value v, const ops::AxisWeights& w) {
  const auto in_size = static_cast<size_t>(v.shape()[1]);
  std::vector<double> matrix(w.size() * in_size);
  for (size_t to = 0; to < w.size(); ++to)
    for (const ops::Term& t : w[to]) matrix[to * in_size + static_cast<size_t>(t.from)] += t.weight;
  const Value weights =
      rw.constant(Tensor::reals(v.type(), {static_cast<int64_t>(w.size()), v.shape()[1], 1, 1}, matrix));
  const std::vector<int64_t> ones{1, 1}, zeros{0, 0};
  return rw
      .make("Convolution", {v, weights},
            attributes({{"strides", ones},
                        {"dilations", ones},
                        {"pads_begin", zeros},
                        {"pads_end", zeros},
                        {"auto_pad", "explicit"}}))
      ->value();
}

/// As mixed, along an axis behind the first two.
Value mixed_along(Rewriter& rw, Value v, size_t axis, const ops::AxisWeights& w) {
  Shape shape = v.shape();
  const auto product = [&](size_t from, size_t to) {
    return std::accumulate(shape.begin() + static_cast<long>(from), shape.begin() + static_cast<long>(to), int64_t{1},
                           std::multiplies<>());
  };
  const size_t rank = shape.size();
  if (axis + 1 == rank) {
    v = rw.reshape(v, {1, product(0, axis - 1), shape[axis - 1], shape[axis]})->value();
    v = rw.transpose(mixed(rw, rw.transpose(v, {0, 3, 1, 2})->value(), w), {0, 2, 3, 1})->value();
  } else {
    v = rw.reshape(v, {1, product(0, axis), shape[axis], product(axis + 1, rank)})->value();
    v = rw.transpose(mixed(rw, rw.transpose(v, {0, 2, 1, 3})->value(), w), {0, 2, 1, 3})->value();
  }
  shape[axis] = static_cast<int64_t>(w.size());
  return rw.reshape(v, shape)->value();
}

bool resize_volume(Rewriter& rw, Node* n, const WeightedAxes& axes) {
  Value y = padded(rw, *n);
  for (const auto& [axis, w] : axes) y = mixed_along(rw, y, axis, w);
  return rw.replace(n, rw.reshape(y, n->shape()));
}

bool resize_plane(Rewriter& rw, Node* n, const WeightedAxes& axes) {
  constexpr size_t kRows = 2, kColumns = 3;
  Value y = padded(rw, *n);  // batch, channels, rows, columns
  if (axes.empty()) return rw.replace(n, rw.reshape(y, n->shape()));
  if (!axes.contains(kColumns))
    return rw.replace(n, rw.transpose(mixed(rw, rw.transpose(y, {0, 2, 1, 3})->value(), axes.at(kRows)), {0, 2, 1, 3}));
  y = mixed(rw, rw.transpose(y, {0, 3, 1, 2})->value(), axes.at(kColumns));  // batch, columns, channels, rows
  if (!axes.contains(kRows)) return rw.replace(n, rw.transpose(y, {0, 2, 3, 1}));
  y = mixed(rw, rw.transpose(y, {0, 3, 2, 1})->value(), axes.at(kRows));  // batch, rows, channels, columns
  return rw.replace(n, rw.transpose(y, {0, 2, 1, 3}));
}

bool resize(Rewriter& rw, Node* n) {
  const std::optional<WeightedAxes> axes = weighted_axes(*n);
  if (!axes) return false;
  return n->input(0).shape().size() == kVolumeRank ? resize_volume(rw, n, *axes) : resize_plane(rw, n, *axes);
}

}  // namespace

bool lacks_interpolation(const Node& n) {
  return n.is("Interpolate") && (lacks_stage(n) || scales_depart(n) || n.attrs.text("mode") == "area");
}
bool can_be_weighted(const Node& n) {
  return n.is("Interpolate") && (lacks_stage(n) || scales_depart(n)) && weighted_axes(n);
}

Rewritten resize_by_weights(Graph& graph) {
  return rewrite_each(graph, [](Rewriter& rw, Node* n) { return can_be_weighted(*n) && resize(rw, n); });
}

}  // namespace blobsmith::transforms
