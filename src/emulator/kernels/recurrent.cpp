// LSTMCell: a cell or a whole sequence of them (execution spec §8). Loops are the executor's.
#include "vpu/format/recurrent.hpp"

#include <cstring>
#include <numeric>

#include "compute/simd.hpp"
#include "core/float16.hpp"
#include "emulator/kernels/shared.hpp"

namespace blobsmith::emulator {
namespace {

using compute::kGroup;

/// Rows of a matrix in groups of 8, as FP16: [group][column][8].
class PackedRows {
 public:
  PackedRows(const uint8_t* halves, int64_t rows, int64_t columns)
      : rows_(rows),
        columns_(columns),
        groups_((rows + kGroup - 1) / kGroup),
        values_(static_cast<size_t>(groups_ * kGroup * columns)),
        places_(static_cast<size_t>(columns)) {
    for (int64_t r = 0; r < rows; ++r) {
      Half* to = values_.data() + r / kGroup * kGroup * columns + r % kGroup;
      for (int64_t k = 0; k < columns; ++k) std::memcpy(to + k * kGroup, halves + 2 * (r * columns + k), sizeof(Half));
    }
    std::iota(places_.begin(), places_.end(), 0);
  }

  /// Adds the products of the rows with `count` vectors, `columns` apart, to sums[vector * pitch + row]. `work`: see
  /// ThreadPool.
  void add_products(ThreadPool& pool, const float* vectors, int64_t count, float* sums, int64_t pitch,
                    int64_t work) const {
    pool.run_ranges(
        groups_,
        [&](int64_t begin, int64_t end) {
          constexpr int64_t kAtOnce = 8;
          std::vector<float> products(static_cast<size_t>((end - begin) * kAtOnce * kGroup));
          int32_t starts[kAtOnce];
          for (int64_t p = 0; p < kAtOnce; ++p) starts[p] = static_cast<int32_t>(p * columns_);
          for (int64_t first = 0; first < count; first += kAtOnce) {
            const int64_t n = std::min(kAtOnce, count - first);
            compute::accumulate_columns({values_.data() + begin * kGroup * columns_, end - begin, kGroup * columns_},
                                        vectors + first * columns_, places_.data(), columns_, starts, n,
                                        products.data());
            for (int64_t g = begin; g < end; ++g)
              for (int64_t p = 0; p < n; ++p) {
                const float* product = products.data() + ((g - begin) * n + p) * kGroup;
                float* to = sums + (first + p) * pitch + g * kGroup;
                for (int64_t m = 0; m < std::min(kGroup, rows_ - g * kGroup); ++m) to[m] += product[m];
              }
          }
        },
        work);
  }

 private:
  int64_t rows_, columns_, groups_;
  std::vector<Half> values_;
  std::vector<int32_t> places_;
};

void round_to_halves(float* values, int64_t n) {
  std::vector<Half> halves(static_cast<size_t>(n));
  floats_to_halves(values, halves.data(), halves.size());
  halves_to_floats(halves.data(), values, halves.size());
}

struct Lstm {
  int64_t cells, batch, inputs, states;
  std::vector<float> gates;  ///< of all cells: biases and what the inputs give; gates forget, input, candidate, output
  std::optional<PackedRows> recurrent;

  /// `weights`: 4*states rows of `inputs`, then 4*states rows of `states`. `x`: rows of `inputs` values.
  void prepare(ThreadPool& pool, const uint8_t* weights, const std::vector<float>& biases,
               const std::vector<float>& x) {
    const int64_t rows = cells * batch;
    gates.reserve(static_cast<size_t>(rows * 4 * states));
    for (int64_t r = 0; r < rows; ++r) gates.insert(gates.end(), biases.begin(), biases.begin() + 4 * states);
    constexpr int64_t kRowsAtOnce = 16 * kGroup;
    for (int64_t first = 0; first < 4 * states; first += kRowsAtOnce) {
      const int64_t count = std::min(kRowsAtOnce, 4 * states - first);
      PackedRows(weights + 2 * first * inputs, count, inputs)
          .add_products(pool, x.data(), rows, gates.data() + first, 4 * states, rows * count * inputs);
    }
    recurrent.emplace(weights + 2 * 4 * states * inputs, 4 * states, states);
  }

  /// One cell of one sequence, which reads row `row` of the inputs; h and c become those after it, rounded to FP16.
  void step(ThreadPool& pool, int64_t row, float* h, float* c) {
    float* z = gates.data() + row * 4 * states;
    recurrent->add_products(pool, h, 1, z, 4 * states,
                            4 * states * states / 16);  // steps are many and short: rarely worth sharing
    float *forget = z, *input = forget + states, *candidate = input + states, *output = candidate + states;
    compute::sigmoids(forget, 2 * states);
    compute::hyperbolic_tangents(candidate, states);
    compute::sigmoids(output, states);
    for (int64_t i = 0; i < states; ++i) c[i] = forget[i] * c[i] + input[i] * candidate[i];
    round_to_halves(c, states);
    std::copy_n(c, states, h);
    compute::hyperbolic_tangents(h, states);
    for (int64_t i = 0; i < states; ++i) h[i] *= output[i];
    round_to_halves(h, states);
  }
};

// Buffers: x, h0, c0, weights, biases, outputs (h of every cell, [last h], [last c]), [temp].
void run_lstm(StageRun& s) {
  const auto& p = s.params<vpu::LstmCellParams>();
  s.check(p.n_cells > 0 && p.n_batches > 0 && p.n_cells < 1 << 24 && p.n_batches < 1 << 24, "an LSTM of no cells");
  const View input = s.in(0);
  const std::vector<float> x = read_floats(memory_order(input));
  std::vector<float> h = read_floats(memory_order(s.in(1))), c = read_floats(memory_order(s.in(2)));
  const View stored = s.in(3);
  const std::vector<float> biases = read_floats(memory_order(s.in(4)));
  Lstm lstm{p.n_cells, p.n_batches, 0, 0, {}, {}};
  lstm.states = static_cast<int64_t>(h.size()) / lstm.batch;
  lstm.inputs = static_cast<int64_t>(x.size()) / (lstm.cells * lstm.batch);
  s.check(lstm.states > 0 && h.size() == c.size() && static_cast<int64_t>(biases.size()) >= 4 * lstm.states,
          "fewer biases than an LSTM needs");
  s.check(lstm.inputs > 0, "an LSTM without inputs");
  const CompactHalves weights(s, stored, 4 * lstm.states * (lstm.inputs + lstm.states));
  constexpr int64_t kMaxGates = int64_t{1} << 28;
  if (lstm.cells * lstm.batch > kMaxGates / (4 * lstm.states))
    throw Error(ErrorCode::AllocationFailed, "an LSTM needs too much memory");
  lstm.prepare(s.pool(), weights.data(), biases, x);
  // The parameters don't say which of H and C is time: the sizes must.
  const bool batch_first =
      input.rank >= 3 && input.dim(Dim::H) == lstm.cells && input.dim(Dim::C) == lstm.batch && lstm.cells != lstm.batch;
  std::vector<float> all(static_cast<size_t>(lstm.cells * lstm.batch * lstm.states));
  for (int64_t k = 0; k < lstm.cells; ++k) {
    const int64_t cell = p.forward ? k : lstm.cells - 1 - k;
    for (int64_t b = 0; b < lstm.batch; ++b) {
      const int64_t row = batch_first ? b * lstm.cells + cell : cell * lstm.batch + b;
      lstm.step(s.pool(), row, h.data() + b * lstm.states, c.data() + b * lstm.states);
      std::copy_n(h.begin() + b * lstm.states, lstm.states, all.begin() + row * lstm.states);
    }
  }
  std::vector<int> outputs;  // those that are there; temp comes behind
  for (int k = 5; k < 5 + std::clamp(p.outputs, 1, 3) && k < s.buffer_count(); ++k)
    if (s.has(k)) outputs.push_back(k);
  s.check(!outputs.empty(), "an LSTM without output");
  write(memory_order(s.out(outputs[0])), all);
  if (outputs.size() == 2) write(memory_order(s.out(outputs[1])), c);
  if (outputs.size() < 3) return;
  write(memory_order(s.out(outputs[1])), h);
  write(memory_order(s.out(outputs[2])), c);
}

constexpr KernelRow kRows[] = {
    {StageType::LSTMCell, run_lstm},
};

}  // namespace

std::span<const KernelRow> recurrent_kernels() { return kRows; }

}  // namespace blobsmith::emulator
