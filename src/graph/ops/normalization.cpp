// Normalisations and softmax (front-end spec §15.1).
#include <algorithm>
#include <cmath>

#include "graph/ops/numbers.hpp"
#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"
#include "graph/ops/strided.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;
constexpr AttributeSpec kSoftmax[] = {{"axis", Integer, "1"}};
constexpr AttributeSpec kBatchNorm[] = {{"epsilon", Real, kMandatory}};
constexpr AttributeSpec kLrn[] = {
    {"alpha", Real, kMandatory}, {"beta", Real, kMandatory}, {"bias", Real, kMandatory}, {"size", Integer, kMandatory}};
constexpr AttributeSpec kGrn[] = {{"bias", Real, kMandatory}};
constexpr AttributeSpec kNormalize[] = {{"eps", Real, kMandatory}, {"eps_mode", Choice, kMandatory, "add|max"}};
constexpr AttributeSpec kMvn0[] = {{"across_channels", Flag, "true"},
                                   {"normalize_variance", Flag, "true"},
                                   {"eps", Real, "1e-9"},
                                   {"reduction_axes", Integers, ""}};
constexpr AttributeSpec kMvn6[] = {{"eps", Real, kMandatory},
                                   {"normalize_variance", Flag, kMandatory},
                                   {"eps_mode", Choice, kMandatory, "INSIDE_SQRT|OUTSIDE_SQRT"}};

void infer_softmax(Inference& in) {
  const int64_t axis = in.attrs().integer("axis");
  if (axis < -in.rank() || axis >= in.rank())
    in.fail("Reduction axis (" + std::to_string(axis) + ") is out of bounds (argument shape: " + to_string(in.shape()) +
            ")");
  infer_like_input(in);
}

// `data` is the index of the data among gamma, beta, mean and variance.
void check_batch_norm(Inference& in, int data) {
  if (in.rank(data) < 2) in.fail("Input argument must have rank of at least 2");
  for (int i = 0; i < 5; ++i) {
    if (i == data) continue;
    if (in.rank(i) != 1 || !merge_dims(in.dim(i, 0), in.dim(data, 1)))
      in.fail("Shapes for gamma/beta/mean/variance do not match the channels of " + to_string(in.shape(data)));
  }
  in.output(in.type(data), in.shape(data));
}
void infer_batch_norm_0(Inference& in) { check_batch_norm(in, 2); }
void infer_batch_norm_5(Inference& in) { check_batch_norm(in, 0); }

void infer_with_axes(Inference& in) {
  if (const auto axes = in.values(1)) in.axes(*axes, in.rank());
  infer_like_input(in);
}

// ---- Softmax folded: exponentials of differences to the maximum, divided by their (compensated) sum ----

template <class T>
void softmax(std::vector<T>& row) {
  const T highest = *std::ranges::max_element(row);
  T sum(0), error(0);
  for (T& x : row) {
    if constexpr (std::is_same_v<T, double>)
      x = std::exp(x - highest);
    else
      x = T(std::exp(static_cast<float>(T(x - highest))));
    const T corrected = T(x - error), next = T(sum + corrected);
    error = T(T(next - sum) - corrected);
    sum = next;
  }
  for (T& x : row) x = T(x / sum);
}

template <class T>
std::vector<Tensor> softmax_along(const Node& n, const Tensor& data) {
  auto values = load<T>(data);
  if (!values) return {};
  const int64_t axis = from_front(n.attrs.integer("axis"), data.shape.size());
  const int64_t step = dense_strides(data.shape)[static_cast<size_t>(axis)],
                size = data.shape[static_cast<size_t>(axis)];
  Shape others = data.shape;
  others[static_cast<size_t>(axis)] = size ? 1 : 0;
  std::vector<T> row(static_cast<size_t>(size));
  for_each_position(others, 0, dense_strides(data.shape), [&](int64_t, int64_t base) {
    for (int64_t i = 0; i < size; ++i) row[static_cast<size_t>(i)] = (*values)[static_cast<size_t>(base + i * step)];
    softmax(row);
    for (int64_t i = 0; i < size; ++i) (*values)[static_cast<size_t>(base + i * step)] = row[static_cast<size_t>(i)];
  });
  return {store<T>(n.element_type(), n.shape(), *values)};
}

std::vector<Tensor> evaluate_softmax(const Node& n, Tensors inputs) {
  std::vector<Tensor> result;
  with_working_type(n.element_type(), [&](auto zero) {
    if constexpr (!std::is_same_v<decltype(zero), int64_t>) result = softmax_along<decltype(zero)>(n, *inputs[0]);
  });
  return result;
}

constexpr OpRow kOps[] = {
    {"Softmax", 0, {1, 7}, 1, 1, kSoftmax, infer_softmax, evaluate_softmax},
    {"LogSoftmax", 0, {5, 7}, 1, 1, kSoftmax, infer_softmax},
    {"BatchNormInference", 0, {1, 4}, 5, 5, kBatchNorm, infer_batch_norm_0},
    {"BatchNormInference", 5, {5, 7}, 5, 5, kBatchNorm, infer_batch_norm_5},
    {"LRN", 0, {1, 7}, 2, 2, kLrn, infer_with_axes},
    {"GRN", 0, {1, 7}, 1, 1, kGrn, infer_like_input},
    {"NormalizeL2", 0, {1, 7}, 2, 2, kNormalize, infer_with_axes},
    {"MVN", 0, {2, 5}, 1, 1, kMvn0, infer_like_input},
    {"MVN", 6, {6, 7}, 2, 2, kMvn6, infer_with_axes},
};

}  // namespace

std::span<const OpRow> normalization_ops() { return kOps; }

}  // namespace blobsmith::ops
