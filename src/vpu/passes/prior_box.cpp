#include "vpu/passes/prior_box.hpp"

#include <algorithm>
#include <cmath>

#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

constexpr float kSameRatio = 1e-6f;

std::vector<float> floats(const Attrs& a, std::string_view name) {
  std::vector<float> r;
  for (double v : a.get_or<std::vector<double>>(name, {})) r.push_back(static_cast<float>(v));
  return r;
}

float real(const Attrs& a, std::string_view name) { return static_cast<float>(a.real(name, 0.0)); }

/// Sizes of the feature map (input 0) and of the image (attributes or input 1).
struct Grid {
  int64_t w, h, image_w, image_h;
  explicit Grid(const Stage& s)
      : w(s.input(0)->desc.dim(Dim::W)),
        h(s.input(0)->desc.dim(Dim::H)),
        image_w(s.attrs.integer("img_w", 0)),
        image_h(s.attrs.integer("img_h", 0)) {
    if (image_w == 0) image_w = s.input(1)->desc.dim(Dim::W);
    if (image_h == 0) image_h = s.input(1)->desc.dim(Dim::H);
  }
};

/// A stream of numbers into FP16 content; what does not fit is an error of the network.
class BoxWriter {
 public:
  explicit BoxWriter(const Stage& s) : stage_(s), values_(static_cast<size_t>(s.output()->desc.element_count()), 0) {}

  void put(float v) {
    if (at_ >= values_.size()) throw cannot_compile(stage_, "more boxes than the output holds");
    values_[at_++] = quirks::float_to_half(v);
  }
  void box(float x0, float y0, float x1, float y1) {
    put(x0);
    put(y0);
    put(x1);
    put(y1);
  }

  /// quirk: FP16 bit patterns are compared as signed integers.
  void clip() {
    const auto one = static_cast<int16_t>(quirks::float_to_half(1.0f));
    for (Half& h : values_) h = static_cast<Half>(std::clamp(static_cast<int16_t>(h), int16_t{0}, one));
  }

  /// All boxes are written: they must be the first half of the content.
  void finish() const {
    const std::string written = std::to_string(at_), wanted = std::to_string(values_.size() / 2);
    if (at_ * 2 != values_.size())
      throw cannot_compile(stage_, "[VPU] PriorBox output have invalid dimension, exptected " + written + "x2, got " +
                                       wanted + "x2, layer name is: " + stage_.name);
  }

  /// The second half of the content: the variances, over and over.
  void variances(const std::vector<float>& v) {
    const size_t half = values_.size() / 2;
    if (v.size() != 1 && v.size() != 4) throw cannot_compile(stage_, "variances must be 1 or 4 values");
    for (size_t i = half; i < values_.size(); ++i) values_[i] = quirks::float_to_half(v[(i - half) % v.size()]);
  }

  Bytes take() { return Bytes::adopt(std::move(values_)); }

 private:
  const Stage& stage_;
  std::vector<Half> values_;
  size_t at_ = 0;
};

class PriorBoxes {
 public:
  explicit PriorBoxes(const Stage& s)
      : grid_(s),
        out_(s),
        min_sizes_(floats(s.attrs, "min_size")),
        max_sizes_(floats(s.attrs, "max_size")),
        densities_(floats(s.attrs, "density")),
        fixed_ratios_(floats(s.attrs, "fixed_ratio")),
        fixed_sizes_(floats(s.attrs, "fixed_size")),
        variances_(floats(s.attrs, "variance")),
        step_(real(s.attrs, "step")),
        offset_(real(s.attrs, "offset")),
        clip_(is_set(s.attrs, "clip")),
        scale_all_sizes_(is_set(s.attrs, "scale_all_sizes", true)),
        inverse_w_(1.0f / static_cast<float>(grid_.image_w)),
        inverse_h_(1.0f / static_cast<float>(grid_.image_h)) {
    const bool flip = is_set(s.attrs, "flip");
    for (float r : floats(s.attrs, "aspect_ratio")) {
      if (std::ranges::any_of(ratios_, [r](float a) { return std::fabs(r - a) < kSameRatio; })) continue;
      ratios_.push_back(r);
      if (flip) ratios_.push_back(1.0f / r);
    }
    if (!densities_.empty() && densities_.size() < fixed_sizes_.size())
      throw cannot_compile(s, "fewer densities than fixed sizes");
    if (variances_.empty()) variances_ = {0.1f};
  }

  Bytes run() {
    for (int64_t h = 0; h < grid_.h; ++h) {
      for (int64_t w = 0; w < grid_.w; ++w) {
        locate(w, h);
        for (size_t i = 0; i < fixed_sizes_.size(); ++i) fixed_size(i);
        for (size_t i = 0; i < min_sizes_.size(); ++i) min_size(i);
      }
    }
    out_.finish();
    if (clip_) out_.clip();
    out_.variances(variances_);
    return out_.take();
  }

 private:
  void locate(int64_t w, int64_t h) {
    if (step_ == 0.0f) {
      x_ = (static_cast<float>(w) + 0.5f) * (static_cast<float>(grid_.image_w) / static_cast<float>(grid_.w));
      y_ = (static_cast<float>(h) + 0.5f) * (static_cast<float>(grid_.image_h) / static_cast<float>(grid_.h));
    } else {
      x_ = (offset_ + static_cast<float>(w)) * step_;
      y_ = (offset_ + static_cast<float>(h)) * step_;
    }
  }

  /// Boxes of half size (hw, hh) on the grid of a fixed size's density.
  void density_grid(int size, int density, float hw, float hh) {
    const int shift = size / density;
    for (int r = 0; r < density; ++r) {
      for (int c = 0; c < density; ++c) {
        const float cx =
            x_ - static_cast<float>(size / 2) + static_cast<float>(shift) / 2.0f + static_cast<float>(c * shift);
        const float cy =
            y_ - static_cast<float>(size / 2) + static_cast<float>(shift) / 2.0f + static_cast<float>(r * shift);
        out_.box(std::max((cx - hw) * inverse_w_, 0.0f), std::max((cy - hh) * inverse_h_, 0.0f),
                 std::min((cx + hw) * inverse_w_, 1.0f), std::min((cy + hh) * inverse_h_, 1.0f));
      }
    }
  }

  void fixed_size(size_t i) {
    const float size = fixed_sizes_[i];
    const int whole = static_cast<int>(size);
    const int density = densities_.empty() ? 1 : std::max(1, static_cast<int>(densities_[i]));
    if (!fixed_ratios_.empty()) {
      for (float r : fixed_ratios_)
        density_grid(whole, density, size * 0.5f * std::sqrt(r), size * 0.5f / std::sqrt(r));
      return;
    }
    if (!densities_.empty())
      density_grid(whole, density, static_cast<float>(whole) * 0.5f, static_cast<float>(whole) * 0.5f);
    for (float r : ratios_)
      if (std::fabs(r - 1.0f) >= kSameRatio)
        density_grid(whole, density, size * 0.5f * std::sqrt(r), size * 0.5f / std::sqrt(r));
  }

  void corners(float width, float height) {
    out_.box((x_ - width / 2.0f) / static_cast<float>(grid_.image_w),
             (y_ - height / 2.0f) / static_cast<float>(grid_.image_h),
             (x_ + width / 2.0f) / static_cast<float>(grid_.image_w),
             (y_ + height / 2.0f) / static_cast<float>(grid_.image_h));
  }

  void min_size(size_t i) {
    corners(min_sizes_[i], min_sizes_[i]);
    if (i < max_sizes_.size()) {
      const float side = std::sqrt(min_sizes_[i] * max_sizes_[i]);
      corners(side, side);
    }
    if (!scale_all_sizes_ && i + 1 != min_sizes_.size()) return;
    const float size = min_sizes_[scale_all_sizes_ ? i : 0];
    for (float r : ratios_)
      if (std::fabs(r - 1.0f) >= kSameRatio) corners(size * std::sqrt(r), size / std::sqrt(r));
  }

  Grid grid_;
  BoxWriter out_;
  std::vector<float> min_sizes_, max_sizes_, densities_, fixed_ratios_, fixed_sizes_, variances_, ratios_{1.0f};
  float step_, offset_;
  bool clip_, scale_all_sizes_;
  float inverse_w_, inverse_h_;
  float x_ = 0.0f, y_ = 0.0f;  // centre of the current cell
};

}  // namespace

Bytes prior_box_content(const Stage& s) { return PriorBoxes(s).run(); }

Bytes prior_box_clustered_content(const Stage& s) {
  const Grid g(s);
  const std::vector<float> widths = floats(s.attrs, "width"), heights = floats(s.attrs, "height");
  std::vector<float> variances = floats(s.attrs, "variance");
  if (variances.empty()) variances = {0.1f};
  if (heights.size() != widths.size()) throw cannot_compile(s, "widths and heights of boxes differ in number");
  const auto image_w = static_cast<float>(g.image_w), image_h = static_cast<float>(g.image_h);
  const float step = real(s.attrs, "step"), offset = real(s.attrs, "offset");
  float step_w = real(s.attrs, "step_w"), step_h = real(s.attrs, "step_h");
  if (step_w == 0.0f) step_w = step;
  if (step_h == 0.0f) step_h = step;
  if (step_w == 0.0f || step_h == 0.0f) {
    step_w = image_w / static_cast<float>(g.w);
    step_h = image_h / static_cast<float>(g.h);
  }
  const bool clip = is_set(s.attrs, "clip");
  const auto limited = [clip](float v) { return clip ? std::min(std::max(v, 0.0f), 1.0f) : v; };
  BoxWriter out(s);
  for (int64_t h = 0; h < g.h; ++h) {
    for (int64_t w = 0; w < g.w; ++w) {
      const float x = (static_cast<float>(w) + offset) * step_w, y = (static_cast<float>(h) + offset) * step_h;
      for (size_t i = 0; i < widths.size(); ++i)
        out.box(limited((x - widths[i] / 2.0f) / image_w), limited((y - heights[i] / 2.0f) / image_h),
                limited((x + widths[i] / 2.0f) / image_w), limited((y + heights[i] / 2.0f) / image_h));
    }
  }
  out.finish();
  out.variances(variances);
  return out.take();
}

}  // namespace blobsmith::vpu
