// Operations that OpenVINO has gained since opset 8, and forms of older ones that opset 7 does not have, out of
// operations of opset 7. Facts: OpenVINO's operation specifications, by type and version.
#include "importers/openvino_ir/later_opsets.hpp"

#include <algorithm>
#include <cmath>

#include "core/text.hpp"
#include "graph/ops/attribute_text.hpp"
#include "graph/ops/known_value.hpp"

namespace blobsmith::ir {

using importers::attributes;

std::string LaterLayer::text(const char* attribute, const char* fallback) const {
  return layer_.data().attribute(attribute).as_string(fallback);
}
std::string LaterLayer::choice(const char* attribute, const char* fallback) const {
  return lower_case(text(attribute, fallback));
}
bool LaterLayer::flag(const char* attribute, bool fallback) const {
  const std::string s = choice(attribute, fallback ? "true" : "false");
  return s == "true" || s == "1";
}
int64_t LaterLayer::integer(const char* attribute, int64_t fallback) const {
  const pugi::xml_attribute a = layer_.data().attribute(attribute);
  return a ? ops::parse_integer(a.value()) : fallback;
}
double LaterLayer::real(const char* attribute, double fallback) const {
  return layer_.data().attribute(attribute).as_double(fallback);
}
std::vector<int64_t> LaterLayer::integers(const char* attribute) const { return ops::parse_integers(text(attribute)); }

const Value& LaterLayer::input(size_t i) const {
  if (i >= inputs_.size()) refuse("it has " + std::to_string(inputs_.size()) + " inputs");
  return inputs_[i];
}

size_t LaterLayer::axis(int64_t a, size_t rank) const {
  const auto n = static_cast<int64_t>(rank);
  if (a < -n || a >= n) refuse("axis " + std::to_string(a) + " is out of range");
  return static_cast<size_t>(a < 0 ? a + n : a);
}

std::vector<int64_t> LaterLayer::known_integers(size_t i, const char* what) const {
  const auto known = known_value(input(i));
  if (!known) refuse("its " + std::string(what) + " is computed when the network runs");
  return known->to_i64();
}

void LaterLayer::note(std::string what) {
  if (notes_) notes_->push_back({Remark::Kind::NotAsIntel, name(), type(), source(), std::move(what)});
}

Node* LaterLayer::as(std::string type, int version, std::vector<Value> inputs, const char* left_out) {
  const ops::OpRow& op = *ops::find_op(type, version);
  Attributes attrs = read_attributes(layer_, op, left_out);
  return make(std::move(type), std::move(inputs), std::move(attrs), version).node;
}

namespace {

std::vector<Value> first(const Inputs& inputs, size_t count) {
  return {inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(std::min(count, inputs.size()))};
}

void require_rank(const LaterLayer& l, size_t least) {
  if (l.input(0).shape().size() < least)
    l.refuse("its input has " + std::to_string(l.input(0).shape().size()) + " axes");
  if (!is_static(l.input(0).shape())) l.refuse("the shape of its input is not known");
}

// ---- pools ----------------------------------------------------------------------------------------------------------

/// The sizes of the planes before and after.
struct Planes {
  std::vector<int64_t> from, to;
  bool whole_steps() const {
    for (size_t i = 0; i < from.size(); ++i)
      if (to[i] < 1 || from[i] % to[i] != 0) return false;
    return true;
  }
  std::vector<int64_t> steps() const {
    std::vector<int64_t> s;
    for (size_t i = 0; i < from.size(); ++i) s.push_back(from[i] / to[i]);
    return s;
  }
};

Planes planes_of(LaterLayer& l) {
  require_rank(l, 3);
  const Shape& x = l.input(0).shape();
  Planes p{{x.begin() + 2, x.end()}, l.known_integers(1, "size")};
  if (p.to.size() != p.from.size() || std::ranges::any_of(p.to, [](int64_t d) { return d < 1; }))
    l.refuse("its sizes are " + to_string(p.to) + " for " + to_string(x));
  return p;
}

std::vector<int64_t> spatial_axes(const Planes& p) {
  std::vector<int64_t> axes;
  for (size_t i = 0; i < p.from.size(); ++i) axes.push_back(static_cast<int64_t>(i) + 2);
  return axes;
}

Attributes pool_attributes(const Planes& p) {
  const std::vector<int64_t> none(p.from.size(), 0), steps = p.steps();
  return attributes({{"kernel", steps}, {"strides", steps}, {"pads_begin", none}, {"pads_end", none}});
}

bool is_one_place(const Planes& p) {
  return std::ranges::all_of(p.to, [](int64_t d) { return d == 1; });
}

/// Where the window of place `i` begins and ends.
std::pair<int64_t, int64_t> window(int64_t i, int64_t from, int64_t to) {
  return {i * from / to, ((i + 1) * from + to - 1) / to};
}

/// Means of windows of unequal size are a product by a constant matrix along each axis.
Value averaged_along(LaterLayer& l, Value x, size_t axis, int64_t to) {
  const int64_t from = x.shape()[axis];
  if (from == to) return x;
  std::vector<float> weights(static_cast<size_t>(from * to), 0);
  for (int64_t i = 0; i < to; ++i) {
    const auto [begin, end] = window(i, from, to);
    for (int64_t k = begin; k < end; ++k)
      weights[static_cast<size_t>(k * to + i)] = 1.0f / static_cast<float>(end - begin);
  }
  const Value w =
      l.graph().constant(Tensor::of(ElementType::f32, {from, to}, std::move(weights)), l.name() + "/weights")->value();
  const std::string place = "/axis_" + std::to_string(axis);
  std::vector<int64_t> order;
  for (size_t i = 0; i < x.shape().size(); ++i) order.push_back(static_cast<int64_t>(i));
  std::swap(order[axis], order.back());
  const bool turned = axis + 1 != order.size();
  if (turned) x = l.make("Transpose", {x, l.integers_constant(order)}, {}, LaterLayer::kNewest, place + "/last");
  x = l.make("MatMul", {x, w}, {}, LaterLayer::kNewest, place + "/means");
  return turned ? l.make("Transpose", {x, l.integers_constant(order)}, {}, LaterLayer::kNewest, place + "/back") : x;
}

Node* adaptive_average(LaterLayer& l) {
  const Planes p = planes_of(l);
  if (is_one_place(p))
    return l.make("ReduceMean", {l.input(0), l.integers_constant(spatial_axes(p))}, attributes({{"keep_dims", true}}))
        .node;
  if (p.whole_steps()) {
    Attributes a = pool_attributes(p);
    a.set("exclude-pad", true);
    return l.make("AvgPool", {l.input(0)}, a).node;
  }
  Value x = l.input(0);
  for (size_t i = 0; i < p.to.size(); ++i) x = averaged_along(l, x, i + 2, p.to[i]);
  return x.node;
}

Value slice_of(LaterLayer& l, Value x, size_t axis, int64_t begin, int64_t end, const std::string& suffix) {
  const size_t rank = x.shape().size();
  std::vector<int64_t> from(rank, 0), to(rank, 0), by(rank, 1), open(rank, 1), none(rank, 0);
  from[axis] = begin;
  to[axis] = end;
  open[axis] = 0;
  return l.make("StridedSlice", {x, l.integers_constant(from), l.integers_constant(to), l.integers_constant(by)},
                attributes({{"begin_mask", open},
                            {"end_mask", open},
                            {"new_axis_mask", none},
                            {"shrink_axis_mask", none},
                            {"ellipsis_mask", none}}),
                LaterLayer::kNewest, suffix);
}

Value largest_along(LaterLayer& l, Value x, size_t axis, int64_t to) {
  const int64_t from = x.shape()[axis];
  if (from == to) return x;
  std::vector<Value> parts;
  const std::string place = "/axis_" + std::to_string(axis);
  for (int64_t i = 0; i < to; ++i) {
    const auto [begin, end] = window(i, from, to);
    const std::string part = place + "/" + std::to_string(i);
    const Value slice = slice_of(l, x, axis, begin, end, part + "/window");
    parts.push_back(l.make("ReduceMax", {slice, l.integers_constant({static_cast<int64_t>(axis)})},
                           attributes({{"keep_dims", true}}), LaterLayer::kNewest, part));
  }
  return l.make("Concat", parts, attributes({{"axis", static_cast<int64_t>(axis)}}), LaterLayer::kNewest, place);
}

/// The second output, positions of the maxima, has no counterpart.
Node* adaptive_maximum(LaterLayer& l) {
  const Planes p = planes_of(l);
  if (is_one_place(p))
    return l.make("ReduceMax", {l.input(0), l.integers_constant(spatial_axes(p))}, attributes({{"keep_dims", true}}))
        .node;
  if (p.whole_steps()) return l.make("MaxPool", {l.input(0)}, pool_attributes(p)).node;
  Value x = l.input(0);
  for (size_t i = 0; i < p.to.size(); ++i) x = largest_along(l, x, i + 2, p.to[i]);
  return x.node;
}

/// PyTorch's rounding up leaves out a window that would lie in the padding behind alone: then it is rounding down.
std::string rounding_of(const LaterLayer& l) {
  std::string rounding = l.choice("rounding_type", "floor");
  if (rounding != "ceil_torch") return rounding;
  const Shape& x = l.input(0).shape();
  const std::vector<int64_t> kernel = l.integers("kernel"), strides = l.integers("strides"),
                             begin = l.integers("pads_begin"), end = l.integers("pads_end");
  if (x.size() != kernel.size() + 2 || strides.size() != kernel.size() || begin.size() != kernel.size() ||
      end.size() != kernel.size() || !is_static(x))
    l.refuse("its attributes do not fit its input");
  bool up = false, down = false;
  for (size_t i = 0; i < kernel.size(); ++i) {
    if (strides[i] < 1) l.refuse("a stride is " + std::to_string(strides[i]));
    const int64_t room = x[i + 2] + begin[i] + end[i] - kernel[i];
    if (room % strides[i] == 0) continue;
    const int64_t last = (room / strides[i] + 1) * strides[i];  // where the window that rounding up adds begins
    (last >= x[i + 2] + begin[i] ? down : up) = true;
  }
  if (up && down) l.refuse("ceil_torch rounds its axes differently");
  return up ? "ceil" : "floor";
}

Node* average_pool(LaterLayer& l) {
  Node* n = l.as("AvgPool", 0, {l.input(0)}, "rounding_type");
  n->attrs.set("rounding_type", rounding_of(l));
  infer(l.graph(), n);
  return n;
}

/// The second output, positions of the maxima, has no counterpart.
Node* max_pool(LaterLayer& l) {
  Node* n = l.as("MaxPool", 0, {l.input(0)}, "rounding_type");
  n->attrs.set("rounding_type", rounding_of(l));
  infer(l.graph(), n);
  return n;
}

// ---- shapes ----

/// As opset 4 has it, with sizes and scales.
Node* interpolate(LaterLayer& l) {
  require_rank(l, 1);
  const std::string mode = l.choice("mode", "");
  if (mode.ends_with("pillow")) l.refuse("its mode is " + mode);
  const bool by_scales = l.choice("shape_calculation_mode", "") == "scales";
  const Shape& x = l.input(0).shape();
  std::vector<int64_t> axes, begin = l.integers("pads_begin"), end = l.integers("pads_end");
  if (l.input_count() > 2)
    axes = l.known_integers(2, "axes");
  else
    for (int64_t i = 0; i < std::ssize(x); ++i) axes.push_back(i);
  const auto known = known_value(l.input(1));
  if (!known) l.refuse("its sizes are computed when the network runs");
  const std::vector<float> given = known->to_f32();
  if (given.size() != axes.size()) l.refuse("it has " + std::to_string(given.size()) + " sizes or scales for its axes");
  begin.resize(x.size(), 0);
  end.resize(x.size(), 0);
  std::vector<int64_t> sizes;
  std::vector<float> scales;
  for (size_t i = 0; i < axes.size(); ++i) {
    const size_t a = l.axis(axes[i], x.size());
    const auto from = static_cast<float>(x[a] + begin[a] + end[a]);
    const float size = by_scales ? std::floor(from * given[i] + 1e-5f) : given[i];
    if (!(size >= 1 && size < 2147483648.0f)) l.refuse("a size is " + std::to_string(size));
    sizes.push_back(static_cast<int64_t>(size));
    scales.push_back(by_scales ? given[i] : size / from);
  }
  const auto count = static_cast<int64_t>(axes.size());
  const Value scale = l.graph().constant(Tensor::of(ElementType::f32, {count}, scales), l.name() + "/scales")->value();
  return l.as("Interpolate", 4,
              {l.input(0), l.integers_constant(sizes, "/sizes"), scale, l.integers_constant(axes, "/axes")});
}

/// Less than nothing added to a side cuts that much off it.
Node* pad(LaterLayer& l) {
  std::vector<int64_t> begin = l.known_integers(1, "pads"), end = l.known_integers(2, "pads");
  Value x = l.input(0);
  require_rank(l, begin.size());
  for (size_t i = 0; i < begin.size() && i < end.size(); ++i) {
    if (begin[i] >= 0 && end[i] >= 0) continue;
    const int64_t from = std::max<int64_t>(-begin[i], 0), to = x.shape()[i] - std::max<int64_t>(-end[i], 0);
    if (from >= to) l.refuse("nothing would be left along axis " + std::to_string(i));
    x = slice_of(l, x, i, from, to, "/cut_" + std::to_string(i));
    begin[i] = std::max<int64_t>(begin[i], 0);
    end[i] = std::max<int64_t>(end[i], 0);
  }
  std::vector<Value> inputs{x, l.integers_constant(begin, "/begin"), l.integers_constant(end, "/end")};
  if (l.input_count() > 3) inputs.push_back(l.input(3));
  return l.as("Pad", 0, inputs);
}

/// An operation that gives what it gets; the conversion drops it.
Node* identity(LaterLayer& l) {
  return l.make("Convert", {l.input(0)}, attributes({{"destination_type", std::string(to_string(l.input(0).type()))}}))
      .node;
}

Node* eye(LaterLayer& l) {
  const std::vector<int64_t> rows = l.known_integers(0, "number of rows"), shift = l.known_integers(2, "diagonal");
  const std::vector<int64_t> columns = l.known_integers(1, "number of columns");
  if (rows.size() != 1 || columns.size() != 1 || shift.size() != 1 || l.input_count() > 3)
    l.refuse("only one plane of it is made");
  constexpr int64_t kMost = int64_t{1} << 24;
  if (rows[0] < 1 || columns[0] < 1 || rows[0] > kMost / columns[0]) l.refuse("it is empty, or very large");
  std::vector<float> v(static_cast<size_t>(rows[0] * columns[0]), 0);
  for (int64_t i = 0; i < rows[0]; ++i)
    if (i + shift[0] >= 0 && i + shift[0] < columns[0]) v[static_cast<size_t>(i * columns[0] + i + shift[0])] = 1;
  const Value plane = l.graph().constant(Tensor::of(ElementType::f32, {rows[0], columns[0]}, std::move(v)))->value();
  return l.make("Convert", {plane}, attributes({{"destination_type", l.text("output_type")}})).node;
}

// ---- selections ----

Node* top_k(LaterLayer& l) { return l.as("TopK", 3, l.all_inputs(), "stable"); }
Node* non_max_suppression(LaterLayer& l) { return l.as("NonMaxSuppression", 5, l.all_inputs()); }

/// Aligned boxes are those of the older operation, moved by part of a pixel. It has them a pixel wide at least.
Node* roi_align(LaterLayer& l) {
  std::vector<Value> inputs = first(l.all_inputs(), 3);
  const double scale = l.real("spatial_scale", 1);
  const std::string mode = l.choice("aligned_mode", "asymmetric");
  if (mode != "asymmetric") {
    if (scale == 0) l.refuse("spatial_scale is 0");
    l.note("its boxes are moved by half a pixel, as the model says; those of less than a pixel are taken as one");
    const double pixels = mode == "half_pixel" ? 0.5 * scale - 0.5 : -0.5;
    inputs.at(1) = l.binary("Add", inputs.at(1), pixels / scale, "/aligned");
  }
  return l.as("ROIAlign", 0, inputs);
}

// ---- arithmetic ----

Node* softsign(LaterLayer& l) {
  const Value x = l.input(0), size = l.make("Abs", {x}, {}, LaterLayer::kNewest, "/abs");
  return l.binary("Divide", x, l.binary("Add", size, 1, "/plus_one")).node;
}

/// Every group of channels together, then a scale and a shift for each channel.
Node* group_normalization(LaterLayer& l) {
  require_rank(l, 2);
  const Shape& shape = l.input(0).shape();
  const int64_t groups = l.integer("num_groups", 1);
  if (groups < 1 || shape[1] % groups != 0)
    l.refuse("its channels can't be divided into " + std::to_string(groups) + " groups");
  const Value grouped = l.reshape(l.input(0), {0, groups, -1}, "/groups");
  const Value normal = l.make(
      "MVN", {grouped, l.integers_constant({2}, "/axes")},
      attributes(
          {{"eps", l.real("epsilon", 1e-5)}, {"eps_mode", std::string("inside_sqrt")}, {"normalize_variance", true}}),
      6, "/MVN");
  const Value restored = l.reshape(normal, shape, "/restored");
  std::vector<int64_t> per_channel(shape.size(), 1);
  per_channel[1] = shape[1];
  const Value scaled = l.binary("Multiply", restored, l.reshape(l.input(1), per_channel, "/scale_shape"), "/scaled");
  return l.binary("Add", scaled, l.reshape(l.input(2), per_channel, "/bias_shape")).node;
}

/// What is added where attention must not look: enough that its exponential is zero, and FP16 holds it.
constexpr double kFarAway = -32768;

Value causal_mask(LaterLayer& l, const Shape& scores) {
  const int64_t rows = scores.at(scores.size() - 2), columns = scores.back();
  std::vector<float> v(static_cast<size_t>(rows * columns), 0);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t k = i + 1; k < columns; ++k) v[static_cast<size_t>(i * columns + k)] = static_cast<float>(kFarAway);
  return l.graph().constant(Tensor::of(ElementType::f32, {rows, columns}, std::move(v)), l.name() + "/mask")->value();
}

/// Softmax(q k' scale + mask) v
Node* attention(LaterLayer& l) {
  require_rank(l, 2);
  const Value k = l.input(1), v = l.input(2);
  const double usual = 1 / std::sqrt(static_cast<double>(l.input(0).shape().back()));
  const Value q = l.input_count() > 4 ? l.binary("Multiply", l.input(0), l.input(4), "/scaled")
                                      : l.binary("Multiply", l.input(0), usual, "/scaled");
  Value scores = l.make("MatMul", {q, k}, attributes({{"transpose_b", true}}), LaterLayer::kNewest, "/scores");
  const bool causal = l.flag("causal", false);
  Value mask;
  if (causal)
    mask = causal_mask(l, scores.shape());
  else if (l.input_count() > 3 && !(l.input(3).shape().empty() && is_float(l.input(3).type())))
    mask = l.input(3);
  if (mask && mask.type() == ElementType::boolean) {
    const auto number = [&](double d) { return l.number_constant(q.type(), {}, d); };
    mask = l.make("Select", {mask, number(0), number(kFarAway)}, {}, LaterLayer::kNewest, "/mask");
  }
  if (mask) scores = l.binary("Add", scores, mask, "/masked");
  const auto last = static_cast<int64_t>(scores.shape().size()) - 1;
  const Value weights = l.make("Softmax", {scores}, attributes({{"axis", last}}), LaterLayer::kNewest, "/weights");
  return l.make("MatMul", {weights, v}).node;
}

/// The flat positions that `updates` go to.
Node* slice_scatter(LaterLayer& l) {
  require_rank(l, 1);
  const Shape &data = l.input(0).shape(), &updates = l.input(1).shape();
  const std::vector<int64_t> start = l.known_integers(2, "start"), step = l.known_integers(4, "step");
  std::vector<int64_t> axes;
  for (int64_t i = 0; i < std::ssize(start); ++i) axes.push_back(i);
  if (l.input_count() > 5) axes = l.known_integers(5, "axes");
  if (axes.size() != start.size() || step.size() != start.size() || updates.size() != data.size() ||
      !is_static(updates))
    l.refuse("its inputs do not fit each other");
  std::vector<int64_t> first(data.size(), 0), by(data.size(), 1);
  for (size_t i = 0; i < axes.size(); ++i) {
    const size_t a = l.axis(axes[i], data.size());
    if (data[a] == 0) l.refuse("its slice leaves the data");
    first[a] = std::clamp<int64_t>(start[i] < 0 ? start[i] + data[a] : start[i], 0, data[a] - 1);
    by[a] = std::clamp(step[i], -data[a], data[a]);
  }
  std::vector<int64_t> places;
  const int64_t count = element_count(updates);
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = i, place = 0, width = 1;
    for (size_t a = data.size(); a-- > 0;) {
      const int64_t at = first[a] + rest % updates[a] * by[a];
      if (at < 0 || at >= data[a]) l.refuse("its slice leaves the data");
      rest /= updates[a];
      place += at * width;
      width *= data[a];
    }
    places.push_back(place);
  }
  const Value flat = l.reshape(l.input(0), {element_count(data)}, "/flat");
  const Value row = l.reshape(l.input(1), {count}, "/updates");
  const Value y = l.make("ScatterElementsUpdate",
                         {flat, l.integers_constant(places, "/places"), row, l.integer_constant(0, "/axis")}, {},
                         LaterLayer::kNewest, "/scattered");
  return l.reshape(y, data).node;
}

// type, first opset of this meaning, how it is made
constexpr LaterRow kLaterForms[] = {
    {"AdaptiveAvgPool", 8, adaptive_average},
    {"AdaptiveMaxPool", 8, adaptive_maximum},
    {"Eye", 9, eye},
    {"NonMaxSuppression", 9, non_max_suppression},
    {"ROIAlign", 9, roi_align},
    {"SoftSign", 9, softsign},
    {"Interpolate", 11, interpolate},
    {"TopK", 11, top_k},
    {"GroupNormalization", 12, group_normalization},
    {"Pad", 12, pad},
    {"ScaledDotProductAttention", 13, attention},
    {"AvgPool", 14, average_pool},
    {"MaxPool", 14, max_pool},
    {"SliceScatter", 15, slice_scatter},
    {"Identity", 16, identity},
};

}  // namespace

std::span<const LaterRow> later_rows() { return kLaterForms; }

}  // namespace blobsmith::ir
