// Shapes: parts, joints, other orders of axes, larger pictures, and tensors of numbers.
#include <algorithm>
#include <array>
#include <cmath>

#include "importers/common/plane_shapes.hpp"
#include "importers/mxnet/operators.hpp"

namespace blobsmith::mxnet {
namespace {

using List = std::vector<int64_t>;

bool is_anchors(Value v) { return v.node->attrs.has(kAnchors); }

std::vector<Value> concat(Context& c) {
  std::vector<Value> inputs = c.inputs();
  const bool anchors = std::ranges::all_of(inputs, is_anchors);
  // Boxes of several maps lie side by side in their last axis.
  const int64_t axis = anchors ? 2 : static_cast<int64_t>(c.axis(c.integer("dim", 1)));
  const Value joint = c.make("Concat", std::move(inputs), attributes({{"axis", axis}}));
  if (anchors) joint.node->attrs.set(kAnchors, true);
  return {joint};
}

std::vector<Value> slice_channel(Context& c) {
  const int64_t count = c.integer("num_outputs", 1);
  const auto axis = static_cast<int64_t>(c.axis(c.integer("axis", 1)));
  const bool squeeze = c.flag("squeeze_axis", false);
  if (count < 1 || c.shape()[static_cast<size_t>(axis)] % count != 0)
    c.refuse("it splits an axis of " + std::to_string(c.shape()[static_cast<size_t>(axis)]) + " in " +
             std::to_string(count));
  if (count == 1 && !squeeze) return {c.input(0)};
  std::vector<Value> parts{c.input(0)};
  if (count > 1) {
    Node* split = c.make("Split", {c.input(0), c.integer_constant(axis, "/Split_input_port_1/value")},
                         attributes({{"num_splits", count}}), Context::kNewest, "/Split")
                      .node;
    parts.clear();
    for (int i = 0; i < split->output_count(); ++i) parts.push_back(split->value(i));
  }
  if (squeeze)
    for (size_t i = 0; i < parts.size(); ++i)
      parts[i] = c.make("Squeeze", {parts[i], c.integers_constant({axis}, "/Squeeze_/axis")}, {}, Context::kNewest,
                        "/Squeeze_" + std::to_string(i));
  return parts;
}

/// x[begin:end:step] along axes; an end of kWhole: up to the end. `names`: of the constants; an empty one gets a
/// number.
constexpr int64_t kWhole = INT64_MAX;

Value sliced(Context& c, Value x, const List& begin, const List& end, const List& step, const std::string& suffix,
             const std::array<std::string, 3>& names) {
  const size_t rank = x.shape().size();
  List from(rank, 0), to(rank, 0), by(rank, 1), from_mask(rank, 1), to_mask(rank, 1);
  const List none(rank, 0);
  for (size_t i = 0; i < rank && i < begin.size(); ++i) {
    by[i] = i < step.size() ? step[i] : 1;
    if (by[i] == 0) c.refuse("its step is 0");
    if (begin[i] != kWhole) from[i] = begin[i], from_mask[i] = 0;
    if (end[i] != kWhole) to[i] = end[i], to_mask[i] = 0;
  }
  return c.make("StridedSlice",
                {x, c.named_integers(from, names[0]), c.named_integers(to, names[1]), c.named_integers(by, names[2])},
                attributes({{"begin_mask", from_mask},
                            {"end_mask", to_mask},
                            {"new_axis_mask", none},
                            {"shrink_axis_mask", none},
                            {"ellipsis_mask", none}}),
                Context::kNewest, suffix);
}

Value sliced(Context& c, Value x, const List& begin, const List& end, const List& step) {
  const std::string suffix = "/strided_slice", name = c.name() + suffix;
  return sliced(c, x, begin, end, step, suffix, {name + "/begin", name + "/end", name + "/stride"});
}

List tuple(const Context& c, const char* name, int64_t none) {
  const auto numbers = numbers_of(c.text(name, ""), static_cast<double>(none));
  if (!numbers) c.refuse("attribute " + std::string(name) + " can't be read");
  List list;
  for (const double v : *numbers) list.push_back(v >= 9e18 ? kWhole : static_cast<int64_t>(v));
  return list;
}

std::vector<Value> slice(Context& c) {
  const List begin = tuple(c, "begin", kWhole), end = tuple(c, "end", kWhole);
  List step = tuple(c, "step", 1);
  if (begin.size() != end.size() || begin.size() > c.shape().size()) c.refuse("its begin and end do not fit");
  for (int64_t& s : step)
    if (s == 0) s = 1;
  return {sliced(c, c.input(0), begin, end, step, "/strided_slice_", {})};
}

std::vector<Value> slice_axis(Context& c) {
  const size_t axis = c.axis(c.integer("axis", 0)), rank = c.shape().size();
  List begin(rank, kWhole), end(rank, kWhole);
  begin[axis] = c.integer("begin", 0);
  end[axis] = c.has("end") ? c.integer("end", 0) : kWhole;
  return {sliced(c, c.input(0), begin, end, {})};
}

/// As large as the second input along these axes.
std::vector<Value> slice_like(Context& c) {
  List axes = c.integers("axes");
  const size_t rank = c.shape().size();
  if (axes.empty())
    for (size_t i = 0; i < std::min(rank, c.shape(1).size()); ++i) axes.push_back(static_cast<int64_t>(i));
  List begin(rank, kWhole), end(rank, kWhole);
  for (const int64_t a : axes) {
    const size_t i = c.axis(a);
    if (i >= c.shape(1).size()) c.refuse("its inputs do not fit each other");
    begin[i] = 0;
    end[i] = c.shape(1)[i];
  }
  return {
      sliced(c, c.input(0), begin, end, {}, "", {"StridedSlice_input_port_1/value", c.name() + "/End", "Constant_"})};
}

/// The part of the first input that is as large as the second, or as h_w.
std::vector<Value> crop(Context& c) {
  const List offset = c.integers("offset", {0, 0}), size = c.integers("h_w", {0, 0});
  if (c.rank() != 4 || offset.size() != 2 || size.size() != 2) c.refuse("its input or its offset do not fit");
  const bool centre = c.flag("center_crop", false);
  List begin{kWhole, kWhole}, end{kWhole, kWhole};
  for (const size_t i : {0, 1}) {
    const int64_t in = c.shape()[i + 2], out = c.has_input(1) ? c.shape(1)[i + 2] : size[i];
    const int64_t from = centre ? (in - out) / 2 : offset[i];
    if (from < 0 || out < 1 || from + out > in) c.refuse("it reaches beyond its input");
    begin.push_back(from);
    end.push_back(from + out);
  }
  return {sliced(c, c.input(0), begin, end, {})};
}

// ---- shapes ----

/// MXNet's codes: 0 the same axis, -1 the rest, -2 all others, -3 two axes as one, -4 one as two.
List reshaped(const Context& c, Shape x, List codes) {
  const bool reverse = c.flag("reverse", false);
  if (reverse) {
    std::ranges::reverse(x);
    std::ranges::reverse(codes);
  }
  List shape;
  size_t at = 0;
  const auto next = [&] {
    if (at >= x.size())
      c.refuse("its shape " + to_string(codes) + " does not fit an input of shape " + to_string(c.shape()));
    return x[at++];
  };
  for (size_t i = 0; i < codes.size(); ++i) {
    const int64_t code = codes[i];
    if (code == 0) {
      shape.push_back(next());
    } else if (code == -1) {
      shape.push_back(-1);
      ++at;
    } else if (code == -2) {
      while (at < x.size()) shape.push_back(next());
    } else if (code == -3) {
      const int64_t first = next();
      shape.push_back(first * next());
    } else if (code == -4) {
      if (i + 2 >= codes.size()) c.refuse("its shape " + to_string(codes) + " ends too early");
      const int64_t whole = next();
      int64_t a = codes[i + 1], b = codes[i + 2];
      if (a == -1 && b > 0) a = whole / b;
      if (b == -1 && a > 0) b = whole / a;
      if (a < 1 || b < 1 || a * b != whole) c.refuse("its shape " + to_string(codes) + " does not fit");
      shape.push_back(a);
      shape.push_back(b);
      i += 2;
    } else {
      shape.push_back(code);
      ++at;
    }
  }
  if (reverse) std::ranges::reverse(shape);
  return shape;
}

std::vector<Value> reshape(Context& c) {
  if (is_anchors(c.input(0))) return {c.input(0)};
  List codes = c.integers("shape");
  if (codes.empty()) {
    const List target = c.integers("target_shape");  // of old files
    if (target.empty()) c.refuse("it has no shape");
    codes = target;
    for (int64_t& d : codes)
      if (d == 0) d = -1;
    if (c.flag("keep_highest", false)) codes[0] = 0;
  }
  const bool plain = !c.flag("reverse", false) && std::ranges::none_of(codes, [](int64_t v) { return v < -1; });
  return {plain ? c.reshape(c.input(0), codes) : c.reshape(c.input(0), reshaped(c, c.shape(), codes), "/Reshape_")};
}

std::vector<Value> flatten(Context& c) {
  if (is_anchors(c.input(0))) return {c.input(0)};
  return {c.reshape(c.input(0), {0, -1})};
}

std::vector<Value> transpose(Context& c) {
  List order = c.integers("axes");
  if (order.empty())
    for (int64_t i = c.rank() - 1; i >= 0; --i) order.push_back(i);
  return {c.make("Transpose", {c.input(0), c.integers_constant(order, "/order")})};
}

std::vector<Value> swap_axis(Context& c) {
  List order;
  for (int64_t i = 0; i < c.rank(); ++i) order.push_back(i);
  std::swap(order[c.axis(c.integer("dim1", 0))], order[c.axis(c.integer("dim2", 0))]);
  return {c.make("Transpose", {c.input(0), c.integers_constant(order, "/order")})};
}

std::vector<Value> expand_dims(Context& c) {
  if (is_anchors(c.input(0))) return {c.input(0)};
  const auto axis = static_cast<int64_t>(c.axis(c.integer("axis", 0), c.rank() + 1));
  return {c.make("Unsqueeze", {c.input(0), c.integers_constant({axis}, "/Dims")}, {}, Context::kNewest, "/Unsqueeze")};
}

std::vector<Value> squeeze(Context& c) {
  List axes = c.integers("axis");
  if (axes.empty())
    for (int64_t i = 0; i < c.rank(); ++i)
      if (c.shape()[static_cast<size_t>(i)] == 1) axes.push_back(i);
  return {c.make("Squeeze", {c.input(0), c.integers_constant(axes, "/axes")})};
}

std::vector<Value> stack(Context& c) {
  std::vector<Value> parts;
  const auto axis = static_cast<int64_t>(c.axis(c.integer("axis", 0), c.rank() + 1));
  for (size_t i = 0; i < c.input_count(); ++i)
    parts.push_back(c.make("Unsqueeze", {c.input(i), c.integers_constant({axis}, "/axis")}, {}, Context::kNewest,
                           "/Unsqueeze_" + std::to_string(i)));
  return {c.make("Concat", std::move(parts), attributes({{"axis", axis}}))};
}

std::vector<Value> tile(Context& c) {
  List reps = c.integers("reps");
  const size_t rank = c.shape().size();
  Value x = c.input(0);
  if (reps.size() > rank) {
    List shape(reps.size() - rank, 1);
    shape.insert(shape.end(), c.shape().begin(), c.shape().end());
    x = c.reshape(x, shape, "/more_axes");
  }
  if (reps.size() < rank) reps.insert(reps.begin(), rank - reps.size(), 1);
  return {c.make("Tile", {x, c.integers_constant(reps, "/reps")})};
}

/// Each value several times behind itself.
std::vector<Value> repeat(Context& c) {
  const int64_t repeats = c.integer("repeats", 1);
  if (!c.has("axis") || repeats < 1) c.refuse("it has no axis, or repeats nothing");
  const size_t axis = c.axis(c.integer("axis", 0));
  List shape = c.shape(), reps(c.shape().size() + 1, 1);
  reps[axis + 1] = repeats;
  shape[axis] *= repeats;
  const Value wide = c.make("Unsqueeze", {c.input(0), c.integers_constant({static_cast<int64_t>(axis) + 1}, "/axis")},
                            {}, Context::kNewest, "/Unsqueeze");
  const Value tiled = c.make("Tile", {wide, c.integers_constant(reps, "/reps")}, {}, Context::kNewest, "/Tile");
  return {c.reshape(tiled, shape)};
}

std::vector<Value> pad(Context& c) {
  const std::string mode = c.text("mode", "constant");
  const List widths = c.integers("pad_width");
  if (widths.size() != 2 * c.shape().size())
    c.refuse("its pad_width does not fit an input of shape " + to_string(c.shape()));
  List begin, end;
  for (size_t i = 0; i < widths.size(); i += 2) {
    begin.push_back(widths[i]);
    end.push_back(widths[i + 1]);
  }
  const Value fill = c.number_constant(c.input(0).type(), {}, c.real("constant_value", 0));
  return {c.make("Pad", {c.input(0), c.integers_constant(begin, "/begin"), c.integers_constant(end, "/end"), fill},
                 attributes({{"pad_mode", mode}}))};
}

// ---- larger pictures ----

Attributes interpolation(const char* mode, const char* coordinates, const char* nearest) {
  const List none(4, 0);
  return attributes({{"mode", std::string(mode)},
                     {"shape_calculation_mode", std::string("sizes")},
                     {"coordinate_transformation_mode", std::string(coordinates)},
                     {"nearest_mode", std::string(nearest)},
                     {"antialias", false},
                     {"pads_begin", none},
                     {"pads_end", none},
                     {"cube_coeff", -0.75}});
}

Value scales_of(Context& c, double factor) {
  const auto f = static_cast<float>(factor);
  return c.numbered_constant(Tensor::of(ElementType::f32, {2}, std::vector<float>{f, f}), "_input_port_2/value");
}
Value plane_axes(Context& c) { return c.numbered_constant(Tensor::i64({2, 3}), "_input_port_3/value"); }

/// Bilinear: a deconvolution of each channel, with the weights of a tent.
std::vector<Value> bilinear_up(Context& c, int64_t scale) {
  const int64_t channels = c.shape()[1], kernel = 2 * scale - scale % 2, pad = scale / 2;
  if (!c.has_input(1)) c.refuse("it has no weights");
  const Tensor& w = c.parameter(1);
  if (element_count(w.shape) != channels * kernel * kernel)
    c.refuse("its weights have the shape " + to_string(w.shape));
  const List strides{scale, scale}, pads{pad, pad}, once{1, 1}, none{0, 0};
  return {c.make("GroupConvolutionBackpropData",
                 {c.input(0), c.constant({w.type, {channels, 1, 1, kernel, kernel}, w.bytes}, "/weights")},
                 attributes({{"strides", strides},
                             {"dilations", once},
                             {"pads_begin", pads},
                             {"pads_end", pads},
                             {"auto_pad", std::string("explicit")},
                             {"output_padding", none}}))};
}

std::vector<Value> up_sampling(Context& c) {
  const int64_t scale = c.integer("scale", 1);
  if (c.rank() != 4 || scale < 1 || scale > INT16_MAX) c.refuse("its scale is " + std::to_string(scale));
  const std::string type = c.text("sample_type", "nearest");
  if (type == "bilinear") return bilinear_up(c, scale);
  if (type != "nearest") c.refuse("its sample_type is " + type);
  if (c.input_count() > 1) c.refuse("it has several inputs");
  const Value size = importers::plane_size(c, c.input(0), "/shape", "/ss_0_port");
  const Value factor = c.integers_constant({scale}, "/factor");
  const Value sizes = c.make("Multiply", {size, factor}, {}, Context::kNewest, "/factor_mul_");
  return {c.make("Interpolate", {c.input(0), sizes, scales_of(c, static_cast<double>(scale)), plane_axes(c)},
                 interpolation("nearest", "half_pixel", "round_prefer_floor"), 4)};
}

/// No operator of Model Optimizer.
std::vector<Value> bilinear_resize(Context& c) {
  const std::string mode = c.text("mode", "size");
  if (c.rank() != 4) c.refuse("its input does not have 4 dimensions");
  List size{c.integer("height", 1), c.integer("width", 1)};
  if (mode == "like" && c.has_input(1))
    size = {c.shape(1).at(2), c.shape(1).at(3)};
  else if (c.has("scale_height") && c.has("scale_width"))
    size = {static_cast<int64_t>(c.real("scale_height", 1) * static_cast<double>(c.shape()[2])),
            static_cast<int64_t>(c.real("scale_width", 1) * static_cast<double>(c.shape()[3]))};
  else if (mode != "size")
    c.refuse("its mode is " + mode);
  const char* coordinates = c.flag("align_corners", true) ? "align_corners" : "half_pixel";
  return {c.make("Interpolate", {c.input(0), c.integers_constant(size, "/sizes"), scales_of(c, 1), plane_axes(c)},
                 interpolation("linear_onnx", coordinates, "round_prefer_floor"), 4)};
}

template <const char* kMode>
std::vector<Value> space_depth(Context& c) {
  return {c.make(kMode, {c.input(0)},
                 attributes({{"block_size", c.integer("block_size", 1)}, {"mode", std::string("blocks_first")}}))};
}
constexpr char kSpaceToDepth[] = "SpaceToDepth", kDepthToSpace[] = "DepthToSpace";

// ---- indices and numbers ----

Value as_integers(Context& c, Value x) {
  if (!is_float(x.type())) return x;
  return c.make("Convert", {x}, attributes({{"destination_type", std::string("i32")}}), Context::kNewest, "/indices");
}

std::vector<Value> embedding(Context& c) {
  return {c.make("Gather", {c.input(1), as_integers(c, c.input(0)), c.integer_constant(0, "/axis")},
                 attributes({{"batch_dims", int64_t{0}}}), 7, "/embedding_")};
}
std::vector<Value> take(Context& c) {
  const auto axis = static_cast<int64_t>(c.axis(c.integer("axis", 0)));
  if (c.text("mode", "clip") == "raise") c.refuse("its mode is raise");
  return {c.make("Gather", {c.input(0), as_integers(c, c.input(1)), c.integer_constant(axis, "/axis")},
                 attributes({{"batch_dims", int64_t{0}}}), 7)};
}

std::vector<Value> cast(Context& c) {
  const std::string type = c.text("dtype", "float32");
  static constexpr std::pair<const char*, const char*> kTypes[] = {
      {"float32", "f32"}, {"float64", "f32"}, {"float16", "f16"}, {"int32", "i32"},
      {"int64", "i64"},   {"uint8", "u8"},    {"int8", "i8"},     {"bool", "boolean"}};
  for (const auto& [name, becomes] : kTypes)
    if (type == name && to_string(c.input(0).type()) == becomes)
      return {c.input(0)};
    else if (type == name)
      return {c.make("Convert", {c.input(0)}, attributes({{"destination_type", std::string(becomes)}}))};
  c.refuse("its dtype is " + type);
}

Value filled(Context& c, Shape shape, float v) {
  if (!is_static(shape) || element_count(shape) > (int64_t{1} << 28)) c.refuse("its shape is " + to_string(shape));
  const auto n = static_cast<size_t>(element_count(shape));
  return c.constant(Tensor::of(ElementType::f32, std::move(shape), std::vector<float>(n, v)), "");
}

/// A batch of 0 means that of the network's input.
Shape stated_shape(Context& c) {
  Shape shape = c.integers("shape");
  const auto& inputs = c.graph().parameters();
  for (int64_t& d : shape)
    if (d == 0 && !inputs.empty() && !inputs[0]->shape().empty()) d = inputs[0]->shape()[0];
  return shape;
}
std::vector<Value> zeros(Context& c) { return {filled(c, stated_shape(c), 0)}; }
std::vector<Value> ones(Context& c) { return {filled(c, stated_shape(c), 1)}; }
std::vector<Value> zeros_like(Context& c) { return {filled(c, c.shape(), 0)}; }
std::vector<Value> ones_like(Context& c) { return {filled(c, c.shape(), 1)}; }

std::vector<Value> arange(Context& c) {
  const double start = c.real("start", 0), step = c.real("step", 1);
  const int64_t repeats = c.integer("repeat", 1);
  const bool one = !c.has("stop");
  const double from = one ? 0 : start, to = one ? start : c.real("stop", 0);
  const double count = std::ceil((to - from) / step);
  if (step == 0 || !(count >= 0) || count > 1e8 || repeats < 1 || repeats > 1000) c.refuse("its range is too large");
  std::vector<float> v;
  for (int64_t i = 0; i < static_cast<int64_t>(count); ++i)
    for (int64_t k = 0; k < repeats; ++k) v.push_back(static_cast<float>(from + static_cast<double>(i) * step));
  const auto n = static_cast<int64_t>(v.size());
  return {c.constant(Tensor::of(ElementType::f32, {n}, std::move(v)), "")};
}

std::vector<Value> broadcast_to(Context& c) {
  List shape = c.integers("shape");
  if (c.input_count() > 1) shape = c.shape(1);
  for (size_t i = 0; i < shape.size() && i < c.shape().size(); ++i)
    if (shape[i] == 0) shape[i] = c.shape()[i];
  return {c.make("Broadcast", {c.input(0), c.integers_constant(shape, "/shape")},
                 attributes({{"mode", std::string("numpy")}}), 3)};
}

std::vector<Value> broadcast_axis(Context& c) {
  const List axes = c.integers("axis"), sizes = c.integers("size");
  List shape = c.shape();
  if (axes.size() != sizes.size()) c.refuse("its axis and size differ in length");
  for (size_t i = 0; i < axes.size(); ++i) shape[c.axis(axes[i])] = sizes[i];
  return {c.make("Broadcast", {c.input(0), c.integers_constant(shape, "/shape")},
                 attributes({{"mode", std::string("numpy")}}), 3)};
}

std::vector<Value> reverse(Context& c) {
  const List axes = c.integers("axis");
  const size_t rank = c.shape().size();
  List begin(rank, kWhole), end(rank, kWhole), step(rank, 1);
  for (const int64_t a : axes) step[c.axis(a)] = -1;
  return {sliced(c, c.input(0), begin, end, step)};
}

// type, becomes, conversion, limits
constexpr OperatorRow kOperators[] = {
    {"Cast", "Convert", cast},
    {"Concat", "Concat", concat},
    {"Crop", "StridedSlice", crop},
    {"Embedding", "Gather", embedding},
    {"Flatten", "Reshape", flatten},
    {"Pad", "Pad", pad},
    {"Reshape", "Reshape", reshape},
    {"SliceChannel", "Split", slice_channel},
    {"SwapAxis", "Transpose", swap_axis},
    {"UpSampling", "Interpolate", up_sampling, "nearest of one input, bilinear"},
    {"_arange", "Constant", arange},
    {"_contrib_BilinearResize2D", "Interpolate", bilinear_resize, "size, like and scales"},
    {"_ones", "Constant", ones},
    {"_zeros", "Constant", zeros},
    {"broadcast_axes", "Broadcast", broadcast_axis},
    {"broadcast_axis", "Broadcast", broadcast_axis},
    {"broadcast_like", "Broadcast", broadcast_to},
    {"broadcast_to", "Broadcast", broadcast_to},
    {"concat", "Concat", concat},
    {"depth_to_space", "DepthToSpace", space_depth<kDepthToSpace>},
    {"expand_dims", "Unsqueeze", expand_dims},
    {"flatten", "Reshape", flatten},
    {"flip", "StridedSlice", reverse},
    {"ones_like", "Constant", ones_like},
    {"pad", "Pad", pad},
    {"repeat", "Tile", repeat},
    {"reshape", "Reshape", reshape},
    {"reverse", "StridedSlice", reverse},
    {"slice", "StridedSlice", slice},
    {"slice_axis", "StridedSlice", slice_axis},
    {"slice_like", "StridedSlice", slice_like},
    {"space_to_depth", "SpaceToDepth", space_depth<kSpaceToDepth>},
    {"split", "Split", slice_channel},
    {"squeeze", "Squeeze", squeeze},
    {"stack", "Concat", stack},
    {"swapaxes", "Transpose", swap_axis},
    {"take", "Gather", take, "without mode raise"},
    {"tile", "Tile", tile},
    {"transpose", "Transpose", transpose},
    {"zeros_like", "Constant", zeros_like},
};

}  // namespace

std::span<const OperatorRow> shape_operators() { return kOperators; }

}  // namespace blobsmith::mxnet
