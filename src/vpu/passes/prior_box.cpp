#include "vpu/passes/prior_box.hpp"

#include <algorithm>
#include <cmath>

#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

constexpr float kSameRatio = 1e-6f;

/// Sizes of the feature map (input 0) and of the image (input 1).
struct Grid {
  int64_t w, h, image_w, image_h;
  explicit Grid(const Stage& s)
      : w(s.input(0)->desc.dim(Dim::W)),
        h(s.input(0)->desc.dim(Dim::H)),
        image_w(s.input(1)->desc.dim(Dim::W)),
        image_h(s.input(1)->desc.dim(Dim::H)) {}
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
        spec_(s.get<PriorBoxSpec>()),
        variances_(spec_.variances),
        inverse_w_(1.0f / static_cast<float>(grid_.image_w)),
        inverse_h_(1.0f / static_cast<float>(grid_.image_h)) {
    for (float r : spec_.aspect_ratios) {
      if (std::ranges::any_of(ratios_, [r](float a) { return std::fabs(r - a) < kSameRatio; })) continue;
      ratios_.push_back(r);
      if (spec_.flip) ratios_.push_back(1.0f / r);
    }
    if (!spec_.densities.empty() && spec_.densities.size() < spec_.fixed_sizes.size())
      throw cannot_compile(s, "fewer densities than fixed sizes");
    if (variances_.empty()) variances_ = {0.1f};
  }

  Bytes run() {
    for (int64_t h = 0; h < grid_.h; ++h) {
      for (int64_t w = 0; w < grid_.w; ++w) {
        locate(w, h);
        for (size_t i = 0; i < spec_.fixed_sizes.size(); ++i) fixed_size(i);
        for (size_t i = 0; i < spec_.min_sizes.size(); ++i) min_size(i);
      }
    }
    out_.finish();
    if (spec_.clip) out_.clip();
    out_.variances(variances_);
    return out_.take();
  }

 private:
  void locate(int64_t w, int64_t h) {
    if (spec_.step == 0.0f) {
      x_ = (static_cast<float>(w) + 0.5f) * (static_cast<float>(grid_.image_w) / static_cast<float>(grid_.w));
      y_ = (static_cast<float>(h) + 0.5f) * (static_cast<float>(grid_.image_h) / static_cast<float>(grid_.h));
    } else {
      x_ = (spec_.offset + static_cast<float>(w)) * spec_.step;
      y_ = (spec_.offset + static_cast<float>(h)) * spec_.step;
    }
  }

  /// Boxes of half size (hw, hh) on the grid of a fixed size's density.
  void density_grid(int size, int density, float hw, float hh) {
    const int shift = size / density, half = size / 2;
    for (int r = 0; r < density; ++r) {
      for (int c = 0; c < density; ++c) {
        const float cx =
            x_ - static_cast<float>(half) + static_cast<float>(shift) / 2.0f + static_cast<float>(c * shift);
        const float cy =
            y_ - static_cast<float>(half) + static_cast<float>(shift) / 2.0f + static_cast<float>(r * shift);
        out_.box(std::max((cx - hw) * inverse_w_, 0.0f), std::max((cy - hh) * inverse_h_, 0.0f),
                 std::min((cx + hw) * inverse_w_, 1.0f), std::min((cy + hh) * inverse_h_, 1.0f));
      }
    }
  }

  void fixed_size(size_t i) {
    const float size = spec_.fixed_sizes[i];
    const int whole = static_cast<int>(size);
    const int density = spec_.densities.empty() ? 1 : std::max(1, static_cast<int>(spec_.densities[i]));
    if (!spec_.fixed_ratios.empty()) {
      for (float r : spec_.fixed_ratios)
        density_grid(whole, density, size * 0.5f * std::sqrt(r), size * 0.5f / std::sqrt(r));
      return;
    }
    if (!spec_.densities.empty())
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
    corners(spec_.min_sizes[i], spec_.min_sizes[i]);
    if (i < spec_.max_sizes.size()) {
      const float side = std::sqrt(spec_.min_sizes[i] * spec_.max_sizes[i]);
      corners(side, side);
    }
    if (!spec_.scale_all_sizes && i + 1 != spec_.min_sizes.size()) return;
    const float size = spec_.min_sizes[spec_.scale_all_sizes ? i : 0];
    for (float r : ratios_)
      if (std::fabs(r - 1.0f) >= kSameRatio) corners(size * std::sqrt(r), size / std::sqrt(r));
  }

  Grid grid_;
  BoxWriter out_;
  PriorBoxSpec spec_;
  std::vector<float> variances_, ratios_{1.0f};
  float inverse_w_, inverse_h_;
  float x_ = 0.0f, y_ = 0.0f;  // centre of the current cell
};

}  // namespace

Bytes prior_box_content(const Stage& s) { return PriorBoxes(s).run(); }

Bytes prior_box_clustered_content(const Stage& s) {
  const Grid g(s);
  const auto& spec = s.get<PriorBoxSpec>();
  const std::vector<float>&widths = spec.widths, &heights = spec.heights;
  std::vector<float> variances = spec.variances;
  if (variances.empty()) variances = {0.1f};
  if (heights.size() != widths.size()) throw cannot_compile(s, "widths and heights of boxes differ in number");
  const auto image_w = static_cast<float>(g.image_w), image_h = static_cast<float>(g.image_h);
  float step_w = spec.step_w, step_h = spec.step_h;
  if (step_w == 0.0f) step_w = spec.step;
  if (step_h == 0.0f) step_h = spec.step;
  if (step_w == 0.0f || step_h == 0.0f) {
    step_w = image_w / static_cast<float>(g.w);
    step_h = image_h / static_cast<float>(g.h);
  }
  const auto limited = [clip = spec.clip](float v) { return clip ? std::min(std::max(v, 0.0f), 1.0f) : v; };
  BoxWriter out(s);
  for (int64_t h = 0; h < g.h; ++h) {
    for (int64_t w = 0; w < g.w; ++w) {
      const float x = (static_cast<float>(w) + spec.offset) * step_w,
                  y = (static_cast<float>(h) + spec.offset) * step_h;
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
