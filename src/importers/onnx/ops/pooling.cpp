// Pools over windows and over whole planes.
#include <algorithm>
#include <cmath>

#include "importers/onnx/mo_steps.hpp"
#include "importers/onnx/operators.hpp"
#include "importers/onnx/ops/spelled_pools.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

/// quirk: Model Optimizer forgets the dilations, which the VPU has none of, and the positions of maxima.
std::vector<Value> pool(Context& c) {
  const WindowAttributes w = read_window_attributes(c, spatial_axes(c, c.input(0)));
  const bool has_gaps = std::ranges::any_of(w.dilations, [](int64_t d) { return d != 1; });
  if (!c.quirks() && (has_gaps || c.output_count() > 1 || hangs_over(c, w)))
    return spelled_pool(c, w, c.input(0), c.becomes() == "MaxPool");
  Attributes a = attributes({{"kernel", c.integers("kernel_shape")},
                             {"strides", w.strides},
                             {"pads_begin", w.pads_begin},
                             {"pads_end", w.pads_end},
                             {"auto_pad", w.auto_pad},
                             {"rounding_type", std::string(c.integer("ceil_mode", 0) ? "ceil" : "floor")}});
  if (c.becomes() == "AvgPool") a.set("exclude-pad", c.integer("count_include_pad", 0) == 0);
  return {c.make(c.becomes(), {c.input(0)}, a, 1)};
}

std::vector<int64_t> spatial(Context& c) {
  std::vector<int64_t> axes;
  for (int64_t i = 2; i < c.rank(); ++i) axes.push_back(i);
  return axes;
}

std::vector<Value> global_pool(Context& c) {
  return {c.make(c.becomes(), {c.input(0), c.integers_constant(spatial(c))}, attributes({{"keep_dims", true}}),
                 Context::kNewest, "/reduce")};
}

/// No operator of Model Optimizer: the root of the sum of powers.
std::vector<Value> global_lp_pool(Context& c) {
  const auto p = static_cast<double>(c.integer("p", 2));
  if (p < 1) c.refuse("p is " + std::to_string(c.integer("p", 2)));
  if (p == 2) return global_pool(c);
  const Value size = c.make("Abs", {c.input(0)}, {}, Context::kNewest, "/abs");
  const Value powers = p == 1 ? size : c.binary("Power", size, p, "/power");
  const Value sum = c.make("ReduceSum", {powers, c.integers_constant(spatial(c))}, attributes({{"keep_dims", true}}),
                           Context::kNewest, p == 1 ? "" : "/sum");
  return {p == 1 ? sum : c.binary("Power", sum, 1 / p)};
}

/// No operator of Model Optimizer: the root of the sum of powers over windows, as their mean times their area.
std::vector<Value> lp_pool(Context& c) {
  Steps s(c);
  const auto p = static_cast<double>(c.integer("p", 2));
  const std::vector<int64_t> kernel = c.integers("kernel_shape");
  const WindowAttributes w = read_window_attributes(c, spatial_axes(c, c.input(0)));
  if (p < 1) c.refuse("p is " + std::to_string(c.integer("p", 2)));
  const Value x = c.input(0);
  const Value powers = p == 2 ? s.multiply(x, x) : p == 1 ? s.make("Abs", {x}) : s.power(s.make("Abs", {x}), p);
  const Attributes a = attributes({{"kernel", kernel},
                                   {"strides", w.strides},
                                   {"pads_begin", w.pads_begin},
                                   {"pads_end", w.pads_end},
                                   {"auto_pad", w.auto_pad},
                                   {"rounding_type", std::string(c.integer("ceil_mode", 0) ? "ceil" : "floor")},
                                   {"exclude-pad", false}});
  const bool has_gaps = std::ranges::any_of(w.dilations, [](int64_t d) { return d != 1; });
  const Value mean = has_gaps ? spelled_mean(c, w, powers) : c.make("AvgPool", {powers}, a, 1, "/mean");
  const auto area = static_cast<double>(element_count(kernel));
  // The root of the area apart, so that the sum need not fit in FP16.
  return {s.done(p == 1 ? s.multiply(mean, area) : s.multiply(s.power(mean, 1 / p), std::pow(area, 1 / p)))};
}

/// No operator of Model Optimizer: values put where the indices of a MaxPool say, among zeros.
std::vector<Value> max_unpool(Context& c) {
  Steps s(c);
  const Shape x = c.input(0).shape();
  const std::vector<int64_t> kernel = c.integers("kernel_shape");
  const size_t axes = spatial_axes(c, c.input(0));
  const WindowAttributes w = read_window_attributes(c, axes);
  if (!is_static(x) || kernel.size() != axes) c.refuse("its input has the shape " + to_string(x));
  Shape natural{x[0], x[1]};
  for (size_t i = 0; i < axes; ++i)
    natural.push_back((x[i + 2] - 1) * w.strides[i] + kernel[i] - w.pads_begin[i] - w.pads_end[i]);
  const Shape out = c.has_input(2) ? c.constant_integers(2, "output shape") : natural;
  const int64_t count = element_count(x);
  Value at = s.reshape(c.input(1), {count});
  if (out != natural) {
    // Indices count in the natural shape: row by row they are moved to the one that is stated.
    if (axes != 2 || out[0] * out[1] != 1) c.refuse("an output_shape of several planes is not supported");
    const Value row =
        s.make("Divide", {at, s.number(at, static_cast<double>(natural[3]))}, attributes({{"m_pythondiv", false}}));
    at = s.add(at, s.multiply(row, static_cast<double>(out[3] - natural[3])));
  }
  const Value zeros = s.zeros(c.input(0).type(), {element_count(out)});
  const Value y =
      s.make("ScatterElementsUpdate", {zeros, at, s.reshape(c.input(0), {count}), s.constant(Tensor::scalar_i64(0))});
  return {s.done(s.reshape(y, out))};
}

}  // namespace
}  // namespace mo

namespace ie {
namespace {

constexpr int64_t kMostPlanes = 65536;

Value pool_of_version(Context& c, int version) {
  const Value x = c.input(0);
  const WindowAttributes w = read_window_attributes(c, spatial_axes(c, x));
  if (!c.has("kernel_shape")) c.refuse("unknown attribute 'kernel_shape'");
  Attributes a = attributes({{"strides", w.strides},
                             {"pads_begin", w.pads_begin},
                             {"pads_end", w.pads_end},
                             {"kernel", c.integers("kernel_shape")},
                             {"rounding_type", std::string(c.integer("ceil_mode", 0) == 1 ? "ceil" : "floor")},
                             {"auto_pad", w.auto_pad}});
  if (c.becomes() == "AvgPool") a.set("exclude-pad", c.integer("count_include_pad", 0) == 0);
  return c.make(c.becomes(), {x}, a, version);
}
std::vector<Value> pool(Context& c) { return {pool_of_version(c, 1)}; }

/// quirk: nothing stands for the second output, the places of the maxima; as a network output it is dropped silently.
std::vector<Value> max_pool(Context& c) {
  const Value y = pool_of_version(c, 1);
  c.skip_ids(1);
  return {y, Value{}};
}

/// quirk: the name of the second output, which nobody may read, is that of the layer.
std::vector<Value> max_pool_8(Context& c) {
  if (!c.release().max_pool_with_places) return max_pool(c);
  if (c.output_count() > 1 && c.is_read(1)) c.refuse("the VPU can't compute the places of the maxima");
  const Value y = pool_of_version(c, 8);
  return {y, y};
}

/// 2, 3, ... up to the rank.
Value plane_axes(Context& c, Value x) {
  c.skip_ids(1);  // a zero that nothing reads
  const Value one = c.scalar_i64(1), two = c.scalar_i64(2);
  const Value rank = c.make("Squeeze", {c.shape_of(c.shape_of(x))});
  return c.make("Range", {two, rank, one}, attributes({{"output_type", std::string("i64")}}), 4);
}

std::vector<Value> global_pool(Context& c) {
  const Value x = c.input(0);
  const Value axes = c.release().plane_axes_at_run_time ? plane_axes(c, x) : c.list_i64(axes_from(2, c.rank(x)));
  return {c.make(c.becomes(), {x, axes}, attributes({{"keep_dims", true}}))};
}

/// The norm of each plane, plane by plane.
std::vector<Value> global_lp_pool(Context& c) {
  const Value x = c.input(0);
  const int64_t rank = c.rank(x), p = c.integer("p", 2);
  if (rank < 3 || !is_static(x.shape()) || x.shape()[1] < 1)
    c.refuse("its input has the shape " + to_string(x.shape()));
  if (x.shape()[0] != 1 || x.shape()[1] > kMostPlanes)
    c.refuse("it is compiled for one batch and at most " + std::to_string(kMostPlanes) + " channels only");
  if (p != 1 && p != 2) c.refuse("Only normalization of 1st or 2nd order is supported.");
  const Shape one(static_cast<size_t>(rank), 1);
  std::vector<Value> norms;
  for (const Value plane : c.split(x, x.shape()[1], 1)) {
    const Value axes = c.list_i64(axes_from(2, rank));
    const Value norm = vector_norm(c, plane, axes, p, false);
    const Value pattern = c.list_i64(one);
    norms.push_back(c.reshape(norm, pattern, false));
  }
  return {c.concat(std::move(norms), 1)};
}

}  // namespace
}  // namespace ie

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"MaxPool", 1, "MaxPool", mo::pool, ie::max_pool},
    {"MaxPool", 8, "MaxPool", mo::pool, ie::max_pool_8},
    {"AveragePool", 1, "AvgPool", mo::pool, ie::pool},
    {"LpPool", 1, "AvgPool", mo::lp_pool, nullptr},
    {"MaxUnpool", 1, "ScatterElementsUpdate", mo::max_unpool, nullptr},
    {"GlobalAveragePool", 1, "ReduceMean", mo::global_pool, ie::global_pool},
    {"GlobalMaxPool", 1, "ReduceMax", mo::global_pool, ie::global_pool},
    {"GlobalLpPool", 1, "ReduceL2", mo::global_lp_pool, ie::global_lp_pool},
};

}  // namespace

std::span<const OperatorRow> pooling_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
