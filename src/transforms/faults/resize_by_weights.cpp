// Interpolations that the VPU has no stage for (cubic, antialiased, padded ones of opset 1): every row of the output is
// a sum of rows of the input with constant weights, so a 1x1 convolution does it whose channels are the rows; then one
// for the columns.
#include <algorithm>

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

bool lacks_stage(const Node& n) {
  const std::string mode = n.attrs.text("mode");
  const Shape &in = n.input(0).shape(), &out = n.shape();
  if (mode == "cubic") return true;
  bool shrinks = false;
  for (size_t i = 0; i < in.size(); ++i) shrinks = shrinks || out[i] < in[i];
  if (n.version == 4) return mode == "linear" && n.attrs.flag("antialias") && shrinks;
  return mode != "area" && (pads_interpolation(n) || (mode == "linear" && n.attrs.flag("antialias")));
}

struct Plane {
  ops::AxisWeights rows, columns;  ///< empty where nothing changes
};

bool is_identity(const ops::AxisWeights& w, int64_t in_size) {
  for (size_t i = 0; i < w.size(); ++i)
    if (w[i].size() != 1 || w[i][0].from != static_cast<int64_t>(i)) return false;
  return static_cast<int64_t>(w.size()) == in_size;
}

/// Nothing where more than a plane of known sizes is resized.
std::optional<Plane> plane_of(const Node& n) {
  const Shape &in = n.input(0).shape(), &out = n.shape();
  if (in.size() != 4 || !is_static(in) || !is_static(out) || !is_float(n.element_type()) ||
      !are_small(n.attrs, "pads_begin") || !are_small(n.attrs, "pads_end"))
    return std::nullopt;
  std::vector<float> scales;
  std::vector<int64_t> axes;
  if (n.version == 4) {
    const Tensor *stated = constant_of(n.input(2)), *along = n.input_count() > 3 ? constant_of(n.input(3)) : nullptr;
    if (!stated || (n.input_count() > 3 && !along)) return std::nullopt;
    scales = stated->to_f32();
    if (along) axes = along->to_i64();
  }
  const Shape padded = ops::padded_shape(n, in);
  Plane p;
  for (const auto& [axis, scale] : ops::resize_scales(n, in, out, scales, axes)) {
    if (axis < 2 && scale == 1 && padded[axis] == out[axis]) continue;
    if (!is_side(padded[axis]) || !is_side(out[axis]) || !is_scale(scale)) return std::nullopt;
    ops::AxisWeights w = ops::resize_of(n).weights(padded[axis], out[axis], scale);
    if (is_identity(w, padded[axis])) continue;
    if (axis < 2) return std::nullopt;
    (axis == 2 ? p.rows : p.columns) = std::move(w);
  }
  return p;
}

Value padded(Rewriter& rw, const Node& n) {
  const Value x = n.input(0);
  if (!pads_interpolation(n)) return x;
  std::vector<int64_t> begin = n.attrs.integers("pads_begin"), end = n.attrs.integers("pads_end");
  begin.resize(4, 0);
  end.resize(4, 0);
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

bool resize(Rewriter& rw, Node* n, const Plane& p) {
  Value y = padded(rw, *n);  // batch, channels, rows, columns
  if (p.columns.empty() && p.rows.empty()) return rw.replace(n, rw.reshape(y, n->shape()));
  if (p.columns.empty())
    return rw.replace(n, rw.transpose(mixed(rw, rw.transpose(y, {0, 2, 1, 3})->value(), p.rows), {0, 2, 1, 3}));
  y = mixed(rw, rw.transpose(y, {0, 3, 1, 2})->value(), p.columns);  // batch, columns, channels, rows
  if (p.rows.empty()) return rw.replace(n, rw.transpose(y, {0, 2, 3, 1}));
  y = mixed(rw, rw.transpose(y, {0, 3, 2, 1})->value(), p.rows);  // batch, rows, channels, columns
  return rw.replace(n, rw.transpose(y, {0, 2, 1, 3}));
}

}  // namespace

bool lacks_interpolation(const Node& n) {
  return n.is("Interpolate") && (lacks_stage(n) || n.attrs.text("mode") == "area");
}
bool can_be_weighted(const Node& n) { return n.is("Interpolate") && lacks_stage(n) && plane_of(n); }

Rewritten resize_by_weights(Graph& graph) {
  return rewrite_each(graph, [](Rewriter& rw, Node* n) { return can_be_weighted(*n) && resize(rw, n, *plane_of(*n)); });
}

}  // namespace blobsmith::transforms
