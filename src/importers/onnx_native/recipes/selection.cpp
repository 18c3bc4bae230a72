// Largest and smallest values, boxes, positions: what sorts or selects.
#include "importers/onnx_native/recipe.hpp"

namespace blobsmith::onnx_native {
namespace {

/// The place of the first extreme along an axis; of the last one by way of the reversed tensor.
std::vector<Value> arg(Recipe& r, bool may_take_last) {
  Value x = r.input(0);
  const int64_t axis = r.integer("axis", 0);
  const bool last = may_take_last && r.integer("select_last_index", 0) != 0;
  const Value k = r.scalar_i64(1);
  const Value original = x;
  Value axes;
  if (last) {
    axes = r.list_i64({axis});
    x = r.make("Reverse", {x, axes}, attributes({{"mode", std::string("index")}}));
  }
  const Value extremes = top_k(r, x, k, axis, r.becomes().c_str(), "none", "i32");
  Value places{extremes.node, 1};
  if (last) {
    const Value shape = r.shape_of(original);
    const Value zero = r.scalar_i64(0);
    const Value length = r.gather(shape, axes, zero);
    const Value from_end = r.convert(places, ElementType::i64);
    const Value difference = r.binary("Subtract", length, from_end);
    const Value one = r.list_i64({1});
    places = r.binary("Subtract", difference, one);
  } else {
    places = r.convert(places, ElementType::i64);
  }
  if (r.integer("keepdims", 1) != 0) return {places};
  const Value removed = r.constant(Tensor::of(ElementType::u64, {}, std::vector<int64_t>{axis}));
  return {r.make("Squeeze", {places, removed})};
}
std::vector<Value> arg_1(Recipe& r) { return arg(r, false); }
std::vector<Value> arg_12(Recipe& r) { return arg(r, true); }

std::vector<Value> both_outputs(Value v) { return {v.node->value(0), v.node->value(1)}; }

std::vector<Value> top_k_1(Recipe& r) {
  const Value x = r.input(0);
  const Value k = r.scalar_i64(r.mandatory_integer("k"));
  return both_outputs(top_k(r, x, k, r.integer("axis", -1), "max", "value", "i64"));
}
std::vector<Value> top_k_10(Recipe& r) {
  const Value x = r.input(0);
  const Value k = interpret_as_scalar(r, r.input(1));
  return both_outputs(top_k(r, x, k, r.integer("axis", -1), "max", "value", "i64"));
}
std::vector<Value> top_k_11(Recipe& r) {
  const Value x = r.input(0);
  const Value k = interpret_as_scalar(r, r.input(1));
  const bool largest = r.integer("largest", 1) != 0, sorted = r.integer("sorted", 1) != 0;
  return both_outputs(top_k(r, x, k, r.integer("axis", -1), largest ? "max" : "min", sorted ? "value" : "none", "i64"));
}

std::vector<Value> one_hot(Recipe& r) {
  const Value indices = r.convert(r.input(0), ElementType::i64);
  const Value depth_value = interpret_as_scalar(r, r.input(1));
  const Value depth = r.convert(depth_value, ElementType::i64);
  const std::vector<Value> off_on = r.split(r.input(2), 2, 0);
  const Value off = interpret_as_scalar(r, off_on.at(0)), on = interpret_as_scalar(r, off_on.at(1));
  const int64_t rank = r.rank(indices) + 1;
  return {r.make("OneHot", {indices, depth, on, off}, attributes({{"axis", r.axis(r.integer("axis", -1), rank)}}))};
}

std::vector<Value> non_zero(Recipe& r) {
  return {r.make("NonZero", {r.input(0)}, attributes({{"output_type", std::string("i64")}}))};
}

std::vector<Value> non_max_suppression(Recipe& r) {
  const Value boxes = r.input(0), scores = r.input(1);
  const Value count = r.has_input(2) ? interpret_as_scalar(r, r.input(2)) : r.scalar_i64(0);
  const Value overlap = r.has_input(3) ? interpret_as_scalar(r, r.input(3)) : r.filled(ElementType::f32, {}, 0);
  const Value score =
      r.has_input(4) ? interpret_as_scalar(r, r.input(4)) : r.filled(ElementType::f32, {}, -3.4028234663852886e38);
  const int64_t encoding = r.integer("center_point_box", 0);
  if (encoding != 0 && encoding != 1) r.refuse("Allowed values of the 'center_point_box' attribute are 0 and 1.");
  const Value n = r.make("NonMaxSuppression", {boxes, scores, count, overlap, score},
                         attributes({{"box_encoding", std::string(encoding ? "center" : "corner")},
                                     {"sort_result_descending", false},
                                     {"output_type", std::string("i64")}}),
                         5);
  return {n.node->value(0)};
}

std::vector<Value> roi_align(Recipe& r) {
  const Value x = r.input(0), boxes = r.input(1), batches = r.input(2);
  const std::string mode = r.text("mode", "avg");
  if (mode != "avg" && mode != "max") r.refuse("unknown mode '" + mode + "'");
  return {r.make("ROIAlign", {x, boxes, batches},
                 attributes({{"pooled_h", r.integer("output_height", 1)},
                             {"pooled_w", r.integer("output_width", 1)},
                             {"sampling_ratio", r.integer("sampling_ratio", 0)},
                             {"spatial_scale", static_cast<double>(r.real("spatial_scale", 1))},
                             {"mode", mode}}))};
}

constexpr Row kRows[] = {
    {"ArgMax", 1, arg_1, "max"}, {"ArgMax", 12, arg_12, "max"},
    {"ArgMin", 1, arg_1, "min"}, {"ArgMin", 12, arg_12, "min"},
    {"TopK", 1, top_k_1},        {"TopK", 10, top_k_10},
    {"TopK", 11, top_k_11},      {"OneHot", 1, one_hot},
    {"NonZero", 1, non_zero},    {"NonMaxSuppression", 1, non_max_suppression},
    {"RoiAlign", 1, roi_align},
};

}  // namespace

std::span<const Row> selection_recipes() { return kRows; }

Value top_k(Recipe& r, Value x, Value k, int64_t axis, const char* mode, const char* sort, const char* index_type) {
  const Value t = r.make("TopK", {x, k},
                         attributes({{"axis", axis},
                                     {"mode", std::string(mode)},
                                     {"sort", std::string(sort)},
                                     {"index_element_type", std::string(index_type)}}),
                         3);
  constexpr int64_t kIdsOfTopK = 2;  // quirk: constants made while its second input is checked
  r.skip_ids(kIdsOfTopK);
  return t;
}

}  // namespace blobsmith::onnx_native
