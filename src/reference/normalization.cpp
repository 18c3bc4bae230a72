// Normalisations (opset 1..6). Sums are FP64.
#include <algorithm>
#include <cmath>

#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

/// The axes of a tensor, divided into those that are normalised together and the others.
struct Division {
  Shape outer, inner;
  std::vector<int64_t> outer_strides, inner_strides;

  Division(const Shape& shape, const std::vector<int64_t>& axes) {
    const std::vector<int64_t> strides = ops::dense_strides(shape);
    for (size_t i = 0; i < shape.size(); ++i) {
      const bool inside = std::ranges::any_of(
          axes, [&](int64_t a) { return ops::from_front(a, shape.size()) == static_cast<int64_t>(i); });
      (inside ? inner : outer).push_back(shape[i]);
      (inside ? inner_strides : outer_strides).push_back(strides[i]);
    }
  }
};

/// Calls f on the values of each group; what it leaves there is the output.
template <class F>
Outputs by_group(const Call& c, const std::vector<int64_t>& axes, F f) {
  const Division d(c.shape(), axes);
  std::vector<float> y(c.floats(0).begin(), c.floats(0).end());
  std::vector<double> group(static_cast<size_t>(element_count(d.inner)));
  ops::for_each_position(d.outer, 0, d.outer_strides, [&](int64_t, int64_t base) {
    ops::for_each_position(d.inner, base, d.inner_strides, [&](int64_t i, int64_t at) {
      group[static_cast<size_t>(i)] = static_cast<double>(y[static_cast<size_t>(at)]);
    });
    f(group);
    ops::for_each_position(d.inner, base, d.inner_strides, [&](int64_t i, int64_t at) {
      y[static_cast<size_t>(at)] = static_cast<float>(group[static_cast<size_t>(i)]);
    });
  });
  return {float_tensor(c.out_shape(), std::move(y))};
}

double highest(const std::vector<double>& v) { return *std::ranges::max_element(v); }
double sum_of_squares(const std::vector<double>& v) {
  double sum = 0;
  for (double x : v) sum += x * x;
  return sum;
}

Outputs run_log_softmax(const Call& c) {
  return by_group(c, {c.attrs().integer("axis")}, [](std::vector<double>& v) {
    const double top = highest(v);
    double sum = 0;
    for (double x : v) sum += std::exp(x - top);
    for (double& x : v) x -= top + std::log(sum);
  });
}

/// Mean zero, and variance one where asked for.
Outputs normalize_moments(const Call& c, const std::vector<int64_t>& axes, bool inside_root) {
  const bool variance = c.attrs().flag("normalize_variance");
  const double eps = c.attrs().real("eps");
  return by_group(c, axes, [=](std::vector<double>& v) {
    const auto n = static_cast<double>(v.size());
    double mean = 0;
    for (double x : v) mean += x / n;
    for (double& x : v) x -= mean;
    if (!variance) return;
    const double power = sum_of_squares(v) / n, divisor = inside_root ? std::sqrt(power + eps) : std::sqrt(power) + eps;
    for (double& x : v) x /= divisor;
  });
}

Outputs run_mvn_0(const Call& c) {
  std::vector<int64_t> axes = c.attrs().integers("reduction_axes");
  if (axes.empty())
    for (size_t i = c.attrs().flag("across_channels") ? 1 : 2; i < c.shape().size(); ++i)
      axes.push_back(static_cast<int64_t>(i));
  return normalize_moments(c, axes, false);
}
Outputs run_mvn_6(const Call& c) {
  return normalize_moments(c, c.integers(1), c.attrs().text("eps_mode") == "inside_sqrt");
}

Outputs run_normalize_l2(const Call& c) {
  const double eps = c.attrs().real("eps");
  const bool add = c.attrs().text("eps_mode") == "add";
  return by_group(c, c.integers(1), [=](std::vector<double>& v) {
    const double power = sum_of_squares(v), divisor = std::sqrt(add ? power + eps : std::max(power, eps));
    for (double& x : v) x /= divisor;
  });
}

Outputs run_grn(const Call& c) {
  const double bias = c.attrs().real("bias");
  return by_group(c, {1}, [=](std::vector<double>& v) {
    const double divisor = std::sqrt(sum_of_squares(v) + bias);
    for (double& x : v) x /= divisor;
  });
}

/// Each value is divided by a power of the squares in a window around it, along the given axes.
Outputs run_lrn(const Call& c) {
  const std::vector<int64_t> axes = c.integers(1);
  const double alpha = c.attrs().real("alpha"), beta = c.attrs().real("beta"), bias = c.attrs().real("bias");
  const int64_t size = c.attrs().integer("size"), before = (size - 1) / 2, behind = size - 1 - before;
  const Shape& shape = c.shape();
  const std::vector<int64_t> strides = ops::dense_strides(shape);
  std::vector<double> powers;
  for (float x : c.floats(0)) powers.push_back(static_cast<double>(x) * static_cast<double>(x));
  double count = 1;
  for (int64_t axis : axes) {  // the window is a box: its sum is taken axis by axis
    const auto a = static_cast<size_t>(ops::from_front(axis, shape.size()));
    std::vector<double> sums(powers.size());
    for (size_t i = 0; i < sums.size(); ++i) {
      const int64_t at = static_cast<int64_t>(i) / strides[a] % shape[a];
      for (int64_t k = std::max<int64_t>(at - before, 0); k <= std::min(at + behind, shape[a] - 1); ++k)
        sums[i] += powers[static_cast<size_t>(static_cast<int64_t>(i) + (k - at) * strides[a])];
    }
    powers = std::move(sums);
    count *= static_cast<double>(size);
  }
  std::vector<float> y(powers.size());
  for (size_t i = 0; i < y.size(); ++i)
    y[i] = static_cast<float>(static_cast<double>(c.floats(0)[i]) / std::pow(bias + alpha / count * powers[i], beta));
  return {float_tensor(shape, std::move(y))};
}

/// `data` is the index of the data among gamma, beta, mean and variance.
Outputs normalize_batch(const Call& c, int data) {
  const int first = data == 0 ? 1 : 0;  // of gamma and beta; mean and variance are the last two inputs in both
  const auto gamma = c.floats(first), beta = c.floats(first + 1), mean = c.floats(3), variance = c.floats(4);
  const double eps = c.attrs().real("epsilon");
  const auto x = c.floats(data);
  const int64_t channels = c.dim(data, 1), items = c.dim(data, 0),
                plane = items > 0 && channels > 0 ? static_cast<int64_t>(x.size()) / (items * channels) : 0;
  std::vector<float> y(x.size());
  for (size_t i = 0; i < y.size(); ++i) {
    const auto k = static_cast<size_t>(static_cast<int64_t>(i) / plane % channels);
    const double scale = static_cast<double>(gamma[k]) / std::sqrt(static_cast<double>(variance[k]) + eps);
    y[i] = static_cast<float>((static_cast<double>(x[i]) - static_cast<double>(mean[k])) * scale +
                              static_cast<double>(beta[k]));
  }
  return {float_tensor(c.out_shape(), std::move(y))};
}
Outputs run_batch_norm_0(const Call& c) { return normalize_batch(c, 2); }
Outputs run_batch_norm_5(const Call& c) { return normalize_batch(c, 0); }

constexpr OperationRow kOperations[] = {
    {"LogSoftmax", kAnyVersion, run_log_softmax},
    {"MVN", 0, run_mvn_0},
    {"MVN", 6, run_mvn_6},
    {"NormalizeL2", kAnyVersion, run_normalize_l2},
    {"GRN", kAnyVersion, run_grn},
    {"LRN", kAnyVersion, run_lrn},
    {"BatchNormInference", 0, run_batch_norm_0},
    {"BatchNormInference", 5, run_batch_norm_5},
};

}  // namespace

std::span<const OperationRow> normalization_operations() { return kOperations; }

}  // namespace blobsmith::reference
