// Outputs whose shape depends on the data get their largest shape, and a DynamicShapeResolver that ties them to a
// tensor with the real one (front-end spec §5.7).
//
// NonMaxSuppression of 100 boxes gives [?, 3] indices. It becomes StaticShapeNonMaxSuppression, whose output is
// [100, 3] beside a tensor with the real shape, and a DynamicShapeResolver that reads both. In network order each
// reader of a resolver is then treated by the rule of its type: it computes the largest tensor, and small integer
// arithmetic beside it (Gather, Concat, Multiply of shape vectors) computes the real shape of its output, which a
// resolver of its own ties to it. So dynamic shapes travel to the outputs; a type without a rule is refused.
#include "transforms/dynamic/shapes.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "graph/ops/op.hpp"
#include "transforms/conversion/passes.hpp"
#include "transforms/conversion/rewrites.hpp"
#include "transforms/faults/rewrites.hpp"

namespace blobsmith::transforms {

namespace dynamic {

Value shape_of(Value v) {
  const Node* resolver = producer(v, "DynamicShapeResolver");
  return resolver ? resolver->input(1) : Value{};
}

void refuse(const Node& n, const std::string& why) {
  throw cannot_compile(n, "DynamicToStaticShape transformation for " + n.name + " of type " + n.type + " " + why);
}

Value shape_of_data(const Node& n) {
  const Value shape = shape_of(n.input(0));
  if (!shape) refuse(n, "expects DynamicShapeResolver ver. 0 as input with index 0");
  return shape;
}

Value shape_or_constant(Rewriter& rw, const Node& user, Value v, ElementType type) {
  if (const Value shape = shape_of(v)) return shape;
  if (!is_static(v.shape())) refuse(user, "expects static shape on inputs without DSR");
  return integers(rw, type, v.shape());
}

ElementType shape_type(const Node& n, std::initializer_list<int> inputs) {
  std::optional<ElementType> type;
  for (int i : inputs) {
    const Value shape = i < n.input_count() ? shape_of(n.input(i)) : Value{};
    if (!shape) continue;
    if (type && *type != shape.type())
      refuse(n, "expects equal shapes data types, actual " + std::string(to_string(*type)) + " vs " +
                    std::string(to_string(shape.type())));
    type = shape.type();
  }
  if (!type) refuse(n, "expects at least one DSR as input");
  return *type;
}

Value integers(Rewriter& rw, ElementType type, const std::vector<int64_t>& values) {
  if (type == ElementType::i32)
    return rw.constant(
        Tensor::of(type, {static_cast<int64_t>(values.size())}, std::vector<int32_t>(values.begin(), values.end())));
  return rw.indices(values);
}

Value part(Rewriter& rw, Value shape, int64_t first, int64_t count) {
  std::vector<int64_t> which(static_cast<size_t>(count));
  std::iota(which.begin(), which.end(), first);
  const Value axis = rw.index(0), indices = rw.indices(std::move(which));
  return rw.make("Gather", {shape, indices, axis}, {}, 1)->value();
}

Value pick(Rewriter& rw, Value shape, ElementType type, const std::vector<int64_t>& which) {
  const Value axis = rw.indices({0}), indices = integers(rw, type, which);
  return rw.make("Gather", {shape, indices, axis}, {}, 1)->value();
}

Value joined(Rewriter& rw, std::vector<Value> parts) {
  return rw.make("Concat", std::move(parts), attributes({{"axis", 0}}))->value();
}

std::vector<int64_t> constant_integers(const Node& n, int input) {
  const Tensor* t = input < n.input_count() ? constant_of(n.input(input)) : nullptr;
  if (!t) refuse(n, "expects Constant ver. 0 as input with index " + std::to_string(input));
  return t->to_i64();
}

void resolve(Rewriter& rw, Value old, Value data, Value shape, const std::string& name) {
  Node* resolver = rw.make("DynamicShapeResolver", {data, shape});
  resolver->name = name;
  rw.redirect(old, resolver->value());
}

void resolve_copy(Rewriter& rw, Node* n, Value shape) {
  resolve(rw, n->value(), rw.copy(n, n->inputs())->value(), shape, n->name);
}

namespace {

void non_max_suppression(Rewriter& rw, Node* n) {
  std::vector<Value> inputs = n->inputs();
  const size_t stated = inputs.size();
  inputs.resize(6);
  for (size_t i = 6; i-- > stated;) inputs[i] = i == 2 ? rw.index(0) : rw.scalar(ElementType::f32, 0);
  const Attributes attrs = attributes({{"box_encoding", n->attrs.text("box_encoding", "corner")},
                                       {"sort_result_descending", n->attrs.flag("sort_result_descending", true)},
                                       {"output_type", std::string(to_string(n->element_type(0)))}});
  Node* nms = rw.make("StaticShapeNonMaxSuppression", inputs, attrs);
  std::array<Node*, 2> resolvers;
  for (int i = 0; i < 2; ++i) {
    resolvers[static_cast<size_t>(i)] = rw.make("DynamicShapeResolver", {nms->value(i), nms->value(2)});
    resolvers[static_cast<size_t>(i)]->name = n->name + "." + std::to_string(i);
  }
  const ElementType type = nms->element_type(2);
  const Value axis = integers(rw, type, {0}), first = integers(rw, type, {0});
  Node* count = rw.make("Gather", {nms->value(2), first, axis}, {}, 1);
  count->name = n->name + ".2";
  rw.redirect(n->value(0), resolvers[0]->value());
  rw.redirect(n->value(1), resolvers[1]->value());
  rw.redirect(n->value(2), count->value());
}

void non_zero(Rewriter& rw, Node* n) {
  Node* static_form = rw.make("StaticShapeNonZero", n->inputs(),
                              attributes({{"output_type", std::string(to_string(n->element_type()))}}));
  resolve(rw, n->value(), static_form->value(0), static_form->value(1), n->name);
}

// By type and version; the reference knows no others.
struct Key {
  std::string_view type;
  int version;
  auto operator<=>(const Key&) const = default;
};

const std::map<Key, Rule>& shape_rules() {
  static const std::map<Key, Rule> table = [] {
    std::map<Key, Rule> t;
    for (std::string_view type : {"Ceiling", "Clamp", "Convert", "Exp", "Floor", "Log", "Relu", "Sigmoid", "Sqrt",
                                  "LogicalNot", "ScatterElementsUpdate", "ScatterUpdate", "Softmax"})
      t[{type, 0}] = elementwise;
    t[{"Round", 0}] = elementwise;
    for (std::string_view type :
         {"Add", "Multiply", "Subtract", "Divide", "Equal", "Greater", "Power", "Maximum", "Minimum", "Less"})
      t[{type, 0}] = binary;
    for (std::string_view type :
         {"ReduceLogicalAnd", "ReduceLogicalOr", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum"})
      t[{type, 0}] = reduce;
    t[{"Select", 0}] = select;
    t[{"NonMaxSuppression", 5}] = non_max_suppression;
    t[{"NonZero", 0}] = non_zero;
    t[{"TopK", 3}] = top_k;
    t[{"Transpose", 0}] = transpose;
    t[{"Concat", 0}] = concat;
    t[{"Split", 0}] = split;
    t[{"VariadicSplit", 0}] = variadic_split;
    t[{"StridedSlice", 0}] = strided_slice;
    t[{"Squeeze", 0}] = squeeze;
    t[{"Unsqueeze", 0}] = unsqueeze;
    t[{"Gather", 1}] = gather;
    t[{"GatherND", 0}] = gather_nd;
    t[{"GatherElements", 0}] = gather_elements;
    t[{"ROIAlign", 0}] = roi_align;
    t[{"Reshape", 0}] = reshape;
    t[{"Broadcast", 3}] = broadcast;
    t[{"MatMul", 0}] = mat_mul;
    return t;
  }();
  return table;
}

bool is_dynamic(const Node& n) {
  for (int i = 0; i < n.output_count(); ++i)
    if (!is_static(n.shape(i))) return true;
  return false;
}

void apply_rule(Rewriter& rw, Node* n) {
  auto rule = shape_rules().find({n->type, n->version});
  if (rule == shape_rules().end()) rule = shape_rules().find({n->type, 0});
  if (rule == shape_rules().end() || (n->is("TopK") && n->version != 3))
    throw cannot_compile(*n, "DynamicToStaticShape transformation encountered dynamic node " + n->name + " of type " +
                                 n->type + " ver. " + std::to_string(n->version) +
                                 ", which is not among the types that are supported for dynamic nodes");
  rule->second(rw, n);
}

// The reference knows loops over slices only: whatever is carried from one iteration to the next is refused.
void check_loop(const Node& n) {
  for (const PortMap::Input& in : n.port_map.inputs) {
    const bool carried = std::ranges::any_of(
        n.port_map.back_edges, [&](const PortMap::BackEdge& e) { return e.body_parameter == in.body_parameter; });
    if (!carried || in.sliced) continue;
    Error e = cannot_compile(
        n, "Encountered unknown input type of a loop " + ops::describe(n) + " at index " + std::to_string(in.outer));
    throw e.hint("values that iterations hand on need a TensorIterator, or an unrolled loop");
  }
}

}  // namespace

}  // namespace dynamic

bool resolve_dynamic_shapes(Graph& graph) {
  const std::vector<Node*> order = graph.ordered();
  for (const Node* n : order)
    if (n->is("Loop")) dynamic::check_loop(*n);
  if (std::ranges::none_of(order, [](const Node* n) { return dynamic::is_dynamic(*n); })) return false;
  Rewriter rw(graph);
  for (Node* n : order) {
    if (n->is("Result"))
      graph.set_outputs(n, {{n->input(0).type(), n->input(0).shape()}});
    else if (dynamic::is_dynamic(*n))
      dynamic::apply_rule(rw, n);
  }
  graph.remove_unreachable();
  return true;
}

bool mistakes_real_shape(const Node& n) {
  const auto is_open = [](const Value& v) { return !is_static(v.shape()); };
  if (n.is("Concat"))
    return std::ranges::count_if(n.inputs(), is_open) > 1 && !std::ranges::all_of(n.inputs(), is_open);
  if (!n.is("Transpose") || !is_open(n.input(0))) return false;
  const Tensor* order = constant_of(n.input(1));
  return order && !is_own_inverse(order->to_i64());
}

Rewritten keep_real_shapes(Graph& graph) {
  Rewritten list;
  for (Node* n : graph.ordered()) {
    if (n->is("Transpose") || n->is("Concat")) n->attrs.set(dynamic::kExactShape, true);  // Transposes may be fused
    if (mistakes_real_shape(*n)) list.push_back(rewritten(*n));
  }
  return list;
}

namespace {

bool shape_of_resolver(Rewriter& rw, Node* n) {
  const Value shape = dynamic::shape_of(n->input(0));
  return n->version == 3 && shape && rw.redirect(n->value(), shape);
}

bool merge_resolvers(Rewriter& rw, Node* n) {
  Node* before = producer(n->input(0), "DynamicShapeResolver");
  if (!before) return false;
  Node* merged = rw.make("DynamicShapeResolver", {before->input(0), n->input(1)});
  merged->name = n->name;
  rw.redirect(n->value(), merged->value());
  return rw.redirect(before->value(), merged->value());
}

constexpr RewriteRow kShapesOfResolvers[] = {
    {{"ShapeOf"}, shape_of_resolver},
};
constexpr RewriteRow kResolverMerges[] = {
    {{"DynamicShapeResolver"}, merge_resolvers},
};

}  // namespace

std::span<const RewriteRow> shapes_of_resolvers() { return kShapesOfResolvers; }
std::span<const RewriteRow> resolver_merges() { return kResolverMerges; }

}  // namespace blobsmith::transforms
