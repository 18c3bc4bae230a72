// Selection and counting: TopK, OneHot, NonZero, NonMaxSuppression, CumSum, Bucketize (front-end spec §15.1).
#include <algorithm>
#include <cstring>
#include <numeric>

#include "graph/ops/numbers.hpp"
#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"
#include "graph/ops/strided.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;
constexpr AttributeSpec kTopK[] = {{"axis", Integer, kMandatory},
                                   {"mode", Choice, kMandatory, "max|min"},
                                   {"sort", Choice, kMandatory, "value|index|none"},
                                   {"index_element_type", Type, "i32"}};
constexpr AttributeSpec kOneHot[] = {{"axis", Integer, kMandatory}};
constexpr AttributeSpec kNonZero[] = {{"output_type", Type, "i64"}};
constexpr AttributeSpec kCumSum[] = {{"exclusive", Flag, "false"}, {"reverse", Flag, "false"}};
constexpr AttributeSpec kBucketize[] = {{"output_type", Type, "i64"}, {"with_right_bound", Flag, "true"}};
constexpr AttributeSpec kNms1[] = {{"box_encoding", Choice, "corner", "corner|center"},
                                   {"sort_result_descending", Flag, "true"}};
constexpr AttributeSpec kNms3[] = {{"box_encoding", Choice, "corner", "corner|center"},
                                   {"sort_result_descending", Flag, "true"},
                                   {"output_type", Type, "i64"}};

// ---- TopK ----

void infer_top_k(Inference& in) {
  const int64_t axis = in.axis(in.attrs().integer("axis"), in.rank());
  // Conversions expect the axis counted from the front.
  if (in.attrs().integer("axis") < 0) in.attrs().set("axis", axis);
  if (in.rank(1) > 1) in.fail("The 'K' input must be a scalar.");
  Shape out = in.shape();
  const auto k = in.value(1);
  if (k && *k < 0) in.fail("The value of 'K' must not be negative");
  auto& d = out[static_cast<size_t>(axis)];
  // quirk: more elements may be asked for than there are.
  if (!k)
    d = kDynamic;
  else if (*k != 0)
    d = *k;
  in.output(in.type(), out);
  in.output(in.type_attribute("index_element_type"), out);
}

template <class T>
std::vector<int64_t> best_of(const std::vector<T>& row, int64_t count, const Attributes& attrs) {
  std::vector<int64_t> order(row.size());
  std::iota(order.begin(), order.end(), 0);
  const bool highest = attrs.text("mode") == "max";
  std::ranges::stable_sort(order, [&](int64_t a, int64_t b) {
    const T x = row[static_cast<size_t>(a)], y = row[static_cast<size_t>(b)];
    return highest ? x > y : x < y;
  });
  order.resize(static_cast<size_t>(count));
  if (attrs.text("sort") == "index") std::ranges::sort(order);
  return order;
}

template <class T>
std::vector<Tensor> top_k(const Node& n, const Tensor& data) {
  const auto values = load<T>(data);
  if (!values) return {};
  const int64_t axis = from_front(n.attrs.integer("axis"), data.shape.size());
  const auto a = static_cast<size_t>(axis);
  if (n.shape()[a] > data.shape[a]) return {};
  const int64_t from = dense_strides(data.shape)[a], to = dense_strides(n.shape())[a], size = data.shape[a],
                count = n.shape()[a];
  std::vector<T> best(static_cast<size_t>(element_count(n.shape())));
  std::vector<int64_t> indices(best.size()), bases;
  Shape others = data.shape;
  others[a] = size ? 1 : 0;
  for_each_position(others, 0, dense_strides(n.shape()), [&](int64_t, int64_t base) { bases.push_back(base); });
  std::vector<T> row(static_cast<size_t>(size));
  for_each_position(others, 0, dense_strides(data.shape), [&](int64_t k, int64_t base) {
    for (int64_t i = 0; i < size; ++i) row[static_cast<size_t>(i)] = (*values)[static_cast<size_t>(base + i * from)];
    const std::vector<int64_t> order = best_of(row, count, n.attrs);
    for (int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<size_t>(bases[static_cast<size_t>(k)] + i * to);
      indices[at] = order[static_cast<size_t>(i)];
      best[at] = row[static_cast<size_t>(indices[at])];
    }
  });
  return {store<T>(n.element_type(0), n.shape(0), best), store<int64_t>(n.element_type(1), n.shape(1), indices)};
}

std::vector<Tensor> evaluate_top_k(const Node& n, Tensors inputs) {
  std::vector<Tensor> result;
  with_working_type(n.element_type(), [&](auto zero) { result = top_k<decltype(zero)>(n, *inputs[0]); });
  return result;
}

// ---- OneHot ----

void infer_one_hot(Inference& in) {
  if (in.type(2) != in.type(3)) in.fail_type("on_value element type must be compatible with off_value element type");
  const int64_t axis = in.axis(in.attrs().integer("axis"), in.rank() + 1);
  const auto depth = in.value(1);
  if (depth && *depth <= 0)
    in.fail("The value of 'depth' must be a positive number (got " + std::to_string(*depth) + ")");
  Shape out = in.shape();
  out.insert(out.begin() + axis, depth ? *depth : kDynamic);
  in.output(in.type(2), std::move(out));
}

std::vector<Tensor> evaluate_one_hot(const Node& n, Tensors inputs) {
  if (!is_byte_sized(n.element_type())) return {};
  const Shape& s = n.shape();
  const int64_t axis = from_front(n.attrs.integer("axis"), s.size());
  const auto a = static_cast<size_t>(axis);
  const std::vector<int64_t> indices = inputs[0]->to_i64();
  TensorBuilder out(gather_strided(*inputs[3], s, 0, std::vector<int64_t>(s.size(), 0)));
  std::vector<int64_t> strides = dense_strides(s);
  const int64_t step = strides[a], depth = s[a];
  strides.erase(strides.begin() + axis);
  for_each_position(inputs[0]->shape, 0, strides, [&](int64_t i, int64_t base) {
    const int64_t index = indices[static_cast<size_t>(i)];
    if (index >= 0 && index < depth)
      std::memcpy(out.at(base + index * step), inputs[2]->bytes.data(), out.element_size());
  });
  return {out.take()};
}

// ---- others: shapes only ----

void infer_non_zero(Inference& in) { in.output(in.type_attribute("output_type"), {in.rank(), kDynamic}); }

void infer_cum_sum(Inference& in) {
  if (in.input_count() > 1)
    if (const auto axis = in.value(1)) in.axis(*axis, in.rank());
  infer_like_input(in);
}

void infer_bucketize(Inference& in) {
  if (in.rank(1) != 1) in.fail("Buckets input must be a 1D tensor");
  in.output(in.type_attribute("output_type"), in.shape());
}

void check_boxes(const Inference& in) {
  if (in.rank(0) != 3) in.fail("Expected a 3D tensor for the 'boxes' input");
  if (in.rank(1) != 3) in.fail("Expected a 3D tensor for the 'scores' input");
  if (!merge_dims(in.dim(0, 0), in.dim(1, 0))) in.fail("The first dimension of both 'boxes' and 'scores' must match");
  if (!merge_dims(in.dim(0, 1), in.dim(1, 2)))
    in.fail("'boxes' and 'scores' input shapes must match at the second and third dimension respectively");
  if (!merge_dims(in.dim(0, 2), 4)) in.fail("The last dimension of the 'boxes' input must be equal to 4");
}

// Versions 1 and 3 say how many boxes there can be at most.
void infer_nms_bounded(Inference& in) {
  check_boxes(in);
  int64_t boxes = kDynamic;
  const auto per_class = in.input_count() > 2 ? in.value(2) : std::optional<int64_t>(0);
  if (per_class && is_static(in.shape(0)) && is_static(in.shape(1)))
    boxes = multiply_dims(std::min(in.dim(0, 1), std::max<int64_t>(*per_class, 0)), in.dim(1, 1));
  in.output(in.attrs().has("output_type") ? in.type_attribute("output_type") : ElementType::i64, {boxes, 3});
}

void infer_nms_4(Inference& in) {
  check_boxes(in);
  int64_t boxes = kDynamic;
  const auto per_class = in.input_count() > 2 ? in.value(2) : std::optional<int64_t>(0);
  if (per_class && is_static(in.shape(0)) && is_static(in.shape(1)))
    boxes = multiply_dims(multiply_dims(std::min(in.dim(0, 1), std::max<int64_t>(*per_class, 0)), in.dim(1, 1)),
                          in.dim(0, 0));
  in.output(in.type_attribute("output_type"), {boxes, 3});
}

void infer_nms_5(Inference& in) {
  check_boxes(in);
  in.output(in.type_attribute("output_type"), {kDynamic, 3});
  in.output(ElementType::f32, {kDynamic, 3});
  in.output(in.type_attribute("output_type"), {1});
}

constexpr OpRow kOps[] = {
    {"TopK", 1, {1, 2}, 2, 2, kTopK, infer_top_k, evaluate_top_k},
    {"TopK", 3, {3, 7}, 2, 2, kTopK, infer_top_k, evaluate_top_k},
    {"OneHot", 0, {1, 7}, 4, 4, kOneHot, infer_one_hot, evaluate_one_hot},
    {"NonZero", 0, {3, 7}, 1, 1, kNonZero, infer_non_zero},
    {"CumSum", 0, {3, 7}, 1, 2, kCumSum, infer_cum_sum},
    {"Bucketize", 0, {3, 7}, 2, 2, kBucketize, infer_bucketize},
    {"NonMaxSuppression", 1, {1, 2}, 2, 5, kNms1, infer_nms_bounded},
    {"NonMaxSuppression", 3, {3, 3}, 2, 5, kNms3, infer_nms_bounded},
    {"NonMaxSuppression", 4, {4, 4}, 2, 5, kNms3, infer_nms_4},
    {"NonMaxSuppression", 5, {5, 7}, 2, 6, kNms3, infer_nms_5},
};

}  // namespace

std::span<const OpRow> sorting_ops() { return kOps; }

}  // namespace blobsmith::ops
