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
  std::array<double, 4> plain;    ///< as the output has it
  std::vector<double> scores;     ///< of YOLOX: that of the object before those of the classes
  std::vector<double> more;       ///< key points or angle
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// Left, top, right, bottom in pixels of four numbers of a cell (x, y).
std::array<double, 4> corners_of(const std::array<double, 4>& n, double x, double y, double stride, bool offsets,
                                 double angle) {
  if (offsets) {
    const double w = std::exp(n[2]) / 2, h = std::exp(n[3]) / 2;
    return {(x + n[0] - w) * stride, (y + n[1] - h) * stride, (x + n[0] + w) * stride, (y + n[1] + h) * stride};
  }
  const double dx = (n[2] - n[0]) / 2, dy = (n[3] - n[1]) / 2, w = (n[0] + n[2]) / 2, h = (n[1] + n[3]) / 2;
  const double mx = x + 0.5 + dx * std::cos(angle) - dy * std::sin(angle);
  const double my = y + 0.5 + dx * std::sin(angle) + dy * std::cos(angle);
  return {(mx - w) * stride, (my - h) * stride, (mx + w) * stride, (my + h) * stride};
}

/// As the camera decodes outputs of HeadForm::Distances and Offsets, and the host key points and angles beside them.
/// `values` are those of `results`: a plane for each stride, then what is beside them.
std::vector<Box> decoded(const DetectionHead& head, const std::vector<const Node*>& results,
                         const std::vector<std::vector<float>>& values) {
  std::vector<Box> boxes;
  const bool offsets = head.form == HeadForm::Offsets;
  const size_t levels = head.outputs.size();
  for (size_t l = 0; l < levels; ++l) {
    const Shape& s = results[l]->input(0).shape();
    const auto at = [&](int64_t c, int64_t cell) {
      return static_cast<double>(values[l][static_cast<size_t>(c * s[2] * s[3] + cell)]);
    };
    const auto stride = static_cast<double>(head.strides[l]);
    for (int64_t cell = 0; cell < s[2] * s[3]; ++cell) {
      const int64_t row = cell / s[3];
      Box b;
      for (int64_t k = 0; k < 4; ++k) b.plain[static_cast<size_t>(k)] = at(k, cell);
      for (int64_t c = offsets ? 4 : 5; c < s[1]; ++c) b.scores.push_back(at(c, cell));
      for (int64_t k = 0; k < 3 * head.keypoints; ++k) {
        const auto v = static_cast<double>(values[levels + l][static_cast<size_t>(k * s[2] * s[3] + cell)]);
        b.more.push_back(k % 3 == 2 ? sigmoid(v) : v);
      }
      double angle = 0;
      if (!head.angle_output.empty()) b.more.push_back(angle = static_cast<double>(values[levels][boxes.size()]));
      b.corners =
          corners_of(b.plain, static_cast<double>(cell % s[3]), static_cast<double>(row), stride, offsets, angle);
      boxes.push_back(std::move(b));
    }
  }
  return boxes;
}

/// How a list of boxes states them.
struct Notation {
  bool corners;  ///< else middle and sides
  bool parts;    ///< of the picture, else pixels
  bool plain;    ///< as the convolution gives them: the host decodes
};
constexpr Notation kNotations[] = {
    {false, false, false}, {false, true, false}, {true, false, false}, {true, true, false}, {false, false, true}};

/// Whether four numbers of the model are this box.
bool same_box(const Box& b, const std::array<double, 4>& m, const Notation& notation, const DetectionHead& head) {
  const double w = static_cast<double>(head.width), h = static_cast<double>(head.height);
  std::array<double, 4> wanted = notation.plain ? b.plain : b.corners;
  if (!notation.corners && !notation.plain)
    wanted = {(b.corners[0] + b.corners[2]) / 2, (b.corners[1] + b.corners[3]) / 2, b.corners[2] - b.corners[0],
              b.corners[3] - b.corners[1]};
  const double scale = notation.plain ? 1 : std::max(w, h) / 10;
  for (size_t k = 0; k < 4; ++k)
    if (!close(notation.parts ? m[k] * (k % 2 ? h : w) : m[k], wanted[k], scale)) return false;
  return true;
}

/// The columns of a list behind boxes and scores.
int64_t first_of_more(const Levels& levels, int64_t columns, int classes) {
  if (levels.chooses) return 6;  // score and class
  // YOLO v6 has a score of 1 for the object.
  const bool objectness =
      !levels.levels[0].find(Role::Extra) && !levels.levels[0].find(Role::Angle) && columns == 5 + classes;
  return 4 + classes + (objectness ? 1 : 0);
}

/// The list of boxes of the network for a filling.
struct Filled {
  List list;
  int64_t columns;
};
Filled filled(const Graph& graph, const Levels& levels, const Filling& filling) {
  const Shape& shape = levels.result->input(0).shape();
  int64_t cells = 0;
  for (const Level& l : levels.levels)
    cells += element_count(l.convolutions[0].value.shape()) / l.convolutions[0].channels();
  const int64_t columns = shape[levels.chooses || shape[1] == cells ? 2 : 1];
  return {List(probe(graph, levels, {levels.result}, filling)[0], shape, columns), columns};
}

}  // namespace

int numbers_of_key_point(const Graph& graph, const Levels& levels, int classes) {
  if (levels.result->input(0).shape().size() != 3) return 0;
  const auto [list, columns] = filled(graph, levels, [](size_t, size_t, size_t) { return 0.0f; });
  const int64_t first = first_of_more(levels, columns, classes);
  if (columns <= first || list.rows() == 0) return 0;
  // Of zeros a score becomes 0.5, whatever the cell.
  bool scores = (columns - first) % 3 == 0;
  for (int64_t i = 0; i < list.rows() && scores; ++i) scores = std::abs(list.at(i, first + 2) - 0.5f) < 1e-3f;
  return scores ? 3 : (columns - first) % 2 == 0 ? 2 : 0;
}

bool means_the_same(const Graph& before, const Levels& levels, const Graph& after, const DetectionHead& head) {
  std::vector<const Node*> results;
  const size_t count = head.outputs.size() + head.keypoint_outputs.size() + (head.angle_output.empty() ? 0 : 1);
  for (size_t i = 0; i < count; ++i) results.push_back(after.results()[i]);
  const std::vector<Box> boxes = decoded(head, results, probe(after, levels, results, random_number));
  if (levels.result->input(0).shape().size() != 3) return false;
  const Filled wanted = filled(before, levels, random_number);
  const auto& list = wanted.list;
  if (!levels.chooses && list.rows() != std::ssize(boxes)) return false;
  const int64_t more = first_of_more(levels, wanted.columns, head.classes);
  const bool offsets = head.form == HeadForm::Offsets;
  const auto same_rest = [&](const Box& b, int64_t row) {
    for (size_t k = 0; k < b.more.size(); ++k)
      if (!close(static_cast<double>(list.at(row, more + static_cast<int64_t>(k))), b.more[k],
                 head.angle_output.empty() ? static_cast<double>(std::max(head.width, head.height)) / 10 : 0.1))
        return false;
    return true;
  };
  const auto same = [&](int64_t row, const Notation& notation) {
    std::array<double, 4> m{};
    for (int64_t k = 0; k < 4; ++k) m[static_cast<size_t>(k)] = static_cast<double>(list.at(row, k));
    if (levels.chooses) {
      const double score = static_cast<double>(list.at(row, 4));
      const auto label = static_cast<size_t>(list.at(row, 5));
      return std::ranges::any_of(boxes, [&](const Box& b) {
        return label < b.scores.size() && std::abs(b.scores[label] - score) < 2e-3 && same_box(b, m, notation, head) &&
               same_rest(b, row);
      });
    }
    const Box& b = boxes[static_cast<size_t>(row)];
    const auto scores = static_cast<int64_t>(b.scores.size());
    const int64_t first = offsets ? 4 : more - head.classes;
    for (int64_t c = 0; c < scores; ++c)
      if (std::abs(b.scores[static_cast<size_t>(c)] - static_cast<double>(list.at(row, first + c))) >= 2e-3)
        return false;
    return same_box(b, m, notation, head) && same_rest(b, row);
  };
  return list.rows() > 0 && std::ranges::any_of(kNotations, [&](const Notation& notation) {
           if (notation.plain && !offsets) return false;
           for (int64_t i = 0; i < list.rows(); ++i)
             if (!same(i, notation)) return false;
           return true;
         });
}

}  // namespace blobsmith::heads
