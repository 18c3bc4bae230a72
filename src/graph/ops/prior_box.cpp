// PriorBox, PriorBoxClustered (front-end spec §15.1, middle-end spec §3.5.1).
#include "graph/ops/prior_box.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"

namespace blobsmith {
namespace {

std::vector<float> reals(const Attributes& attrs, std::string_view name) {
  const auto list = attrs.get_or<std::vector<double>>(name, {});
  std::vector<float> r(list.size());
  std::ranges::transform(list, r.begin(), [](double v) { return static_cast<float>(v); });
  return r;
}
float real(const Attributes& attrs, std::string_view name) { return static_cast<float>(attrs.real(name, 0)); }

// 1, then each ratio that is not there yet, each followed by its inverse when boxes are flipped.
std::vector<float> aspect_ratios(const Attributes& attrs) {
  std::vector<float> list{1.0F};
  for (float ratio : reals(attrs, "aspect_ratio")) {
    if (std::ranges::any_of(list, [&](float r) { return std::fabs(ratio - r) < 1e-6F; })) continue;
    list.push_back(ratio);
    if (attrs.flag("flip")) list.push_back(1.0F / ratio);
  }
  return list;
}

// The number that shapes are made of: distinct ratios after rounding to six decimals.
int64_t distinct_ratios(const Attributes& attrs) {
  std::set<double> ratios{1.0};
  const auto rounded = [](double v) { return std::round(v * 1e6) / 1e6; };
  for (float ratio : reals(attrs, "aspect_ratio")) {
    ratios.insert(rounded(static_cast<double>(ratio)));
    if (attrs.flag("flip")) ratios.insert(rounded(static_cast<double>(1.0F / ratio)));
  }
  return static_cast<int64_t>(ratios.size());
}

int64_t whole(float v) { return std::isfinite(v) ? static_cast<int64_t>(std::clamp(v, -1e6F, 1e6F)) : 0; }

// Writes boxes one after the other; what exceeds the first row is dropped (the variances would overwrite it).
class BoxWriter {
 public:
  BoxWriter(std::vector<float>& out, const PriorBoxGrid& grid)
      : out_(out),
        limit_(out.size() / 2),
        width_(static_cast<float>(grid.image_width)),
        height_(static_cast<float>(grid.image_height)) {}

  void box(float cx, float cy, float half_width, float half_height) {
    put({(cx - half_width) / width_, (cy - half_height) / height_, (cx + half_width) / width_,
         (cy + half_height) / height_});
  }
  void limited_box(float cx, float cy, float half_width, float half_height) {
    put({std::max((cx - half_width) / width_, 0.0F), std::max((cy - half_height) / height_, 0.0F),
         std::min((cx + half_width) / width_, 1.0F), std::min((cy + half_height) / height_, 1.0F)});
  }

 private:
  void put(std::initializer_list<float> corners) {
    for (float c : corners)
      if (next_ < limit_) out_[next_++] = c;
  }
  std::vector<float>& out_;
  size_t limit_, next_ = 0;
  float width_, height_;
};

void fill_variances(std::vector<float>& out, std::vector<float> variances) {
  if (variances.empty()) variances = {0.1F};
  const size_t half = out.size() / 2;
  for (size_t i = 0; i < half; ++i) out[half + i] = variances[i % variances.size()];
}

void clip(std::vector<float>& out) {
  for (size_t i = 0; i < out.size() / 2; ++i) out[i] = std::clamp(out[i], 0.0F, 1.0F);
}

std::vector<float> empty_output(int64_t priors, const PriorBoxGrid& grid) {
  return std::vector<float>(static_cast<size_t>(element_count({2, 4, priors, grid.height, grid.width})), 0.0F);
}

// The attributes of one PriorBox, and one cell of it.
struct PriorBoxMaker {
  std::vector<float> ratios, min_sizes, max_sizes, fixed_sizes, fixed_ratios, densities;
  bool all_sizes;
  BoxWriter& writer;

  // density × density boxes around the centre.
  void grid(float cx, float cy, float size, int64_t density, int64_t shift, float half_width, float half_height) {
    const auto half = whole(size) / 2;
    const auto start = [&](float centre) {
      return centre - static_cast<float>(half) + static_cast<float>(shift) / 2.0F;
    };
    for (int64_t row = 0; row < density; ++row)
      for (int64_t column = 0; column < density; ++column)
        writer.limited_box(start(cx) + static_cast<float>(column * shift), start(cy) + static_cast<float>(row * shift),
                           half_width, half_height);
  }

  void fixed(float cx, float cy) {
    for (size_t i = 0; i < fixed_sizes.size(); ++i) {
      const float size = fixed_sizes[i];
      const int64_t density = i < densities.size() ? std::clamp<int64_t>(whole(densities[i]), 0, 1 << 10) : 0,
                    shift = density ? whole(std::trunc(size) / static_cast<float>(density)) : 0;
      const auto boxes = [&](float ratio) {
        grid(cx, cy, size, density, shift, size * 0.5F * std::sqrt(ratio), size * 0.5F / std::sqrt(ratio));
      };
      if (!fixed_ratios.empty()) {
        std::ranges::for_each(fixed_ratios, boxes);
        continue;
      }
      if (!densities.empty()) grid(cx, cy, size, density, shift, std::trunc(size) * 0.5F, std::trunc(size) * 0.5F);
      for (float ratio : ratios)
        if (std::fabs(ratio - 1.0F) >= 1e-6F) boxes(ratio);
    }
  }

  void ranged(float cx, float cy) {
    for (size_t i = 0; i < min_sizes.size(); ++i) {
      const float size = min_sizes[i];
      writer.box(cx, cy, size / 2.0F, size / 2.0F);
      if (i < max_sizes.size()) {
        const float between = std::sqrt(size * max_sizes[i]);
        writer.box(cx, cy, between / 2.0F, between / 2.0F);
      }
      if (!all_sizes && i + 1 != min_sizes.size()) continue;
      const float base = all_sizes ? size : min_sizes[0];
      for (float ratio : ratios)
        if (std::fabs(ratio - 1.0F) >= 1e-6F)
          writer.box(cx, cy, base * std::sqrt(ratio) / 2.0F, base / std::sqrt(ratio) / 2.0F);
    }
  }
};

}  // namespace

int64_t prior_count(const Attributes& attrs) {
  const int64_t ratios = distinct_ratios(attrs);
  const auto min_sizes = static_cast<int64_t>(reals(attrs, "min_size").size()),
             max_sizes = static_cast<int64_t>(reals(attrs, "max_size").size());
  const auto fixed_sizes = static_cast<int64_t>(reals(attrs, "fixed_size").size()),
             fixed_ratios = static_cast<int64_t>(reals(attrs, "fixed_ratio").size());
  int64_t n = attrs.flag("scale_all_sizes", true) ? ratios * min_sizes + max_sizes : ratios + min_sizes - 1;
  if (fixed_sizes) n = ratios * fixed_sizes;
  for (float density : reals(attrs, "density")) {
    const int64_t extra = whole(density) * whole(density) - 1;
    n += (fixed_ratios ? fixed_ratios : ratios) * extra;
  }
  return n;
}

int64_t clustered_prior_count(const Attributes& attrs) { return static_cast<int64_t>(reals(attrs, "width").size()); }

std::vector<float> prior_boxes(const Attributes& attrs, const PriorBoxGrid& grid) {
  std::vector<float> out = empty_output(prior_count(attrs), grid);
  BoxWriter writer(out, grid);
  PriorBoxMaker maker{aspect_ratios(attrs),
                      reals(attrs, "min_size"),
                      reals(attrs, "max_size"),
                      reals(attrs, "fixed_size"),
                      reals(attrs, "fixed_ratio"),
                      reals(attrs, "density"),
                      attrs.flag("scale_all_sizes", true),
                      writer};
  float step = real(attrs, "step");
  if (!maker.all_sizes) {
    // Sizes are parts of the image's height then, as in MXNet.
    const auto image_height = static_cast<float>(grid.image_height);
    step = step == -1.0F ? image_height / static_cast<float>(grid.height) : step * image_height;
    for (float& size : maker.min_sizes) size *= image_height;
  }
  const float offset = step == 0 ? 0.5F : real(attrs, "offset");
  const float step_x = step == 0 ? static_cast<float>(grid.image_width) / static_cast<float>(grid.width) : step;
  const float step_y = step == 0 ? static_cast<float>(grid.image_height) / static_cast<float>(grid.height) : step;
  for (int64_t y = 0; y < grid.height; ++y)
    for (int64_t x = 0; x < grid.width; ++x) {
      const float cx = (static_cast<float>(x) + offset) * step_x, cy = (static_cast<float>(y) + offset) * step_y;
      maker.fixed(cx, cy);
      maker.ranged(cx, cy);
    }
  if (attrs.flag("clip")) clip(out);
  fill_variances(out, reals(attrs, "variance"));
  return out;
}

std::vector<float> clustered_prior_boxes(const Attributes& attrs, const PriorBoxGrid& grid) {
  std::vector<float> out = empty_output(clustered_prior_count(attrs), grid);
  BoxWriter writer(out, grid);
  const std::vector<float> widths = reals(attrs, "width"), heights = reals(attrs, "height");
  float step_x = real(attrs, "step_w"), step_y = real(attrs, "step_h");
  if (step_x == 0 && step_y == 0) step_x = step_y = real(attrs, "step");
  if (step_x == 0 || step_y == 0) {
    step_x = static_cast<float>(grid.image_width) / static_cast<float>(grid.width);
    step_y = static_cast<float>(grid.image_height) / static_cast<float>(grid.height);
  }
  const float offset = real(attrs, "offset");
  for (int64_t y = 0; y < grid.height; ++y)
    for (int64_t x = 0; x < grid.width; ++x)
      for (size_t i = 0; i < widths.size() && i < heights.size(); ++i)
        writer.box((static_cast<float>(x) + offset) * step_x, (static_cast<float>(y) + offset) * step_y,
                   widths[i] / 2.0F, heights[i] / 2.0F);
  if (attrs.flag("clip")) clip(out);
  fill_variances(out, reals(attrs, "variance"));
  return out;
}

namespace ops {
namespace {

using enum AttributeKind;
constexpr AttributeSpec kPriorBox[] = {
    {"min_size", Reals, ""}, {"max_size", Reals, ""},    {"aspect_ratio", Reals, ""},
    {"density", Reals, ""},  {"fixed_ratio", Reals, ""}, {"fixed_size", Reals, ""},
    {"clip", Flag, "false"}, {"flip", Flag, "false"},    {"step", Real, "0"},
    {"offset", Real, "0"},   {"variance", Reals, ""},    {"scale_all_sizes", Flag, "true"}};
constexpr AttributeSpec kClustered[] = {
    {"width", Reals, kMandatory}, {"height", Reals, kMandatory}, {"clip", Flag, "false"}, {"step_w", Real, "0"},
    {"step_h", Real, "0"},        {"step", Real, "0"},           {"offset", Real, "0"},   {"variance", Reals, ""}};

int64_t count_of(const Node& n) {
  return n.type.starts_with("PriorBoxClustered") ? clustered_prior_count(n.attrs) : prior_count(n.attrs);
}

void infer_prior_box(Inference& in) {
  if (in.rank(0) != 1 || in.rank(1) != 1 || !merge_dims(in.dim(0, 0), 2) || !merge_dims(in.dim(1, 0), 2))
    in.fail("layer_shape and image_shape must be vectors of two values");
  const auto map = in.values(0);
  const int64_t count = count_of(in.node());
  in.require(count > 0, "It has no boxes");
  in.output(ElementType::f32,
            {2, map ? multiply_dims(multiply_dims(multiply_dims(4, count), std::max<int64_t>((*map)[0], 0)),
                                    std::max<int64_t>((*map)[1], 0))
                    : kDynamic});
}

std::vector<Tensor> evaluate_prior_box(const Node& n, Tensors inputs) {
  const std::vector<int64_t> map = inputs[0]->to_i64(), image = inputs[1]->to_i64();
  if (map.size() != 2 || image.size() != 2 || map[0] <= 0 || map[1] <= 0) return {};
  const PriorBoxGrid grid{map[1], map[0], image[1], image[0]};
  std::vector<float> boxes = n.is("PriorBox") ? prior_boxes(n.attrs, grid) : clustered_prior_boxes(n.attrs, grid);
  if (static_cast<int64_t>(boxes.size()) != element_count(n.shape())) return {};
  return {Tensor::of(ElementType::f32, n.shape(), std::move(boxes))};
}

// The legacy forms read the two tensors themselves.
void infer_prior_box_ie(Inference& in) {
  if (in.rank(0) != 4) in.fail("The feature map must have 4 dimensions");
  const int64_t cells = multiply_dims(in.dim(0, 2), in.dim(0, 3));
  in.output(ElementType::f32, {1, 2, multiply_dims(multiply_dims(4, count_of(in.node())), cells)});
}

constexpr OpRow kOps[] = {
    {"PriorBox", 0, {1, 7}, 2, 2, kPriorBox, infer_prior_box, evaluate_prior_box},
    {"PriorBoxClustered", 0, {1, 7}, 2, 2, kClustered, infer_prior_box, evaluate_prior_box},
    {"PriorBoxIE", 0, {}, 2, 2, kPriorBox, infer_prior_box_ie},
    {"PriorBoxClusteredIE", 0, {}, 2, 2, kClustered, infer_prior_box_ie},
};

}  // namespace

std::span<const OpRow> prior_box_ops() { return kOps; }

}  // namespace ops
}  // namespace blobsmith
