// LSTMCell: a cell or a whole sequence of them (execution spec §8). Loops are the executor's.
#include "vpu/stages/recurrent.hpp"

#include <cmath>

#include "emulator/kernels/kernels.hpp"
#include "compute/simd.hpp"

namespace blobsmith::emulator {
namespace {

float sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }

struct Lstm {
  int64_t cells, batch, inputs, states;
  std::vector<float> weights, biases;  ///< 4*states rows of `inputs`, then 4*states rows of `states`; gates forget, input, candidate, output
  std::vector<float> packed_inputs, packed_states;
  std::vector<int32_t> places;

  void prepare() {
    packed_inputs = pack(weights.data(), inputs);
    packed_states = pack(weights.data() + 4 * states * inputs, states);
    for (int64_t i = 0; i < std::max(inputs, states); ++i) places.push_back(static_cast<int32_t>(i));
  }

  /// One cell of one sequence; h and c become those after it, rounded to FP16.
  void step(const float* x, float* h, float* c) const {
    std::vector<float> z(biases.begin(), biases.begin() + 4 * states);
    add_product(packed_inputs, x, inputs, z);
    add_product(packed_states, h, states, z);
    const float *forget = z.data(), *input = forget + states, *candidate = input + states, *output = candidate + states;
    for (int64_t i = 0; i < states; ++i) {
      c[i] = to_half_and_back(sigmoid(forget[i]) * c[i] + sigmoid(input[i]) * std::tanh(candidate[i]));
      h[i] = to_half_and_back(sigmoid(output[i]) * std::tanh(c[i]));
    }
  }

 private:
  /// Rows of a matrix in groups of 8: [group][column][8].
  std::vector<float> pack(const float* rows, int64_t columns) const {
    std::vector<float> packed(static_cast<size_t>((4 * states + kGroup - 1) / kGroup * kGroup * columns));
    for (int64_t r = 0; r < 4 * states; ++r)
      for (int64_t k = 0; k < columns; ++k) packed[static_cast<size_t>((r / kGroup * columns + k) * kGroup + r % kGroup)] = rows[r * columns + k];
    return packed;
  }
  void add_product(const std::vector<float>& packed, const float* v, int64_t columns, std::vector<float>& z) const {
    constexpr int32_t kHere = 0;
    for (int64_t first = 0; first < 4 * states; first += kGroup) {
      float sums[kGroup];
      compute::accumulate_columns(packed.data() + first * columns, v, places.data(), columns, &kHere, 1, sums);
      for (int64_t m = 0; m < std::min(kGroup, 4 * states - first); ++m) z[static_cast<size_t>(first + m)] += sums[m];
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
  Lstm lstm{p.n_cells, p.n_batches, 0, 0, read_floats(memory_order(s.in(3))), read_floats(memory_order(s.in(4))), {}, {}, {}};
  lstm.states = static_cast<int64_t>(h.size()) / lstm.batch;
  lstm.inputs = static_cast<int64_t>(x.size()) / (lstm.cells * lstm.batch);
  s.check(lstm.states > 0 && h.size() == c.size() && static_cast<int64_t>(lstm.biases.size()) >= 4 * lstm.states &&
              static_cast<int64_t>(lstm.weights.size()) >= 4 * lstm.states * (lstm.inputs + lstm.states),
          "fewer weights than an LSTM needs");
  lstm.prepare();
  // The parameters don't say which of H and C is time: the sizes must.
  const bool batch_first = input.rank >= 3 && input.dim(Dim::H) == lstm.cells && input.dim(Dim::C) == lstm.batch && lstm.cells != lstm.batch;
  std::vector<float> all(static_cast<size_t>(lstm.cells * lstm.batch * lstm.states));
  for (int64_t k = 0; k < lstm.cells; ++k) {
    const int64_t cell = p.forward ? k : lstm.cells - 1 - k;
    for (int64_t b = 0; b < lstm.batch; ++b) {
      const int64_t row = batch_first ? b * lstm.cells + cell : cell * lstm.batch + b;
      lstm.step(x.data() + row * lstm.inputs, h.data() + b * lstm.states, c.data() + b * lstm.states);
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
