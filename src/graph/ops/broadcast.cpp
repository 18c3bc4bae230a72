// Repetition: Broadcast, Tile (front-end spec §15.1).
#include <algorithm>

#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"
#include "graph/ops/strided.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;
constexpr AttributeSpec kBroadcast1[] = {{"mode", Choice, "numpy", "numpy|explicit|none|pdpd"}};
constexpr AttributeSpec kBroadcast3[] = {{"mode", Choice, "numpy", "numpy|explicit|none|pdpd|bidirectional"}};

// With explicit axes, axis i of the data lies on axis mapping[i] of the target.
void check_mapping(const Inference& in, const Shape& target) {
  const std::vector<int64_t> mapping = in.constant_values(2, "axes mapping");
  if (mapping.size() != in.shape().size()) in.fail("Broadcast axes_mapping shape doesn't match rank of input tensor");
  for (size_t i = 0; i < mapping.size(); ++i) {
    if (mapping[i] < 0 || mapping[i] >= static_cast<int64_t>(target.size()))
      in.fail("Broadcast axes_mapping is out of range");
    if (i && mapping[i] <= mapping[i - 1]) in.fail("Broadcast doesn't permit transposes: axes_mapping is not sorted");
    const int64_t d = in.shape()[i];
    if (d != 1 && !merge_dims(d, target[static_cast<size_t>(mapping[i])]))
      in.fail("Broadcast target shape " + to_string(target) + " doesn't fit the data's shape " + to_string(in.shape()));
  }
}

void infer_broadcast(Inference& in) {
  if (in.attrs().text("mode") == "none") in.attrs().set("mode", "explicit");  // two names of one mode
  const std::string& mode = in.attrs().text("mode");
  const auto target = in.values(1);
  if (!target) {
    if (in.rank(1) != 1 || in.dim(1, 0) < 0 || in.dim(1, 0) > 64)
      in.fail("Its target shape (input 1) is not a constant");
    const int64_t rank = mode == "bidirectional" ? std::max(in.rank(), in.dim(1, 0)) : in.dim(1, 0);
    return in.output(in.type(), Shape(static_cast<size_t>(rank), kDynamic));
  }
  for (int64_t d : *target) in.require(d >= 0, "Broadcast target shape must not be negative");
  if (mode == "explicit") {
    if (in.input_count() < 3) in.fail("Axes mapping is missing");
    check_mapping(in, *target);
    return in.output(in.type(), *target);
  }
  const auto joint = broadcast(in.shape(), *target);
  if (!joint || (mode != "bidirectional" && *joint != *target))
    in.fail("Input shape " + to_string(in.shape()) + " doesn't broadcast to the target shape " + to_string(*target));
  in.output(in.type(), *joint);
}

std::vector<Tensor> evaluate_broadcast(const Node& n, Tensors inputs) {
  if (!is_byte_sized(n.element_type())) return {};
  const Tensor& data = *inputs[0];
  if (n.attrs.text("mode") != "explicit")
    return {gather_strided(data, n.shape(), 0, broadcast_strides(data.shape, n.shape()))};
  const std::vector<int64_t> mapping = inputs[2]->to_i64(), dense = dense_strides(data.shape);
  std::vector<int64_t> strides(n.shape().size(), 0);
  for (size_t i = 0; i < mapping.size(); ++i)
    if (data.shape[i] != 1) strides.at(static_cast<size_t>(mapping[i])) = dense[i];
  return {gather_strided(data, n.shape(), 0, strides)};
}

void infer_tile(Inference& in) {
  const auto known = in.values(1);
  if (!known) in.fail("Its repeats (input 1) are not a constant");
  std::vector<int64_t> repeats = *known;
  Shape out = in.shape();
  const size_t rank = std::max(repeats.size(), out.size());
  if (rank > 64) in.fail("Too many repeats");
  repeats.insert(repeats.begin(), rank - repeats.size(), 1);
  out.insert(out.begin(), rank - out.size(), 1);
  for (size_t i = 0; i < rank; ++i) {
    in.require(repeats[i] >= 0, "Tile repeats must not be negative");
    out[i] = multiply_dims(out[i], repeats[i]);
  }
  in.output(in.type(), std::move(out));
}

// Each axis becomes two, [repeats, size], the first of which doesn't move in the source.
std::vector<Tensor> evaluate_tile(const Node& n, Tensors inputs) {
  if (!is_byte_sized(n.element_type())) return {};
  const Tensor& data = *inputs[0];
  const std::vector<int64_t> dense = dense_strides(data.shape);
  const size_t added = n.shape().size() - data.shape.size();
  Shape shape;
  std::vector<int64_t> strides;
  for (size_t i = 0; i < n.shape().size(); ++i) {
    const int64_t size = i < added ? 1 : data.shape[i - added];
    shape.insert(shape.end(), {size ? n.shape()[i] / size : 0, size});
    strides.insert(strides.end(), {0, i < added ? 0 : dense[i - added]});
  }
  Tensor out = gather_strided(data, shape, 0, strides);
  out.shape = n.shape();
  return {std::move(out)};
}

constexpr OpRow kOps[] = {
    {"Broadcast", 1, {1, 2}, 2, 3, kBroadcast1, infer_broadcast, evaluate_broadcast},
    {"Broadcast", 3, {3, 7}, 2, 3, kBroadcast3, infer_broadcast, evaluate_broadcast},
    {"Tile", 0, {1, 7}, 2, 2, {}, infer_tile, evaluate_tile},
};

}  // namespace

std::span<const OpRow> broadcast_ops() { return kOps; }

}  // namespace blobsmith::ops
