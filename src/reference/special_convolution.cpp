// Convolutions of places that the data chooses, and of single bits (opset 1).
#include <algorithm>

#include "compute/matrix_product.hpp"
#include "core/window.hpp"
#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

/// Windows over planes; element k of the kernel is (k / width, k % width).
struct PlaneWindows {
  AxisWindow y, x;

  PlaneWindows(const Call& c, int filters) {
    const auto axis = [&](size_t i) {
      const Attributes& a = c.attrs();
      return AxisWindow{.kernel = c.dim(filters, i + 2),
                        .stride = a.integers("strides").at(i),
                        .pad_begin = a.integers("pads_begin").at(i),
                        .dilation = a.integers("dilations").at(i)};
    };
    y = axis(0);
    x = axis(1);
  }
  int64_t count() const { return y.kernel * x.kernel; }
  int64_t row(int64_t output_row, int64_t element) const {
    return output_row * y.stride - y.pad_begin + element / x.kernel * y.dilation;
  }
  int64_t column(int64_t output_column, int64_t element) const {
    return output_column * x.stride - x.pad_begin + element % x.kernel * x.dilation;
  }
};

void require_planes(const Call& c, std::initializer_list<int> inputs) {
  for (int i : inputs) c.require(c.shape(i).size() == 4, "not yet supported: other than two spatial axes");
}

/// Data, offsets [N][deformable group * kernel * (y, x)][OH][OW], filters [O][I/group][KH][KW]. Each element of a
/// window is taken from where its offset moves it; nothing is added for places outside of the image.
Outputs run_deformable(const Call& c) {
  require_planes(c, {0, 1, 2});
  const compute::FeatureMaps m = feature_maps(c, 0);
  const PlaneWindows windows(c, 2);
  const int64_t groups = c.attrs().integer("group"), shared = c.attrs().integer("deformable_group"),
                inputs = m.channels / groups, outputs = c.dim(2, 0) / groups;
  const int64_t rows = c.out_shape()[2], columns = c.out_shape()[3], positions = rows * columns,
                elements = inputs * windows.count();
  c.require(c.dim(1, 0) == m.items && c.dim(1, 1) == shared * windows.count() * 2 && c.dim(1, 2) == rows &&
                c.dim(1, 3) == columns,
            "offsets that don't fit");
  c.require(m.channels % shared == 0 && c.dim(2, 0) % groups == 0 && elements * positions < INT32_MAX,
            "groups that don't divide the channels, or too large");
  std::vector<float> y(static_cast<size_t>(c.out_count())),
      sampled(static_cast<size_t>(elements * positions + compute::kSlack));
  for (int64_t i = 0; i < m.items * groups; ++i) {
    const int64_t item = i / groups, group = i % groups;
    c.pool().run(
        elements,
        [&](int64_t e) {
          const int64_t channel = group * inputs + e / windows.count(), k = e % windows.count();
          const float* plane = m.plane(item, channel);
          const float* move = c.floats(1).data() +
                              ((item * shared + channel / (m.channels / shared)) * windows.count() + k) * 2 * positions;
          for (int64_t p = 0; p < positions; ++p) {
            const float v = static_cast<float>(windows.row(p / columns, k)) + move[p],
                        u = static_cast<float>(windows.column(p % columns, k)) + move[positions + p];
            const bool inside = v >= 0 && v < static_cast<float>(m.height) && u >= 0 && u < static_cast<float>(m.width);
            sampled[static_cast<size_t>(e * positions + p)] = inside ? compute::between_pixels(m, plane, v, u) : 0.0F;
          }
        },
        elements * positions * 16);
    compute::matrix_product(c.pool(), c.floats(2).data() + group * outputs * elements, sampled.data(),
                            y.data() + i * outputs * positions, outputs, elements, positions);
  }
  return {float_tensor(c.out_shape(), std::move(y))};
}

/// Bits of the filters, the first in the lowest place of a byte.
std::vector<bool> filter_bits(const Call& c) {
  const Tensor& t = c.input(1);
  std::vector<bool> bits;
  if (t.type != ElementType::u1) {
    for (double v : c.reals(1)) bits.push_back(v > 0);
    return bits;
  }
  const int64_t count = element_count(t.shape);
  c.require(std::cmp_greater_equal(t.bytes.size() * 8, count), "filters shorter than their shape");
  for (int64_t i = 0; i < count; ++i) bits.push_back(t.bytes.data()[i / 8] >> (i % 8) & 1);
  return bits;
}

/// 0 stands for -1 in data and filters: equal bits add 1, others subtract it. The value of padding is -1, 0 or 1.
Outputs run_binary(const Call& c) {
  require_planes(c, {0, 1});
  const compute::FeatureMaps m = feature_maps(c, 0);
  const PlaneWindows windows(c, 1);
  const std::vector<bool> bits = filter_bits(c);
  const auto padding = static_cast<float>(c.attrs().real("pad_value"));
  const int64_t outputs = c.dim(1, 0), rows = c.out_shape()[2], columns = c.out_shape()[3];
  std::vector<float> y(static_cast<size_t>(c.out_count()));
  c.pool().run(
      m.items * outputs,
      [&](int64_t plane) {
        for (int64_t p = 0; p < rows * columns; ++p) {
          float sum = 0;
          for (int64_t e = 0; e < m.channels * windows.count(); ++e) {
            const int64_t row = windows.row(p / columns, e % windows.count()),
                          column = windows.column(p % columns, e % windows.count());
            const bool inside = row >= 0 && row < m.height && column >= 0 && column < m.width;
            const float sign = bits[static_cast<size_t>(plane % outputs * m.channels * windows.count() + e)] ? 1 : -1;
            if (!inside)
              sum += padding * sign;
            else
              sum += m.plane(plane / outputs, e / windows.count())[row * m.width + column] > 0 ? sign : -sign;
          }
          y[static_cast<size_t>(plane * rows * columns + p)] = sum;
        }
      },
      element_count(c.out_shape()) * m.channels * windows.count());
  return {float_tensor(c.out_shape(), std::move(y))};
}

constexpr OperationRow kOperations[] = {
    {"DeformableConvolution", kAnyVersion, run_deformable},
    {"BinaryConvolution", kAnyVersion, run_binary},
};

}  // namespace

std::span<const OperationRow> special_convolution_operations() { return kOperations; }

}  // namespace blobsmith::reference
