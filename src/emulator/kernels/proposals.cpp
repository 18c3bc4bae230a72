// Proposal and the ExpDetectron stages (execution spec §9).
#include <cmath>

#include "emulator/kernels/kernels.hpp"
#include "vpu/stages/roi.hpp"

namespace blobsmith::emulator {
namespace {

/// Anchors around the origin, ratio by ratio, in each of them scale by scale.
std::vector<Box> make_anchors(const vpu::ProposalParams& p) {
  std::vector<Box> anchors;
  const auto base = static_cast<float>(p.base_size), off = p.coordinates_offset;
  for (float ratio : p.ratios) {
    float w = std::sqrt(base * base / ratio);
    if (p.round_ratios) w = std::floor(w + 0.5f);
    float h = w * ratio;
    if (p.round_ratios) h = std::floor(h + 0.5f);
    for (float scale : p.scales) {
      if (p.shift_anchors) {
        anchors.push_back({-w * scale / 2, -h * scale / 2, w * scale / 2, h * scale / 2});
      } else {
        const float c = 0.5f * (base - off), half_w = 0.5f * (w * scale - off), half_h = 0.5f * (h * scale - off);
        anchors.push_back({c - half_w, c - half_h, c + half_w, c + half_h});
      }
    }
  }
  return anchors;
}

struct Image {
  float height, width, scale_h, scale_w;
};

float cut(float v, float low, float high) { return std::min(std::max(v, low), high); }

Box move_anchor(const vpu::ProposalParams& p, Box a, const std::array<float, 4>& d, const Image& image) {
  const float off = p.coordinates_offset;
  if (p.initial_clip) a = {cut(a.x1, 0, image.width), cut(a.y1, 0, image.height), cut(a.x2, 0, image.width), cut(a.y2, 0, image.height)};
  const float w = a.x2 - a.x1 + off, h = a.y2 - a.y1 + off;
  const float cx = d[0] / p.box_coordinate_scale * w + (a.x1 + 0.5f * w), cy = d[1] / p.box_coordinate_scale * h + (a.y1 + 0.5f * h);
  const float bw = std::exp(d[2] / p.box_size_scale) * w, bh = std::exp(d[3] / p.box_size_scale) * h;
  Box b{cx - 0.5f * bw, cy - 0.5f * bh, cx + 0.5f * bw, cy + 0.5f * bh};
  if (p.clip_before_nms) b = {cut(b.x1, 0, image.width - off), cut(b.y1, 0, image.height - off), cut(b.x2, 0, image.width - off), cut(b.y2, 0, image.height - off)};
  return b;
}

/// The best `limit` candidates in falling order.
void sort_candidates(std::vector<Box>& boxes, std::vector<float>& scores, int64_t limit) {
  std::vector<int64_t> order = by_falling_score(scores);
  if (limit >= 0 && order.size() > static_cast<size_t>(limit)) order.resize(static_cast<size_t>(limit));
  std::vector<Box> sorted;
  std::vector<float> values;
  for (int64_t i : order) {
    sorted.push_back(boxes[static_cast<size_t>(i)]);
    values.push_back(scores[static_cast<size_t>(i)]);
  }
  boxes = std::move(sorted);
  scores = std::move(values);
}

}  // namespace

// Buffers: scores, output, [output scores], box deltas, image info, temp.
void run_proposal(StageRun& s) {
  const auto& p = s.params<vpu::ProposalParams>();
  const Grid score_grid = planes(s.in(0)), delta_grid = planes(s.in(3));
  const std::vector<float> scores = read_floats(score_grid), deltas = read_floats(delta_grid), info = read_floats(memory_order(s.in(4)));
  const std::vector<Box> anchors = make_anchors(p);
  const int64_t count = static_cast<int64_t>(anchors.size()), height = score_grid.dims[2], width = score_grid.dims[3], plane = height * width;
  s.check(info.size() >= 3 && score_grid.dims[1] >= 2 * count && delta_grid.dims[1] >= 4 * count && delta_grid.dims[2] * delta_grid.dims[3] == plane, "scores and boxes that don't fit");
  Image image{info[0], info[1], info[2], info.size() >= 4 ? info[3] : info[2]};
  if (p.swap_xy) std::swap(image.height, image.width);
  std::vector<Box> boxes;
  std::vector<float> values;
  for (int64_t i = 0; i < plane; ++i) {
    // With swap_xy the first coordinate runs along the rows.
    const auto column = static_cast<float>((p.swap_xy ? i / width : i % width) * p.feat_stride), row = static_cast<float>((p.swap_xy ? i % width : i / width) * p.feat_stride);
    for (int64_t a = 0; a < count; ++a) {
      const Box& anchor = anchors[static_cast<size_t>(a)];
      std::array<float, 4> d;
      for (int64_t k = 0; k < 4; ++k) d[static_cast<size_t>(k)] = deltas[static_cast<size_t>((4 * a + k) * plane + i)];
      const Box b = move_anchor(p, {anchor.x1 + column, anchor.y1 + row, anchor.x2 + column, anchor.y2 + row}, d, image);
      const float w = b.x2 - b.x1 + p.coordinates_offset, h = b.y2 - b.y1 + p.coordinates_offset, least = static_cast<float>(p.min_size);
      boxes.push_back(b);
      values.push_back(w >= least * image.scale_w && h >= least * image.scale_h ? scores[static_cast<size_t>((count + a) * plane + i)] : 0.0f);
    }
  }
  sort_candidates(boxes, values, p.pre_nms_topn);
  const std::vector<int64_t> kept = suppress(boxes, values, p.nms_thresh, p.post_nms_topn, p.coordinates_offset);
  const Grid out = framework_order(s.out(1));
  constexpr size_t kRow = 5;
  std::vector<float> rows(static_cast<size_t>(out.count())), probabilities(rows.size() / kRow);
  size_t used = 0;
  for (int64_t k : kept) {
    if (used >= probabilities.size()) break;
    Box b = boxes[static_cast<size_t>(k)];
    if (p.clip_after_nms) b = {cut(b.x1, 0, image.width), cut(b.y1, 0, image.height), cut(b.x2, 0, image.width), cut(b.y2, 0, image.height)};
    if (p.normalize) b = {b.x1 / image.width, b.y1 / image.height, b.x2 / image.width, b.y2 / image.height};
    const float row[kRow] = {0, b.x1, b.y1, b.x2, b.y2};
    std::copy_n(row, kRow, rows.begin() + static_cast<ptrdiff_t>(used * kRow));
    probabilities[used++] = values[static_cast<size_t>(k)];
  }
  if (used < probabilities.size()) rows[used * kRow] = -1;
  write(out, rows);
  if (!s.has(2)) return;
  const Grid extra = framework_order(s.out(2));
  probabilities.resize(static_cast<size_t>(extra.count()));
  write(extra, probabilities);
}

namespace {

/// Detectron's deltas; the exponent's argument is limited.
Box apply_deltas(const Box& a, const std::array<float, 4>& d, float limit) {
  const float w = a.x2 - a.x1 + 1, h = a.y2 - a.y1 + 1;
  const float cx = d[0] * w + a.x1 + 0.5f * w, cy = d[1] * h + a.y1 + 0.5f * h, bw = std::exp(std::min(d[2], limit)) * w, bh = std::exp(std::min(d[3], limit)) * h;
  return {cx - 0.5f * bw, cy - 0.5f * bh, cx + 0.5f * bw - 1, cy + 0.5f * bh - 1};
}

Box rounded(const Box& b) { return {to_half_and_back(b.x1), to_half_and_back(b.y1), to_half_and_back(b.x2), to_half_and_back(b.y2)}; }

std::vector<Box> read_boxes(const Grid& g) {
  const std::vector<float> v = read_floats(g);
  std::vector<Box> boxes;
  for (size_t i = 0; i + 4 <= v.size(); i += 4) boxes.push_back({v[i], v[i + 1], v[i + 2], v[i + 3]});
  return boxes;
}

/// As many boxes as fit, zeros behind.
void write_boxes(const Grid& g, const std::vector<Box>& boxes) {
  std::vector<float> v;
  for (const Box& b : boxes) v.insert(v.end(), {b.x1, b.y1, b.x2, b.y2});
  v.resize(static_cast<size_t>(g.count()));
  write(g, v);
}

template <class T>
void write_padded(const Grid& g, std::vector<T> v) {
  v.resize(static_cast<size_t>(g.count()));
  write(g, v);
}

const float kDetectronLimit = std::log(1000.0f / 16);

}  // namespace

// Buffers: image info, anchors, deltas, scores, boxes, their scores, temp.
void run_generate_proposals(StageRun& s) {
  const auto& p = s.params<vpu::ExpGenerateProposalsParams>();
  const std::vector<float> info = read_floats(memory_order(s.in(0))), deltas = read_floats(framework_order(s.in(2))), scores = read_floats(framework_order(s.in(3)));
  const std::vector<Box> anchors = read_boxes(framework_order(s.in(1)));
  const View score_view = s.in(3);
  const int64_t count = score_view.dim(Dim::C), plane = score_view.dim(Dim::H) * score_view.dim(Dim::W);
  s.check(info.size() >= 2 && static_cast<int64_t>(anchors.size()) >= count * plane && static_cast<int64_t>(deltas.size()) >= 4 * count * plane && static_cast<int64_t>(scores.size()) == count * plane,
          "scores and boxes that don't fit");
  std::vector<Box> boxes;
  std::vector<float> values;
  for (int64_t i = 0; i < plane; ++i)
    for (int64_t a = 0; a < count; ++a) {
      std::array<float, 4> d;
      for (int64_t k = 0; k < 4; ++k) d[static_cast<size_t>(k)] = deltas[static_cast<size_t>((4 * a + k) * plane + i)];
      Box b = apply_deltas(anchors[static_cast<size_t>(i * count + a)], d, kDetectronLimit);
      b = {cut(b.x1, 0, info[1] - 1), cut(b.y1, 0, info[0] - 1), cut(b.x2, 0, info[1] - 1), cut(b.y2, 0, info[0] - 1)};
      const bool large = b.x2 - b.x1 + 1 >= p.min_size && b.y2 - b.y1 + 1 >= p.min_size;
      boxes.push_back(rounded(b));
      values.push_back(large ? scores[static_cast<size_t>(a * plane + i)] : 0.0f);
    }
  sort_candidates(boxes, values, p.pre_nms_topn);
  std::vector<Box> kept;
  std::vector<float> kept_scores;
  for (int64_t k : suppress(boxes, values, p.nms_threshold, p.post_nms_topn)) {
    kept.push_back(boxes[static_cast<size_t>(k)]);
    kept_scores.push_back(values[static_cast<size_t>(k)]);
  }
  write_boxes(framework_order(s.out(4)), kept);
  write_padded(framework_order(s.out(5)), kept_scores);
}

// Buffers: boxes, deltas, scores, image info, output boxes, classes, scores.
void run_exp_detection_output(StageRun& s) {
  const auto& p = s.params<vpu::ExpDetectionOutputParams>();
  const std::vector<Box> rois = read_boxes(framework_order(s.in(0)));
  const std::vector<float> deltas = read_floats(framework_order(s.in(1))), scores = read_floats(framework_order(s.in(2)));
  const auto classes = static_cast<size_t>(std::max(p.num_classes, 0));
  s.check(classes > 0 && deltas.size() >= rois.size() * classes * 4 && scores.size() >= rois.size() * classes, "fewer boxes or scores than regions");
  std::vector<Box> found;
  std::vector<float> found_scores;
  std::vector<int64_t> found_classes;
  for (size_t label = 1; label < classes; ++label) {
    std::vector<Box> boxes;
    std::vector<float> values;
    for (size_t i = 0; i < rois.size(); ++i) {
      const Box& roi = rois[i];
      const float v = roi.x2 > roi.x1 && roi.y2 > roi.y1 ? scores[i * classes + label] : 0.0f;
      if (!(v > p.score_threshold)) continue;
      std::array<float, 4> d;
      for (size_t k = 0; k < 4; ++k) d[k] = deltas[(i * classes + label) * 4 + k] / p.deltas_weights[k];
      const Box b = apply_deltas(roi, d, p.max_delta_log_wh);
      const bool valid = roi.x2 > roi.x1 && roi.y2 > roi.y1;
      boxes.push_back(valid ? rounded({std::max(b.x1, 0.0f), std::max(b.y1, 0.0f), std::max(b.x2, 0.0f), std::max(b.y2, 0.0f)}) : Box{});
      values.push_back(v);
    }
    for (int64_t k : suppress(boxes, values, p.nms_threshold, p.post_nms_count, 1.0f)) {
      found.push_back(boxes[static_cast<size_t>(k)]);
      found_scores.push_back(values[static_cast<size_t>(k)]);
      found_classes.push_back(static_cast<int64_t>(label));
    }
  }
  if (p.max_detections_per_image >= 0 && found.size() > static_cast<size_t>(p.max_detections_per_image)) {
    std::vector<int64_t> order = by_falling_score(found_scores);
    order.resize(static_cast<size_t>(p.max_detections_per_image));
    const auto pick = [&](auto& list) {
      auto all = list;
      list.clear();
      for (int64_t i : order) list.push_back(all[static_cast<size_t>(i)]);
    };
    pick(found);
    pick(found_scores);
    pick(found_classes);
  }
  write_boxes(framework_order(s.out(4)), found);
  write_padded(framework_order(s.out(5)), found_classes);
  write_padded(framework_order(s.out(6)), found_scores);
}

// Buffers: boxes, probabilities, output.
void run_exp_top_k_rois(StageRun& s) {
  const std::vector<Box> boxes = read_boxes(framework_order(s.in(0)));
  const std::vector<float> probabilities = read_floats(memory_order(s.in(1)));
  s.check(boxes.size() == probabilities.size(), "boxes and probabilities that don't fit");
  std::vector<int64_t> order = by_falling_score(probabilities);
  const auto limit = static_cast<size_t>(std::max(s.params<vpu::ExpTopKRoisParams>().max_rois, 0));
  if (order.size() > limit) order.resize(limit);
  std::vector<Box> best;
  for (int64_t i : order) best.push_back(boxes[static_cast<size_t>(i)]);
  write_boxes(framework_order(s.out(2)), best);
}

// Buffers: priors, feature map, image, output.
void run_prior_grid_generator(StageRun& s) {
  const auto& p = s.params<vpu::ExpPriorGridGeneratorParams>();
  const std::vector<Box> priors = read_boxes(framework_order(s.in(0)));
  const View map = s.in(1), image = s.in(2);
  const int64_t height = p.grid_h > 0 ? p.grid_h : map.dim(Dim::H), width = p.grid_w > 0 ? p.grid_w : map.dim(Dim::W);
  const Grid out = framework_order(s.out(3));
  s.check(height > 0 && width > 0 && height < 65536 && width < 65536 && height * width * static_cast<int64_t>(priors.size()) * 4 == out.count(), "an output of another size than the grid");
  const float step_x = p.stride_w != 0 ? p.stride_w : static_cast<float>(image.dim(Dim::W)) / static_cast<float>(width);
  const float step_y = p.stride_h != 0 ? p.stride_h : static_cast<float>(image.dim(Dim::H)) / static_cast<float>(height);
  std::vector<Box> boxes;
  for (int64_t i = 0; i < height * width; ++i) {
    const float x = (static_cast<float>(i % width) + 0.5f) * step_x, y = (static_cast<float>(i / width) + 0.5f) * step_y;
    for (const Box& b : priors) boxes.push_back({b.x1 + x, b.y1 + y, b.x2 + x, b.y2 + y});
  }
  write_boxes(out, boxes);
}

}  // namespace blobsmith::emulator
