#include "heads/read_boxes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "heads/probe.hpp"

namespace blobsmith::heads {
namespace {

/// A list of boxes [1, N, C] or [1, C, N], whatever its shape.
class List {
 public:
  List(std::vector<float> values, const Shape& shape, int64_t columns) : values_(std::move(values)) {
    if (shape.size() == 3 && shape[0] == 1 && shape[2] == columns) {
      rows_ = shape[1];
      row_step_ = columns;
    } else if (shape.size() == 3 && shape[0] == 1 && shape[1] == columns) {
      rows_ = shape[2];
      column_step_ = shape[2];
    }
  }
  int64_t rows() const { return rows_; }
  float at(int64_t row, int64_t column) const {
    return values_[static_cast<size_t>(row * row_step_ + column * column_step_)];
  }

 private:
  std::vector<float> values_;
  int64_t rows_ = 0, row_step_ = 1, column_step_ = 1;
};

bool close(double a, double b, double scale) { return std::abs(a - b) <= 0.01 * scale + 1e-3; }

}  // namespace

std::optional<AnchorBoxes> read_anchor_boxes(const Graph& graph, const Levels& levels) {
  const Shape& shape = levels.result->input(0).shape();
  int64_t cells = 0;
  for (const Level& l : levels.levels)
    cells += element_count(l.convolutions[0].value.shape()) / l.convolutions[0].channels();
  if (shape.size() != 3) return std::nullopt;
  AnchorBoxes r;
  int64_t columns = 0;
  for (const size_t axis : {size_t{1}, size_t{2}})
    if (shape[axis] % cells == 0 && shape[axis] / cells > 1) {
      r.each = shape[axis] / cells;
      columns = shape[3 - axis];
    }
  if (r.each == 0 || columns < 6 || levels.levels[0].convolutions[0].channels() != r.each * columns)
    return std::nullopt;
  const auto boxes = [&](const Filling& filling) {
    return List(probe(graph, levels, {levels.result}, filling)[0], shape, columns);
  };
  const List zeros = boxes([](size_t, size_t, size_t) { return 0.0f; });
  for (size_t level = 0; level < levels.levels.size(); ++level) {
    const List ones = boxes([&](size_t l, size_t, size_t) { return l == level ? 1.0f : 0.0f; });
    std::vector<double> anchors;
    for (int64_t i = 0; i < zeros.rows(); ++i) {
      if (ones.at(i, 4) == zeros.at(i, 4)) continue;  // of another level
      const double w = static_cast<double>(zeros.at(i, 2)), h = static_cast<double>(zeros.at(i, 3));
      bool known = false;
      for (size_t k = 0; k < anchors.size(); k += 2) known |= anchors[k] == w && anchors[k + 1] == h;
      if (!known) anchors.insert(anchors.end(), {w, h});
      const double growth = static_cast<double>(ones.at(i, 2)) / w;
      const double twice = 4 / std::pow(1 + std::exp(-1.0), 2);
      if (!close(growth, std::exp(1.0), 1) && !close(growth, twice, 1)) return std::nullopt;
      r.exponential = close(growth, std::exp(1.0), 1);
    }
    if (std::ssize(anchors) != 2 * r.each) return std::nullopt;
    for (double& a : anchors) a = std::round(a * 16) / 16;  // the model holds them in FP16
    r.anchors.push_back(std::move(anchors));
  }
  return r;
}

namespace {

struct Box {
  std::array<double, 4> corners;  ///< left, top, right, bottom in pixels
  std::vector<double> scores;
};

/// As the camera decodes outputs of HeadForm::Distances.
std::vector<Box> decoded(const DetectionHead& head, const std::vector<const Node*>& outputs,
                         const std::vector<std::vector<float>>& values) {
  std::vector<Box> boxes;
  for (size_t l = 0; l < outputs.size(); ++l) {
    const Shape& s = outputs[l]->input(0).shape();
    const auto at = [&](int64_t c, int64_t y, int64_t x) {
      return static_cast<double>(values[l][static_cast<size_t>((c * s[2] + y) * s[3] + x)]);
    };
    const auto stride = static_cast<double>(head.strides[l]);
    for (int64_t y = 0; y < s[2]; ++y)
      for (int64_t x = 0; x < s[3]; ++x) {
        const double cx = static_cast<double>(x) + 0.5, cy = static_cast<double>(y) + 0.5;
        Box b{{(cx - at(0, y, x)) * stride, (cy - at(1, y, x)) * stride, (cx + at(2, y, x)) * stride,
               (cy + at(3, y, x)) * stride},
              {}};
        for (int64_t c = 5; c < s[1]; ++c) b.scores.push_back(at(c, y, x));
        boxes.push_back(std::move(b));
      }
  }
  return boxes;
}

/// Whether four numbers of the model are this box: by corners or middle and sides, in pixels or parts of the picture.
bool same_box(const Box& b, const std::array<double, 4>& m, bool corners, bool parts, const DetectionHead& head) {
  const double w = static_cast<double>(head.width), h = static_cast<double>(head.height);
  std::array<double, 4> wanted = b.corners;
  if (!corners)
    wanted = {(b.corners[0] + b.corners[2]) / 2, (b.corners[1] + b.corners[3]) / 2, b.corners[2] - b.corners[0],
              b.corners[3] - b.corners[1]};
  for (size_t k = 0; k < 4; ++k)
    if (!close(parts ? m[k] * (k % 2 ? h : w) : m[k], wanted[k], std::max(w, h) / 10)) return false;
  return true;
}

}  // namespace

bool means_the_same(const Graph& before, const Levels& levels, const Graph& after,
                    const std::vector<const Node*>& outputs, const DetectionHead& head) {
  const Filling filling = [](size_t level, size_t convolution, size_t element) {
    auto x = static_cast<uint32_t>(element * 2654435761u + level * 40503u + convolution * 977u + 1u);
    for (int i = 0; i < 3; ++i) {  // xorshift
      x ^= x << 13;
      x ^= x >> 17;
      x ^= x << 5;
    }
    return static_cast<float>(x % 4001) / 1000 - 2;
  };
  const std::vector<Box> boxes = decoded(head, outputs, probe(after, levels, outputs, filling));
  const Shape& shape = levels.result->input(0).shape();
  if (shape.size() != 3) return false;
  const bool rows_first = levels.chooses || shape[2] < shape[1];
  const List list(probe(before, levels, {levels.result}, filling)[0], shape, shape[rows_first ? 2 : 1]);
  const int64_t columns = shape[rows_first ? 2 : 1];
  if (!levels.chooses && list.rows() != std::ssize(boxes)) return false;
  const bool list_has_objectness = !levels.levels[0].find(Role::Extra) && columns == 5 + head.classes;  // YOLO v6: 1
  const auto numbers = [&](int64_t row) {
    std::array<double, 4> m{};
    for (int64_t k = 0; k < 4; ++k) m[static_cast<size_t>(k)] = static_cast<double>(list.at(row, k));
    return m;
  };
  for (const bool corners : {false, true})
    for (const bool parts : {false, true}) {
      bool all = list.rows() > 0;
      for (int64_t i = 0; i < list.rows() && all; ++i) {
        if (levels.chooses) {  // score and class
          const double score = static_cast<double>(list.at(i, 4));
          const auto label = static_cast<size_t>(list.at(i, 5));
          all = std::ranges::any_of(boxes, [&](const Box& b) {
            return label < b.scores.size() && std::abs(b.scores[label] - score) < 2e-3 &&
                   same_box(b, numbers(i), corners, parts, head);
          });
          continue;
        }
        const Box& b = boxes[static_cast<size_t>(i)];
        const int64_t first = list_has_objectness ? 5 : 4;
        all = same_box(b, numbers(i), corners, parts, head);
        for (int64_t c = 0; c < head.classes && all; ++c)
          all = std::abs(b.scores[static_cast<size_t>(c)] - static_cast<double>(list.at(i, first + c))) < 2e-3;
      }
      if (all) return true;
    }
  return false;
}

}  // namespace blobsmith::heads
