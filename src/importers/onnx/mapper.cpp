#include "importers/onnx/mapper.hpp"

#include <algorithm>
#include <array>

#include "graph/ops/known_value.hpp"
#include "graph/ops/numbers.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::onnx_import {

Attributes attributes(std::initializer_list<std::pair<std::string_view, Attributes::Value>> items) {
  return transforms::attributes(items);
}

Value Context::value(const std::string& value_name) const {
  const auto it = values_.find(value_name);
  if (it == values_.end())
    throw Error(ErrorCode::BadOnnx, "value '" + value_name + "' is used before anything computes it");
  return it->second;
}

std::string layer_name(const onnx_file::Node& n) {
  if (!n.name.empty()) return n.name;
  const auto named = std::ranges::find_if(n.outputs, [](const std::string& o) { return !o.empty(); });
  return named == n.outputs.end() ? std::string() : *named;
}

std::string Context::name() const { return layer_name(*node_); }

Value Context::input(size_t i) const {
  if (!has_input(i)) refuse("input " + std::to_string(i) + " is missing");
  return value(node_->inputs[i]);
}

const Tensor* Context::constant(size_t i) const { return has_input(i) ? transforms::constant_of(input(i)) : nullptr; }

std::vector<int64_t> Context::constant_integers(size_t i, std::string_view what) const {
  const auto t = known_value(input(i));
  if (!t) refuse("its " + std::string(what) + " is not a constant");
  return t->to_i64();
}

int64_t Context::axis(int64_t a, int64_t rank) const {
  if (a < -rank || a >= rank) refuse("axis " + std::to_string(a) + " is out of range for rank " + std::to_string(rank));
  return a < 0 ? a + rank : a;
}

Value Context::make(std::string type, std::vector<Value> inputs, Attributes attrs, int version,
                    const std::string& suffix) {
  transforms::Rewriter rw(graph_);
  Node* n = rw.make(std::move(type), std::move(inputs), std::move(attrs), version);
  n->name = name() + suffix;
  n->source = node_->describe(opset_);
  std::vector<const Tensor*> constants;
  for (const Value& v : n->inputs())
    if (const Tensor* t = transforms::constant_of(v)) constants.push_back(t);
  if (n->output_count() != 1 || static_cast<int>(constants.size()) != n->input_count()) return n->value();
  std::vector<Tensor> folded = evaluate(*n, constants);
  return folded.empty() ? n->value() : graph_.constant(std::move(folded[0]), n->name)->value();
}

Value Context::number_constant(ElementType type, Shape shape, double v) {
  const auto count = static_cast<size_t>(element_count(shape));
  const std::string constant_name = name() + "_input_port_1/value";
  if (is_float(type))
    return graph_.constant(Tensor::reals(type, std::move(shape), std::vector<double>(count, v)), constant_name)
        ->value();
  const int64_t whole = ops::truncate(v);
  if (static_cast<double>(whole) != v || byte_width(type) == 0)
    refuse("it computes with " + std::to_string(v) + " on numbers of type " + std::string(to_string(type)));
  return graph_.constant(ops::store<int64_t>(type, shape, std::vector<int64_t>(count, whole)), constant_name)->value();
}

Value Context::binary(const char* type, Value a, Value b, const std::string& suffix) {
  const size_t rank = std::max(a.shape().size(), b.shape().size());
  return make(type, {ranked(a, rank), ranked(b, rank)}, {}, kNewest, suffix);
}

Value Context::binary(const char* type, Value a, double b, const std::string& suffix) {
  return make(type, {a, number_constant(a.type(), Shape(a.shape().size(), 1), b)}, {}, kNewest, suffix);
}

Value Context::reshape(Value x, std::vector<int64_t> pattern, const std::string& suffix) {
  return make("Reshape", {x, integers_constant(std::move(pattern))}, attributes({{"special_zero", true}}), kNewest,
              suffix);
}

Value Context::scalar(Value x) {
  if (x.shape().empty()) return x;
  if (!is_static(x.shape()) || element_count(x.shape()) != 1)
    refuse("a tensor of shape " + to_string(x.shape()) + " stands where one value is expected");
  if (!x.node->is_constant()) return make("Squeeze", {x}, {}, kNewest, "/Squeeze");
  Tensor t = x.node->constant;
  t.shape = {};
  return graph_.constant(std::move(t), x.node->name)->value();
}

Value Context::ranked(Value v, size_t rank) {
  if (!v.node->is_constant() || v.shape().size() >= rank) return v;
  Tensor t = v.node->constant;
  t.shape.insert(t.shape.begin(), rank - t.shape.size(), 1);
  return graph_.constant(std::move(t), v.node->name)->value();
}

std::vector<float> Context::reals(const char* a) const {
  const onnx_file::Attribute* found = node_->find(a);
  return found && found->kind == onnx_file::Attribute::Kind::Reals ? found->reals : std::vector<float>{};
}

Value Context::flatten(Value x, int64_t axis, const std::string& suffix) {
  if (axis == 0) return reshape(x, {1, -1}, suffix);
  if (axis == 1) return reshape(x, {0, -1}, suffix);
  std::vector<int64_t> axes;
  for (int64_t i = axis > 0 ? 0 : axis; i < (axis > 0 ? axis : 0); ++i) axes.push_back(i);
  const std::string part = suffix.substr(0, suffix.rfind('/'));
  const Value shape = make("ShapeOf", {x}, attributes({{"output_type", std::string("i64")}}), 3, part + "/input_shape");
  const Value dims = make("Gather", {shape, integers_constant(axes), integer_constant(0)},
                          attributes({{"batch_dims", int64_t{0}}}), 7, part + "/input_shape/Gather");
  const Value product = make("ReduceProd", {dims, integers_constant({0})}, attributes({{"keep_dims", true}}), kNewest,
                             part + "/first_dims");
  const Value rest = integers_constant({-1});
  const std::vector<Value> both = axis > 0 ? std::vector{product, rest} : std::vector{rest, product};
  const Value pattern =
      make("Concat", both, attributes({{"axis", int64_t{0}}}), kNewest, part + "/first_dims/shapes_concat");
  return make("Reshape", {x, pattern}, attributes({{"special_zero", true}}), kNewest, suffix);
}

void Context::refuse(std::string_view why) const {
  Error e = cannot_compile(name(), node_->op_type, why);
  throw e.because("in " + node_->describe(opset_));
}

namespace {
constexpr std::array kFamilies{convolution_mappers, element_wise_mappers, activation_mappers,  normalization_mappers,
                               shape_mappers,       slice_mappers,        reduction_mappers,   resize_mappers,
                               indexing_mappers,    recurrent_mappers,    quantization_mappers};
}  // namespace

const Mapper* find_mapper(std::string_view op_type) {
  for (const auto& family : kFamilies)
    for (const Mapper& m : family())
      if (m.op_type == op_type) return &m;
  return nullptr;
}

}  // namespace blobsmith::onnx_import

namespace blobsmith {

std::vector<std::string_view> onnx_operators() {
  std::vector<std::string_view> list;
  for (const auto& family : onnx_import::kFamilies)
    for (const onnx_import::Mapper& m : family()) list.push_back(m.op_type);
  return list;
}

}  // namespace blobsmith
