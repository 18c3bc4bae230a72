#include "importers/onnx/ie_context.hpp"

#include <algorithm>
#include <numeric>

#include "graph/ops/known_value.hpp"

namespace blobsmith::onnx_import::ie {

Context::Context(Import& import, const onnx_file::Node& node, std::string_view becomes)
    : NodeView(node, import.graph.release->onnx_opset, becomes, import.values),
      import_(import),
      rewriter_(import.graph) {
  // quirk: a node stands for each input that is left out.
  skip_ids(std::ranges::count(node.inputs, std::string()));
}

std::optional<Tensor> Context::known(Value v) const { return known_value(v); }

std::vector<int64_t> Context::integers_of(Value v, std::string_view otherwise) const {
  const auto t = known(v);
  if (!t) refuse(otherwise);
  return t->to_i64();
}

Value Context::make(std::string type, std::vector<Value> inputs, Attributes attrs, int version) {
  Node* n = rewriter_.make(std::move(type), std::move(inputs), std::move(attrs), version);
  const int64_t first_version = n->is("TopK") ? numbering::of_copy(*n) : 0;
  numbering::made(import_.graph, *n, import_.evaluations.of_inference(*n) + first_version);
  n->source = node().describe(opset());
  return n->value();
}

Value Context::list_i32(std::vector<int32_t> v) {
  const auto count = static_cast<int64_t>(v.size());
  return constant(Tensor::of(ElementType::i32, {count}, std::move(v)));
}

Value Context::list_u64(std::vector<int64_t> v) {
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

Value Context::filled(ElementType type, Shape shape, double v) {
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

Value Context::convert(Value v, ElementType type) {
  return make("Convert", {v}, attributes({{"destination_type", std::string(to_string(type))}}));
}

std::vector<Value> Context::split(Value v, int64_t parts, int64_t axis) {
  const Value a = scalar_i64(axis);
  Node* n = make("Split", {v, a}, attributes({{"num_splits", parts}})).node;
  std::vector<Value> values;
  for (int i = 0; i < n->output_count(); ++i) values.push_back(n->value(i));
  return values;
}

Value Context::transpose(Value v, std::vector<int64_t> order) {
  const Value o = list_i64(std::move(order));
  return make("Transpose", {v, o});
}

Error Context::refusal(std::string_view why, ErrorCode code) const {
  std::string outputs;
  for (const std::string& o : node().outputs) outputs += (outputs.empty() ? "" : ", ") + o;
  // The reference's wording, which users search for.
  return Error(code,
               "While validating ONNX node '<Node(" + node().op_type + "): " + outputs + ">':\n" + std::string(why));
}

Value channel_reshape(Context& c, Value vector, Value rank_of_target) {
  const Value one = c.list_i64({1}), two = c.list_i64({2});
  const Value tail_length = c.binary("Subtract", rank_of_target, two);
  const Value tail = c.make("Broadcast", {one, tail_length}, attributes({{"mode", std::string("numpy")}}), 3);
  const Value channels = c.shape_of(vector);
  return c.reshape(vector, c.concat({one, channels, tail}, 0), false);
}

Value interpret_as_scalar(Context& c, Value v) {
  if (v.shape().empty()) return v;
  if (!is_static(v.shape()) || element_count(v.shape()) != 1)
    c.refuse("a tensor of shape " + to_string(v.shape()) + " stands where one value is expected");
  if (const Tensor* t = transforms::constant_of(v)) return c.constant({t->type, {}, t->bytes});
  const Value axes = c.list_i64(axes_from(0, c.rank(v)));
  return c.make("Squeeze", {v, axes});
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

}  // namespace blobsmith::onnx_import::ie
