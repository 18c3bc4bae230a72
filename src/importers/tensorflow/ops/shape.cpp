// Shapes: reshaping, transposing, joining, dividing, repeating.
#include <algorithm>
#include <numeric>

#include "importers/model_optimizer/layout.hpp"
#include "importers/tensorflow/operators.hpp"

namespace blobsmith::tensorflow_import {
namespace {

std::vector<Value> reshape(Context& c) {
  const Value y = c.make("Reshape", {c.input(0), c.input(1)}, attributes({{"special_zero", false}}));
  return {c.node().flag(model_optimizer::kKeepsOrder, false) ? c.keeping_order(y) : y};
}

std::vector<Value> expand_dims(Context& c) {
  const int64_t at = c.axis(c.integer_of(1, "axis"), c.rank() + 1);
  return {c.make("Unsqueeze", {c.input(0), c.integers_constant({at}, "_input_port_1/value")})};
}

std::vector<Value> squeeze(Context& c) {
  std::vector<int64_t> axes = c.node().integers("squeeze_dims");
  if (axes.empty()) axes = c.node().integers("axis");
  if (axes.empty())
    for (int64_t i = 0; i < c.rank(); ++i)
      if (c.input(0).shape()[static_cast<size_t>(i)] == 1) axes.push_back(i);
  for (int64_t& a : axes) a = c.axis(a, c.rank());
  std::ranges::sort(axes);
  if (axes.empty()) return {c.input(0)};
  return {c.make("Squeeze", {c.input(0), c.integers_constant(axes)})};
}

std::vector<Value> transpose(Context& c) {
  std::vector<int64_t> order = c.integers_of(1, "order of axes");
  std::vector<bool> seen(order.size());
  if (static_cast<int64_t>(order.size()) != c.rank()) c.refuse("its order of axes is " + to_string(order));
  for (int64_t& a : order) {
    a = c.axis(a, c.rank());
    if (seen[static_cast<size_t>(a)]) c.refuse("its order of axes is " + to_string(order));
    seen[static_cast<size_t>(a)] = true;
  }
  return {c.make("Transpose", {c.input(0), c.integers_constant(order)})};
}

std::vector<Value> invert_permutation(Context& c) {
  const std::vector<int64_t> order = c.integers_of(0, "permutation");
  std::vector<int64_t> inverse(order.size());
  for (size_t i = 0; i < order.size(); ++i)
    inverse[static_cast<size_t>(c.axis(order[i], static_cast<int64_t>(order.size())))] = static_cast<int64_t>(i);
  return {c.convert(c.integers_constant(inverse), c.input(0).type())};
}

/// The type that the node states for shapes: i32 unless it says otherwise.
ElementType shape_type(Context& c, const char* attribute) {
  const tensorflow_file::Attribute* a = c.node().find(attribute);
  return a && a->type && tensorflow_file::element_type(*a->type) == ElementType::i64 ? ElementType::i64
                                                                                     : ElementType::i32;
}

std::vector<Value> shape_of(Context& c) {
  return {c.make("ShapeOf", {c.input(0)},
                 attributes({{"output_type", std::string(to_string(shape_type(c, "out_type")))}}), 3)};
}
std::vector<Value> shapes_of(Context& c) {
  std::vector<Value> shapes;
  for (size_t i = 0; i < c.input_count(); ++i)
    shapes.push_back(c.make("ShapeOf", {c.input(i)},
                            attributes({{"output_type", std::string(to_string(shape_type(c, "out_type")))}}), 3,
                            "/" + std::to_string(i)));
  return shapes;
}
std::vector<Value> rank_of(Context& c) { return {c.convert(c.integer_constant(c.rank()), ElementType::i32)}; }
std::vector<Value> size_of(Context& c) {
  const Value shape = c.shape_of(c.input(0), "/ShapeOf");
  const Value size = c.make("ReduceProd", {shape, c.integers_constant({0})}, attributes({{"keep_dims", false}}),
                            Context::kNewest, "/ReduceProd");
  return {c.convert(size, shape_type(c, "out_type"))};
}

std::vector<Value> broadcast(Context& c, Value x, Value shape) {
  return {c.make("Broadcast", {x, shape}, attributes({{"mode", std::string("numpy")}}), 3)};
}
std::vector<Value> fill(Context& c) { return broadcast(c, c.input(1), c.input(0)); }
std::vector<Value> broadcast_to(Context& c) { return broadcast(c, c.input(0), c.input(1)); }
std::vector<Value> tile(Context& c) { return {c.make("Tile", {c.input(0), c.input(1)})}; }

Value joined(Context& c, std::vector<Value> parts, int64_t axis) {
  if (parts.empty()) c.refuse("it has no inputs");
  axis = c.axis(axis, static_cast<int64_t>(parts[0].shape().size()));
  // Parts without elements are left out, unless there are no others.
  std::vector<Value> full = parts;
  std::erase_if(full, [](const Value& v) { return is_static(v.shape()) && element_count(v.shape()) == 0; });
  if (full.empty()) full = {parts[0]};
  if (full.size() == 1) return full[0];
  return c.make("Concat", full, attributes({{"axis", axis}}));
}

std::vector<Value> concat_v2(Context& c) {
  std::vector<Value> parts = c.inputs();
  parts.pop_back();
  return {joined(c, std::move(parts), c.integer_of(c.input_count() - 1, "axis"))};
}
std::vector<Value> concat(Context& c) {
  std::vector<Value> parts = c.inputs();
  parts.erase(parts.begin());
  return {joined(c, std::move(parts), c.integer_of(0, "axis"))};
}

std::vector<Value> pack(Context& c) {
  const int64_t axis = c.axis(c.node().integer("axis", 0), c.rank() + 1);
  std::vector<Value> parts;
  for (size_t i = 0; i < c.input_count(); ++i)
    parts.push_back(c.make("Unsqueeze", {c.input(i), c.integers_constant({axis}, "/Unsqueeze_input_port_1/value")}, {},
                           Context::kNewest, "/Unsqueeze" + (i ? "_" + std::to_string(i) : "")));
  if (parts.size() == 1) return {c.make("Unsqueeze", {c.input(0), c.integers_constant({axis})})};
  return {c.make("Concat", parts, attributes({{"axis", axis}}))};
}

std::vector<Value> unpack(Context& c) {
  const int64_t axis = c.axis(c.node().integer("axis", 0), c.rank());
  const int64_t count = c.input(0).shape()[static_cast<size_t>(axis)];
  if (c.node().integer("num", count) != count || count < 1) c.refuse("it divides a size of " + std::to_string(count));
  std::vector<Value> parts{c.input(0)};
  if (count > 1)
    parts = outputs_of(c.make("Split", {c.input(0), c.integer_constant(axis, "/Split_input_port_1/value")},
                              attributes({{"num_splits", count}}), Context::kNewest, "/Split"));
  for (size_t i = 0; i < parts.size(); ++i)
    parts[i] = c.make("Squeeze", {parts[i], c.integers_constant({axis}, "/Squeeze__input_port_1/value")}, {},
                      Context::kNewest, "/Squeeze_" + (i ? std::to_string(i) : ""));
  return parts;
}

std::vector<Value> split(Context& c) {
  const int64_t axis = c.axis(c.integer_of(0, "axis"), c.rank(1)), count = c.node().integer("num_split", 0);
  if (count < 1 || c.input(1).shape()[static_cast<size_t>(axis)] % count != 0)
    c.refuse("a size of " + std::to_string(c.input(1).shape()[static_cast<size_t>(axis)]) + " can't be divided into " +
             std::to_string(count));
  if (count == 1) return {c.input(1)};
  return outputs_of(c.make("Split", {c.input(1), c.integer_constant(axis)}, attributes({{"num_splits", count}})));
}

std::vector<Value> split_v(Context& c) {
  const int64_t axis = c.axis(c.integer_of(2, "axis"), c.rank());
  const std::vector<int64_t> sizes = c.integers_of(1, "list of sizes");
  if (sizes.size() == 1) return {c.input(0)};
  const int64_t whole = c.input(0).shape()[static_cast<size_t>(axis)];
  const int64_t stated = std::accumulate(sizes.begin(), sizes.end(), std::ranges::count(sizes, -1));
  const auto is_empty = [&](int64_t size) { return size == 0 || (size == -1 && whole == stated); };
  if (std::ranges::none_of(sizes, is_empty))
    return outputs_of(c.make("VariadicSplit", {c.input(0), c.integer_constant(axis), c.integers_constant(sizes)}));
  // No operation has empty results: nothing is made of such parts.
  std::vector<int64_t> left;
  std::ranges::copy_if(sizes, std::back_inserter(left), [&](int64_t size) { return !is_empty(size); });
  std::vector<Value> made{c.input(0)}, parts;
  if (left.size() > 1)
    made = outputs_of(c.make("VariadicSplit", {c.input(0), c.integer_constant(axis), c.integers_constant(left)}));
  for (size_t i = 0, next = 0; i < sizes.size(); ++i)
    parts.push_back(is_empty(sizes[i]) || next == made.size() ? Value{} : made[next++]);
  return parts;
}

constexpr OperatorRow kOperators[] = {
    {"Reshape", "Reshape", reshape},
    {"ExpandDims", "Unsqueeze", expand_dims},
    {"Squeeze", "Squeeze", squeeze},
    {"Transpose", "Transpose", transpose},
    {"ConjugateTranspose", "Transpose", transpose},
    {"InvertPermutation", "Constant", invert_permutation},
    {"Shape", "ShapeOf", shape_of},
    {"ShapeN", "ShapeOf", shapes_of},
    {"Rank", "Constant", rank_of},
    {"Size", "ReduceProd", size_of},
    {"Fill", "Broadcast", fill},
    {"BroadcastTo", "Broadcast", broadcast_to},
    {"Tile", "Tile", tile},
    {"ConcatV2", "Concat", concat_v2},
    {"Concat", "Concat", concat},
    {"Pack", "Concat", pack},
    {"Unpack", "Split", unpack},
    {"Split", "Split", split},
    {"SplitV", "VariadicSplit", split_v},
};

}  // namespace

std::span<const OperatorRow> shape_operators() { return kOperators; }

}  // namespace blobsmith::tensorflow_import
