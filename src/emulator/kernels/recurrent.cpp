// LSTMCell: a cell or a whole sequence of them (execution spec §8). Loops are the executor's.
#include "vpu/stages/recurrent.hpp"

#include <cmath>

#include "compute/simd.hpp"
#include "core/float16.hpp"
#include "emulator/kernels/kernels.hpp"

namespace blobsmith::emulator {
namespace {

/// Rows of a matrix in groups of 8, as FP16: [group][column][8].
class PackedRows {
 public:
  PackedRows(const float* values, int64_t rows, int64_t columns) : rows_(rows), columns_(columns), values_(static_cast<size_t>((rows + kGroup - 1) / kGroup * kGroup * columns)) {
    std::vector<Half> row(static_cast<size_t>(columns));
    for (int64_t r = 0; r < rows; ++r) {
      floats_to_halves(values + r * columns, row.data(), row.size());
      Half* to = values_.data() + r / kGroup * kGroup * columns + r % kGroup;
      for (int64_t k = 0; k < columns; ++k) to[k * kGroup] = row[static_cast<size_t>(k)];
    }
    for (int64_t k = 0; k < columns; ++k) places_.push_back(static_cast<int32_t>(k));
  }

  int64_t groups() const { return (rows_ + kGroup - 1) / kGroup; }
  /// Adds the products of one group's rows with `count` vectors, `columns` apart, to sums[vector * rows + row].
  void add_products(int64_t group, const float* vectors, int64_t count, float* sums) const {
    constexpr int64_t kAtOnce = 8;
    float products[kAtOnce * kGroup];
    int32_t starts[kAtOnce];
    for (int64_t p = 0; p < kAtOnce; ++p) starts[p] = static_cast<int32_t>(p * columns_);
    for (int64_t first = 0; first < count; first += kAtOnce) {
      const int64_t n = std::min(kAtOnce, count - first);
      compute::accumulate_columns({values_.data() + group * kGroup * columns_, 1}, vectors + first * columns_, places_.data(), columns_, starts, n, products);
      for (int64_t p = 0; p < n; ++p)
        for (int64_t m = 0; m < std::min(kGroup, rows_ - group * kGroup); ++m) sums[(first + p) * rows_ + group * kGroup + m] += products[p * kGroup + m];
    }
  }

 private:
  int64_t rows_, columns_;
  std::vector<Half> values_;
  std::vector<int32_t> places_;
};

struct Lstm {
  int64_t cells, batch, inputs, states;
  std::vector<float> weights, biases;  ///< 4*states rows of `inputs`, then 4*states rows of `states`; gates forget, input, candidate, output
  std::vector<float> gates;            ///< of all cells: biases and what the inputs give
  std::optional<PackedRows> recurrent;

  /// `x`: rows of `inputs` values.
  void prepare(ThreadPool& pool, const std::vector<float>& x) {
    const int64_t rows = cells * batch;
    for (int64_t r = 0; r < rows; ++r) gates.insert(gates.end(), biases.begin(), biases.begin() + 4 * states);
    const PackedRows packed(weights.data(), 4 * states, inputs);
    pool.run(packed.groups(), [&](int64_t group) { packed.add_products(group, x.data(), rows, gates.data()); }, rows * 4 * states * inputs);
    recurrent.emplace(weights.data() + 4 * states * inputs, 4 * states, states);
  }

  /// One cell of one sequence, which reads row `row` of the inputs; h and c become those after it, rounded to FP16.
  void step(int64_t row, float* h, float* c) {
    float* z = gates.data() + row * 4 * states;
    for (int64_t group = 0; group < recurrent->groups(); ++group) recurrent->add_products(group, h, 1, z);
    const float *forget = z, *input = forget + states, *candidate = input + states, *output = candidate + states;
    for (int64_t i = 0; i < states; ++i) {
      c[i] = to_half_and_back(sigmoid(forget[i]) * c[i] + sigmoid(input[i]) * std::tanh(candidate[i]));
      h[i] = to_half_and_back(sigmoid(output[i]) * std::tanh(c[i]));
    }
  }
};

}  // namespace

// Buffers: x, h0, c0, weights, biases, outputs (h of every cell, [last h], [last c]), [temp].
void run_lstm(StageRun& s) {
  const auto& p = s.params<vpu::LstmCellParams>();
  s.check(p.n_cells > 0 && p.n_batches > 0 && p.n_cells < 1 << 24 && p.n_batches < 1 << 24, "an LSTM of no cells");
  const View input = s.in(0);
  const std::vector<float> x = read_floats(memory_order(input));
  std::vector<float> h = read_floats(memory_order(s.in(1))), c = read_floats(memory_order(s.in(2)));
  Lstm lstm{p.n_cells, p.n_batches, 0, 0, read_floats(memory_order(s.in(3))), read_floats(memory_order(s.in(4))), {}, {}};
  lstm.states = static_cast<int64_t>(h.size()) / lstm.batch;
  lstm.inputs = static_cast<int64_t>(x.size()) / (lstm.cells * lstm.batch);
  s.check(lstm.states > 0 && h.size() == c.size() && static_cast<int64_t>(lstm.biases.size()) >= 4 * lstm.states &&
              static_cast<int64_t>(lstm.weights.size()) >= 4 * lstm.states * (lstm.inputs + lstm.states),
          "fewer weights than an LSTM needs");
  s.check(lstm.inputs > 0, "an LSTM without inputs");
  constexpr int64_t kMaxGates = int64_t{1} << 28;
  if (lstm.cells * lstm.batch > kMaxGates / (4 * lstm.states)) throw Error(ErrorCode::AllocationFailed, "an LSTM needs too much memory");
  lstm.prepare(s.pool(), x);
  // The parameters don't say which of H and C is time: the sizes must.
  const bool batch_first = input.rank >= 3 && input.dim(Dim::H) == lstm.cells && input.dim(Dim::C) == lstm.batch && lstm.cells != lstm.batch;
  std::vector<float> all(static_cast<size_t>(lstm.cells * lstm.batch * lstm.states));
  for (int64_t k = 0; k < lstm.cells; ++k) {
    const int64_t cell = p.forward ? k : lstm.cells - 1 - k;
    for (int64_t b = 0; b < lstm.batch; ++b) {
      const int64_t row = batch_first ? b * lstm.cells + cell : cell * lstm.batch + b;
      lstm.step(row, h.data() + b * lstm.states, c.data() + b * lstm.states);
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

}  // namespace blobsmith::emulator
