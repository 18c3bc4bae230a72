// Operators that Model Optimizer does not know, spelled out in those that it does.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "importers/tensorflow/operators.hpp"

namespace blobsmith::tensorflow_import {
namespace {

Value step(Context& c, const char* type, std::vector<Value> inputs, const std::string& suffix) {
  return c.make(type, std::move(inputs), {}, Context::kNewest, suffix);
}
Value select(Context& c, Value condition, Value a, Value b, const std::string& suffix) {
  const size_t rank = std::max({condition.shape().size(), a.shape().size(), b.shape().size()});
  return step(c, "Select", {c.ranked(condition, rank), c.ranked(a, rank), c.ranked(b, rank)}, suffix);
}

// ---- numbers ----

/// The angle of (x, y), by that of the smaller coordinate over the larger one, which half precision holds.
std::vector<Value> angle(Context& c) {
  constexpr double kPi = std::numbers::pi;
  const Value y = c.input(0), x = c.input(1);
  const Value tall = step(c, "Abs", {y}, "/abs_y"), wide = step(c, "Abs", {x}, "/abs_x");
  const Value larger = c.binary("Maximum", tall, wide, "/larger"),
              smaller = c.binary("Minimum", tall, wide, "/smaller");
  const Value is_zero = c.binary("Equal", larger, 0, "/is_zero");
  const Value divisor = select(c, is_zero, c.number_like(larger, 1), larger, "/divisor");
  const Value flat = step(c, "Atan", {c.binary("Divide", smaller, divisor, "/ratio")}, "/atan");
  const Value turned = c.binary("Add", c.binary("Multiply", flat, -1, "/turned"), kPi / 2, "/steep");
  const Value first = select(c, c.binary("Greater", tall, wide, "/is_steep"), turned, flat, "/first");
  const Value behind = c.binary("Add", c.binary("Multiply", first, -1, "/mirrored"), kPi, "/behind");
  const Value upper = select(c, c.binary("Less", x, 0, "/is_left"), behind, first, "/upper");
  const Value lower = c.binary("Multiply", upper, -1, "/lower");
  return {select(c, c.binary("Less", y, 0, "/is_below"), lower, upper, "")};
}

std::vector<Value> is_nan(Context& c) { return {c.make("NotEqual", {c.input(0), c.input(0)})}; }
/// Beyond the largest number of FP16, which is infinite there.
constexpr double kLargestHalf = 65504;
std::vector<Value> is_infinite(Context& c) {
  return {c.binary("Greater", step(c, "Abs", {c.input(0)}, "/abs"), kLargestHalf)};
}
std::vector<Value> is_finite(Context& c) {
  return {c.binary("LessEqual", step(c, "Abs", {c.input(0)}, "/abs"), kLargestHalf)};
}

/// x / y, 0 where x is 0.
std::vector<Value> x_div_y(Context& c) {
  const Value x = c.input(0), y = c.input(1), is_zero = c.binary("Equal", x, 0, "/is_zero");
  const Value divisor = select(c, is_zero, c.number_like(y, 1), y, "/divisor");
  return {c.binary("Divide", x, divisor)};
}

Value truncated_quotient(Context& c, const std::string& suffix) {
  const Value quotient = c.binary("Divide", c.input(0), c.input(1), is_float(c.input(0).type()) ? "/quotient" : suffix);
  if (!is_float(quotient.type())) return quotient;  // truncated already
  const Value up = step(c, "Ceiling", {quotient}, "/up"), down = step(c, "Floor", {quotient}, "/down");
  return select(c, c.binary("Less", quotient, 0, "/is_negative"), up, down, suffix);
}
std::vector<Value> truncated_division(Context& c) { return {truncated_quotient(c, "")}; }
/// What is left has the sign of x.
std::vector<Value> truncated_remainder(Context& c) {
  return {
      c.binary("Subtract", c.input(0), c.binary("Multiply", truncated_quotient(c, "/whole"), c.input(1), "/product"))};
}

std::vector<Value> exclusive_or(Context& c) { return {c.binary("NotEqual", c.input(0), c.input(1))}; }

/// Half the sum of squares.
std::vector<Value> l2_loss(Context& c) {
  std::vector<int64_t> axes;
  for (int64_t i = 0; i < c.rank(); ++i) axes.push_back(i);
  const Value square = c.binary("Multiply", c.input(0), c.input(0), "/square");
  const Value sum = c.make("ReduceSum", {square, c.integers_constant(axes)}, attributes({{"keep_dims", false}}),
                           Context::kNewest, "/sum");
  return {c.binary("Multiply", sum, 0.5)};
}

std::vector<Value> logarithm_of_more(Context& c) {  // x · log(1 + y), 0 where x is 0
  const Value log = step(c, "Log", {c.binary("Add", c.input(1), 1, "/more")}, "/log");
  const Value product = c.binary("Multiply", c.input(0), log, "/product");
  return {select(c, c.binary("Equal", c.input(0), 0, "/is_zero"), c.number_like(product, 0), product, "")};
}

/// FusedBatchNorm of TensorFlow's first models: x, mean, variance, offset, scale.
std::vector<Value> old_batch_norm(Context& c) {
  const Tensor variance = c.tensor_of(2, "variance"), mean = c.tensor_of(1, "mean"), offset = c.tensor_of(3, "offset"),
               scale = c.tensor_of(4, "scale");
  const bool scales = c.node().flag("scale_after_normalization", true);
  const double eps = c.node().real("variance_epsilon", 1e-3);
  const std::vector<float> v = variance.to_f32(), m = mean.to_f32(), o = offset.to_f32(), s = scale.to_f32();
  if (v.size() != m.size() || v.size() != o.size() || v.size() != s.size()) c.refuse("its parameters differ in size");
  std::vector<float> factor(v.size()), summand(v.size());
  for (size_t i = 0; i < v.size(); ++i) {
    const double f = (scales ? static_cast<double>(s[i]) : 1.0) / std::sqrt(static_cast<double>(v[i]) + eps);
    factor[i] = static_cast<float>(f);
    summand[i] = static_cast<float>(static_cast<double>(o[i]) - static_cast<double>(m[i]) * f);
  }
  const auto of_channels = [&](std::vector<float> values) {
    const Shape shape{std::ssize(values)};
    return c.graph().constant(Tensor::of(ElementType::f32, shape, std::move(values)))->value();
  };
  return {c.binary("Add", c.binary("Multiply", c.input(0), of_channels(factor), "/scaled"), of_channels(summand))};
}

// ---- matrices ----

/// Ones where the band of the last two axes is, zeros elsewhere.
std::vector<Value> band_part(Context& c) {
  const int64_t below = c.integer_of(1, "num_lower"), above = c.integer_of(2, "num_upper");
  const Shape& s = c.input(0).shape();
  if (s.size() < 2 || s[s.size() - 1] < 1 || s[s.size() - 2] < 1) c.refuse("its input has the shape " + to_string(s));
  const int64_t rows = s[s.size() - 2], columns = s.back();
  std::vector<double> band(static_cast<size_t>(rows * columns), 0.0);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      band[static_cast<size_t>(i * columns + j)] = (below < 0 || i - j <= below) && (above < 0 || j - i <= above);
  Shape shape(s.size(), 1);
  shape[s.size() - 2] = rows;
  shape.back() = columns;
  const Value mask = c.graph().constant(Tensor::reals(c.input(0).type(), shape, band))->value();
  return {c.binary("Multiply", c.input(0), mask)};
}

/// Vectors along the last axis on diagonals of squares.
std::vector<Value> diagonal_matrix(Context& c) {
  if (c.input_count() > 1 && c.integer_of(1, "k") != 0) c.refuse("k is " + std::to_string(c.integer_of(1, "k")));
  const Shape& s = c.input(0).shape();
  if (s.empty() || !is_static(s)) c.refuse("its input has the shape " + to_string(s));
  for (const size_t size : {size_t{2}, size_t{3}})
    if (c.input_count() > size && c.integer_of(size, "size") != -1 && c.integer_of(size, "size") != s.back())
      c.refuse("its matrices have other sizes than its diagonals");
  Shape column = s;
  column.push_back(1);
  std::vector<double> ones(static_cast<size_t>(s.back() * s.back()), 0.0);
  for (int64_t i = 0; i < s.back(); ++i) ones[static_cast<size_t>(i * s.back() + i)] = 1;
  Shape square(column.size(), 1);
  square[square.size() - 2] = square.back() = s.back();
  const Value mask = c.graph().constant(Tensor::reals(c.input(0).type(), square, ones))->value();
  return {c.binary("Multiply", c.keeping_order(c.reshape(c.input(0), column, "/column")), mask)};
}

// ---- elements by their index ----

std::vector<Value> scatter_update(Context& c) {
  return {c.make("ScatterNDUpdate", {c.input(0), c.input(1), c.input(2)})};
}

/// Each element at most once, so that what is there and what comes meet once.
void require_distinct_indices(Context& c) {
  const Tensor indices = c.tensor_of(1, "indices");
  const auto depth = static_cast<size_t>(indices.shape.empty() ? 1 : indices.shape.back());
  const std::vector<int64_t> v = indices.to_i64();
  std::set<std::vector<int64_t>> seen;
  for (size_t i = 0; depth > 0 && i + depth <= v.size(); i += depth)
    if (!seen.emplace(v.begin() + static_cast<std::ptrdiff_t>(i), v.begin() + static_cast<std::ptrdiff_t>(i + depth))
             .second)
      c.refuse("an index stands there twice");
}
Value scattered_with(Context& c, const char* operation) {
  require_distinct_indices(c);
  const Value there = c.make("GatherND", {c.input(0), c.input(1)}, attributes({{"batch_dims", int64_t{0}}}),
                             Context::kNewest, "/there");
  const Value joined = c.binary(operation, there, c.input(2), "/joined");
  return c.make("ScatterNDUpdate", {c.input(0), c.input(1), joined});
}
std::vector<Value> scatter_add(Context& c) { return {scattered_with(c, "Add")}; }
std::vector<Value> scatter_subtract(Context& c) { return {scattered_with(c, "Subtract")}; }
std::vector<Value> scatter_larger(Context& c) { return {scattered_with(c, "Maximum")}; }
std::vector<Value> scatter_smaller(Context& c) { return {scattered_with(c, "Minimum")}; }

/// Rows of several tensors in one, each where its number says.
std::vector<Value> stitched(Context& c) {
  const size_t count = c.input_count() / 2;
  std::vector<int64_t> places;
  std::vector<Value> rows;
  for (size_t i = 0; i < count; ++i) {
    const Tensor indices = c.tensor_of(i, "indices");
    const std::vector<int64_t> own = indices.to_i64();
    places.insert(places.end(), own.begin(), own.end());
    const Shape& s = c.input(count + i).shape();
    if (s.size() < indices.shape.size() || !is_static(s)) c.refuse("its data have the shape " + to_string(s));
    Shape flat{std::ssize(own)};
    flat.insert(flat.end(), s.begin() + static_cast<std::ptrdiff_t>(indices.shape.size()), s.end());
    rows.push_back(s == flat ? c.input(count + i) : c.reshape(c.input(count + i), flat, "/rows" + std::to_string(i)));
  }
  std::vector<int64_t> order(places.size(), -1);
  for (size_t i = 0; i < places.size(); ++i) {  // the last of several wins
    if (places[i] < 0 || places[i] >= std::ssize(order)) c.refuse("its indices leave rows out, or repeat some");
    order[static_cast<size_t>(places[i])] = static_cast<int64_t>(i);
  }
  if (std::ranges::find(order, -1) != order.end()) c.refuse("its indices leave rows out, or repeat some");
  const Value all =
      rows.size() == 1 ? rows[0] : c.make("Concat", rows, attributes({{"axis", int64_t{0}}}), Context::kNewest, "/all");
  return {c.make("Gather", {all, c.integers_constant(order), c.integer_constant(0, "/axis")},
                 attributes({{"batch_dims", int64_t{0}}}), 7)};
}

constexpr OperatorRow kOperators[] = {
    {"Atan2", "Atan", angle},
    {"IsNan", "NotEqual", is_nan},
    {"IsInf", "Greater", is_infinite},
    {"IsFinite", "LessEqual", is_finite},
    {"Xdivy", "Divide", x_div_y},
    {"Xlog1py", "Multiply", logarithm_of_more},
    {"TruncateDiv", "Divide", truncated_division},
    {"TruncateMod", "Subtract", truncated_remainder},
    {"Mod", "Subtract", truncated_remainder},
    {"LogicalXor", "NotEqual", exclusive_or},
    {"L2Loss", "ReduceSum", l2_loss},
    {"BatchNormWithGlobalNormalization", "Multiply", old_batch_norm},
    {"MatrixBandPart", "Multiply", band_part},
    {"MatrixDiag", "Multiply", diagonal_matrix},
    {"MatrixDiagV2", "Multiply", diagonal_matrix},
    {"MatrixDiagV3", "Multiply", diagonal_matrix},
    {"TensorScatterUpdate", "ScatterNDUpdate", scatter_update},
    {"TensorScatterAdd", "ScatterNDUpdate", scatter_add},
    {"TensorScatterSub", "ScatterNDUpdate", scatter_subtract},
    {"TensorScatterMax", "ScatterNDUpdate", scatter_larger},
    {"TensorScatterMin", "ScatterNDUpdate", scatter_smaller},
    {"DynamicStitch", "Gather", stitched},
    {"ParallelDynamicStitch", "Gather", stitched},
};

}  // namespace

std::span<const OperatorRow> spelled_operators() { return kOperators; }

}  // namespace blobsmith::tensorflow_import
