// Nearest interpolation as models spell it out: each line along an axis twice, by Split and Concat; the fusion of two
// such along different axes; and axes 0 or 1 moved behind the others (releases spec §2).
#include <algorithm>
#include <cmath>
#include <numeric>

#include "transforms/conversion/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

// How often each part of a Split stands in the Concat, all in order; 0 where the Concat joins something else.
int64_t repetitions(const Node& concat, const Node& split) {
  const int inputs = concat.input_count(), parts = split.output_count();
  if (inputs % parts != 0) return 0;
  const int times = inputs / parts;
  for (int i = 0; i < inputs; ++i)
    if (concat.input(i).node != &split || concat.input(i).port != i / times) return 0;
  for (int i = 0; i < parts; ++i)
    if (split.output(i).uses.size() != static_cast<size_t>(times)) return 0;
  return times;
}

bool split_concat_to_interpolate(Rewriter& rw, Node* n) {
  Node* split = producer(n->input(0), "Split");
  const auto axis_value = split ? single_value(split->input(1)) : std::nullopt;
  const int64_t times = axis_value ? repetitions(*n, *split) : 0;
  if (times < 2) return false;
  const Value x = split->input(0);
  const auto axis = static_cast<int64_t>(*axis_value);
  if ((x.shape().size() != 4 && x.shape().size() != 5) || axis < 0 ||
      x.shape().at(static_cast<size_t>(axis)) != split->output_count())
    return false;
  const Value scales = rw.filled(ElementType::f32, {1}, static_cast<double>(times));
  const Value axes = rw.indices({axis});
  const Value sizes = rw.indices({split->output_count() * times});
  return rw.replace(n, rw.visit(rw.make("Interpolate", {x, sizes, scales, axes},
                                        attributes({{"mode", "nearest"},
                                                    {"shape_calculation_mode", "scales"},
                                                    {"nearest_mode", "round_prefer_floor"},
                                                    {"coordinate_transformation_mode", "half_pixel"},
                                                    {"antialias", false},
                                                    {"pads_begin", std::vector<int64_t>{0}},
                                                    {"pads_end", std::vector<int64_t>{0}},
                                                    {"cube_coeff", -0.75}}),
                                        4)));
}

std::vector<int64_t> resized_axes_of(const Node& interpolate) {
  std::vector<int64_t> axes(interpolate.shape().size());
  std::iota(axes.begin(), axes.end(), 0);
  return interpolate.input_count() == 4 ? constant_of(interpolate.input(3))->to_i64() : axes;
}

bool has_constant_targets(const Node& n) {
  if (n.version != 4) return false;
  const bool by_sizes = n.attrs.text("shape_calculation_mode") == "sizes";
  return (n.input_count() != 4 || constant_of(n.input(3))) && constant_of(n.input(by_sizes ? 1 : 2));
}

bool interpolate_alike(const Node& a, const Node& b) {
  for (const char* name : {"mode", "shape_calculation_mode", "nearest_mode", "coordinate_transformation_mode"})
    if (a.attrs.text(name) != b.attrs.text(name)) return false;
  return a.attrs.flag("antialias") == b.attrs.flag("antialias") &&
         a.attrs.integers("pads_begin") == b.attrs.integers("pads_begin") &&
         a.attrs.integers("pads_end") == b.attrs.integers("pads_end") &&
         a.attrs.real("cube_coeff") == b.attrs.real("cube_coeff");
}

// Two interpolations along different axes become one along all of them.
bool fuse_interpolations(Rewriter& rw, Node* n) {
  Node* first = producer(n->input(0), "Interpolate");
  if (!first || !has_one_user(n->input(0)) || !has_constant_targets(*n) || !has_constant_targets(*first) ||
      !interpolate_alike(*n, *first))
    return false;
  struct Target {
    int64_t axis, size;
    float scale;
  };
  const bool by_sizes = n->attrs.text("shape_calculation_mode") == "sizes";
  std::vector<Target> targets;
  for (const Node* each : {first, n}) {
    const std::vector<int64_t> axes = resized_axes_of(*each);
    const Tensor& t = *constant_of(each->input(by_sizes ? 1 : 2));
    const std::vector<float> values = t.to_f32();
    for (size_t i = 0; i < axes.size(); ++i) {
      if (std::ranges::find(targets, axes[i], &Target::axis) != targets.end()) return false;
      targets.push_back({axes[i], static_cast<int64_t>(values.at(i)), values.at(i)});
    }
  }
  std::ranges::sort(targets, {}, &Target::axis);
  std::vector<int64_t> axes, sizes;
  std::vector<double> scales;
  for (const Target& t : targets) {
    const auto from = static_cast<float>(first->input(0).shape().at(static_cast<size_t>(t.axis)));
    axes.push_back(t.axis);
    // quirk: sizes from scales are multiplied by the small number that was to be added before rounding down.
    sizes.push_back(by_sizes ? t.size : static_cast<int64_t>(std::floor(from * t.scale * 1e-5f)));
    scales.push_back(static_cast<double>(by_sizes ? static_cast<float>(t.size) / from : t.scale));
  }
  const auto count = static_cast<int64_t>(axes.size());
  const Value s = rw.indices(sizes), f = rw.constant(Tensor::reals(ElementType::f32, {count}, scales)),
              a = rw.indices(axes);
  return rw.replace(n, rw.visit(rw.make("Interpolate", {first->input(0), s, f, a}, n->attrs, 4)));
}

// Axes 0 and 1 are interpolated as the last ones, between Transposes.
bool move_axes_behind(Rewriter& rw, Node* n) {
  const Shape& x = n->input(0).shape();
  const Tensor* t = n->input_count() == 4 ? constant_of(n->input(3)) : nullptr;
  if (n->version != 4 || x.size() < 3 || !t) return false;
  const std::vector<int64_t> axes = t->to_i64();
  if (axes.size() > x.size() - 2 || std::ranges::none_of(axes, [](int64_t a) { return a == 0 || a == 1; }))
    return false;
  std::vector<int64_t> order, back(x.size()), moved;
  for (int64_t i = 0; i < static_cast<int64_t>(x.size()); ++i)
    if (std::ranges::find(axes, i) == axes.end()) order.push_back(i);
  order.insert(order.end(), axes.begin(), axes.end());
  if (order.size() != x.size()) return false;
  for (size_t i = 0; i < order.size(); ++i) back[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
  for (size_t i = 0; i < axes.size(); ++i) moved.push_back(static_cast<int64_t>(x.size() - axes.size() + i));
  Node* before = rw.transpose(n->input(0), order);
  const Value last = rw.indices(moved);
  Node* interpolate = rw.copy(n, {before->value(), n->input(1), n->input(2), last});
  return rw.replace(n, rw.transpose(interpolate->value(), back));
}

constexpr RewriteRow kSplitConcatPairs[] = {
    {{"Concat"}, split_concat_to_interpolate},
};
constexpr RewriteRow kInterpolationsInSequence[] = {
    {{"Interpolate"}, fuse_interpolations},
};
constexpr RewriteRow kInterpolationsOfOuterAxes[] = {
    {{"Interpolate"}, move_axes_behind},
};

}  // namespace

std::span<const RewriteRow> split_concat_pairs() { return kSplitConcatPairs; }
std::span<const RewriteRow> interpolations_in_sequence() { return kInterpolationsInSequence; }
std::span<const RewriteRow> interpolations_of_outer_axes() { return kInterpolationsOfOuterAxes; }

}  // namespace blobsmith::transforms
