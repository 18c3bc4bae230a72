// Operations whose results depend on what the data are: NonZero, NonMaxSuppression; running sums, buckets (opset 1..5).
#include <algorithm>

#include "compute/non_max_suppression.hpp"
#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

Outputs run_non_zero(const Call& c) {
  const std::vector<float> x = c.input(0).to_f32();
  const std::vector<int64_t> strides = ops::dense_strides(c.shape());
  std::vector<int64_t> places;
  for (size_t i = 0; i < x.size(); ++i)
    if (x[i] != 0) places.push_back(static_cast<int64_t>(i));
  std::vector<int64_t> y;
  for (size_t axis = 0; axis < strides.size(); ++axis)
    for (int64_t at : places) y.push_back(at / strides[axis] % c.shape()[axis]);
  return {integer_tensor(c.node().element_type(),
                         {static_cast<int64_t>(strides.size()), static_cast<int64_t>(places.size())}, y)};
}

Outputs run_cum_sum(const Call& c) {
  const Shape& shape = c.shape();
  const auto axis = static_cast<size_t>(ops::from_front(c.input_count() > 1 ? c.integers(1).at(0) : 0, shape.size()));
  const bool exclusive = c.attrs().flag("exclusive"), reverse = c.attrs().flag("reverse");
  const int64_t step = ops::dense_strides(shape)[axis], size = shape[axis];
  std::vector<double> y = c.reals(0);
  for (int64_t i = 0; i < static_cast<int64_t>(y.size()); ++i) {
    if (i / step % size != 0) continue;
    double sum = 0;
    for (int64_t k = 0; k < size; ++k) {
      double& v = y[static_cast<size_t>(i + (reverse ? size - 1 - k : k) * step)];
      const double next = sum + v;
      v = exclusive ? sum : next;
      sum = next;
    }
  }
  return {number_tensor(c.node().element_type(), shape, y)};
}

/// The number of the bucket between rising borders that a value lies in.
Outputs run_bucketize(const Call& c) {
  const std::vector<double> borders = c.reals(1);
  const bool right = c.attrs().flag("with_right_bound");
  std::vector<int64_t> y;
  for (double v : c.reals(0))
    y.push_back((right ? std::ranges::lower_bound(borders, v) : std::ranges::upper_bound(borders, v)) -
                borders.begin());
  return {integer_tensor(c.node().element_type(), c.out_shape(), y)};
}

using Selected = compute::NonMaxSuppression::Selected;

std::vector<Selected> suppress_all(const Call& c) {
  compute::NonMaxSuppression n;
  n.images = c.dim(1, 0);
  n.classes = c.dim(1, 1);
  n.count = c.dim(1, 2);
  n.boxes = c.floats(0);
  n.scores = c.floats(1);
  n.centres = c.attrs().text("box_encoding") == "center";
  n.limit = c.input_count() > 2 ? std::max<int64_t>(c.integers(2).at(0), 0) : 0;
  const auto number = [&](int i) { return static_cast<float>(c.input_count() > i ? c.real(i) : 0); };
  n.overlap = number(3);
  n.least = number(4);
  n.sigma = number(5);
  std::vector<Selected> all = n.run();
  if (c.attrs().flag("sort_result_descending"))
    std::ranges::stable_sort(all, [](const Selected& a, const Selected& b) { return a.score > b.score; });
  return all;
}

/// Version 5 tells the scores and the count too; earlier ones fill the rest of a fixed number of rows with -1.
Outputs run_non_max_suppression(const Call& c) {
  const std::vector<Selected> all = suppress_all(c);
  const auto found = static_cast<int64_t>(all.size());
  std::vector<int64_t> rows;
  std::vector<float> scores;
  for (const Selected& s : all) {
    rows.insert(rows.end(), {s.image, s.label, s.box});
    scores.insert(scores.end(), {static_cast<float>(s.image), static_cast<float>(s.label), s.score});
  }
  const int64_t count = is_static(c.out_shape()) ? c.out_shape()[0] : found;
  rows.resize(static_cast<size_t>(count * 3), -1);
  scores.resize(static_cast<size_t>(count * 3), -1);
  Outputs out{integer_tensor(c.node().element_type(), {count, 3}, rows)};
  if (c.node().output_count() > 1) out.push_back(float_tensor({count, 3}, std::move(scores)));
  if (c.node().output_count() > 2)
    out.push_back(integer_tensor(c.node().element_type(2), {1}, std::vector<int64_t>{found}));
  return out;
}

constexpr OperationRow kOperations[] = {
    {"NonZero", kAnyVersion, run_non_zero},
    {"CumSum", kAnyVersion, run_cum_sum},
    {"Bucketize", kAnyVersion, run_bucketize},
    {"NonMaxSuppression", kAnyVersion, run_non_max_suppression},
};

}  // namespace

std::span<const OperationRow> selection_operations() { return kOperations; }

}  // namespace blobsmith::reference
