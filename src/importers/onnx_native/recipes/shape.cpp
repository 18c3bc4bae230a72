// What changes the shape of a tensor or the order of its axes, and what states the shape.
#include <algorithm>

#include "importers/onnx_native/recipe.hpp"

namespace blobsmith::onnx_native {
namespace {

std::vector<Value> flatten_axis(Recipe& r) { return {flatten(r, r.input(0), r.integer("axis", 1))}; }

std::vector<Value> reshape(Recipe& r) {
  const Value x = r.input(0);
  const Value pattern = r.input_count() > 1 ? r.input(1) : r.list_i64(r.integers("shape"));
  return {r.reshape(x, pattern, true)};
}

std::vector<Value> squeeze_1(Recipe& r) {
  const Value x = r.input(0);
  std::vector<int64_t> axes = r.integers("axes");
  for (int64_t& a : axes) a = r.axis(a, r.rank(x));
  if (axes.empty()) return {r.make("Squeeze", {x})};
  return {r.make("Squeeze", {x, r.list_u64(axes)})};
}
std::vector<Value> squeeze_13(Recipe& r) {
  const Value x = r.input(0);
  if (r.input_count() < 2) return {r.make("Squeeze", {x})};
  return {r.make("Squeeze", {x, r.input(1)})};
}
std::vector<Value> unsqueeze_1(Recipe& r) {
  const Value x = r.input(0), axes = r.list_i64(r.integers("axes"));
  return {r.make("Unsqueeze", {x, axes})};
}
std::vector<Value> unsqueeze_13(Recipe& r) {
  const Value x = r.input(0), axes = r.input(1);
  return {r.make("Unsqueeze", {x, axes})};
}

std::vector<Value> transpose(Recipe& r) {
  const Value x = r.input(0);
  std::vector<int64_t> order = r.integers("perm");
  if (order.empty()) {
    order = axes_from(0, r.rank(x));
    std::ranges::reverse(order);
  }
  return {r.transpose(x, order)};
}

std::vector<Value> concat(Recipe& r) {
  const std::vector<Value> parts = r.inputs();
  if (parts.empty()) r.refuse("it has no inputs");
  return {r.concat(parts, r.integer("axis", 1))};
}

std::vector<Value> outputs_of(Value v) {
  std::vector<Value> values;
  for (int i = 0; i < v.node->output_count(); ++i) values.push_back(v.node->value(i));
  return values;
}

std::vector<Value> split_1(Recipe& r) {
  const Value x = r.input(0);
  const int64_t axis = r.integer("axis", 0);
  if (!r.has("split")) return r.split(x, static_cast<int64_t>(r.output_count()), axis);
  const Value axis_value = r.scalar_i64(axis), lengths = r.list_u64(r.integers("split"));
  return outputs_of(r.make("VariadicSplit", {x, axis_value, lengths}));
}
std::vector<Value> split_13(Recipe& r) {
  const Value x = r.input(0);
  const int64_t axis = r.integer("axis", 0);
  if (r.input_count() < 2) return r.split(x, static_cast<int64_t>(r.output_count()), axis);
  const Value axis_value = r.scalar_i64(axis);
  return outputs_of(r.make("VariadicSplit", {x, axis_value, r.input(1)}));
}

std::vector<Value> expand(Recipe& r) {
  const Value x = r.input(0), shape = r.input(1);
  return {r.make("Broadcast", {x, shape}, attributes({{"mode", std::string("bidirectional")}}), 3)};
}

std::vector<Value> tile(Recipe& r) {
  const Value x = r.input(0), repeats = r.input(1);
  const Value wide = r.convert(repeats, ElementType::i64);
  return {r.make("Tile", {x, wide})};
}

std::vector<Value> shape_of(Recipe& r) { return {r.shape_of(r.input(0))}; }

std::vector<Value> size_of(Recipe& r) {
  const Value x = r.input(0);
  const Value first = r.constant(Tensor::of(ElementType::i32, {}, std::vector<int32_t>{0}));
  const Value shape = r.shape_of(x);
  return {r.make("ReduceProd", {shape, first}, attributes({{"keep_dims", false}}))};
}

std::vector<Value> depth_to_space(Recipe& r) {
  const std::string mode = r.text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") r.refuse("only 'DCR' and 'CRD' modes are supported");
  return {r.make("DepthToSpace", {r.input(0)},
                 attributes({{"mode", std::string(mode == "DCR" ? "blocks_first" : "depth_first")},
                             {"block_size", r.mandatory_integer("blocksize")}}))};
}
std::vector<Value> space_to_depth(Recipe& r) {
  return {
      r.make("SpaceToDepth", {r.input(0)},
             attributes({{"mode", std::string("blocks_first")}, {"block_size", r.mandatory_integer("blocksize")}}))};
}

constexpr Row kRows[] = {
    {"Flatten", 1, flatten_axis},
    {"Reshape", 1, reshape},
    {"Squeeze", 1, squeeze_1},
    {"Squeeze", 13, squeeze_13},
    {"Unsqueeze", 1, unsqueeze_1},
    {"Unsqueeze", 13, unsqueeze_13},
    {"Transpose", 1, transpose},
    {"Concat", 1, concat},
    {"Split", 1, split_1},
    {"Split", 13, split_13},
    {"Expand", 1, expand},
    {"Tile", 1, tile},
    {"Shape", 1, shape_of},
    {"Size", 1, size_of},
    {"DepthToSpace", 1, depth_to_space},
    {"SpaceToDepth", 1, space_to_depth},
};

}  // namespace

std::span<const Row> shape_recipes() { return kRows; }

}  // namespace blobsmith::onnx_native
