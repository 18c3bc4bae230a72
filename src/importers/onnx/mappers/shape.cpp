// Operators that rearrange a tensor or compute with its shape.
#include "importers/onnx/mapper.hpp"

namespace blobsmith::onnx_import {
namespace {

Value shape_of(Context& c, Value x, const std::string& suffix) {
  return c.make("ShapeOf", {x}, attributes({{"output_type", std::string("i64")}}), 3, suffix);
}

std::vector<Value> map_reshape(Context& c) {
  if (c.integer("allowzero", 0) != 0) c.refuse("allowzero is not supported");
  const Value pattern = c.has_input(1) ? c.input(1) : c.integers_constant(c.integers("shape"));
  return {c.make("Reshape", {c.input(0), pattern}, attributes({{"special_zero", true}}))};
}

std::vector<Value> map_flatten(Context& c) {
  const int64_t axis = c.integer("axis", 1);
  if (axis != c.rank()) c.axis(axis, c.rank());
  return {c.flatten(c.input(0), axis, "/Reshape")};
}

std::vector<Value> map_transpose(Context& c) {
  std::vector<int64_t> order = c.integers("perm");
  for (int64_t i = c.rank() - 1; order.size() < static_cast<size_t>(c.rank()) && i >= 0 && !c.node().find("perm"); --i)
    order.push_back(i);
  return {c.make("Transpose", {c.input(0), c.integers_constant(order)})};
}

/// Axes: an attribute before opset 13, an input since.
std::vector<int64_t> axes_of(Context& c) {
  return c.has_input(1) ? c.constant_integers(1, "list of axes") : c.integers("axes");
}

std::vector<Value> map_squeeze(Context& c) {
  std::vector<int64_t> axes = axes_of(c);
  if (axes.empty())
    for (size_t i = 0; i < c.input(0).shape().size(); ++i)
      if (c.input(0).shape()[i] == 1) axes.push_back(static_cast<int64_t>(i));
  return {c.make("Squeeze", {c.input(0), c.integers_constant(axes)})};
}

std::vector<Value> map_unsqueeze(Context& c) {
  return {c.make("Unsqueeze", {c.input(0), c.integers_constant(axes_of(c))})};
}

std::vector<Value> map_concat(Context& c) {
  std::vector<Value> inputs;
  for (size_t i = 0; i < c.node().inputs.size(); ++i) inputs.push_back(c.input(i));
  if (inputs.empty()) c.refuse("it has no inputs");
  if (inputs.size() == 1) return inputs;
  return {c.make("Concat", inputs, attributes({{"axis", c.axis(c.integer("axis", 1), c.rank())}}))};
}

std::vector<Value> map_shape(Context& c) {
  if (c.node().find("start") || c.node().find("end")) c.refuse("start and end are not supported");
  return {shape_of(c, c.input(0), "")};
}

std::vector<Value> map_size(Context& c) {
  return {c.make("ReduceProd", {shape_of(c, c.input(0), "/Shape"), c.integers_constant({0})},
                 attributes({{"keep_dims", false}}))};
}

std::vector<Value> map_expand(Context& c) {
  return {c.make("Broadcast", {c.input(0), c.input(1)}, attributes({{"mode", std::string("bidirectional")}}), 3)};
}
std::vector<Value> map_tile(Context& c) { return {c.make("Tile", {c.input(0), c.input(1)})}; }

std::vector<Value> map_depth_to_space(Context& c) {
  const std::string mode = c.text("mode", "DCR") == "CRD" ? "depth_first" : "blocks_first";
  return {
      c.make("DepthToSpace", {c.input(0)}, attributes({{"mode", mode}, {"block_size", c.integer("blocksize", 1)}}))};
}

std::vector<Value> map_space_to_depth(Context& c) {
  return {c.make("SpaceToDepth", {c.input(0)},
                 attributes({{"mode", std::string("blocks_first")}, {"block_size", c.integer("blocksize", 1)}}))};
}

std::vector<Value> map_reverse_sequence(Context& c) {
  return {c.make("ReverseSequence", {c.input(0), c.input(1)},
                 attributes({{"batch_axis", c.integer("batch_axis", 1)}, {"seq_axis", c.integer("time_axis", 0)}}))};
}

constexpr Mapper kMappers[] = {{"Reshape", map_reshape},
                               {"Flatten", map_flatten},
                               {"Transpose", map_transpose},
                               {"Squeeze", map_squeeze},
                               {"Unsqueeze", map_unsqueeze},
                               {"Concat", map_concat},
                               {"Shape", map_shape},
                               {"Size", map_size},
                               {"Expand", map_expand},
                               {"Tile", map_tile},
                               {"DepthToSpace", map_depth_to_space},
                               {"SpaceToDepth", map_space_to_depth},
                               {"ReverseSequence", map_reverse_sequence}};

}  // namespace

std::span<const Mapper> shape_mappers() { return kMappers; }

}  // namespace blobsmith::onnx_import
