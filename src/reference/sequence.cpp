// Greedy CTC decoders (opset 1, 6).
#include <algorithm>

#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

int64_t first_maximum(std::span<const float> v) { return std::ranges::max_element(v) - v.begin(); }

/// The classes of one sequence: the best of each step without blanks and, where asked for, repeats.
template <class Scores>
std::vector<int64_t> decode(int64_t steps, int64_t blank, bool merge, Scores scores_at) {
  std::vector<int64_t> classes;
  int64_t previous = -1;
  for (int64_t t = 0; t < steps; ++t) {
    const int64_t k = first_maximum(scores_at(t));
    if (k != blank && !(merge && k == previous)) classes.push_back(k);
    previous = k;
  }
  return classes;
}

/// Scores [time][batch][class]; a zero of the mask ends a sequence. The last class is the blank.
Outputs run_greedy_decoder(const Call& c) {
  const int64_t time = c.dim(0, 0), batch = c.dim(0, 1), classes = c.dim(0, 2);
  std::vector<float> y(static_cast<size_t>(batch * time), -1.0F);
  for (int64_t n = 0; n < batch; ++n) {
    int64_t steps = 0;
    while (steps < time && (steps == 0 || c.floats(1)[static_cast<size_t>(steps * batch + n)] != 0)) ++steps;
    const auto found = decode(steps, classes - 1, c.attrs().flag("ctc_merge_repeated"), [&](int64_t t) { return c.floats(0).subspan(static_cast<size_t>((t * batch + n) * classes), static_cast<size_t>(classes)); });
    std::ranges::transform(found, y.begin() + n * time, [](int64_t k) { return static_cast<float>(k); });
  }
  return {float_tensor(c.out_shape(), std::move(y))};
}

/// Scores [batch][time][class], lengths, the number of the blank (default: the last class).
Outputs run_greedy_decoder_lengths(const Call& c) {
  const int64_t batch = c.dim(0, 0), time = c.dim(0, 1), classes = c.dim(0, 2), blank = c.input_count() > 2 ? c.integers(2).at(0) : classes - 1;
  const std::vector<int64_t> lengths = c.integers(1);
  std::vector<int64_t> y(static_cast<size_t>(batch * time), -1), counts;
  for (int64_t n = 0; n < batch; ++n) {
    const auto found = decode(std::clamp<int64_t>(lengths[static_cast<size_t>(n)], 0, time), blank, c.attrs().flag("merge_repeated"),
                              [&](int64_t t) { return c.floats(0).subspan(static_cast<size_t>((n * time + t) * classes), static_cast<size_t>(classes)); });
    std::ranges::copy(found, y.begin() + n * time);
    counts.push_back(static_cast<int64_t>(found.size()));
  }
  return {integer_tensor(c.node().element_type(0), c.out_shape(0), y), integer_tensor(c.node().element_type(1), c.out_shape(1), counts)};
}

constexpr Operation kOperations[] = {
    {"CTCGreedyDecoder", kAnyVersion, run_greedy_decoder},
    {"CTCGreedyDecoderSeqLen", kAnyVersion, run_greedy_decoder_lengths},
};

}  // namespace

std::span<const Operation> sequence_operations() { return kOperations; }

}  // namespace blobsmith::reference
