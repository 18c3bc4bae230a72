// Changes of rank and order: Reshape, Squeeze, Unsqueeze, Transpose, Concat, Split (front-end spec §15.1).
#include <algorithm>
#include <cstring>
#include <numeric>

#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"
#include "graph/ops/strided.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;
constexpr AttributeSpec kReshape[] = {{"special_zero", Flag, "true"}};
constexpr AttributeSpec kConcat[] = {{"axis", Integer, kMandatory}};
constexpr AttributeSpec kSplit[] = {{"num_splits", Integer, kMandatory}};

// ---- Reshape ----

// Takes the zeros out of a pattern and says how many input elements one -1 has to hold.
Shape resolve_zeros(const Inference& in, const std::vector<int64_t>& pattern) {
  Shape out = pattern;
  for (size_t i = 0; i < out.size(); ++i)
    if (out[i] == 0 && in.attrs().flag("special_zero")) {
      if (i >= in.shape().size()) in.fail("'0' dimension is out of range");
      out[i] = in.shape()[i];
    }
  return out;
}

Shape reshape_to(const Inference& in, const std::vector<int64_t>& pattern) {
  for (int64_t d : pattern) in.require(d >= -1, "Dim size cannot be less than -1");
  if (std::ranges::count(pattern, -1) > 1)
    in.fail("More than one dimension has size of -1 (" + to_string(pattern) + ")");
  Shape out = resolve_zeros(in, pattern);
  if (!is_static(in.shape())) return out;
  const int64_t total = element_count(in.shape());
  const auto open = std::ranges::find(out, -1);
  if (open != out.end()) {
    *open = 1;
    const int64_t rest = element_count(out);
    if (rest == 0 ? total != 0 : total % rest != 0)
      in.fail("Non-'-1' output dimensions do not evenly divide the input dimensions: " + to_string(in.shape()) +
              " to " + to_string(pattern));
    *open = rest == 0 ? 0 : total / rest;
  }
  if (element_count(out) != total)
    in.fail("Requested output shape " + to_string(out) + " is incompatible with input shape " + to_string(in.shape()));
  return out;
}

void infer_reshape(Inference& in) {
  const auto pattern = in.values(1);
  if (pattern) return in.output(in.type(), reshape_to(in, *pattern));
  // The rank follows from the length of the pattern even where its numbers are unknown.
  if (in.rank(1) != 1 || in.dim(1, 0) < 0 || in.dim(1, 0) > 64) in.fail("Its pattern (input 1) is not a constant");
  in.output(in.type(), Shape(static_cast<size_t>(in.dim(1, 0)), kDynamic));
}

void infer_squeeze(Inference& in) {
  std::vector<int64_t> axes;
  if (in.input_count() > 1) axes = in.axes(in.constant_values(1, "axes"), in.rank());
  const bool all_ones = axes.empty();
  Shape out;
  for (int64_t i = 0; i < in.rank(); ++i) {
    const int64_t d = in.dim(0, i);
    const bool named = std::ranges::find(axes, i) != axes.end();
    if (named && d != 1 && d != kDynamic)
      in.fail("provided axis value is invalid. Only axes of size 1 may be removed.");
    if (!(named || (all_ones && d == 1))) out.push_back(d);
  }
  in.output(in.type(), std::move(out));
}

void infer_unsqueeze(Inference& in) {
  const std::vector<int64_t> list = in.constant_values(1, "axes");
  const int64_t rank = in.rank() + static_cast<int64_t>(list.size());
  in.require(rank <= 64, "Too many axes");
  std::vector<int64_t> axes = in.axes(list, rank);
  std::ranges::sort(axes);
  if (std::ranges::adjacent_find(axes) != axes.end()) in.fail("'axes' input has a duplicate axis");
  Shape out = in.shape();
  for (int64_t a : axes) out.insert(out.begin() + a, 1);
  in.output(in.type(), std::move(out));
}

std::vector<Tensor> evaluate_reshape(const Node& n, Tensors inputs) {
  return {{n.element_type(), n.shape(), inputs[0]->bytes}};
}

// ---- Transpose ----

std::vector<int64_t> full_order(std::vector<int64_t> order, size_t rank) {
  if (!order.empty()) return order;
  order.resize(rank);
  std::iota(order.rbegin(), order.rend(), 0);
  return order;
}

void infer_transpose(Inference& in) {
  const auto known = in.values(1);
  if (!known) return in.output(in.type(), Shape(in.shape().size(), kDynamic));
  const std::vector<int64_t> order = full_order(*known, in.shape().size());
  std::vector<int64_t> sorted = order, identity(in.shape().size());
  std::ranges::sort(sorted);
  std::iota(identity.begin(), identity.end(), 0);
  if (sorted != identity)
    in.fail("Permutation " + to_string(order) + " is not valid for input shape " + to_string(in.shape()));
  Shape out;
  for (int64_t axis : order) out.push_back(in.dim(0, axis));
  in.output(in.type(), std::move(out));
}

std::vector<Tensor> evaluate_transpose(const Node& n, Tensors inputs) {
  if (!is_byte_sized(n.element_type())) return {};
  const std::vector<int64_t> dense = dense_strides(inputs[0]->shape);
  std::vector<int64_t> strides;
  for (int64_t axis : full_order(inputs[1]->to_i64(), inputs[0]->shape.size()))
    strides.push_back(dense[static_cast<size_t>(axis)]);
  // Of large tensors (weights) when they are read: models would be in memory twice.
  const auto make = [data = *inputs[0], shape = n.shape(), strides] {
    Bytes r = gather_strided(data, shape, 0, strides).bytes;
    data.bytes.leave_memory();
    return r;
  };
  return {{n.element_type(), n.shape(), Bytes::deferred_if_many(inputs[0]->bytes.size(), make)}};
}

// ---- Concat and Split ----

void infer_concat(Inference& in) {
  const int64_t axis = in.axis(in.attrs().integer("axis"), in.rank());
  Shape out = in.shape();
  for (int i = 1; i < in.input_count(); ++i) {
    if (in.type(i) != in.type(0)) in.fail_type("Argument element types are inconsistent");
    if (in.rank(i) != in.rank())
      in.fail(
          "Argument shapes are inconsistent; they must have the same rank, and must have equal dimension everywhere "
          "except on the concatenation axis");
    for (int64_t a = 0; a < in.rank(); ++a) {
      auto& d = out[static_cast<size_t>(a)];
      if (a == axis) {
        d = add_dims(d, in.dim(i, a));
        continue;
      }
      const auto merged = merge_dims(d, in.dim(i, a));
      if (!merged)
        in.fail(
            "Argument shapes are inconsistent; they must have the same rank, and must have equal dimension everywhere "
            "except on the concatenation axis (axis " +
            std::to_string(axis) + "): " + to_string(in.shape(0)) + " and " + to_string(in.shape(i)));
      d = *merged;
    }
  }
  in.output(in.type(), std::move(out));
}

std::vector<Tensor> evaluate_concat(const Node& n, Tensors inputs) {
  if (!is_byte_sized(n.element_type())) return {};
  const int64_t axis = from_front(n.attrs.integer("axis"), n.shape().size());
  const std::vector<int64_t> strides = dense_strides(n.shape());
  TensorBuilder out(n.element_type(), n.shape());
  int64_t offset = 0;
  for (const Tensor* t : inputs) {
    out.scatter_strided(*t, offset, strides);
    offset += strides[static_cast<size_t>(axis)] * t->shape[static_cast<size_t>(axis)];
  }
  return {out.take()};
}

// Outputs with `lengths` on the split axis.
void output_parts(Inference& in, int64_t axis, const std::vector<int64_t>& lengths) {
  for (int64_t length : lengths) {
    Shape part = in.shape();
    part[static_cast<size_t>(axis)] = length;
    in.output(in.type(), std::move(part));
  }
}

int64_t split_axis(const Inference& in) {
  const auto axis = in.constant_values(1, "axis");
  if (axis.size() != 1) in.fail("The 'axis' input is expected to be a scalar");
  return in.axis(axis[0], in.rank());
}

void infer_split(Inference& in) {
  const int64_t parts = in.attrs().integer("num_splits");
  if (parts <= 0 || parts > 1 << 16) in.fail("Attribute 'num_splits' must be greater than zero");
  const int64_t axis = split_axis(in), size = in.dim(0, axis);
  if (size != kDynamic && size % parts != 0)
    in.fail("Dimension of data input shape along 'axis' (" + std::to_string(size) +
            ") must be evenly divisible by 'num_splits' attribute value (" + std::to_string(parts) + ")");
  output_parts(in, axis, std::vector<int64_t>(static_cast<size_t>(parts), size == kDynamic ? kDynamic : size / parts));
}

void infer_variadic_split(Inference& in) {
  const int64_t axis = split_axis(in), size = in.dim(0, axis);
  std::vector<int64_t> lengths = in.constant_values(2, "split lengths");
  int64_t sum = 0;
  for (int64_t l : lengths) {
    in.require(l >= -1 && l < int64_t{1} << 31, "Invalid value in split lengths input. Should be non-negative or -1");
    sum += l == -1 ? 0 : l;
  }
  if (std::ranges::count(lengths, -1) > 1) in.fail("Cannot infer split with multiple -1 values");
  const auto open = std::ranges::find(lengths, -1);
  if (open != lengths.end())
    *open = size == kDynamic ? kDynamic : size - sum;
  else if (size != kDynamic && sum != size)
    in.fail("Total length of splits: " + std::to_string(sum) +
            " must match the length of the chosen axis: " + std::to_string(size));
  if (open != lengths.end() && size != kDynamic && *open < 0) in.fail("The splits are longer than the axis");
  output_parts(in, axis, lengths);
}

std::vector<Tensor> evaluate_split(const Node& n, Tensors inputs) {
  if (!is_byte_sized(n.element_type())) return {};
  const Tensor& data = *inputs[0];
  const int64_t axis = from_front(inputs[1]->to_i64().at(0), data.shape.size());
  const std::vector<int64_t> strides = dense_strides(data.shape);
  std::vector<Tensor> parts;
  int64_t offset = 0;
  for (int i = 0; i < n.output_count(); ++i) {
    parts.push_back(gather_strided(data, n.shape(i), offset, strides));
    offset += strides[static_cast<size_t>(axis)] * n.shape(i)[static_cast<size_t>(axis)];
  }
  return parts;
}

constexpr OpRow kOps[] = {
    {"Reshape", 0, {1, 7}, 2, 2, kReshape, infer_reshape, evaluate_reshape},
    {"Squeeze", 0, {1, 7}, 1, 2, {}, infer_squeeze, evaluate_reshape},
    {"Unsqueeze", 0, {1, 7}, 2, 2, {}, infer_unsqueeze, evaluate_reshape},
    {"Transpose", 0, {1, 7}, 2, 2, {}, infer_transpose, evaluate_transpose},
    {"Concat", 0, {1, 7}, 1, kAnyNumber, kConcat, infer_concat, evaluate_concat},
    {"Split", 0, {1, 7}, 2, 2, kSplit, infer_split, evaluate_split},
    {"VariadicSplit", 0, {1, 7}, 3, 3, {}, infer_variadic_split, evaluate_split},
};

}  // namespace

std::span<const OpRow> reshape_ops() { return kOps; }

}  // namespace blobsmith::ops
