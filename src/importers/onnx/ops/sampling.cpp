// Reading a feature map at computed places: GridSample, DeformConv, and AffineGrid, which computes such places. The VPU
// has no stage for it. The map becomes rows of channels, one a pixel; each neighbour of a place is a Gather of rows,
// times its weight. Weights of neighbours outside are 0; all arithmetic of positions within the map is in integers.
#include <cmath>

#include "importers/onnx/mo_steps.hpp"
#include "importers/onnx/operators.hpp"
#include "importers/onnx/window.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

enum class Outside { Zeros, Border, Reflection };

/// One neighbour along one axis: its position, as an integer inside of the axis, and its weight. [places, 1] each
struct Neighbour {
  Value position, weight;
};

class Sampler {
 public:
  Sampler(Steps& s, Outside outside, bool aligned) : s_(s), outside_(outside), aligned_(aligned) {}

  /// The pixels around `at` (in pixels), by kind of interpolation.
  std::vector<Neighbour> nearest(Value at, int64_t size) { return {neighbour(s_.round(inside(at, size)), size, {})}; }

  std::vector<Neighbour> linear(Value at, int64_t size) {
    const Value x = inside(at, size), low = s_.floor(x), part = s_.subtract(x, low);
    return between(low, part, size);
  }

  /// Of a place as a whole pixel and the part behind it, of which FP16 holds more digits than of their sum.
  std::vector<Neighbour> between(Value low, Value part, int64_t size) {
    const Value rest = s_.add(s_.multiply(part, -1), 1);
    return {neighbour(low, size, rest), neighbour(s_.add(low, 1), size, part)};
  }

  std::vector<Neighbour> cubic(Value at, int64_t size) {
    constexpr double kA = -0.75;
    const Value low = s_.floor(at), t = s_.subtract(at, low), rest = s_.add(s_.multiply(t, -1), 1);
    // Neighbours at a distance up to 1, and from 1 to 2.
    const auto near = [&](Value d) {
      const Value inner = s_.add(s_.multiply(d, kA + 2), -(kA + 3));
      return s_.add(s_.multiply(s_.multiply(d, d), inner), 1);
    };
    const auto far = [&](Value d) {  // d is less than the distance by 1: kA d (1 - d)^2
      const Value e = s_.add(s_.multiply(d, -1), 1);
      return s_.multiply(s_.multiply(s_.multiply(e, e), d), kA);
    };
    const auto reflected = [&](Value v) { return inside(v, size); };
    return {neighbour(reflected(s_.add(low, -1)), size, far(t)), neighbour(reflected(low), size, near(t)),
            neighbour(reflected(s_.add(low, 1)), size, near(rest)),
            neighbour(reflected(s_.add(low, 2)), size, far(rest))};
  }

  /// rows [pixels, channels] at all combinations of neighbours, weighted. `first`: the row of the first pixel of each
  /// place's own map, as an integer; none where there is one map.
  Value sample(Value rows, Value first, const std::vector<std::vector<Neighbour>>& axes, const Shape& sizes) {
    return sample(rows, {first, {}}, axes, sizes, 0);
  }

 private:
  Value sample(Value rows, const Neighbour& so_far, const std::vector<std::vector<Neighbour>>& axes, const Shape& sizes,
               size_t axis) {
    if (axis == axes.size()) {
      const int64_t count = so_far.position.shape()[0];
      const Value y = s_.gather(rows, s_.reshape(so_far.position, {count}), 0);
      return so_far.weight ? s_.multiply(y, so_far.weight) : y;
    }
    Value sum;
    for (const Neighbour& n : axes[axis]) {
      Neighbour next = n;
      if (so_far.position)
        next.position = s_.add(s_.multiply(so_far.position, static_cast<double>(sizes[axis])), n.position);
      if (so_far.weight) next.weight = n.weight ? s_.multiply(so_far.weight, n.weight) : so_far.weight;
      const Value part = sample(rows, next, axes, sizes, axis + 1);
      sum = sum ? s_.add(sum, part) : part;
    }
    return sum;
  }

  Neighbour neighbour(Value position, int64_t size, Value weight) {
    const Value cut = s_.clamp(position, 0, static_cast<double>(size - 1));
    if (outside_ == Outside::Zeros) {
      const Value is_inside = s_.convert(s_.make("Equal", {position, cut}), position.type());
      weight = weight ? s_.multiply(weight, is_inside) : is_inside;
    }
    return {s_.convert(cut, ElementType::i32), weight};
  }

  Value inside(Value at, int64_t size) {
    const auto last = static_cast<double>(size - 1);
    if (outside_ == Outside::Zeros) return at;
    if (outside_ == Outside::Border) return s_.clamp(at, 0, last);
    const double low = aligned_ ? 0 : -0.5, range = aligned_ ? last : last + 1;
    if (range == 0) return s_.multiply(at, 0);
    const Value from_low = s_.add(at, -low);
    const Value turned = s_.make("FloorMod", {from_low, s_.number(at, 2 * range)});
    const Value folded = s_.make("Minimum", {turned, s_.add(s_.multiply(turned, -1), 2 * range)});
    return s_.clamp(s_.add(folded, low), 0, last);
  }

  Steps& s_;
  Outside outside_;
  bool aligned_;
};

/// [batch, channels, ...] -> [batch * pixels, channels]
Value pixel_rows(Steps& s, Value x) {
  const Shape& shape = x.shape();
  const int64_t batch = shape[0], channels = shape[1], pixels = element_count(shape) / (batch * channels);
  const Value planes = s.reshape(x, {batch, channels, pixels});
  return s.reshape(s.transpose(planes, {0, 2, 1}), {batch * pixels, channels});
}

/// The map that each of `places` places of every item reads: [batch * places, 1], none for one item.
Value first_rows(Steps& s, int64_t batch, int64_t places) {
  if (batch == 1) return {};
  std::vector<int32_t> items;
  for (int64_t b = 0; b < batch; ++b) items.insert(items.end(), static_cast<size_t>(places), static_cast<int32_t>(b));
  return s.constant(Tensor::of(ElementType::i32, {batch * places, 1}, std::move(items)));
}

Outside outside_of(Context& c) {
  const std::string mode = c.text("padding_mode", "zeros");
  if (mode == "zeros") return Outside::Zeros;
  if (mode == "border") return Outside::Border;
  if (mode != "reflection") c.refuse("padding_mode is '" + mode + "'");
  return Outside::Reflection;
}

std::vector<Value> grid_sample(Context& c) {
  Steps s(c);
  const Shape x = c.input(0).shape(), g = c.input(1).shape();
  const size_t spatial = x.size() - 2;
  if (x.size() < 3 || g.size() != x.size() || !is_static(x) || !is_static(g) || g[0] != x[0] ||
      g.back() != static_cast<int64_t>(spatial))
    c.refuse("its inputs have the shapes " + to_string(x) + " and " + to_string(g));
  const bool aligned = c.integer("align_corners", 0) != 0;
  const std::string mode = c.text("mode", "linear");
  Sampler sampler(s, outside_of(c), aligned);
  const int64_t places = element_count(g) / (g[0] * g.back());
  const Value grid = s.reshape(s.convert(c.input(1), c.input(0).type()), {g[0] * places, g.back()});
  const Shape sizes(x.begin() + 2, x.end());
  std::vector<std::vector<Neighbour>> axes;
  for (size_t a = 0; a < spatial; ++a) {
    // The coordinates of a place begin with the last axis.
    const auto column = static_cast<int64_t>(spatial - 1 - a);
    const Value v = s.slice(grid, 1, column, column + 1);
    const auto size = static_cast<double>(sizes[a]);
    const Value at = s.add(s.multiply(v, (aligned ? size - 1 : size) / 2), (size - 1) / 2);
    if (mode == "nearest")
      axes.push_back(sampler.nearest(at, sizes[a]));
    else if (mode == "bilinear" || mode == "linear")
      axes.push_back(sampler.linear(at, sizes[a]));
    else if (mode == "bicubic" || mode == "cubic")
      axes.push_back(sampler.cubic(at, sizes[a]));
    else
      c.refuse("mode is '" + mode + "'");
  }
  const Value y = sampler.sample(pixel_rows(s, c.input(0)), first_rows(s, g[0], places), axes, sizes);
  Shape out{g[0], x[1]};
  out.insert(out.end(), g.begin() + 1, g.end() - 1);
  return {s.done(s.reshape(s.transpose(s.reshape(y, {g[0], places, x[1]}), {0, 2, 1}), out))};
}

/// The places of all pixels, [pixels, axes + 1], the last column ones.
std::vector<float> pixel_places(const std::vector<int64_t>& sizes, bool aligned) {
  std::vector<float> places;
  const int64_t pixels = element_count(sizes);
  for (int64_t p = 0; p < pixels; ++p) {
    int64_t rest = p;
    for (size_t a = sizes.size(); a-- > 0;) {
      const int64_t i = rest % sizes[a], n = sizes[a];
      rest /= n;
      const double at = aligned ? (n > 1 ? 2.0 * static_cast<double>(i) / static_cast<double>(n - 1) - 1 : 0)
                                : (2.0 * static_cast<double>(i) + 1) / static_cast<double>(n) - 1;
      places.push_back(static_cast<float>(at));
    }
    places.push_back(1);
  }
  return places;
}

std::vector<Value> affine_grid(Context& c) {
  Steps s(c);
  const std::vector<int64_t> size = c.constant_integers(1, "size");
  const Shape theta = c.input(0).shape();
  if (size.size() < 4 || theta.size() != 3) c.refuse("its size is " + to_string(size));
  const std::vector<int64_t> sizes(size.begin() + 2, size.end());
  const auto axes = static_cast<int64_t>(sizes.size());
  if (theta != Shape{size[0], axes, axes + 1}) c.refuse("its matrices have the shape " + to_string(theta));
  const std::vector<float> places = pixel_places(sizes, c.integer("align_corners", 0) != 0);
  const int64_t pixels = element_count(sizes);
  std::vector<float> all;
  for (int64_t b = 0; b < size[0]; ++b) all.insert(all.end(), places.begin(), places.end());
  const Value y = s.product(s.reals({size[0], pixels, axes + 1}, std::move(all)), c.input(0), true);
  Shape out{size[0]};
  out.insert(out.end(), sizes.begin(), sizes.end());
  out.push_back(axes);
  return {s.done(s.reshape(y, out))};
}

/// The places of a window without offsets along one axis: [window, places].
std::vector<float> window_places(const WindowAttributes& w, const std::vector<int64_t>& kernel, const Shape& out,
                                 size_t axis) {
  std::vector<float> r;
  for (int64_t k = 0; k < kernel[0] * kernel[1]; ++k)
    for (int64_t p = 0; p < out[0] * out[1]; ++p) {
      const int64_t within = axis == 0 ? k / kernel[1] : k % kernel[1], at = axis == 0 ? p / out[1] : p % out[1];
      r.push_back(static_cast<float>(at * w.strides[axis] - w.pads_begin[axis] + within * w.dilations[axis]));
    }
  return r;
}

std::vector<Value> deform_conv(Context& c) {
  Steps s(c);
  const Shape x = c.input(0).shape(), w = c.input(1).shape(), o = c.input(2).shape();
  if (x.size() != 4 || w.size() != 4 || o.size() != 4 || !is_static(x) || !is_static(w) || !is_static(o))
    c.refuse("its inputs have the shapes " + to_string(x) + ", " + to_string(w) + " and " + to_string(o));
  const WindowAttributes window = read_window_attributes(c, 2);
  const int64_t parts = c.integer("offset_group", 1), groups = c.integer("group", 1), batch = x[0];
  const std::vector<int64_t> kernel{w[2], w[3]};
  const int64_t taps = kernel[0] * kernel[1], places = o[2] * o[3];
  if (parts < 1 || x[1] % parts != 0 || o[1] != parts * taps * 2 || groups < 1 || w[1] * groups != x[1] ||
      w[0] % groups != 0)
    c.refuse("its groups don't fit its channels");
  const Value offsets = s.reshape(c.input(2), {batch, parts, taps, 2, places});
  Sampler sampler(s, Outside::Zeros, false);
  std::vector<Value> sampled;
  const int64_t channels = x[1] / parts, rows = batch * taps * places;
  for (int64_t part = 0; part < parts; ++part) {
    const Value own = s.slice(offsets, 1, part, part + 1);
    std::vector<std::vector<Neighbour>> axes;
    for (size_t a = 0; a < 2; ++a) {
      const auto column = static_cast<int64_t>(a);
      const Value moved = s.reshape(s.slice(own, 3, column, column + 1), {batch, taps, places});
      const Value whole = s.floor(moved), fraction = s.reshape(s.subtract(moved, whole), {rows, 1});
      const Value still = s.reals({1, taps, places}, window_places(window, kernel, {o[2], o[3]}, a));
      axes.push_back(sampler.between(s.reshape(s.add(whole, still), {rows, 1}), fraction, x[a + 2]));
    }
    const Value map = pixel_rows(s, s.slice(c.input(0), 1, part * channels, (part + 1) * channels));
    Value y = sampler.sample(map, first_rows(s, batch, taps * places), axes, {x[2], x[3]});
    if (c.has_input(4)) {
      const Value mask = s.reshape(c.input(4), {batch, parts, taps, places});
      y = s.multiply(y, s.reshape(s.slice(mask, 1, part, part + 1), {rows, 1}));
    }
    const Value turned = s.transpose(s.reshape(y, {batch, taps * places, channels}), {0, 2, 1});
    sampled.push_back(s.reshape(turned, {batch, channels * taps, o[2], o[3]}));
  }
  // What is left is a 1x1 convolution of channels times taps.
  const Value input = s.concat(sampled, 1);
  const std::vector<int64_t> ones{1, 1}, none{0, 0};
  const Attributes a = attributes({{"strides", ones},
                                   {"dilations", ones},
                                   {"pads_begin", none},
                                   {"pads_end", none},
                                   {"auto_pad", std::string("explicit")}});
  const Value flat = groups == 1 ? s.reshape(c.input(1), {w[0], w[1] * taps, 1, 1})
                                 : s.reshape(c.input(1), {groups, w[0] / groups, w[1] * taps, 1, 1});
  Value y = s.make(groups == 1 ? "Convolution" : "GroupConvolution", {input, flat}, a);
  if (c.has_input(3)) y = s.add(y, s.reshape(c.input(3), {1, w[0], 1, 1}));
  return {s.done(y)};
}

}  // namespace
}  // namespace mo

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"GridSample", 16, "Gather", mo::grid_sample, nullptr},
    {"AffineGrid", 20, "MatMul", mo::affine_grid, nullptr},
    {"DeformConv", 19, "Convolution", mo::deform_conv, nullptr},
};

}  // namespace

std::span<const OperatorRow> sampling_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
