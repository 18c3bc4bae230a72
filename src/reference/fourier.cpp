// Discrete Fourier transforms (opset 7).
#include <complex>
#include <numbers>

#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

using Complex = std::complex<double>;

size_t smallest_factor(size_t n) {
  for (size_t p = 2; p * p <= n; ++p)
    if (n % p == 0) return p;
  return n;
}

/// Split by the smallest factor of the length; `sign`: -1 forward, 1 back (without the division).
std::vector<Complex> transformed(const std::vector<Complex>& x, int sign) {
  const size_t n = x.size();
  if (n < 2) return x;
  const size_t parts = smallest_factor(n), each = n / parts;
  std::vector<Complex> y(n);
  for (size_t r = 0; r < parts; ++r) {
    std::vector<Complex> part(each);
    for (size_t k = 0; k < each; ++k) part[k] = x[k * parts + r];
    if (each > 1) part = transformed(part, sign);
    for (size_t k = 0; k < n; ++k)
      y[k] += part[k % each] *
              std::polar(1.0, sign * 2 * std::numbers::pi * static_cast<double>(r * k % n) / static_cast<double>(n));
  }
  return y;
}

/// Pairs of numbers, cut or filled up with zeros to the size of the output.
std::vector<Complex> fitted(const Call& c, const Shape& to) {
  const Shape from(c.shape().begin(), c.shape().end() - 1);
  std::vector<Complex> y(static_cast<size_t>(element_count(to)));
  const std::vector<int64_t> strides = ops::dense_strides(to), dense = ops::dense_strides(from);
  const auto x = c.floats(0);
  for (int64_t i = 0; i < element_count(from); ++i) {
    int64_t at = 0;
    bool inside = true;
    for (size_t axis = 0; axis < from.size(); ++axis) {
      const int64_t k = i / dense[axis] % from[axis];
      inside &= k < to[axis];
      at += k * strides[axis];
    }
    if (inside) y[static_cast<size_t>(at)] = {x[static_cast<size_t>(2 * i)], x[static_cast<size_t>(2 * i + 1)]};
  }
  return y;
}

template <int kSign>
Outputs run_fourier(const Call& c) {
  const Shape shape(c.out_shape().begin(), c.out_shape().end() - 1);
  const std::vector<int64_t> strides = ops::dense_strides(shape);
  std::vector<Complex> values = fitted(c, shape);
  for (int64_t a : c.integers(1)) {
    const auto axis = static_cast<size_t>(ops::from_front(a, shape.size()));
    c.require(axis < shape.size(), "an axis out of range");
    const auto step = static_cast<size_t>(strides[axis]), size = static_cast<size_t>(shape[axis]);
    for (size_t i = 0; i < values.size(); ++i) {
      if (i / step % size != 0) continue;
      std::vector<Complex> line(size);
      for (size_t k = 0; k < size; ++k) line[k] = values[i + k * step];
      line = transformed(line, kSign);
      for (size_t k = 0; k < size; ++k)
        values[i + k * step] = kSign < 0 ? line[k] : line[k] / static_cast<double>(size);
    }
  }
  std::vector<float> y;
  for (const Complex& v : values) y.insert(y.end(), {static_cast<float>(v.real()), static_cast<float>(v.imag())});
  return {float_tensor(c.out_shape(), std::move(y))};
}

constexpr OperationRow kOperations[] = {
    {"DFT", kAnyVersion, run_fourier<-1>},
    {"IDFT", kAnyVersion, run_fourier<1>},
};

}  // namespace

std::span<const OperationRow> fourier_operations() { return kOperations; }

}  // namespace blobsmith::reference
