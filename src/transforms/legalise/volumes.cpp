// Convolutions of volumes in groups, which the VPU lacks. Where each group has one input channel, every depth of the
// kernel is a convolution of planes: the channels and depths of a volume are channels of one plane, as they lie,
//
//   kernel of depth 3, volume of 4 channels and 8 depths:
//   [1, 4, 8 + 2, H, W] -> three times [1, 4 * 8, H, W] -> convolutions of 32 groups -> their sum [1, 4 * 8, H, W]
//
// Otherwise the groups are convolved one by one.
//
// A transposed convolution of a volume is that of each of its planes, by the kernels of all depths at once; what it
// makes of them is added up where it overlaps in depth, which a transposed convolution of lines by ones does:
//
//   [1, 4, 5, H, W] -> 5 times [1, 6 * 3, H', W'] -> [1, 6 * 3, 5, H' * W'] -> [1, 6, 11, H' * W']
#include <algorithm>

#include "transforms/legalise/terms.hpp"
#include "transforms/legalise/windows.hpp"

namespace blobsmith::legalise_rows {
namespace {

/// Groups that are still computed one by one.
constexpr int64_t kMostGroups = 64;

bool is_grouped_volume(const Node& n) {
  const Shape& x = n.input(0).shape();
  if (x.size() != 5 || !is_static(x) || !is_static(n.shape()) || !is_float(n.element_type())) return false;
  const Tensor* weights = transforms::constant_of(n.input(1));
  if (!weights || !window_of(n, Shape(weights->shape.begin() + 3, weights->shape.end()))) return false;
  return weights->shape[2] == 1 || weights->shape[0] <= kMostGroups;
}

/// Numbers of a list but for the first, of the depth.
std::vector<int64_t> of_planes(const std::vector<int64_t>& list) { return {list.begin() + 1, list.end()}; }

/// The kernels of one depth, [groups, outputs, 1, depths, rows, columns], once for each depth of the output.
Value plane_kernels(Rewriter& rw, const Tensor& w, int64_t depth, int64_t times) {
  const int64_t kernels = w.shape[0] * w.shape[1], plane = w.shape[4] * w.shape[5], step = w.shape[3] * plane;
  const std::vector<float> values = w.to_f32();
  std::vector<double> repeated;
  for (int64_t g = 0; g < w.shape[0]; ++g)
    for (int64_t i = 0; i < times; ++i)
      for (int64_t k = g * w.shape[1]; k < (g + 1) * w.shape[1]; ++k) {
        const auto from = values.begin() + k * step + depth * plane;
        repeated.insert(repeated.end(), from, from + plane);
      }
  ensure(repeated.size() == static_cast<size_t>(kernels * times * plane), "kernels of one depth");
  return rw.constant(Tensor::reals(w.type, {w.shape[0] * times, w.shape[1], 1, w.shape[4], w.shape[5]}, repeated));
}

Value channel_by_channel(Rewriter& rw, const Node& n, const Tensor& weights, const Window& w) {
  Terms t(rw);
  const Shape x = n.input(0).shape(), y = n.shape();
  const int64_t groups = weights.shape[0], outputs = weights.shape[1], depths = y[2];
  Value padded = t.reshape(n.input(0), {x[0], x[1], x[2], x[3] * x[4]});
  if (w.before[0] != 0 || w.after[0] != 0)
    padded = t.zeros_around(padded, {0, 0, w.before[0], 0}, {0, 0, w.after[0], 0});
  const Attributes a = transforms::attributes({{"strides", of_planes(w.strides)},
                                               {"dilations", of_planes(w.dilations)},
                                               {"pads_begin", of_planes(w.before)},
                                               {"pads_end", of_planes(w.after)},
                                               {"auto_pad", "explicit"}});
  std::optional<Value> sum;
  for (int64_t k = 0; k < w.kernel[0]; ++k) {
    const int64_t first = k * w.dilations[0], step = w.strides[0];
    const Value part =
        t.slice(padded, {0, 0, first, 0}, {x[0], x[1], first + (depths - 1) * step + 1, x[3] * x[4]}, {1, 1, step, 1});
    const Value planes = t.reshape(part, {x[0], x[1] * depths, x[3], x[4]});
    const Value convolved = t.make("GroupConvolution", {planes, plane_kernels(rw, weights, k, depths)}, a);
    sum = sum ? t.add(*sum, convolved) : convolved;
  }
  if (outputs == 1) return t.reshape(*sum, y);
  const Value apart = t.reshape(*sum, {x[0] * groups, depths, outputs, y[3] * y[4]});
  return t.reshape(t.transpose(apart, {0, 2, 1, 3}), y);
}

Value group_by_group(Rewriter& rw, const Node& n, const Tensor& weights) {
  Terms t(rw);
  const int64_t groups = weights.shape[0], inputs = weights.shape[2];
  Shape kernels(weights.shape.begin() + 1, weights.shape.end());
  const std::vector<float> values = weights.to_f32();
  const auto size = static_cast<std::ptrdiff_t>(element_count(kernels));
  std::vector<Value> parts;
  for (int64_t g = 0; g < groups; ++g) {
    const auto from = values.begin() + g * size;
    const Value own = rw.constant(Tensor::reals(weights.type, kernels, std::vector<double>(from, from + size)));
    const Value part = t.slice(n.input(0), 1, g * inputs, (g + 1) * inputs);
    parts.push_back(rw.make("Convolution", {part, own}, n.attrs)->value());
  }
  return t.concat(parts, 1);
}

Value grouped_volume(Rewriter& rw, const Node& n) {
  const Tensor weights = *transforms::constant_of(n.input(1));
  const Window w = *window_of(n, Shape(weights.shape.begin() + 3, weights.shape.end()));
  return weights.shape[2] == 1 ? channel_by_channel(rw, n, weights, w) : group_by_group(rw, n, weights);
}

// ---- transposed -----------------------------------------------------------------------------------------------------

bool is_transposed_volume(const Node& n) {
  const Shape& x = n.input(0).shape();
  return x.size() == 5 && is_static(x) && is_static(n.shape()) && is_float(n.element_type()) &&
         transforms::constant_of(n.input(1));
}

/// Padding of one axis so that the output has its size.
struct Fit {
  int64_t before, after, added;
};

Fit fit(const Node& n, size_t i, int64_t kernel) {
  const std::string pad = n.attrs.text("auto_pad", "explicit");
  const int64_t out = n.shape()[i + 2], extent = (kernel - 1) * n.attrs.integers("dilations")[i] + 1;
  const int64_t natural = n.attrs.integers("strides")[i] * (n.input(0).shape()[i + 2] - 1) + extent;
  const int64_t all = std::max<int64_t>(0, natural - out);
  // The odd one of SAME: at the begin for "upper", as the operation has it.
  const int64_t before = pad == "same_upper"   ? all - all / 2
                         : pad == "same_lower" ? all / 2
                         : pad == "valid"      ? 0
                                               : n.attrs.integers("pads_begin")[i];
  const int64_t left = natural - before - out;  // behind; less than nothing where the output is longer
  return {before, std::max<int64_t>(0, left), std::max<int64_t>(0, -left)};
}

Attributes transposed_attributes(const Node& n, const std::vector<size_t>& axes, const std::vector<Fit>& fits) {
  std::vector<int64_t> strides, dilations, before, after, added;
  for (const size_t i : axes) {
    strides.push_back(n.attrs.integers("strides")[i]);
    dilations.push_back(n.attrs.integers("dilations")[i]);
    before.push_back(fits[i].before);
    after.push_back(fits[i].after);
    added.push_back(fits[i].added);
  }
  for (auto* list : {&strides, &dilations}) list->resize(2, 1);  // lines are planes of one column
  for (auto* list : {&before, &after, &added}) list->resize(2, 0);
  return transforms::attributes({{"strides", strides},
                                 {"dilations", dilations},
                                 {"pads_begin", before},
                                 {"pads_end", after},
                                 {"output_padding", added},
                                 {"auto_pad", "explicit"}});
}

/// [groups, inputs, outputs, depths, rows, columns] -> [groups, inputs, outputs * depths, rows, columns]
Value kernels_of_all_depths(Rewriter& rw, const Tensor& weights, bool is_grouped) {
  Shape s = weights.shape;
  const size_t outputs = is_grouped ? 2 : 1;
  s[outputs] *= s[outputs + 1];
  s.erase(s.begin() + static_cast<std::ptrdiff_t>(outputs) + 1);
  return rw.constant(Tensor{weights.type, s, weights.bytes});
}

Value transposed_volume(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const Tensor weights = *transforms::constant_of(n.input(1));
  const bool is_grouped = n.is("GroupConvolutionBackpropData");
  const Shape x = n.input(0).shape(), y = n.shape();
  const Shape kernel(weights.shape.end() - 3, weights.shape.end());
  std::vector<Fit> fits;
  for (size_t i = 0; i < 3; ++i) fits.push_back(fit(n, i, kernel[i]));
  const Value of_all_depths = kernels_of_all_depths(rw, weights, is_grouped);
  const Attributes planes = transposed_attributes(n, {1, 2}, fits);
  std::vector<Value> parts;
  for (int64_t d = 0; d < x[2]; ++d) {
    const Value plane = t.reshape(t.slice(n.input(0), 2, d, d + 1), {x[0], x[1], x[3], x[4]});
    parts.push_back(
        t.reshape(rw.make(n.type, {plane, of_all_depths}, planes)->value(), {x[0], y[1] * kernel[0], 1, y[3] * y[4]}));
  }
  const Value adding = ones_that_add(rw, n.element_type(), y[1], {kernel[0], 1});
  const Attributes lines = transposed_attributes(n, {0}, fits);
  const Value stacked = t.concat(parts, 2);
  return t.reshape(rw.make("GroupConvolutionBackpropData", {stacked, adding}, lines)->value(), y);
}

constexpr SpelledRow kRows[] = {
    {{"GroupConvolution"}, is_grouped_volume, grouped_volume, "convolutions of planes, or of each group"},
    {{"ConvolutionBackpropData", "GroupConvolutionBackpropData"},
     is_transposed_volume,
     transposed_volume,
     "the same of planes, added up in depth"},
};

}  // namespace

std::span<const SpelledRow> volume_rows() { return kRows; }

}  // namespace blobsmith::legalise_rows
