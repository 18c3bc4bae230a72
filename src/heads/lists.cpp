#include "heads/lists.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "heads/levels.hpp"
#include "heads/probe.hpp"
#include "transforms/pipeline.hpp"

namespace blobsmith::heads {
namespace {

/// A result with a row for each cell of some strides.
struct CellList {
  const Node* result;
  Levels levels;
  int64_t rows, columns, each;  ///< each: rows of a cell
  bool columns_last;
  std::vector<bool> is_score;  ///< by column
  bool sums_to_one = false;    ///< all scores of a row
  std::vector<float> ones;     ///< values where all convolutions give 1

  int64_t scores() const { return std::ranges::count(is_score, true); }
  int64_t others() const { return columns - scores(); }
  double at(const std::vector<float>& values, int64_t row, int64_t column) const {
    return static_cast<double>(
        values[static_cast<size_t>(columns_last ? row * columns + column : column * rows + row)]);
  }
};

int64_t cells_of(const Levels& levels) {
  int64_t cells = 0;
  for (const Level& l : levels.levels) {
    const Shape& s = l.convolutions[0].value.shape();
    cells += s[2] * s[3];
  }
  return cells;
}

/// Whether a column is the same in all rows of an empty network, and between 0 and 1 whatever the numbers.
bool is_score(const CellList& l, int64_t column, const std::vector<float>& empty, const std::vector<float>& any) {
  const double first = l.at(empty, 0, column);
  if (!(first > 0 && first < 1)) return false;
  for (int64_t row = 0; row < l.rows; ++row) {
    const double e = l.at(empty, row, column), a = l.at(any, row, column);
    if (std::abs(e - first) > 1e-4 || a < 0 || a > 1.0001) return false;
  }
  return true;
}

void classify(const Graph& graph, CellList& l) {
  const auto values = [&](const Filling& filling) { return probe(graph, l.levels, {l.result}, filling)[0]; };
  const std::vector<float> empty = values([](size_t, size_t, size_t) { return 0.0F; }), any = values(random_number);
  l.ones = values([](size_t, size_t, size_t) { return 1.0F; });
  for (int64_t c = 0; c < l.columns; ++c) l.is_score.push_back(is_score(l, c, empty, any));
  l.sums_to_one = l.scores() > 1;
  for (int64_t row = 0; row < l.rows && l.sums_to_one; ++row) {
    double sum = 0;
    for (int64_t c = 0; c < l.columns; ++c) sum += l.is_score[static_cast<size_t>(c)] ? l.at(any, row, c) : 0;
    l.sums_to_one = std::abs(sum - 1) < 1e-3;
  }
}

std::optional<CellList> list_of(const Graph& graph, const Node* result) {
  constexpr int64_t kMostOfCell = 16;
  const Shape& s = result->input(0).shape();
  const size_t rank = s.size();
  if (!is_static(s) || rank < 2 || rank > 3 || (rank == 3 && s[0] != 1)) return std::nullopt;
  std::optional<Levels> levels = find_levels(graph, result);
  if (!levels) return std::nullopt;
  const int64_t cells = cells_of(*levels), first = s[rank - 2], second = s[rank - 1];
  const auto fits = [&](int64_t rows) {
    return cells > 1 && rows % cells == 0 && rows / cells >= 1 && rows / cells <= kMostOfCell;
  };
  if (!fits(first) && !fits(second)) return std::nullopt;
  CellList l{result, *std::move(levels), 0, 0, 0, fits(first), {}, false, {}};
  l.rows = l.columns_last ? first : second;
  l.columns = l.columns_last ? second : first;
  l.each = l.rows / cells;
  classify(graph, l);
  return l;
}

// ---- what the numbers of a box are ----

/// The middle of each cell, in pixels, and its stride, in the order of the rows.
struct Cell {
  double x, y, stride;
};
std::vector<Cell> cells_in_order(const CellList& l) {
  std::vector<Cell> cells;
  for (const Level& level : l.levels.levels) {
    const Shape& s = level.convolutions[0].value.shape();
    const auto stride = static_cast<double>(level.stride);
    for (int64_t y = 0; y < s[2]; ++y)
      for (int64_t x = 0; x < s[3]; ++x)
        for (int64_t k = 0; k < l.each; ++k)
          cells.push_back({(static_cast<double>(x) + 0.5) * stride, (static_cast<double>(y) + 0.5) * stride, stride});
  }
  return cells;
}

std::string notation_of(const CellList& l, double width, double height) {
  const std::vector<Cell> cells = cells_in_order(l);
  const auto box = [&](int64_t row) {
    std::array<double, 4> b{};
    for (int64_t k = 0; k < 4; ++k) b[static_cast<size_t>(k)] = l.at(l.ones, row, k);
    return b;
  };
  bool same = true;
  for (int64_t row = 1; row < l.rows; ++row) same &= box(row) == box(0);
  if (same) return "as the convolutions give them: the host adds the places of the cells";
  struct Unit {
    const char* name;
    double x, y;
    bool strides;
  };
  for (const Unit& u :
       {Unit{"pixels", 1, 1, false}, Unit{"parts of the picture", width, height, false}, Unit{"cells", 1, 1, true}}) {
    bool corners = true, middle = true;
    for (int64_t row = 0; row < l.rows; ++row) {
      const Cell& c = cells[static_cast<size_t>(row)];
      const double x = u.strides ? c.stride : u.x, y = u.strides ? c.stride : u.y, near = 1.6 * c.stride;
      const std::array<double, 4> b = box(row);
      corners &= std::abs((b[0] + b[2]) / 2 * x - c.x) <= near && std::abs((b[1] + b[3]) / 2 * y - c.y) <= near &&
                 b[2] > b[0] && b[3] > b[1];
      middle &= std::abs(b[0] * x - c.x) <= near && std::abs(b[1] * y - c.y) <= near;
    }
    if (corners) return std::string("corners in ") + u.name;
    if (middle) return std::string("middle and sides in ") + u.name;
  }
  return {};
}

// ---- the head ----

std::string family_of(const DetectionHead& h, bool in_one_list) {
  if (h.keypoints == 5) return "face detector (SCRFD, RetinaFace)";
  if (!h.mask_outputs.empty() && h.background) return "YOLACT";
  const std::string anchors = h.boxes_of_cell > 1 ? "detector with " + std::to_string(h.boxes_of_cell) + " boxes a cell"
                                                  : "detector without anchors";
  return in_one_list ? anchors : anchors + " (PP-YOLOE, PicoDet, DAMO-YOLO ...)";
}

}  // namespace

std::optional<DetectionHead> from_lists(const Graph& graph) {
  constexpr int64_t kFacePoints = 5;
  std::vector<CellList> lists;
  for (const Node* r : graph.results())
    if (auto l = list_of(graph, r)) lists.push_back(*std::move(l));
  if (lists.empty()) return std::nullopt;
  std::ranges::stable_sort(lists, {}, [](const CellList& l) { return l.levels.levels[0].stride; });
  const Shape& picture = lists[0].levels.picture->shape();
  const bool last = picture[3] <= 4 && picture[1] > 4;  // NHWC
  DetectionHead h;
  h.input = lists[0].levels.picture->name;
  h.height = picture[last ? 1 : 2];
  h.width = picture[last ? 2 : 3];
  h.boxes_of_cell = static_cast<int>(lists[0].each);
  bool in_one_list = false;
  for (const CellList& l : lists) {
    if (l.each != h.boxes_of_cell) return std::nullopt;
    const std::string name = output_name(*l.result);
    const bool has_boxes = l.others() >= 4 && l.others() != 2 * kFacePoints &&
                           std::none_of(l.is_score.begin(), l.is_score.begin() + 4, [](bool score) { return score; });
    const bool boxes_alone = has_boxes && l.others() == 4, takes_boxes = boxes_alone || (has_boxes && l.scores() > 0);
    if (takes_boxes) {
      h.outputs.push_back(name);
      if (h.box_values.empty())
        h.box_values = notation_of(l, static_cast<double>(h.width), static_cast<double>(h.height));
    }
    if (l.scores() > 0) {
      if (h.classes != 0 && h.classes != l.scores()) return std::nullopt;
      h.classes = static_cast<int>(l.scores());
      h.background = l.sums_to_one;
      if (takes_boxes)
        in_one_list = true;
      else
        h.score_outputs.push_back(name);
    }
    if (l.scores() == 0 && l.others() == 2 * kFacePoints) {
      h.keypoints = static_cast<int>(kFacePoints);
      h.keypoint_outputs.push_back(name);
    } else if (l.scores() == 0 && !takes_boxes) {
      h.mask_outputs.push_back(name);
    }
    for (const Level& level : l.levels.levels)
      if (std::ranges::find(h.strides, level.stride) == h.strides.end()) h.strides.push_back(level.stride);
  }
  if (h.outputs.empty() || h.classes == 0 || (h.score_outputs.empty() && !in_one_list)) return std::nullopt;
  std::ranges::sort(h.strides);
  if (h.strides.size() < 2) return std::nullopt;
  for (const Node* r : graph.results())
    if (!h.mask_outputs.empty() && r->input(0).shape().size() == 4) h.prototype_output = output_name(*r);
  h.family = family_of(h, in_one_list);
  return h;
}

}  // namespace blobsmith::heads
