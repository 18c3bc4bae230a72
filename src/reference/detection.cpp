// Detection heads: RegionYolo and DetectionOutput (opset 1).
#include <algorithm>
#include <array>
#include <cmath>

#include "compute/boxes.hpp"
#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

using compute::Box;

float sigmoid(float x) { return static_cast<float>(1 / (1 + std::exp(-static_cast<double>(x)))); }

void softmax_over_planes(float* first, int64_t count, int64_t plane) {
  for (int64_t i = 0; i < plane; ++i) {
    float* at = first + i;
    double top = -INFINITY, sum = 0;
    for (int64_t k = 0; k < count; ++k) top = std::max(top, static_cast<double>(at[k * plane]));
    for (int64_t k = 0; k < count; ++k) sum += std::exp(static_cast<double>(at[k * plane]) - top);
    for (int64_t k = 0; k < count; ++k) at[k * plane] = static_cast<float>(std::exp(static_cast<double>(at[k * plane]) - top) / sum);
  }
}

/// Planes of a region: x, y, w, h, ..., objectness, classes.
Outputs run_region_yolo(const Call& c) {
  const Attributes& a = c.attrs();
  const bool softmax = a.flag("do_softmax");
  const int64_t coords = a.integer("coords"), classes = a.integer("classes"), regions = softmax ? a.integer("num") : static_cast<int64_t>(a.integers("mask").size());
  const int64_t plane = c.dim(0, 2) * c.dim(0, 3), entries = coords + 1 + classes;
  c.require(coords >= 2 && classes >= 0 && regions >= 0 && regions * entries <= c.dim(0, 1), "more regions than channels");
  std::vector<float> v(c.floats(0).begin(), c.floats(0).end());
  const auto activate = [&](float* from, int64_t planes) { std::transform(from, from + planes * plane, from, sigmoid); };
  for (int64_t n = 0; n < c.dim(0, 0); ++n)
    for (int64_t r = 0; r < regions; ++r) {
      float* region = v.data() + (n * c.dim(0, 1) + r * entries) * plane;
      activate(region, 2);
      activate(region + coords * plane, 1);
      float* scores = region + (coords + 1) * plane;
      if (softmax) softmax_over_planes(scores, classes, plane);
      else activate(scores, classes);
    }
  v.resize(static_cast<size_t>(c.out_count()));
  return {float_tensor(c.out_shape(), std::move(v))};
}

struct Prior {
  Box box;
  std::array<float, 4> variance{1, 1, 1, 1};
};

struct Detection {
  float score;
  int64_t label;
  Box box;
};

Box clipped(const Box& b) {
  const auto cut = [](float v) { return std::clamp(v, 0.0F, 1.0F); };
  return {cut(b.x1), cut(b.y1), cut(b.x2), cut(b.y2)};
}

/// DetectionOutput of SSD. Inputs: locations, scores, priors, and scores and locations of a refinement of the priors.
class SsdHead {
 public:
  explicit SsdHead(const Call& c)
      : c_(c),
        a_(c.attrs()),
        classes_(a_.integer("num_classes")),
        images_(c.dim(0, 0)),
        numbers_(a_.flag("normalized") ? 4 : 5),
        count_(c.dim(2, 2) / numbers_),
        location_classes_(a_.flag("share_location") ? 1 : classes_),
        background_(a_.integer("background_label_id")),
        top_k_(a_.integer("top_k")),
        decreases_(a_.flag("decrease_label_id")),
        threshold_(static_cast<float>(a_.real("confidence_threshold"))),
        code_(a_.text("code_type")) {}

  Outputs run() const {
    std::vector<float> rows(static_cast<size_t>(c_.out_count()));
    const size_t room = rows.size() / 7;
    size_t used = 0;
    for (int64_t image = 0; image < images_; ++image)
      for (const Detection& d : detect(image)) {
        if (used >= room) break;
        const Box b = a_.flag("clip_after_nms") ? clipped(d.box) : d.box;
        const float row[7] = {static_cast<float>(image), static_cast<float>(d.label - (decreases_ ? 1 : 0)), d.score, b.x1, b.y1, b.x2, b.y2};
        std::copy_n(row, 7, rows.begin() + static_cast<ptrdiff_t>(used++ * 7));
      }
    if (used < room) rows[used * 7] = -1;
    return {float_tensor(c_.out_shape(), std::move(rows))};
  }

 private:
  std::vector<Prior> priors(int64_t image) const {
    const bool variances = !a_.flag("variance_encoded_in_target");
    const float* from = c_.floats(2).data() + (c_.dim(2, 0) > 1 ? image : 0) * c_.dim(2, 1) * c_.dim(2, 2);
    const float w = numbers_ == 4 ? 1 : static_cast<float>(a_.integer("input_width")), h = numbers_ == 4 ? 1 : static_cast<float>(a_.integer("input_height"));
    c_.require(!variances || c_.dim(2, 1) > 1, "the priors have no variances");
    std::vector<Prior> list;
    for (int64_t i = 0; i < count_; ++i) {
      const float* at = from + i * numbers_ + (numbers_ - 4);
      Prior p{{at[0] / w, at[1] / h, at[2] / w, at[3] / h}};
      if (variances) std::copy_n(from + c_.dim(2, 2) + i * 4, 4, p.variance.begin());
      if (c_.input_count() > 4) p.box = decode(c_.floats(4).data() + (image * count_ + i) * 4, p);
      list.push_back(p);
    }
    return list;
  }

  Box decode(const float* d, const Prior& p) const {
    const auto& [x1, y1, x2, y2] = p.box;
    const auto& v = p.variance;
    const float w = x2 - x1, h = y2 - y1;
    Box b;
    if (code_.ends_with("CORNER_SIZE")) {
      b = {x1 + v[0] * d[0] * w, y1 + v[1] * d[1] * h, x2 + v[2] * d[2] * w, y2 + v[3] * d[3] * h};
    } else if (code_.ends_with("CENTER_SIZE")) {
      const float cx = v[0] * d[0] * w + (x1 + x2) / 2, cy = v[1] * d[1] * h + (y1 + y2) / 2, bw = std::exp(v[2] * d[2]) * w, bh = std::exp(v[3] * d[3]) * h;
      b = {cx - bw / 2, cy - bh / 2, cx + bw / 2, cy + bh / 2};
    } else {
      b = {x1 + v[0] * d[0], y1 + v[1] * d[1], x2 + v[2] * d[2], y2 + v[3] * d[3]};
    }
    return a_.flag("clip_before_nms") ? clipped(b) : b;
  }

  /// [prior][class]; those of priors that the refinement takes for background are 0.
  std::vector<float> scores(int64_t image) const {
    const float* from = c_.floats(1).data() + image * count_ * classes_;
    std::vector<float> list(from, from + count_ * classes_);
    if (c_.input_count() < 5) return list;
    const auto least = static_cast<float>(a_.real("objectness_score"));
    for (int64_t i = 0; i < count_; ++i)
      if (c_.floats(3)[static_cast<size_t>((image * count_ + i) * 2 + 1)] < least) std::fill_n(list.begin() + i * classes_, classes_, 0.0F);
    return list;
  }

  int64_t best_class(const float* s) const {
    int64_t best = -1;
    for (int64_t k = 0; k < classes_; ++k)
      if (k != background_ && (best < 0 || s[k] > s[best])) best = k;
    return best;
  }

  /// Priors that pass the test, best score first, top_k at most.
  template <class Score>
  std::vector<int64_t> candidates(Score score_of, bool includes_equal) const {
    std::vector<int64_t> list, sorted;
    std::vector<float> values;
    for (int64_t i = 0; i < count_; ++i) {
      const float s = score_of(i);
      if (!(s > threshold_ || (includes_equal && s == threshold_))) continue;
      list.push_back(i);
      values.push_back(s);
    }
    for (int64_t k : compute::by_falling_score(values)) sorted.push_back(list[static_cast<size_t>(k)]);
    if (top_k_ >= 0 && std::cmp_greater(sorted.size(), top_k_)) sorted.resize(static_cast<size_t>(top_k_));
    return sorted;
  }

  std::vector<Detection> detect(int64_t image) const {
    const std::vector<Prior> boxes = priors(image);
    const std::vector<float> all = scores(image);
    const auto score = [&](int64_t prior, int64_t label) { return all[static_cast<size_t>(prior * classes_ + label)]; };
    // MXNet's way: every prior stands for its best class only, and there is one top_k for all classes.
    std::vector<int64_t> common;
    if (decreases_) common = candidates([&](int64_t i) { return score(i, best_class(all.data() + i * classes_)); }, true);
    std::vector<Detection> found;
    for (int64_t label = 0; label < classes_; ++label) {
      if (label == background_) continue;
      std::vector<int64_t> list;
      if (!decreases_) list = candidates([&](int64_t i) { return score(i, label); }, false);
      else std::ranges::copy_if(common, std::back_inserter(list), [&](int64_t i) { return best_class(all.data() + i * classes_) == label; });
      std::vector<Box> decoded;
      std::vector<float> values;
      for (int64_t i : list) {
        const int64_t place = (image * count_ + i) * location_classes_ + (location_classes_ == 1 ? 0 : label);
        decoded.push_back(decode(c_.floats(0).data() + place * 4, boxes[static_cast<size_t>(i)]));
        values.push_back(score(i, label));
      }
      for (int64_t k : compute::suppress(decoded, values, static_cast<float>(a_.real("nms_threshold")), -1)) found.push_back({values[static_cast<size_t>(k)], label, decoded[static_cast<size_t>(k)]});
    }
    return best_of(std::move(found));
  }

  /// The best keep_top_k of all classes, grouped by class again.
  std::vector<Detection> best_of(std::vector<Detection> found) const {
    const int64_t keep = a_.integers("keep_top_k").at(0);
    if (keep < 0 || std::cmp_less_equal(found.size(), keep)) return found;
    std::ranges::stable_sort(found, [](const Detection& x, const Detection& y) { return x.score > y.score; });
    found.resize(static_cast<size_t>(keep));
    std::ranges::stable_sort(found, {}, &Detection::label);
    return found;
  }

  const Call& c_;
  const Attributes& a_;
  int64_t classes_, images_, numbers_, count_, location_classes_, background_, top_k_;
  bool decreases_;
  float threshold_;
  std::string code_;
};

Outputs run_detection_output(const Call& c) {
  c.require(c.attrs().integer("num_classes") > (c.attrs().integer("background_label_id") == 0 ? 1 : 0), "it has no classes");
  c.require(c.dim(2, 0) == 1 || c.dim(2, 0) == c.dim(0, 0), "priors of another batch");
  c.require(c.input_count() < 5 || (c.floats(4).size() >= static_cast<size_t>(c.dim(0, 0) * (c.dim(2, 2) / (c.attrs().flag("normalized") ? 4 : 5)) * 4) && c.floats(3).size() * 2 >= c.floats(4).size()), "a refinement of other priors");
  return SsdHead(c).run();
}

constexpr Operation kOperations[] = {
    {"RegionYolo", kAnyVersion, run_region_yolo},
    {"DetectionOutput", kAnyVersion, run_detection_output},
};

}  // namespace

std::span<const Operation> detection_operations() { return kOperations; }

}  // namespace blobsmith::reference
