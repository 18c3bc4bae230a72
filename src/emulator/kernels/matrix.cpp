// Matrix products: FC and GEMM (execution spec §5).
#include "emulator/kernels/kernels.hpp"
#include "compute/matrix_product.hpp"
#include "vpu/stages/convolution.hpp"

namespace blobsmith::emulator {

using compute::kSlack;

namespace {

/// A matrix product's operand: compact values [batch...][rows][columns], and its batch as strides (0: broadcast).
struct Matrices {
  std::vector<float> values;
  int64_t rows = 0, columns = 0;
  Sizes batch_strides{};
};

Matrices read_matrices(StageRun& s, const Grid& g, bool transpose, const Grid& out) {
  s.check(g.rank >= 2 && out.rank >= g.rank, "a matrix product of vectors");
  Grid m = g;
  const auto r = static_cast<size_t>(m.rank - 2), c = static_cast<size_t>(m.rank - 1);
  if (transpose) {
    std::swap(m.dims[r], m.dims[c]);
    std::swap(m.strides[r], m.strides[c]);
  }
  Matrices result{read_floats(m), m.dims[r], m.dims[c], {}};
  result.values.resize(result.values.size() + kSlack);
  int64_t stride = result.rows * result.columns;
  for (int k = 3; k <= m.rank; ++k) {  // batch dimensions, innermost first
    const int64_t size = m.dims[static_cast<size_t>(m.rank - k)];
    s.check(size == 1 || size == out.dims[static_cast<size_t>(out.rank - k)], "matrices whose batches don't fit");
    result.batch_strides[static_cast<size_t>(out.rank - k)] = size == 1 ? 0 : stride;
    stride *= size;
  }
  return result;
}

}  // namespace

// All values of in0 in memory order times weights [input][output].
void run_fully_connected(StageRun& s) {
  const View w = s.in(2);
  const Grid y = memory_order(s.out(1));
  s.check(w.rank == 3, "weights of an unexpected shape");
  const int64_t outputs = w.dims[2], inputs = w.dims[0] * w.dims[1];
  std::vector<float> x = read_floats(memory_order(s.in(0))), weights = read_floats(memory_order(w));
  s.check(inputs > 0 && outputs > 0 && static_cast<int64_t>(x.size()) % inputs == 0 && static_cast<int64_t>(x.size()) / inputs * outputs == y.count(), "an output of another size than the product");
  weights.resize(weights.size() + kSlack);
  std::vector<float> result(static_cast<size_t>(y.count()));
  compute::matrix_product(s.pool(), x.data(), weights.data(), result.data(), static_cast<int64_t>(x.size()) / inputs, inputs, outputs);
  write(y, result);
}

// Buffers: a, b, [c], output.
void run_gemm(StageRun& s) {
  const auto& p = s.params<vpu::GemmParams>();
  const Grid out = framework_order(s.out(s.buffer_count() - 1));
  s.check(out.rank >= 2, "a matrix product of vectors");
  const Matrices a = read_matrices(s, framework_order(s.in(0)), p.transpose_a != 0, out), b = read_matrices(s, framework_order(s.in(1)), p.transpose_b != 0, out);
  const int64_t rows = out.dims[static_cast<size_t>(out.rank - 2)], columns = out.dims[static_cast<size_t>(out.rank - 1)];
  s.check(a.rows == rows && b.columns == columns && a.columns == b.rows && b.rows * b.columns < INT32_MAX, "matrices whose sizes don't fit");
  std::vector<float> result(static_cast<size_t>(out.count()));
  const int64_t batches = product(out.dims, 0, out.rank - 2);
  for (int64_t n = 0; n < batches; ++n) {
    int64_t rest = n, at_a = 0, at_b = 0;
    for (int k = out.rank - 3; k >= 0; --k) {
      const auto axis = static_cast<size_t>(k);
      at_a += rest % out.dims[axis] * a.batch_strides[axis];
      at_b += rest % out.dims[axis] * b.batch_strides[axis];
      rest /= out.dims[axis];
    }
    compute::matrix_product(s.pool(), a.values.data() + at_a, b.values.data() + at_b, result.data() + n * rows * columns, rows, a.columns, columns);
  }
  for (float& v : result) v *= p.alpha;
  if (p.has_three_inputs) {
    Grid c = framework_order(s.in(2)), wide{c.data, c.type, out.rank, out.dims};
    for (int k = 1; k <= c.rank && k <= out.rank; ++k) {
      const auto from = static_cast<size_t>(c.rank - k), to = static_cast<size_t>(out.rank - k);
      s.check(c.dims[from] == 1 || c.dims[from] == out.dims[to], "matrices whose sizes don't fit");
      wide.strides[to] = c.dims[from] == 1 ? 0 : c.strides[from];
    }
    const std::vector<float> addend = read_floats(wide);
    for (size_t i = 0; i < result.size(); ++i) result[i] += p.beta * addend[i];
  }
  write(out, result);
}

}  // namespace blobsmith::emulator
