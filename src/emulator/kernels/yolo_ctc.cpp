// RegionYolo, ReorgYolo, CTCDecoder, CTCGreedyDecoderSeqLen (execution spec §9).
#include <cmath>

#include "emulator/kernels/kernels.hpp"
#include "vpu/stages/detection.hpp"

namespace blobsmith::emulator {
namespace {

void softmax_over_planes(float* first, int64_t count, int64_t plane) {
  for (int64_t i = 0; i < plane; ++i) {
    float* at = first + i;
    float top = at[0], sum = 0;
    for (int64_t k = 1; k < count; ++k) top = std::max(top, at[k * plane]);
    for (int64_t k = 0; k < count; ++k) sum += at[k * plane] = std::exp(at[k * plane] - top);
    for (int64_t k = 0; k < count; ++k) at[k * plane] /= sum;
  }
}

int64_t first_maximum(const float* v, int64_t n) { return std::max_element(v, v + n) - v; }

}  // namespace

// Planes of a region: x, y, w, h, ..., objectness, classes.
void run_region_yolo(StageRun& s) {
  const auto& p = s.params<vpu::RegionYoloParams>();
  const Grid in = planes(s.in(0));
  const int64_t regions = p.do_softmax ? p.num : p.mask_size, entries = int64_t{p.coords} + 1 + p.classes, plane = in.dims[2] * in.dims[3];
  s.check(regions >= 0 && p.coords >= 2 && p.classes >= 0 && regions * entries <= in.dims[1], "more regions than channels");
  std::vector<float> v = read_floats(in);
  const auto activate = [&](float* from, int64_t planes_count) { std::transform(from, from + planes_count * plane, from, sigmoid); };
  for (int64_t n = 0; n < in.dims[0]; ++n)
    for (int64_t r = 0; r < regions; ++r) {
      float* region = v.data() + (n * in.dims[1] + r * entries) * plane;
      activate(region, 2);
      activate(region + p.coords * plane, 1);
      float* classes = region + (p.coords + 1) * plane;
      if (!p.do_softmax) activate(classes, p.classes);
      else if (p.classes > 0) softmax_over_planes(classes, p.classes, plane);
    }
  write(framework_order(s.out(1)), v);
}

// The input is read as [C/s^2][H*s][W*s] and written as [C][H][W].
void run_reorg_yolo(StageRun& s) {
  const Grid in = planes(s.in(0));
  const int64_t stride = s.params<vpu::ReorgYoloParams>().stride, channels = in.dims[1], height = in.dims[2], width = in.dims[3];
  s.check(stride >= 1 && stride < 65536 && channels >= stride * stride, "a stride larger than the channels allow");
  const int64_t inner = channels / (stride * stride), item = channels * height * width;
  const std::vector<float> x = read_floats(in);
  std::vector<float> y(x.size());
  for (int64_t i = 0; i < static_cast<int64_t>(y.size()); ++i) {
    const int64_t c = i % item / (height * width), row = i / width % height, column = i % width;
    const int64_t from_row = row * stride + c / inner / stride, from_column = column * stride + c / inner % stride;
    const int64_t from = from_column + width * stride * (from_row + height * stride * (c % inner));
    s.check(from < item, "a stride that does not divide the channels");
    y[static_cast<size_t>(i)] = x[static_cast<size_t>(i / item * item + from)];
  }
  write(framework_order(s.out(1)), y);
}

// Buffers: scores [T][N][classes], sequence indicators [T][N], output [N][T]. The last class is the blank.
void run_ctc_decoder(StageRun& s) {
  const Grid g = framework_order(s.in(0));
  s.check(g.rank >= 2, "scores of an unexpected shape");
  const int64_t classes = g.dims[static_cast<size_t>(g.rank - 1)], batch = g.dims[static_cast<size_t>(g.rank - 2)], steps = product(g.dims, 0, g.rank - 2);
  const std::vector<float> scores = read_floats(g), indicators = read_floats(framework_order(s.in(1)));
  const Grid to = framework_order(s.out(2));
  s.check(classes > 0 && static_cast<int64_t>(indicators.size()) == steps * batch && to.count() == steps * batch, "indicators that don't fit the scores");
  std::vector<float> out(static_cast<size_t>(batch * steps), -1.0f);
  for (int64_t b = 0; b < batch; ++b) {
    int64_t previous = -1, used = 0;
    for (int64_t t = 0; t < steps; ++t) {
      if (t > 0 && indicators[static_cast<size_t>(t * batch + b)] == 0) break;
      const int64_t c = first_maximum(scores.data() + (t * batch + b) * classes, classes);
      if (c != classes - 1 && c != previous) out[static_cast<size_t>(b * steps + used++)] = static_cast<float>(c);
      previous = c;
    }
  }
  write(to, out);
}

// Buffers: scores [N][T][classes], lengths, classes, [number of them].
void run_ctc_greedy_decoder_seq_len(StageRun& s) {
  const auto& p = s.params<vpu::CtcGreedyDecoderSeqLenParams>();
  const Grid g = framework_order(s.in(0));
  s.check(g.rank == 3 && g.dims[2] > 0, "scores of an unexpected shape");
  const int64_t batch = g.dims[0], steps = g.dims[1], classes = g.dims[2];
  const std::vector<float> scores = read_floats(g);
  const std::vector<int64_t> lengths = read_integers(memory_order(s.in(1)));
  const Grid to = framework_order(s.out(2));
  s.check(static_cast<int64_t>(lengths.size()) >= batch && to.count() == batch * steps, "lengths that don't fit the scores");
  std::vector<int64_t> out(static_cast<size_t>(batch * steps), -1), counts(static_cast<size_t>(batch));
  for (int64_t b = 0; b < batch; ++b) {
    int64_t previous = -1, used = 0;
    for (int64_t t = 0; t < std::min(lengths[static_cast<size_t>(b)], steps); ++t) {
      const int64_t c = first_maximum(scores.data() + (b * steps + t) * classes, classes);
      if (c != int64_t{p.blank_index} && !(p.merge_repeated && c == previous)) out[static_cast<size_t>(b * steps + used++)] = c;
      previous = c;
    }
    counts[static_cast<size_t>(b)] = used;
  }
  write(to, out);
  if (s.has(3)) {
    const Grid length_grid = framework_order(s.out(3));
    counts.resize(static_cast<size_t>(length_grid.count()));
    write(length_grid, counts);
  }
}

}  // namespace blobsmith::emulator
