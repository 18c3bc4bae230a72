// Operations of keras.ops, and of TensorFlow in files of Keras 2, that move, choose or repeat values.
#include <algorithm>
#include <numeric>

#include "importers/keras/arguments.hpp"

namespace blobsmith::keras_import {
namespace {

std::vector<int64_t> counted(int64_t n) {
  std::vector<int64_t> v(static_cast<size_t>(n));
  std::iota(v.begin(), v.end(), 0);
  return v;
}

std::vector<Value> transpose(Layer& l) {
  std::vector<int64_t> order = integers_in(argument(l, {"axes", "perm"}, 1));
  if (order.empty()) {
    order = counted(l.c.rank());
    std::ranges::reverse(order);
  }
  return {transposed(l, l.x(), order)};
}

std::vector<Value> swap_axes(Layer& l) {
  std::vector<int64_t> order = counted(l.c.rank());
  const auto a = static_cast<size_t>(axis_of(l, {"axis1"}, 1, 0)), b = static_cast<size_t>(axis_of(l, {"axis2"}, 2, 0));
  std::swap(order[a], order[b]);
  return {transposed(l, l.x(), order)};
}

std::vector<Value> move_axis(Layer& l) {
  std::vector<int64_t> from = integers_in(argument(l, {"source"}, 1)),
                       to = integers_in(argument(l, {"destination"}, 2));
  if (from.empty() || from.size() != to.size()) l.refuse("its axes are not known");
  for (std::vector<int64_t>* axes : {&from, &to})
    for (int64_t& a : *axes) a = l.c.axis(a, l.c.rank());
  std::vector<int64_t> rest;
  for (const int64_t a : counted(l.c.rank()))
    if (std::ranges::find(from, a) == from.end()) rest.push_back(a);
  std::vector<int64_t> order;
  auto next = rest.begin();
  for (const int64_t place : counted(l.c.rank())) {
    const auto moved = std::ranges::find(to, place);
    if (moved == to.end() && next == rest.end()) l.refuse("its axes are not known");
    order.push_back(moved != to.end() ? from[static_cast<size_t>(moved - to.begin())] : *next++);
  }
  return {transposed(l, l.x(), order)};
}

std::vector<Value> expand(Layer& l) {
  return {l.apply("ExpandDims", {l.x(), l.integers_value(integers_in(argument(l, {"axis"}, 1)), "/axis")})};
}
std::vector<Value> squeeze(Layer& l) {
  return {l.apply("Squeeze", {l.x()}, {{"squeeze_dims", integers_attribute(integers_in(argument(l, {"axis"}, 1)))}})};
}
std::vector<Value> ravel(Layer& l) { return {l.apply("Reshape", {l.x(), l.integers_value({-1}, "/shape")})}; }

/// The numbers of a shape may be computed.
std::vector<Value> reshape_to(Layer& l) {
  const Json shape = argument(l, {"newshape", "shape"}, 1);
  if (!shape.is_array() && !shape.is_number()) l.refuse("its shape is not known");
  const bool is_known = shape.is_number() || std::ranges::all_of(shape, [](const Json& j) { return j.is_number(); });
  if (is_known) return {l.apply("Reshape", {l.x(), l.integers_value(integers_in(shape), "/shape")})};
  std::vector<Value> parts;
  size_t tensor = 1;
  for (const Json& j : shape) {
    if (j.is_number())
      parts.push_back(l.constant(Tensor::of(ElementType::i32, {}, std::vector{j.get<int32_t>()}),
                                 "/part_" + std::to_string(parts.size())));
    else if (tensor < l.c.input_count())
      parts.push_back(l.c.input(tensor++));
    else
      l.refuse("its shape is not known");
  }
  return {l.apply("Reshape", {l.x(), l.apply("Pack", parts, {{"axis", integer_attribute(0)}}, "/shape")})};
}

std::vector<Value> shape(Layer& l) { return {l.apply("Shape", {l.x()})}; }

Value joined(Layer& l, int64_t axis) {
  std::vector<Value> parts = l.c.inputs();
  parts.push_back(l.integers_value({axis}, "/axis"));
  return l.apply("ConcatV2", std::move(parts));
}
std::vector<Value> concat(Layer& l) { return {joined(l, axis_of(l, {"axis"}, 1, 0))}; }
std::vector<Value> stack_rows(Layer& l) { return {joined(l, 0)}; }
std::vector<Value> stack_columns(Layer& l) { return {joined(l, l.c.rank() > 1 ? 1 : 0)}; }
std::vector<Value> stack(Layer& l) {
  return {l.apply("Pack", l.c.inputs(), {{"axis", integer_attribute(integer_argument(l, {"axis"}, 1, 0))}})};
}

std::vector<Value> parts_of(Layer& l, const char* op, std::vector<Value> inputs, NamedAttributes attributes) {
  return l.c.apply(op, std::move(inputs), std::move(attributes), "");
}

/// Into so many, or of these sizes; Keras 3 states where parts begin.
std::vector<Value> split_at(Layer& l, int64_t axis, const Json& parts, bool are_sizes) {
  const Value along = l.integers_value({axis}, "/axis");
  const int64_t size = l.x().shape().at(static_cast<size_t>(axis));
  if (parts.is_number()) {
    const int64_t count = parts.get<int64_t>();
    if (count < 1 || count > size) l.refuse("it has " + std::to_string(count) + " parts");
    const Value axis_number =
        l.constant(Tensor::of(ElementType::i32, {}, std::vector{static_cast<int32_t>(axis)}), "/dim");
    return parts_of(l, "Split", {axis_number, l.x()}, {{"num_split", integer_attribute(count)}});
  }
  std::vector<int64_t> sizes = integers_in(parts);
  if (!are_sizes) {
    sizes.push_back(size);
    std::adjacent_difference(sizes.begin(), sizes.end(), sizes.begin());
  }
  if (sizes.empty()) l.refuse("its parts are not known");
  const auto count = std::ssize(sizes);
  return parts_of(l, "SplitV", {l.x(), l.integers_value(sizes, "/sizes"), along},
                  {{"num_split", integer_attribute(count)}});
}
std::vector<Value> split(Layer& l) {
  return split_at(l, axis_of(l, {"axis"}, 2, 0), argument(l, {"indices_or_sections"}, 1), false);
}
std::vector<Value> split_by_sizes(Layer& l) {
  return split_at(l, axis_of(l, {"axis"}, 2, 0), argument(l, {"num_or_size_splits"}, 1), true);
}
std::vector<Value> unstack(Layer& l) {
  const int64_t axis = axis_of(l, {"axis"}, 2, 0), count = l.x().shape().at(static_cast<size_t>(axis));
  return parts_of(l, "Unpack", {l.x()}, {{"axis", integer_attribute(axis)}, {"num", integer_attribute(count)}});
}

std::vector<Value> tile(Layer& l) {
  return {
      l.apply("Tile", {l.x(), l.integers_value(integers_in(argument(l, {"repeats", "multiples"}, 1)), "/repeats")})};
}

Value chosen(Layer& l, const std::vector<int64_t>& places, int64_t axis) {
  return l.apply("GatherV2", {l.x(), l.integers_value(places, "/indices"), l.integers_value({axis}, "/axis")});
}

/// Each element so often.
std::vector<Value> repeat(Layer& l) {
  const Json axis = argument(l, {"axis"}, 2);
  if (!axis.is_number()) l.refuse("it repeats the elements of all axes");
  const int64_t along = l.c.axis(axis.get<int64_t>(), l.c.rank()), size = l.x().shape().at(static_cast<size_t>(along));
  std::vector<int64_t> times = integers_in(argument(l, {"repeats"}, 1));
  if (times.size() == 1) times.resize(static_cast<size_t>(size), times[0]);
  if (std::ssize(times) != size) l.refuse("its repeats are not known");
  std::vector<int64_t> places;
  for (int64_t i = 0; i < size; ++i)
    places.insert(places.end(), static_cast<size_t>(std::clamp<int64_t>(times[static_cast<size_t>(i)], 0, 65536)), i);
  return {chosen(l, places, along)};
}

/// Indices are a tensor or stated.
std::vector<Value> take(Layer& l) {
  const Json stated = argument(l, {"indices"}, 1), axis = argument(l, {"axis"}, 2);
  if (!axis.is_number() && l.c.rank() > 1) l.refuse("it counts the elements of all axes");
  const int64_t along = axis.is_number() ? l.c.axis(axis.get<int64_t>(), l.c.rank()) : 0;
  if (l.c.input_count() > 1) return {l.apply("GatherV2", {l.x(), l.c.input(1), l.integers_value({along}, "/axis")})};
  std::vector<int64_t> places = integers_in(stated);
  if (places.empty()) l.refuse("its indices are not known");
  if (!stated.is_number()) return {chosen(l, places, along)};
  const Value place = l.constant(Tensor::of(ElementType::i64, {}, places), "/indices");
  return {l.apply("GatherV2", {l.x(), place, l.integers_value({along}, "/axis")})};
}

std::vector<Value> flip(Layer& l) { return {l.apply("ReverseV2", {l.x(), l.integers_value(axes_of(l), "/axes")})}; }
std::vector<Value> roll(Layer& l) {
  const std::vector<int64_t> shift = integers_in(argument(l, {"shift"}, 1));
  const Json axis = argument(l, {"axis"}, 2);
  if (shift.empty() || axis.is_null()) l.refuse("it moves the elements of all axes");
  return {l.apply("Roll", {l.x(), l.integers_value(shift, "/shift"), l.integers_value(integers_in(axis), "/axes")})};
}

std::vector<Value> broadcast(Layer& l) {
  return {l.apply("BroadcastTo", {l.x(), l.integers_value(integers_in(argument(l, {"shape"}, 1)), "/shape")})};
}

std::vector<Value> slice(Layer& l) {
  const std::vector<int64_t> begin = integers_in(argument(l, {"start_indices", "begin"}, 1)),
                             size = integers_in(argument(l, {"shape", "size"}, 2));
  if (std::ssize(begin) != l.c.rank() || begin.size() != size.size()) l.refuse("its corners are not known");
  return {l.apply("Slice", {l.x(), l.integers_value(begin, "/begin"), l.integers_value(size, "/size")})};
}

std::vector<Value> pad(Layer& l) {
  const Json width = argument(l, {"pad_width", "paddings"}, 1), mode = argument(l, {"mode"}, 2),
             value = argument(l, {"constant_values"}, 3);
  const std::string kind = mode.is_string() ? mode.get<std::string>() : "constant";
  std::vector<int64_t> pads;
  if (width.is_array())
    for (const Json& pair : width)
      for (const int64_t v : integers_in(pair)) pads.push_back(v);
  if (pads.size() == 1) pads.push_back(pads[0]);
  if (pads.size() == 2)  // of every axis
    for (int64_t i = 1; i < l.c.rank(); ++i) pads.insert(pads.end(), {pads[0], pads[1]});
  if (std::ssize(pads) != 2 * l.c.rank()) l.refuse("its widths are not known");
  const Value constant = l.constant(Tensor::of(ElementType::i64, {l.c.rank(), 2}, pads), "/paddings");
  if (kind == "constant" || kind == "CONSTANT") {
    if (value.is_number() && value.get<double>() != 0)
      return {l.apply("PadV2", {l.x(), constant, l.number(value.get<double>(), "/value")})};
    if (!value.is_null() && !value.is_number()) l.refuse("its constant values are not one number");
    return {l.apply("Pad", {l.x(), constant})};
  }
  const bool reflects = kind == "reflect" || kind == "REFLECT";
  if (!reflects && kind != "symmetric" && kind != "SYMMETRIC") l.refuse("its mode is '" + kind + "'");
  return {l.apply("MirrorPad", {l.x(), constant}, {{"mode", text_attribute(reflects ? "REFLECT" : "SYMMETRIC")}})};
}

/// One item for each axis: a slice, a number, null for a new axis.
std::vector<Value> get_item(Layer& l) {
  Json items = argument(l, {"slice_spec", "key"}, 1);
  if (!items.is_array()) items = Json::array({items});
  std::vector<int64_t> begin, end, step;
  int64_t begins = 0, ends = 0, ones = 0, news = 0, ellipses = 0;
  for (size_t i = 0; i < items.size() && i < 32; ++i) {
    const Json& j = items[i];
    const Json& slice = j.is_object() && j.contains("config") && j["config"].is_object() ? j["config"] : j;
    const int64_t bit = int64_t{1} << i;
    const auto number = [&](const char* key, int64_t fallback, int64_t& open) {
      const auto it = slice.find(key);
      if (it != slice.end() && it->is_number()) return it->get<int64_t>();
      if (it != slice.end() && !it->is_null()) l.refuse("it takes parts by another tensor");
      open |= bit;
      return fallback;
    };
    int64_t ignored = 0;
    if (j.is_number()) {
      begin.push_back(j.get<int64_t>());
      end.push_back(begin.back() + 1);
      step.push_back(1);
      ones |= bit;
    } else if (j.is_null()) {
      begin.push_back(0), end.push_back(0), step.push_back(1);
      news |= bit;
    } else if (slice.is_object() && (slice.contains("start") || slice.contains("stop"))) {
      begin.push_back(number("start", 0, begins));
      end.push_back(number("stop", 0, ends));
      step.push_back(number("step", 1, ignored));
    } else if ((j.is_string() && j == "Ellipsis") ||
               (j.is_object() && j.value("class_name", std::string()) == "__ellipsis__")) {
      begin.push_back(0), end.push_back(0), step.push_back(1);
      ellipses |= bit;
    } else {
      l.refuse("its parts are not known");
    }
  }
  return {l.apply(
      "StridedSlice",
      {l.x(), l.integers_value(begin, "/begin"), l.integers_value(end, "/end"), l.integers_value(step, "/step")},
      {{"begin_mask", integer_attribute(begins)},
       {"end_mask", integer_attribute(ends)},
       {"shrink_axis_mask", integer_attribute(ones)},
       {"new_axis_mask", integer_attribute(news)},
       {"ellipsis_mask", integer_attribute(ellipses)}})};
}

std::vector<Value> one_hot(Layer& l) {
  const int64_t depth = integer_argument(l, {"num_classes", "depth"}, 1, 0),
                axis = integer_argument(l, {"axis"}, 2, -1);
  if (depth < 1) l.refuse("the number of its classes is not known");
  const Value size = l.constant(Tensor::of(ElementType::i32, {}, std::vector{static_cast<int32_t>(depth)}), "/depth");
  return {
      l.apply("OneHot", {l.x(), size, l.number(1, "/on"), l.number(0, "/off")}, {{"axis", integer_attribute(axis)}})};
}

std::vector<Value> top_k(Layer& l) {
  const int64_t k = integer_argument(l, {"k"}, 1, 1);
  const Value count = l.constant(Tensor::of(ElementType::i32, {}, std::vector{static_cast<int32_t>(k)}), "/k");
  return parts_of(l, "TopKV2", {l.x(), count}, {{"sorted", flag_attribute(argument(l, {"sorted"}, 2) != Json(false))}});
}

/// Pictures, by half pixels.
std::vector<Value> resize(Layer& l) {
  const std::vector<int64_t> size = integers_in(argument(l, {"size"}, 1));
  const Json method = argument(l, {"interpolation", "method"}, 2);
  for (const char* flag : {"antialias", "crop_to_aspect_ratio", "pad_to_aspect_ratio", "preserve_aspect_ratio"})
    if (argument(l, {flag}, SIZE_MAX) == Json(true)) l.refuse(std::string("its ") + flag + " is on");
  if (size.size() != 2 || l.c.rank() != 4 || !l.channels_last())
    l.refuse("its size is not known, or channels come first");
  const std::string kind = method.is_string() ? method.get<std::string>() : "bilinear";
  const char* op = kind == "nearest"    ? "ResizeNearestNeighbor"
                   : kind == "bilinear" ? "ResizeBilinear"
                   : kind == "bicubic"  ? "ResizeBicubic"
                                        : nullptr;
  if (!op) l.refuse("its interpolation is '" + kind + "'");
  return {l.apply(op, {l.x(), l.integers_value(size, "/size")}, {{"half_pixel_centers", flag_attribute(true)}})};
}

/// As TensorFlow 1 has it.
std::vector<Value> resize_of_version_1(Layer& l, const char* op) {
  const std::vector<int64_t> size = integers_in(argument(l, {"size"}, 1));
  if (size.size() != 2) l.refuse("its size is not known");
  const auto flag = [&](const char* name, size_t place) {
    return flag_attribute(argument(l, {name}, place) == Json(true));
  };
  return {
      l.apply(op, {l.x(), l.integers_value(size, "/size")},
              {{"align_corners", flag("align_corners", 2)}, {"half_pixel_centers", flag("half_pixel_centers", 4)}})};
}
std::vector<Value> resize_bilinear(Layer& l) { return resize_of_version_1(l, "ResizeBilinear"); }
std::vector<Value> resize_bicubic(Layer& l) { return resize_of_version_1(l, "ResizeBicubic"); }
std::vector<Value> resize_nearest(Layer& l) { return resize_of_version_1(l, "ResizeNearestNeighbor"); }

std::vector<Value> blocks(Layer& l, const char* op) {
  return {l.apply(op, {l.x()}, {{"block_size", integer_attribute(integer_argument(l, {"block_size"}, 1, 1))}})};
}
std::vector<Value> depth_to_space(Layer& l) { return blocks(l, "DepthToSpace"); }
std::vector<Value> space_to_depth(Layer& l) { return blocks(l, "SpaceToDepth"); }

constexpr LayerRow kOperators[] = {
    {"Transpose", "Transpose", transpose},
    {"Swapaxes", "Transpose", swap_axes},
    {"Moveaxis", "Transpose", move_axis},
    {"ExpandDims", "ExpandDims", expand},
    {"Squeeze", "Squeeze", squeeze},
    {"Ravel", "Reshape", ravel},
    {"Stack", "Pack", stack},
    {"Vstack", "ConcatV2", stack_rows},
    {"Hstack", "ConcatV2", stack_columns},
    {"Split", "Split", split},
    {"Unstack", "Unpack", unstack},
    {"Tile", "Tile", tile},
    {"Repeat", "GatherV2", repeat},
    {"Take", "GatherV2", take},
    {"Flip", "ReverseV2", flip},
    {"Roll", "Roll", roll},
    {"BroadcastTo", "BroadcastTo", broadcast},
    {"Slice", "Slice", slice},
    {"Pad", "Pad", pad},
    {"GetItem", "StridedSlice", get_item},
    {"SlicingOpLambda", "StridedSlice", get_item},
    {"OneHot", "OneHot", one_hot},
    {"TopK", "TopKV2", top_k},
    {"Resize", "ResizeBilinear", resize},
};

/// Of TensorFlow, which have other arguments, or no class of Keras.
constexpr LayerRow kArrayFunctions[] = {
    {"concat", "ConcatV2", concat},
    {"reshape", "Reshape", reshape_to},
    {"shape", "Shape", shape},
    {"split", "SplitV", split_by_sizes},
    {"compat.v1.image.resize_bilinear", "ResizeBilinear", resize_bilinear},
    {"compat.v1.image.resize_bicubic", "ResizeBicubic", resize_bicubic},
    {"compat.v1.image.resize_nearest_neighbor", "ResizeNearestNeighbor", resize_nearest},
    {"nn.depth_to_space", "DepthToSpace", depth_to_space},
    {"nn.space_to_depth", "SpaceToDepth", space_to_depth},
};

}  // namespace

std::span<const LayerRow> array_layers() { return kOperators; }
std::span<const LayerRow> array_functions() { return kArrayFunctions; }

}  // namespace blobsmith::keras_import
