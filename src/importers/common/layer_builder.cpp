#include "importers/common/layer_builder.hpp"

#include <algorithm>

#include "graph/numbering.hpp"
#include "graph/ops/numbers.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::importers {

Attributes attributes(std::initializer_list<std::pair<std::string_view, Attributes::Value>> items) {
  return transforms::attributes(items);
}

Value LayerBuilder::make(std::string type, std::vector<Value> inputs, Attributes attrs, int version,
                         const std::string& suffix) {
  transforms::Rewriter rw(graph_);
  Node* n = rw.make(std::move(type), std::move(inputs), std::move(attrs), version);
  n->name = name_ + suffix;
  n->source = source_;
  std::vector<const Tensor*> constants;
  for (const Value& v : n->inputs())
    if (const Tensor* t = transforms::constant_of(v)) constants.push_back(t);
  if (n->output_count() != 1 || static_cast<int>(constants.size()) != n->input_count()) return n->value();
  std::vector<Tensor> folded = evaluate(*n, constants);
  if (folded.empty()) return n->value();
  const Value result = graph_.constant(std::move(folded[0]), n->name)->value();
  graph_.remove(n);
  return result;
}

Value LayerBuilder::number_constant(ElementType type, Shape shape, double v) {
  const auto count = static_cast<size_t>(element_count(shape));
  const std::string constant_name = name_ + "_input_port_1/value";
  if (is_float(type))
    return graph_.constant(Tensor::reals(type, std::move(shape), std::vector<double>(count, v)), constant_name)
        ->value();
  const int64_t whole = ops::truncate(v);
  if (static_cast<double>(whole) != v || byte_width(type) == 0)
    refuse("it computes with " + std::to_string(v) + " on numbers of type " + std::string(to_string(type)));
  return graph_.constant(ops::store<int64_t>(type, shape, std::vector<int64_t>(count, whole)), constant_name)->value();
}

Value LayerBuilder::binary(std::string type, Value a, Value b, const std::string& suffix) {
  const size_t rank = std::max(a.shape().size(), b.shape().size());
  return make(std::move(type), {ranked(a, rank), ranked(b, rank)}, {}, kNewest, suffix);
}

Value LayerBuilder::binary(std::string type, Value a, double b, const std::string& suffix) {
  return make(std::move(type), {a, number_constant(a.type(), Shape(a.shape().size(), 1), b)}, {}, kNewest, suffix);
}

Value LayerBuilder::reshape(Value x, std::vector<int64_t> pattern, const std::string& suffix) {
  return make("Reshape", {x, integers_constant(std::move(pattern))}, attributes({{"special_zero", true}}), kNewest,
              suffix);
}

Value LayerBuilder::reshape_like(Value y, Value x, const std::string& suffix) {
  const Value shape = shape_of(x, suffix + "/ShapeOf_");
  return make("Reshape", {y, shape}, attributes({{"special_zero", true}}), kNewest, suffix);
}

Value LayerBuilder::shape_of(Value x, const std::string& suffix) {
  return make("ShapeOf", {x}, attributes({{"output_type", std::string("i64")}}), 3, suffix);
}

std::string numbered(Graph& graph) {
  std::string number = std::to_string(numbering::next(graph));
  number.insert(0, 6 - std::min<size_t>(number.size(), 6), '0');
  return number;
}

Value LayerBuilder::axes_from(Value x, int64_t first) {
  const Value begin = integer_constant(first, "/Range_input_port_0/value");
  const Value sizes = shape_of(shape_of(x, "/Rank/shape_of"), "/Rank/rank_of");
  const Value rank = make("Squeeze", {sizes, integers_constant({0}, "/Rank/0d_rank_of/value")}, {}, kNewest, "/Rank");
  const Value step = integer_constant(1, "/Range_input_port_2/value");
  return make("Range", {begin, rank, step}, attributes({{"output_type", std::string("i64")}}), 4, "/Range");
}

Value LayerBuilder::scalar(Value x) {
  if (x.shape().empty()) return x;
  if (!is_static(x.shape()) || element_count(x.shape()) != 1)
    refuse("a tensor of shape " + to_string(x.shape()) + " stands where one value is expected");
  if (!x.node->is_constant()) return make("Squeeze", {x}, {}, kNewest, "/Squeeze");
  Tensor t = x.node->constant;
  t.shape = {};
  return graph_.constant(std::move(t), x.node->name)->value();
}

Value LayerBuilder::ranked(Value v, size_t rank) {
  if (!v.node->is_constant() || v.shape().size() >= rank) return v;
  Tensor t = v.node->constant;
  t.shape.insert(t.shape.begin(), rank - t.shape.size(), 1);
  return graph_.constant(std::move(t), v.node->name)->value();
}

Value LayerBuilder::flatten(Value x, int64_t axis, const std::string& suffix) {
  if (axis == 0) return reshape(x, {1, -1}, suffix);
  if (axis == 1) return reshape(x, {0, -1}, suffix);
  std::vector<int64_t> axes;
  for (int64_t i = axis > 0 ? 0 : axis; i < (axis > 0 ? axis : 0); ++i) axes.push_back(i);
  const std::string part = suffix.substr(0, suffix.rfind('/'));
  const Value shape = shape_of(x, part + "/input_shape");
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

Error LayerBuilder::refusal(std::string_view why) const { return cannot_compile(name_, type_, why).from(source_); }

}  // namespace blobsmith::importers
