// Greedy CTC decoders and the loss (opset 1, 4, 6).
#include <algorithm>
#include <cmath>
#include <utility>

#include "compute/ctc.hpp"
#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

/// Scores [time][batch][class]; a zero of the mask ends a sequence. The last class is the blank.
Outputs run_greedy_decoder(const Call& c) {
  const int64_t time = c.dim(0, 0), batch = c.dim(0, 1), classes = c.dim(0, 2);
  std::vector<float> y(static_cast<size_t>(batch * time), -1.0F);
  for (int64_t n = 0; n < batch; ++n) {
    int64_t steps = 0;
    while (steps < time && (steps == 0 || c.floats(1)[static_cast<size_t>(steps * batch + n)] != 0)) ++steps;
    const auto found = compute::greedy_labels(c.floats(0).data() + n * classes, batch * classes, steps, classes,
                                              classes - 1, c.attrs().flag("ctc_merge_repeated"));
    std::ranges::transform(found, y.begin() + n * time, [](int64_t k) { return static_cast<float>(k); });
  }
  return {float_tensor(c.out_shape(), std::move(y))};
}

/// Scores [batch][time][class], lengths, the number of the blank (default: the last class).
Outputs run_greedy_decoder_lengths(const Call& c) {
  const int64_t batch = c.dim(0, 0), time = c.dim(0, 1), classes = c.dim(0, 2),
                blank = c.input_count() > 2 ? c.integers(2).at(0) : classes - 1;
  const std::vector<int64_t> lengths = c.integers(1);
  std::vector<int64_t> y(static_cast<size_t>(batch * time), -1), counts;
  for (int64_t n = 0; n < batch; ++n) {
    const auto found = compute::greedy_labels(c.floats(0).data() + n * time * classes, classes,
                                              std::min(lengths[static_cast<size_t>(n)], time), classes, blank,
                                              c.attrs().flag("merge_repeated"));
    std::ranges::copy(found, y.begin() + n * time);
    counts.push_back(static_cast<int64_t>(found.size()));
  }
  return {integer_tensor(c.node().element_type(0), c.out_shape(0), y),
          integer_tensor(c.node().element_type(1), c.out_shape(1), counts)};
}

constexpr double kNever = -INFINITY;  ///< the logarithm of the probability of what can't be

double log_of_sum(double a, double b) {
  const double top = std::max(a, b);
  return top == kNever ? kNever : top + std::log1p(std::exp(std::min(a, b) - top));
}

/// The logarithm of the probability that steps say `target`: over all ways to put blanks between its labels and, with
/// `merge`, to repeat them. `log_of(t, class)`: the same of one class at one step.
template <class F>
double log_probability(const std::vector<int64_t>& target, int64_t steps, int64_t blank, bool merge, F log_of) {
  // Place 2k: a blank behind k labels; place 2k + 1: label k. Before the first step nothing has been said: a blank.
  std::vector<double> now(2 * target.size() + 1, kNever);
  now[0] = 0;
  for (int64_t t = 0; t < steps; ++t) {
    const std::vector<double> before = std::exchange(now, std::vector<double>(now.size(), kNever));
    for (size_t i = 0; i < now.size(); ++i) {
      const bool is_label = i % 2 == 1;
      double p = is_label && !merge ? kNever : before[i];
      if (i > 0) p = log_of_sum(p, before[i - 1]);
      if (is_label && i > 1 && !(merge && target[i / 2] == target[i / 2 - 1])) p = log_of_sum(p, before[i - 2]);
      now[i] = p + log_of(t, is_label ? target[i / 2] : blank);
    }
  }
  return now.size() > 1 ? log_of_sum(now.back(), now[now.size() - 2]) : now.back();
}

/// Labels without repeats next to each other, and without any repeats, as asked for.
std::vector<int64_t> prepared(std::span<const int64_t> labels, bool collapse, bool unique) {
  std::vector<int64_t> list;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (collapse && i > 0 && labels[i] == labels[i - 1]) continue;
    if (unique && std::ranges::find(list, labels[i]) != list.end()) continue;
    list.push_back(labels[i]);
  }
  return list;
}

/// Scores [batch][time][class], their lengths, labels [batch][time], their lengths, the number of the blank (default:
/// the last class).
Outputs run_ctc_loss(const Call& c) {
  const int64_t batch = c.dim(0, 0), time = c.dim(0, 1), classes = c.dim(0, 2), room = c.dim(2, 1),
                blank = c.input_count() > 4 ? c.integers(4).at(0) : classes - 1;
  const std::vector<int64_t> steps = c.integers(1), labels = c.integers(2), lengths = c.integers(3);
  const auto is_class = [&](int64_t k) { return k >= 0 && k < classes; };
  c.require(std::cmp_equal(steps.size(), batch) && std::cmp_equal(lengths.size(), batch) && c.dim(2, 0) == batch &&
                is_class(blank),
            "lengths that don't fit");
  std::vector<float> y;
  for (int64_t n = 0; n < batch; ++n) {
    const int64_t said = steps[static_cast<size_t>(n)], meant = lengths[static_cast<size_t>(n)];
    c.require(said >= 0 && said <= time && meant >= 0 && meant <= room, "a length out of range");
    const std::vector<int64_t> target =
        prepared(std::span(labels).subspan(static_cast<size_t>(n * room), static_cast<size_t>(meant)),
                 c.attrs().flag("preprocess_collapse_repeated"), c.attrs().flag("unique"));
    c.require(std::ranges::all_of(target, is_class), "a label out of range");
    const float* scores = c.floats(0).data() + n * time * classes;
    std::vector<double> sums(static_cast<size_t>(said), kNever);
    for (int64_t t = 0; t < said; ++t)
      for (int64_t k = 0; k < classes; ++k)
        sums[static_cast<size_t>(t)] =
            log_of_sum(sums[static_cast<size_t>(t)], static_cast<double>(scores[t * classes + k]));
    const auto log_of = [&](int64_t t, int64_t k) {
      return static_cast<double>(scores[t * classes + k]) - sums[static_cast<size_t>(t)];
    };
    y.push_back(
        static_cast<float>(-log_probability(target, said, blank, c.attrs().flag("ctc_merge_repeated"), log_of)));
  }
  return {float_tensor(c.out_shape(), std::move(y))};
}

constexpr OperationRow kOperations[] = {
    {"CTCGreedyDecoder", kAnyVersion, run_greedy_decoder},
    {"CTCGreedyDecoderSeqLen", kAnyVersion, run_greedy_decoder_lengths},
    {"CTCLoss", kAnyVersion, run_ctc_loss},
};

}  // namespace

std::span<const OperationRow> sequence_operations() { return kOperations; }

}  // namespace blobsmith::reference
