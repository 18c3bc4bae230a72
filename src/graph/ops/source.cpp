// Where values come from and go: Parameter, Constant, Result, ShapeOf, Range (front-end spec §15.1).
#include <cmath>

#include "graph/ops/numbers.hpp"
#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;
constexpr AttributeSpec kShapeOf3[] = {{"output_type", Type, "i64"}};
constexpr AttributeSpec kRange4[] = {{"output_type", Type, kOptional}};

// A Parameter's and a Constant's output are what their maker said.
void infer_unchanged(Inference& in) {
  in.require(in.node().output_count() == 1, "It has no output type");
  in.output(in.node().element_type(), in.node().shape());
}

void infer_result(Inference& in) { in.output(in.type(), in.shape()); }

void infer_shape_of(Inference& in) {
  in.output(in.attrs().has("output_type") ? in.type_attribute("output_type") : in.replaceable_type(ElementType::i64),
            {in.rank()});
}

std::vector<Tensor> evaluate_shape_of(const Node& n, Tensors) {
  const Shape& shape = n.input(0).shape();
  if (!is_static(shape)) return {};
  return {store<int64_t>(n.element_type(), n.shape(), shape)};
}

struct RangeLimits {
  double start, stop, step;
};

double scalar(const Tensor& t, ElementType as) {
  if (is_float(as)) return static_cast<double>(t.to_f32().at(0));
  return static_cast<double>(t.to_i64().at(0));
}

// Number of elements; limits of an integer range are cut to integers first.
int64_t range_length(const RangeLimits& r) {
  const double span = r.stop - r.start;
  if ((r.step > 0 && span <= 0) || (r.step < 0 && span >= 0)) return 0;
  return truncate(std::ceil(std::fabs(span) / std::fabs(r.step)));
}

void infer_range(Inference& in) {
  const ElementType type = in.attrs().has("output_type") ? in.type_attribute("output_type") : in.type();
  for (int i = 0; i < 3; ++i)
    if (in.rank(i) > 1 || (in.rank(i) == 1 && in.dim(i, 0) != 1)) in.fail("Range inputs must be scalars");
  const auto start = in.tensor(0), stop = in.tensor(1), step = in.tensor(2);
  if (!start || !stop || !step) return in.output(type, {kDynamic});
  const RangeLimits r{scalar(*start, type), scalar(*stop, type), scalar(*step, type)};
  if (!std::isfinite(r.start) || !std::isfinite(r.stop) || !std::isfinite(r.step) || r.step == 0)
    in.fail("'step' cannot be zero, nan or infinite");
  in.output(type, {range_length(r)});
}

std::vector<Tensor> evaluate_range(const Node& n, Tensors inputs) {
  std::vector<Tensor> result;
  with_working_type(n.element_type(), [&](auto zero) {
    using T = decltype(zero);
    const auto start = load<T>(*inputs[0]), step = load<T>(*inputs[2]);
    if (!start || !step) return;
    std::vector<T> out(static_cast<size_t>(element_count(n.shape())));
    for (size_t i = 0; i < out.size(); ++i) out[i] = add(start->at(0), multiply(T(i), step->at(0)));
    result = {store<T>(n.element_type(), n.shape(), out)};
  });
  return result;
}

constexpr OpRow kOps[] = {
    {"Parameter", 0, {1, 7}, 0, 0, {}, infer_unchanged},
    {"Constant", 0, {1, 7}, 0, 0, {}, infer_unchanged},
    {"Result", 0, {1, 7}, 1, 1, {}, infer_result},
    {"ShapeOf", 0, {1, 2}, 1, 1, {}, infer_shape_of, evaluate_shape_of},
    {"ShapeOf", 3, {3, 7}, 1, 1, kShapeOf3, infer_shape_of, evaluate_shape_of},
    {"Range", 0, {1, 3}, 3, 3, {}, infer_range, evaluate_range},
    {"Range", 4, {4, 7}, 3, 3, kRange4, infer_range, evaluate_range},
};

}  // namespace

std::span<const OpRow> source_ops() { return kOps; }

}  // namespace blobsmith::ops
