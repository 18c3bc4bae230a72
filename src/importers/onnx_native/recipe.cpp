#include "importers/onnx_native/recipe.hpp"

#include <algorithm>
#include <numeric>

#include "graph/ops/known_value.hpp"

namespace blobsmith::onnx_native {
namespace {

bool is_default_domain(std::string_view domain) { return domain.empty() || domain == "ai.onnx"; }

/// The newest row that the opset reaches; the first row for models older than that.
const Row* newest(std::span<const Row> rows, std::string_view op_type, int64_t opset, const Row* best) {
  for (const Row& row : rows) {
    if (row.op_type != op_type) continue;
    const bool better = !best || (row.since <= opset ? row.since > best->since || best->since > opset
                                                     : row.since < best->since && best->since > opset);
    if (better) best = &row;
  }
  return best;
}

}  // namespace

Recipe::Recipe(Import& import, const onnx_file::Node& node, std::string_view becomes)
    : import_(import), rewriter_(import.graph), node_(node), becomes_(becomes) {
  // quirk: a node stands for each input that is left out.
  skip_ids(std::ranges::count(node_.inputs, std::string()));
}

Value Recipe::input(size_t i) const {
  if (!has_input(i)) refuse("input " + std::to_string(i) + " is missing");
  const auto it = import_.values.find(node_.inputs[i]);
  if (it == import_.values.end() || !it->second)
    refuse(node_.inputs[i] + " node not found in graph cache", ErrorCode::BadOnnx);
  return it->second;
}

std::vector<Value> Recipe::inputs() const {
  std::vector<Value> all;
  for (size_t i = 0; i < input_count(); ++i) all.push_back(input(i));
  return all;
}

std::optional<Tensor> Recipe::known(Value v) const { return known_value(v); }

std::vector<int64_t> Recipe::integers_of(Value v, std::string_view otherwise) const {
  const auto t = known(v);
  if (!t) refuse(otherwise);
  return t->to_i64();
}

int64_t Recipe::axis(int64_t a, int64_t rank) const {
  if (a < -rank || a >= rank)
    refuse("Parameter axis " + std::to_string(a) + " out of the tensor rank range [-" + std::to_string(rank) + ", " +
           std::to_string(rank - 1) + "].");
  return a < 0 ? a + rank : a;
}

int64_t Recipe::mandatory_integer(const char* a) const {
  if (!has(a)) refuse("unknown attribute '" + std::string(a) + "'");
  return integer(a, 0);
}

Value Recipe::make(std::string type, std::vector<Value> inputs, Attributes attrs, int version) {
  Node* n = rewriter_.make(std::move(type), std::move(inputs), std::move(attrs), version);
  import_.graph.next_id = n->id() + 1 + import_.numbering.of_inference(*n);
  n->source = node_.describe(kNewestOpset);
  return n->value();
}

Value Recipe::list_i32(std::vector<int32_t> v) {
  const auto count = static_cast<int64_t>(v.size());
  return constant(Tensor::of(ElementType::i32, {count}, std::move(v)));
}

Value Recipe::list_u64(std::vector<int64_t> v) {
  const auto count = static_cast<int64_t>(v.size());
  return constant(Tensor::of(ElementType::u64, {count}, std::move(v)));
}

namespace {
template <class T>
Tensor repeated(ElementType type, Shape shape, double v) {
  const auto count = static_cast<size_t>(element_count(shape));
  return Tensor::of(type, std::move(shape), std::vector<T>(count, static_cast<T>(v)));
}
}  // namespace

Value Recipe::filled(ElementType type, Shape shape, double v) {
  switch (type) {
    case ElementType::boolean:
    case ElementType::u8: return constant(repeated<uint8_t>(type, std::move(shape), v));
    case ElementType::i8: return constant(repeated<int8_t>(type, std::move(shape), v));
    case ElementType::i16: return constant(repeated<int16_t>(type, std::move(shape), v));
    case ElementType::u16: return constant(repeated<uint16_t>(type, std::move(shape), v));
    case ElementType::u32: return constant(repeated<uint32_t>(type, std::move(shape), v));
    case ElementType::u64: return constant(repeated<uint64_t>(type, std::move(shape), v));
    default: return rewriter_.filled(type, std::move(shape), v);
  }
}

Value Recipe::convert(Value v, ElementType type) {
  return make("Convert", {v}, attributes({{"destination_type", std::string(to_string(type))}}));
}

std::vector<Value> Recipe::split(Value v, int64_t parts, int64_t axis) {
  const Value a = scalar_i64(axis);
  Node* n = make("Split", {v, a}, attributes({{"num_splits", parts}})).node;
  std::vector<Value> values;
  for (int i = 0; i < n->output_count(); ++i) values.push_back(n->value(i));
  return values;
}

Value Recipe::transpose(Value v, std::vector<int64_t> order) {
  const Value o = list_i64(std::move(order));
  return make("Transpose", {v, o});
}

void Recipe::refuse(std::string_view why, ErrorCode code) const {
  std::string outputs;
  for (const std::string& o : node_.outputs) outputs += (outputs.empty() ? "" : ", ") + o;
  // The reference's wording, which users search for.
  throw Error(code,
              "While validating ONNX node '<Node(" + node_.op_type + "): " + outputs + ">':\n" + std::string(why));
}

const Row* find_recipe(std::string_view domain, std::string_view op_type, int64_t opset) {
  static constexpr std::array kFamilies{
      arithmetic_recipes,    activation_recipes, softmax_recipes,      convolution_recipes,
      pooling_recipes,       matmul_recipes,     shape_recipes,        slice_recipes,
      indexing_recipes,      selection_recipes,  resize_recipes,       reduction_recipes,
      normalization_recipes, constant_recipes,   quantization_recipes, recurrent_recipes};
  const Row* best = nullptr;
  const auto of_openvino = [&] {
    return newest(openvino_recipes(), op_type, opset, newest(detection_recipes(), op_type, opset, nullptr));
  };
  if (domain == "org.openvinotoolkit") return of_openvino();
  if (!is_default_domain(domain)) return nullptr;
  for (const auto& family : kFamilies) best = newest(family(), op_type, opset, best);
  // Operators that the reference moves to its own domain.
  return best ? best : of_openvino();
}

Value channel_reshape(Recipe& r, Value vector, Value rank_of_target) {
  const Value one = r.list_i64({1}), two = r.list_i64({2});
  const Value tail_length = r.binary("Subtract", rank_of_target, two);
  const Value tail = r.make("Broadcast", {one, tail_length}, attributes({{"mode", std::string("numpy")}}), 3);
  const Value channels = r.shape_of(vector);
  return r.reshape(vector, r.concat({one, channels, tail}, 0), false);
}

Value interpret_as_scalar(Recipe& r, Value v) {
  if (v.shape().empty()) return v;
  if (!is_static(v.shape()) || element_count(v.shape()) != 1)
    r.refuse("a tensor of shape " + to_string(v.shape()) + " stands where one value is expected");
  if (const Tensor* t = transforms::constant_of(v)) return r.constant({t->type, {}, t->bytes});
  const Value axes = r.list_i64(axes_from(0, r.rank(v)));
  return r.make("Squeeze", {v, axes});
}

Tensor cast(const Tensor& t, ElementType type) {
  Graph g;
  const Value from = g.constant(t)->value();
  const Tensor* inputs[] = {&t};
  std::vector<Tensor> values =
      evaluate(*g.make("Convert", {from}, attributes({{"destination_type", std::string(to_string(type))}})), inputs);
  if (values.empty())
    throw Error(ErrorCode::TypeMismatch, "constants of type " + std::string(to_string(type)) + " are not supported");
  return values.front();
}

std::vector<int64_t> axes_from(int64_t first, int64_t rank) {
  std::vector<int64_t> axes(static_cast<size_t>(std::max<int64_t>(rank - first, 0)));
  std::iota(axes.begin(), axes.end(), first);
  return axes;
}

}  // namespace blobsmith::onnx_native
