// Matrix products: FC and GEMM (execution spec §5).
#include "compute/matrix_product.hpp"
#include "emulator/kernels/shared.hpp"
#include "vpu/format/convolution.hpp"

namespace blobsmith::emulator {
namespace {

using compute::kSlack;

/// Calls f(n, first, count) for some columns of matrix n of the result after others, over several threads.
template <class F>
void for_each_columns(StageRun& s, int64_t matrices, int64_t rows, int64_t inner, int64_t columns, F f) {
  constexpr int64_t kElements = 1 << 16, kLeast = 16;  // of a factor in FP32; columns
  if (columns == 0) return;
  const int64_t most = std::max(kElements / std::max<int64_t>(inner, 1), kLeast), parts = (columns + most - 1) / most;
  s.pool().run(
      matrices * parts,
      [&](int64_t task) {
        const int64_t part = task % parts, first = columns * part / parts;
        f(task / parts, first, columns * (part + 1) / parts - first);
      },
      matrices * rows * inner * columns);
}

/// Rows x columns of b as floats, as matrix_product wants them.
std::vector<float> padded(const Grid& b) {
  std::vector<float> values = read_floats(b);
  values.resize(values.size() + kSlack);
  return values;
}

/// A factor of a product as [batch...][rows][columns] with the batch axes of the result; those of size 1 are repeated.
Grid as_factor(StageRun& s, Grid g, bool transpose, const Grid& out) {
  s.check(g.rank >= 2 && out.rank >= g.rank, "a matrix product of vectors");
  const auto r = static_cast<size_t>(g.rank - 2), c = static_cast<size_t>(g.rank - 1);
  if (transpose) {
    std::swap(g.dims[r], g.dims[c]);
    std::swap(g.strides[r], g.strides[c]);
  }
  Grid wide{g.data, g.type};
  for (int k = 0; k < out.rank; ++k) {
    const int from = k - (out.rank - g.rank);
    const int64_t size = from < 0 ? 1 : g.dims[static_cast<size_t>(from)], wanted = out.dims[static_cast<size_t>(k)];
    const bool is_batch = k < out.rank - 2;
    s.check(!is_batch || size == 1 || size == wanted, "matrices whose batches don't fit");
    wide.push(is_batch ? wanted : size, from < 0 || (is_batch && size == 1) ? 0 : g.strides[static_cast<size_t>(from)]);
  }
  return wide;
}

/// Matrix n of a batch.
Grid matrix_at(Grid g, int64_t n) {
  while (g.rank > 2) {
    const int64_t rest = product(g.dims, 1, g.rank - 2);
    g = at_index(g, 0, n / rest);
    n %= rest;
  }
  return g;
}

// All values of in0 in memory order times weights [input][output].
void run_fully_connected(StageRun& s) {
  const View w = s.in(2);
  const Grid y = memory_order(s.out(1));
  s.check(w.rank == 3, "weights of an unexpected shape");
  const int64_t outputs = w.dims[2], inputs = w.dims[0] * w.dims[1];
  const std::vector<float> x = read_floats(memory_order(s.in(0)));
  s.check(inputs > 0 && outputs > 0 && static_cast<int64_t>(x.size()) % inputs == 0 &&
              static_cast<int64_t>(x.size()) / inputs * outputs == y.count(),
          "an output of another size than the product");
  const int64_t rows = static_cast<int64_t>(x.size()) / inputs;
  const CompactHalves weights(s, w, inputs * outputs);
  std::vector<float> result(static_cast<size_t>(y.count()));
  const Grid matrix = compact_grid(const_cast<uint8_t*>(weights.data()), w.type, {inputs, outputs}, 2),
             whole = compact_grid(result.data(), DataType::FP32, {rows, outputs}, 2);
  for_each_columns(s, 1, rows, inputs, outputs, [&](int64_t, int64_t first, int64_t count) {
    const std::vector<float> b = padded(slice(matrix, 1, first, count));
    std::vector<float> c(static_cast<size_t>(rows * count));
    compute::matrix_product(s.machine().no_helpers, x.data(), b.data(), c.data(), rows, inputs, count);
    write(slice(whole, 1, first, count), c);
  });
  write(y, result);
}

// Buffers: a, b, [c], output.
void run_gemm(StageRun& s) {
  const auto& p = s.params<vpu::GemmParams>();
  const Grid out = framework_order(s.out(s.buffer_count() - 1));
  s.check(out.rank >= 2, "a matrix product of vectors");
  const auto r = static_cast<size_t>(out.rank - 2), c = r + 1;
  const Grid a = as_factor(s, framework_order(s.in(0)), p.transpose_a != 0, out),
             b = as_factor(s, framework_order(s.in(1)), p.transpose_b != 0, out);
  const int64_t rows = out.dims[r], columns = out.dims[c], inner = a.dims[c];
  s.check(a.dims[r] == rows && b.dims[c] == columns && inner == b.dims[r] && inner * columns < INT32_MAX,
          "matrices whose sizes don't fit");
  Grid addend;
  if (p.has_three_inputs) {
    const Grid given = framework_order(s.in(2));
    addend = {given.data, given.type, out.rank, out.dims};
    for (int k = 1; k <= given.rank && k <= out.rank; ++k) {
      const auto from = static_cast<size_t>(given.rank - k), to = static_cast<size_t>(out.rank - k);
      s.check(given.dims[from] == 1 || given.dims[from] == out.dims[to], "matrices whose sizes don't fit");
      addend.strides[to] = given.dims[from] == 1 ? 0 : given.strides[from];
    }
  }
  for_each_columns(
      s, product(out.dims, 0, out.rank - 2), rows, inner, columns, [&](int64_t n, int64_t first, int64_t count) {
        const std::vector<float> factor = read_floats(matrix_at(a, n)),
                                 other = padded(slice(matrix_at(b, n), 1, first, count));
        std::vector<float> result(static_cast<size_t>(rows * count));
        compute::matrix_product(s.machine().no_helpers, factor.data(), other.data(), result.data(), rows, inner, count);
        for (float& v : result) v *= p.alpha;
        if (p.has_three_inputs) {
          const std::vector<float> more = read_floats(slice(matrix_at(addend, n), 1, first, count));
          for (size_t i = 0; i < result.size(); ++i) result[i] += p.beta * more[i];
        }
        write(slice(matrix_at(out, n), 1, first, count), result);
      });
}

constexpr KernelRow kRows[] = {
    {StageType::FC, run_fully_connected},
    {StageType::GEMM, run_gemm},
};

}  // namespace

std::span<const KernelRow> matrix_kernels() { return kRows; }

}  // namespace blobsmith::emulator
