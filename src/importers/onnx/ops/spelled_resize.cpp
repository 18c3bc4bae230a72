#include "importers/onnx/ops/spelled_resize.hpp"

#include <algorithm>

#include "importers/common/resize_axis.hpp"
#include "importers/onnx/mo_steps.hpp"

namespace blobsmith::onnx_import::mo {
namespace {

using importers::ResizeAxis;

constexpr int64_t kLargestSide = 8192;

bool is_stated(Context& c, size_t input) { return c.has_input(input) && element_count(c.input(input).shape()) != 0; }

std::string coordinates(Context& c) { return c.text("coordinate_transformation_mode", "half_pixel"); }

ResizeAxis resize_axis(Context& c, const ResizedAxes& r, size_t a) {
  ResizeAxis x{c.text("mode", "nearest"),
               coordinates(c),
               c.text("nearest_mode", "round_prefer_floor"),
               static_cast<double>(r.scales[a]),
               static_cast<double>(c.input(0).shape()[a]),
               static_cast<double>(r.sizes[a]),
               0,
               1,
               c.real("cubic_coeff_a", -0.75f),
               c.integer("antialias", 0) != 0,
               c.integer("exclude_outside", 0) != 0};
  if (x.coordinates == "tf_crop_and_resize") {
    const Tensor* t = c.constant(1);
    const std::vector<int64_t> axes = c.integers("axes");
    const size_t count = axes.empty() ? c.input(0).shape().size() : axes.size();
    if (!t || element_count(t->shape) != static_cast<int64_t>(2 * count)) c.refuse("its roi is not a constant");
    for (size_t i = 0; i < count; ++i)
      if ((axes.empty() ? static_cast<int64_t>(i) : c.axis(axes[i], c.rank())) == static_cast<int64_t>(a)) {
        x.from = static_cast<double>(t->to_f32()[i]);
        x.to = static_cast<double>(t->to_f32()[count + i]);
      }
  }
  return x;
}

Value resized(Steps& s, Value x, size_t axis, const ResizeAxis& a) {
  if (a.mode == "nearest") {
    std::vector<int64_t> at;
    for (int64_t o = 0; o < static_cast<int64_t>(a.out); ++o) at.push_back(a.nearest(a.source(static_cast<double>(o))));
    return s.gather(x, s.indices(at), static_cast<int64_t>(axis));
  }
  std::vector<int64_t> order, back(x.shape().size());
  for (size_t i = 0; i < back.size(); ++i)
    if (i != axis) order.push_back(static_cast<int64_t>(i));
  order.push_back(static_cast<int64_t>(axis));
  for (size_t i = 0; i < order.size(); ++i) back[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
  const bool turns = axis + 1 < x.shape().size();
  const Value rows = turns ? s.transpose(x, order) : x;
  Shape shape = rows.shape();
  const auto in = static_cast<int64_t>(a.in), out = static_cast<int64_t>(a.out);
  const Value y = s.product(s.reshape(rows, {element_count(shape) / in, in}), s.reals({in, out}, a.weights()));
  shape.back() = out;
  const Value restored = s.reshape(y, shape);
  return turns ? s.transpose(restored, back) : restored;
}

}  // namespace

ResizedAxes resized_axes(Context& c) {
  const Shape& in = c.input(0).shape();
  if (!is_static(in)) c.refuse("its input has the shape " + to_string(in));
  std::vector<int64_t> axes = c.integers("axes");
  for (size_t i = 0; axes.size() < in.size() && !c.has("axes"); ++i) axes.push_back(static_cast<int64_t>(i));
  ResizedAxes r{std::vector<float>(in.size(), 1.0f), in};
  const bool by_sizes = is_stated(c, 3);
  if (!by_sizes && !is_stated(c, 2)) c.refuse("it has neither scales nor sizes");
  if (!by_sizes && !c.constant(2)) c.refuse("its scales are not constant");
  const std::vector<int64_t> sizes = by_sizes ? c.constant_integers(3, "list of sizes") : std::vector<int64_t>{};
  const std::vector<float> scales = by_sizes ? std::vector<float>{} : c.constant(2)->to_f32();
  if ((by_sizes ? sizes.size() : scales.size()) != axes.size())
    c.refuse("it has " + std::to_string(by_sizes ? sizes.size() : scales.size()) + " scales or sizes for " +
             std::to_string(axes.size()) + " axes");
  const std::string policy = c.text("keep_aspect_ratio_policy", "stretch");
  std::vector<float> stated;
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto a = static_cast<size_t>(c.axis(axes[i], c.rank()));
    stated.push_back(by_sizes ? static_cast<float>(sizes[i]) / static_cast<float>(in[a]) : scales[i]);
  }
  if (by_sizes && policy != "stretch") {
    const float one = policy == "not_larger" ? *std::ranges::min_element(stated) : *std::ranges::max_element(stated);
    std::ranges::fill(stated, one);
  }
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto a = static_cast<size_t>(c.axis(axes[i], c.rank()));
    const float scaled = static_cast<float>(in[a]) * stated[i];
    const float size = by_sizes ? std::floor(scaled + 0.5f) : std::floor(scaled + 1e-5f);
    if (!(stated[i] > 0) || !(size >= 1 && size <= 2147483648.0f))
      c.refuse("it resizes an axis of " + std::to_string(in[a]) + " by " + std::to_string(stated[i]));
    r.scales[a] = stated[i];
    r.sizes[a] = static_cast<int64_t>(size);
  }
  return r;
}

bool needs_spelled_resize(Context& c, const ResizedAxes& r) {
  const Shape& in = c.input(0).shape();
  const std::string how = coordinates(c);
  bool uneven = false, elsewhere = in.size() < 3;
  for (size_t i = 0; i < in.size(); ++i) {
    constexpr double kExact = 1e-4;
    uneven = uneven || std::fabs(static_cast<double>(r.scales[i]) * static_cast<double>(in[i]) -
                                 static_cast<double>(r.sizes[i])) > kExact;
    elsewhere = elsewhere || (i < 2 && r.sizes[i] != in[i]);
  }
  return uneven || elsewhere || how == "tf_crop_and_resize" || how == "half_pixel_symmetric" ||
         c.integer("exclude_outside", 0) != 0 || c.integer("antialias", 0) != 0;
}

Value spelled_resize(Context& c, const ResizedAxes& r) {
  Steps s(c);
  const Shape in = c.input(0).shape();
  const bool crops = coordinates(c) == "tf_crop_and_resize";
  Value y = c.input(0);
  Value outside;
  for (size_t a = 0; a < in.size(); ++a) {
    const ResizeAxis axis = resize_axis(c, r, a);
    if (r.sizes[a] > kLargestSide || in[a] > kLargestSide)
      c.refuse("an axis is longer than " + std::to_string(kLargestSide));
    if (r.sizes[a] == in[a] && r.scales[a] == 1 && (!crops || (axis.from == 0 && axis.to == 1))) continue;
    y = resized(s, y, a, axis);
    if (!crops) continue;
    Shape shape(in.size(), 1);
    shape[a] = r.sizes[a];
    std::vector<uint8_t> out;
    for (int64_t o = 0; o < r.sizes[a]; ++o) out.push_back(axis.is_outside(axis.source(static_cast<double>(o))));
    if (std::ranges::find(out, 1) == out.end()) continue;
    const Value mask = s.constant(Tensor::of(ElementType::boolean, shape, out));
    outside = outside ? s.make("LogicalOr", {outside, mask}) : mask;
  }
  if (y == c.input(0)) y = s.add(y, 0);
  if (outside) y = s.make("Select", {outside, s.number(y, c.real("extrapolation_value", 0)), y});
  return s.done(y);
}

}  // namespace blobsmith::onnx_import::mo
