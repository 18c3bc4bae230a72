// Shapes: parts, joints, other orders of axes.
#include <algorithm>

#include "importers/caffe/operators.hpp"

namespace blobsmith::caffe {
namespace {

/// axis, or what it was called before.
size_t old_or_new_axis(const Context& c, const Message& p, const char* old) {
  const int64_t before = p.integer(old, 1), axis = p.integer("axis", 1);
  return c.axis(before != 1 && axis == 1 ? before : axis);
}

std::vector<Value> concat(Context& c) {
  const size_t axis = old_or_new_axis(c, c.parameters("concat_param"), "concat_dim");
  return {c.make("Concat", c.inputs(), attributes({{"axis", static_cast<int64_t>(axis)}}))};
}

std::vector<Value> slice(Context& c) {
  const Message& p = c.parameters("slice_param");
  const auto axis = static_cast<int64_t>(old_or_new_axis(c, p, "slice_dim"));
  const std::vector<int64_t> points = p.integers("slice_point");
  const auto count = static_cast<int64_t>(c.output_count());
  if (!points.empty() && std::ssize(points) != count - 1)
    c.refuse("it has " + std::to_string(points.size()) + " slice points for " + std::to_string(count) + " outputs");
  if (count == 1) return {c.input(0)};
  const Value at = c.integer_constant(axis, "_input_port_1/value");
  Node* split = nullptr;
  if (points.empty()) {
    split = c.make("Split", {c.input(0), at}, attributes({{"num_splits", count}})).node;
  } else {
    std::vector<int64_t> lengths;
    int64_t before = 0;
    for (const int64_t point : points) {
      if (point <= before) c.refuse("its slice points do not rise");
      lengths.push_back(point - before);
      before = point;
    }
    lengths.push_back(-1);
    split = c.make("VariadicSplit", {c.input(0), at, c.integers_constant(lengths, "_input_port_2/value")}).node;
  }
  std::vector<Value> parts;
  for (int i = 0; i < split->output_count(); ++i) parts.push_back(split->value(i));
  return parts;
}

/// 0 in front of the axis, -1 for those that become one, the rest as it is.
std::vector<Value> flatten(Context& c) {
  const Message& p = c.parameters("flatten_param");
  const size_t axis = c.axis(p.integer("axis", 1)), end = c.axis(p.integer("end_axis", -1));
  if (end < axis) c.refuse("its end_axis lies before its axis");
  std::vector<int64_t> pattern(axis, 0);
  pattern.push_back(-1);
  pattern.insert(pattern.end(), c.shape().begin() + static_cast<std::ptrdiff_t>(end) + 1, c.shape().end());
  return {c.reshape(c.input(0), pattern)};
}

std::vector<Value> reshape(Context& c) {
  const Message& p = c.parameters("reshape_param");
  const Message* shape = p.message("shape");
  std::vector<int64_t> pattern = shape ? shape->integers("dim") : std::vector<int64_t>{};
  const int64_t start = p.integer("axis", 0), count = p.integer("num_axes", -1);
  if (start != 0 || count != -1) {
    // Only some axes: those around them stay, and 0 counts among those that change.
    const int64_t first = start < 0 ? start + c.rank() + 1 : start, last = count < 0 ? c.rank() : first + count;
    if (first < 0 || first > c.rank() || last < first || last > c.rank()) c.refuse("its axis or num_axes do not fit");
    const Shape& x = c.shape();
    for (size_t i = 0; i < pattern.size(); ++i)
      if (const size_t from = i + static_cast<size_t>(first); pattern[i] == 0 && from < x.size()) pattern[i] = x[from];
    pattern.insert(pattern.begin(), x.begin(), x.begin() + first);
    pattern.insert(pattern.end(), x.begin() + last, x.end());
  }
  return {c.reshape(c.input(0), pattern)};
}

std::vector<Value> permute(Context& c) {
  std::vector<int64_t> order = c.parameters("permute_param").integers("order");
  // Axes that are not named follow in their order.
  for (int64_t i = 0; i < c.rank(); ++i)
    if (std::ranges::find(order, i) == order.end()) order.push_back(i);
  return {c.make("Transpose", {c.input(0), c.integers_constant(order, "/order")})};
}

/// As large as the second input from an axis on. The size is read off it while the network runs, as Model Optimizer
/// has it.
std::vector<Value> crop(Context& c) {
  const Message& p = c.parameters("crop_param");
  const size_t axis = c.axis(p.integer("axis", 2)), rank = c.shape().size();
  const std::vector<int64_t> given = p.integers("offset");
  if (given.size() > 1 && given.size() != rank - axis)
    c.refuse("it has " + std::to_string(given.size()) + " offsets for " + std::to_string(rank - axis) + " axes");
  if (c.shape(1).size() != rank) c.refuse("its inputs differ in the number of dimensions");
  std::vector<int64_t> begin(rank, 0), mask(rank, 1);
  const std::vector<int64_t> none(rank, 0), ones(rank, 1);
  for (size_t i = axis; i < rank; ++i) {
    begin[i] = given.empty() ? 0 : given.size() == 1 ? given[0] : given[i - axis];
    if (begin[i] < 0 || begin[i] + c.shape(1)[i] > c.shape()[i])
      c.refuse("its offset " + std::to_string(begin[i]) + " and size " + std::to_string(c.shape(1)[i]) +
               " reach beyond an axis of " + std::to_string(c.shape()[i]));
  }
  for (size_t i = axis; i < rank; ++i) mask[i] = 0;  // 1: the axis stays whole
  const Value offset = c.integers_constant(begin, "/strided_slice/begin");
  const Value size = c.shape_of(c.input(1), "/strided_slice/shape_of_crop");
  const Value end = c.make("Add", {size, offset}, {}, Context::kNewest, "/strided_slice/end");
  return {c.make("StridedSlice", {c.input(0), offset, end, c.integers_constant(ones, "/strided_slice/stride")},
                 attributes({{"begin_mask", mask},
                             {"end_mask", mask},
                             {"new_axis_mask", none},
                             {"shrink_axis_mask", none},
                             {"ellipsis_mask", none}}),
                 Context::kNewest, "/strided_slice")};
}

std::vector<Value> tile(Context& c) {
  const Message& p = c.parameters("tile_param");
  std::vector<int64_t> repeats(c.shape().size(), 1);
  const int64_t tiles = p.integer("tiles", 0);
  if (tiles < 1) c.refuse("its tiles are " + std::to_string(tiles));
  repeats[c.axis(p.integer("axis", 1))] = tiles;
  return {c.make("Tile", {c.input(0), c.integers_constant(repeats, "/tiles")})};
}

// type, becomes, conversion, limits
constexpr OperatorRow kOperators[] = {
    {"Concat", "Concat", concat},    {"Crop", "StridedSlice", crop},
    {"Flatten", "Reshape", flatten}, {"Permute", "Transpose", permute},
    {"Reshape", "Reshape", reshape}, {"Slice", "VariadicSplit", slice},
    {"Tile", "Tile", tile},
};

}  // namespace

std::span<const OperatorRow> shape_operators() { return kOperators; }

}  // namespace blobsmith::caffe
