// RegionYolo, ReorgYolo, CTCDecoder, CTCGreedyDecoderSeqLen (execution spec §9).
#include "compute/ctc.hpp"
#include "compute/yolo.hpp"
#include "emulator/kernels/shared.hpp"
#include "vpu/format/detection.hpp"

namespace blobsmith::emulator {
namespace {
// Planes of a region: x, y, w, h, ..., objectness, classes.
void run_region_yolo(StageRun& s) {
  const auto& p = s.params<vpu::RegionYoloParams>();
  const Grid in = planes(s.in(0));
  const compute::YoloRegions regions{p.do_softmax ? p.num : p.mask_size, p.coords, p.classes, p.do_softmax != 0};
  s.check(regions.fit(in.dims[1]), "more regions than channels");
  std::vector<float> v = read_floats(in);
  regions.activate(v, in.dims[0], in.dims[1], in.dims[2] * in.dims[3]);
  write(framework_order(s.out(1)), v);
}

// The input is read as [C/s^2][H*s][W*s] and written as [C][H][W].
void run_reorg_yolo(StageRun& s) {
  const Grid in = planes(s.in(0));
  const int64_t stride = s.params<vpu::ReorgYoloParams>().stride, channels = in.dims[1], height = in.dims[2],
                width = in.dims[3];
  s.check(compute::can_be_reorganised(channels, height, width, stride), "a stride that is too large");
  const Grid out = framework_order(s.out(1));
  s.check(out.count() == in.count(), "an output of another size");
  const int64_t plane = height * width, item = channels * plane;
  int64_t i = 0;  // of the result, as [N][C][H][W]
  std::vector<float> row;
  for_each_row(nest_of(out), [&](const auto& to, const auto& step, int64_t n) {
    row.resize(static_cast<size_t>(n));
    int64_t from = 0;
    for (int64_t k = 0; k < n; ++k, ++i) {
      from = k == 0 || i % width == 0
                 ? compute::reorganised_row(channels, height, width, stride, i % item / plane, i / width % height) +
                       i % width * stride
                 : from + stride;
      load_row(in.data + i / item * in.strides[0] + from / plane * in.strides[1] +
                   from / width % height * in.strides[2] + from % width * in.strides[3],
               0, in.type, 1, &row[static_cast<size_t>(k)]);
    }
    store_row(row.data(), to[0], step[0], out.type, n);
  });
}

// Buffers: scores [T][N][classes], sequence indicators [T][N], output [N][T]. The last class is the blank.
void run_ctc_decoder(StageRun& s) {
  const Grid g = framework_order(s.in(0));
  s.check(g.rank >= 2, "scores of an unexpected shape");
  const int64_t classes = g.dims[static_cast<size_t>(g.rank - 1)], batch = g.dims[static_cast<size_t>(g.rank - 2)],
                steps = product(g.dims, 0, g.rank - 2);
  const std::vector<float> scores = read_floats(g), indicators = read_floats(framework_order(s.in(1)));
  const Grid to = framework_order(s.out(2));
  s.check(classes > 0 && static_cast<int64_t>(indicators.size()) == steps * batch && to.count() == steps * batch,
          "indicators that don't fit the scores");
  std::vector<float> out(static_cast<size_t>(batch * steps), -1.0f);
  for (int64_t b = 0; b < batch; ++b) {
    int64_t length = std::min<int64_t>(steps, 1);
    while (length < steps && indicators[static_cast<size_t>(length * batch + b)] != 0) ++length;
    const auto labels =
        compute::greedy_labels(scores.data() + b * classes, batch * classes, length, classes, classes - 1, true);
    std::copy(labels.begin(), labels.end(), out.begin() + b * steps);
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
  s.check(static_cast<int64_t>(lengths.size()) >= batch && to.count() == batch * steps,
          "lengths that don't fit the scores");
  std::vector<int64_t> out(static_cast<size_t>(batch * steps), -1), counts(static_cast<size_t>(batch));
  for (int64_t b = 0; b < batch; ++b) {
    const auto labels = compute::greedy_labels(scores.data() + b * steps * classes, classes,
                                               std::min(lengths[static_cast<size_t>(b)], steps), classes, p.blank_index,
                                               p.merge_repeated);
    std::copy(labels.begin(), labels.end(), out.begin() + b * steps);
    counts[static_cast<size_t>(b)] = static_cast<int64_t>(labels.size());
  }
  write(to, out);
  if (s.has(3)) {
    const Grid length_grid = framework_order(s.out(3));
    counts.resize(static_cast<size_t>(length_grid.count()));
    write(length_grid, counts);
  }
}

constexpr KernelRow kRows[] = {
    {StageType::RegionYolo, run_region_yolo},
    {StageType::ReorgYolo, run_reorg_yolo},
    {StageType::CTCDecoder, run_ctc_decoder},
    {StageType::CTCGreedyDecoderSeqLen, run_ctc_greedy_decoder_seq_len},
};

}  // namespace

std::span<const KernelRow> yolo_ctc_kernels() { return kRows; }

}  // namespace blobsmith::emulator
