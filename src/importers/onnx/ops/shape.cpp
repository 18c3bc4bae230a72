// Operators that rearrange a tensor or compute with its shape.
#include <algorithm>

#include "graph/ops/known_value.hpp"
#include "importers/onnx/mo_steps.hpp"
#include "importers/onnx/operators.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

std::vector<Value> reshape(Context& c) {
  const Value pattern = c.has_input(1) ? c.input(1) : c.integers_constant(c.integers("shape"));
  bool copies_at_zero = true;
  if (c.integer("allowzero", 0) != 0) {  // it matters only where there is a 0
    const auto dims = known_value(pattern);
    copies_at_zero = dims && std::ranges::count(dims->to_i64(), 0) == 0;
  }
  return {c.make("Reshape", {c.input(0), pattern}, attributes({{"special_zero", copies_at_zero}}))};
}

std::vector<Value> flatten_axis(Context& c) {
  const int64_t axis = c.integer("axis", 1);
  if (axis != c.rank()) c.axis(axis, c.rank());
  return {c.flatten(c.input(0), axis, "/Reshape")};
}

std::vector<Value> transpose(Context& c) {
  std::vector<int64_t> order = c.integers("perm");
  for (int64_t i = c.rank() - 1; order.size() < static_cast<size_t>(c.rank()) && i >= 0 && !c.has("perm"); --i)
    order.push_back(i);
  return {c.make("Transpose", {c.input(0), c.integers_constant(order)})};
}

/// Axes: an attribute before opset 13, an input since.
std::vector<int64_t> axes_of(Context& c) {
  return c.has_input(1) ? c.constant_integers(1, "list of axes") : c.integers("axes");
}

std::vector<Value> squeeze(Context& c) {
  std::vector<int64_t> axes = axes_of(c);
  if (axes.empty())
    for (size_t i = 0; i < c.input(0).shape().size(); ++i)
      if (c.input(0).shape()[i] == 1) axes.push_back(static_cast<int64_t>(i));
  return {c.make("Squeeze", {c.input(0), c.integers_constant(axes)})};
}

std::vector<Value> unsqueeze(Context& c) {
  return {c.make("Unsqueeze", {c.input(0), c.integers_constant(axes_of(c))})};
}

std::vector<Value> concat(Context& c) {
  std::vector<Value> inputs = c.inputs();
  if (inputs.empty()) c.refuse("it has no inputs");
  if (inputs.size() == 1) return inputs;
  return {c.make("Concat", inputs, attributes({{"axis", c.axis(c.integer("axis", 1), c.rank())}}))};
}

std::vector<Value> shape_of(Context& c) {
  if (!c.has("start") && !c.has("end")) return {c.shape_of(c.input(0))};
  const Shape& shape = c.input(0).shape();
  if (!is_static(shape)) c.refuse("start and end of an unknown shape are not supported");
  const auto place = [&](const char* name, int64_t fallback) {
    const int64_t i = c.integer(name, fallback);
    return std::clamp<int64_t>(i < 0 ? i + c.rank() : i, 0, c.rank());
  };
  const int64_t first = place("start", 0), last = std::max(first, place("end", c.rank()));
  return {c.integers_constant({shape.begin() + first, shape.begin() + last})};
}

std::vector<Value> size_of(Context& c) {
  return {c.make("ReduceProd", {c.shape_of(c.input(0), "/Shape"), c.integers_constant({0})},
                 attributes({{"keep_dims", false}}))};
}

std::vector<Value> expand(Context& c) {
  return {c.make("Broadcast", {c.input(0), c.input(1)}, attributes({{"mode", std::string("bidirectional")}}), 3)};
}
std::vector<Value> tile(Context& c) { return {c.make("Tile", {c.input(0), c.input(1)})}; }

/// No operator of Model Optimizer: what is not in the triangle becomes 0.
std::vector<Value> triangle(Context& c) {
  const Shape& x = c.input(0).shape();
  if (x.size() < 2 || !is_static(x)) c.refuse("its input has the shape " + to_string(x));
  const int64_t k = c.has_input(1) ? c.constant_integers(1, "k").at(0) : 0;
  const bool upper = c.integer("upper", 1) != 0;
  const int64_t rows = x[x.size() - 2], columns = x.back();
  std::vector<uint8_t> kept;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t i = 0; i < columns; ++i) kept.push_back(upper ? i - r >= k : i - r <= k);
  Shape shape(x.size() - 2, 1);
  shape.insert(shape.end(), {rows, columns});
  const Value mask = c.graph().constant(Tensor::of(ElementType::boolean, shape, kept), c.name() + "/kept")->value();
  if (c.input(0).type() == ElementType::boolean) return {c.make("LogicalAnd", {c.input(0), mask})};
  return {c.make("Select", {mask, c.input(0), c.number_constant(c.input(0).type(), Shape(x.size(), 1), 0)})};
}

/// No operator of Model Optimizer: cut, or padded with zeros, about the middle.
std::vector<Value> center_crop_pad(Context& c) {
  Steps s(c);
  const Shape x = c.input(0).shape();
  const std::vector<int64_t> sizes = c.constant_integers(1, "shape");
  std::vector<int64_t> axes = c.integers("axes");
  for (size_t i = 0; axes.size() < sizes.size() && !c.has("axes"); ++i) axes.push_back(static_cast<int64_t>(i));
  if (axes.size() != sizes.size() || !is_static(x)) c.refuse("its axes and its shape differ in number");
  Value y = c.input(0);
  std::vector<int64_t> begin(x.size(), 0), end(x.size(), 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto a = static_cast<size_t>(c.axis(axes[i], c.rank()));
    const int64_t have = x[a], want = sizes[i];
    if (want < 1) c.refuse("its shape is " + to_string(sizes));
    if (want < have) y = s.slice(y, a, (have - want) / 2, (have - want) / 2 + want);
    if (want <= have) continue;
    begin[a] = (want - have) / 2;
    end[a] = want - have - begin[a];
  }
  if (std::ranges::any_of(end, [](int64_t v) { return v != 0; }))
    y = s.make("Pad", {y, s.indices(begin), s.indices(end), s.number(y, 0)},
               attributes({{"pad_mode", std::string("constant")}}));
  return {s.done(y)};
}

std::vector<Value> depth_to_space(Context& c) {
  const std::string mode = c.text("mode", "DCR") == "CRD" ? "depth_first" : "blocks_first";
  return {
      c.make("DepthToSpace", {c.input(0)}, attributes({{"mode", mode}, {"block_size", c.integer("blocksize", 1)}}))};
}

std::vector<Value> space_to_depth(Context& c) {
  const bool depth_first = !c.quirks() && c.text("mode", "DCR") == "CRD";
  return {c.make("SpaceToDepth", {c.input(0)},
                 attributes({{"mode", std::string(depth_first ? "depth_first" : "blocks_first")},
                             {"block_size", c.integer("blocksize", 1)}}))};
}

/// Parts of ceil(length / count), the last one smaller; none where they are equal.
std::vector<int64_t> uneven_parts(Context& c, int64_t axis) {
  const int64_t length = c.input(0).shape().at(static_cast<size_t>(axis));
  const auto count = static_cast<int64_t>(c.output_count());
  if (length < 0 || count < 1 || length % count == 0) return {};
  std::vector<int64_t> sizes(static_cast<size_t>(count), (length + count - 1) / count);
  sizes.back() = length - (count - 1) * sizes.back();
  if (sizes.back() < 1)
    c.refuse("an axis of " + std::to_string(length) + " has no " + std::to_string(count) + " parts");
  return sizes;
}

std::vector<Value> split(Context& c) {
  const int64_t along = c.axis(c.integer("axis", 0), c.rank());
  const Value axis = c.integer_constant(along);
  std::vector<int64_t> sizes = c.has_input(1) ? c.constant_integers(1, "list of sizes") : c.integers("split");
  if (sizes.empty()) sizes = uneven_parts(c, along);
  if (!sizes.empty()) {
    if (sizes.size() != c.output_count())
      c.refuse("it has " + std::to_string(c.output_count()) + " outputs and " + std::to_string(sizes.size()) +
               " sizes");
    return outputs_of(c.make("VariadicSplit", {c.input(0), axis, c.integers_constant(sizes)}, {}, Context::kNewest,
                             "/VariadicSplit"));
  }
  return outputs_of(c.make("Split", {c.input(0), axis},
                           attributes({{"num_splits", static_cast<int64_t>(c.output_count())}}), Context::kNewest,
                           "/Split"));
}

}  // namespace
}  // namespace mo

namespace ie {
namespace {

std::vector<Value> flatten_axis(Context& c) { return {flatten(c, c.input(0), c.integer("axis", 1))}; }

std::vector<Value> reshape(Context& c) {
  const Value x = c.input(0);
  const Value pattern = c.input_count() > 1 ? c.input(1) : c.list_i64(c.integers("shape"));
  return {c.reshape(x, pattern, true)};
}

std::vector<Value> squeeze_1(Context& c) {
  const Value x = c.input(0);
  std::vector<int64_t> axes = c.integers("axes");
  for (int64_t& a : axes) a = c.axis(a, c.rank(x));
  if (axes.empty()) return {c.make("Squeeze", {x})};
  return {c.make("Squeeze", {x, c.list_u64(axes)})};
}
std::vector<Value> squeeze_13(Context& c) {
  const Value x = c.input(0);
  if (c.input_count() < 2) return {c.make("Squeeze", {x})};
  return {c.make("Squeeze", {x, c.input(1)})};
}
std::vector<Value> unsqueeze_1(Context& c) {
  const Value x = c.input(0), axes = c.list_i64(c.integers("axes"));
  return {c.make("Unsqueeze", {x, axes})};
}
std::vector<Value> unsqueeze_13(Context& c) {
  const Value x = c.input(0), axes = c.input(1);
  return {c.make("Unsqueeze", {x, axes})};
}

std::vector<Value> transpose(Context& c) {
  const Value x = c.input(0);
  std::vector<int64_t> order = c.integers("perm");
  if (order.empty()) {
    order = axes_from(0, c.rank(x));
    std::ranges::reverse(order);
  }
  return {c.transpose(x, order)};
}

std::vector<Value> concat(Context& c) {
  const std::vector<Value> parts = c.inputs();
  if (parts.empty()) c.refuse("it has no inputs");
  return {c.concat(parts, c.integer("axis", 1))};
}

std::vector<Value> split_1(Context& c) {
  const Value x = c.input(0);
  const int64_t axis = c.integer("axis", 0);
  if (!c.has("split")) return c.split(x, static_cast<int64_t>(c.output_count()), axis);
  const Value axis_value = c.scalar_i64(axis), lengths = c.list_u64(c.integers("split"));
  return outputs_of(c.make("VariadicSplit", {x, axis_value, lengths}));
}
std::vector<Value> split_13(Context& c) {
  const Value x = c.input(0);
  const int64_t axis = c.integer("axis", 0);
  if (c.input_count() < 2) return c.split(x, static_cast<int64_t>(c.output_count()), axis);
  const Value axis_value = c.scalar_i64(axis);
  return outputs_of(c.make("VariadicSplit", {x, axis_value, c.input(1)}));
}

std::vector<Value> expand(Context& c) {
  const Value x = c.input(0), shape = c.input(1);
  return {c.make("Broadcast", {x, shape}, attributes({{"mode", std::string("bidirectional")}}), 3)};
}

std::vector<Value> tile(Context& c) {
  const Value x = c.input(0), repeats = c.input(1);
  const Value wide = c.convert(repeats, ElementType::i64);
  return {c.make("Tile", {x, wide})};
}

std::vector<Value> shape_of(Context& c) { return {c.shape_of(c.input(0))}; }

std::vector<Value> size_of(Context& c) {
  const Value x = c.input(0);
  const Value first = c.constant(Tensor::of(ElementType::i32, {}, std::vector<int32_t>{0}));
  const Value shape = c.shape_of(x);
  return {c.make("ReduceProd", {shape, first}, attributes({{"keep_dims", false}}))};
}

std::vector<Value> depth_to_space(Context& c) {
  const std::string mode = c.text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") c.refuse("only 'DCR' and 'CRD' modes are supported");
  return {c.make("DepthToSpace", {c.input(0)},
                 attributes({{"mode", std::string(mode == "DCR" ? "blocks_first" : "depth_first")},
                             {"block_size", c.mandatory_integer("blocksize")}}))};
}
std::vector<Value> space_to_depth(Context& c) {
  return {
      c.make("SpaceToDepth", {c.input(0)},
             attributes({{"mode", std::string("blocks_first")}, {"block_size", c.mandatory_integer("blocksize")}}))};
}

}  // namespace
}  // namespace ie

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"Flatten", 1, "Reshape", mo::flatten_axis, ie::flatten_axis},
    {"Reshape", 1, "Reshape", mo::reshape, ie::reshape},
    {"Squeeze", 1, "Squeeze", mo::squeeze, ie::squeeze_1},
    {"Squeeze", 13, "Squeeze", mo::squeeze, ie::squeeze_13},
    {"Unsqueeze", 1, "Unsqueeze", mo::unsqueeze, ie::unsqueeze_1},
    {"Unsqueeze", 13, "Unsqueeze", mo::unsqueeze, ie::unsqueeze_13},
    {"Transpose", 1, "Transpose", mo::transpose, ie::transpose},
    {"Concat", 1, "Concat", mo::concat, ie::concat},
    {"Split", 1, "Split", mo::split, ie::split_1},
    {"Split", 13, "Split", mo::split, ie::split_13},
    {"Expand", 1, "Broadcast", mo::expand, ie::expand},
    {"Trilu", 14, "Select", mo::triangle, nullptr},
    {"CenterCropPad", 18, "Pad", mo::center_crop_pad, nullptr},
    {"Tile", 1, "Tile", mo::tile, ie::tile},
    {"Shape", 1, "ShapeOf", mo::shape_of, ie::shape_of},
    {"Size", 1, "ShapeOf", mo::size_of, ie::size_of},
    {"DepthToSpace", 1, "DepthToSpace", mo::depth_to_space, ie::depth_to_space},
    {"SpaceToDepth", 1, "SpaceToDepth", mo::space_to_depth, ie::space_to_depth},
};

}  // namespace

std::span<const OperatorRow> shape_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
