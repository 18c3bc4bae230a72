// Operations that the VPU lacks become arithmetic that it has (front-end spec §5.4, CommonDecompositions).
#include "core/release.hpp"
#include "graph/numbering.hpp"
#include "transforms/conversion/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

bool downgrade_gelu(Rewriter& rw, Node* n) {
  if (n->version != 7) return false;
  Node* gelu = rw.make_like(n, "Gelu", n->inputs(), {}, 0);
  numbering::made(rw.graph(), *gelu);
  return rw.replace(n, gelu);
}

Attributes keep_dims_of(const Node* n) { return attributes({{"keep_dims", n->attrs.flag("keep_dims")}}); }

bool decompose_reduce_l1(Rewriter& rw, Node* n) {
  if (!constant_of(n->input(1))) return false;
  Node* abs = rw.make("Abs", {n->input(0)});
  Node* sum = rw.visit(rw.make("ReduceSum", {abs->value(), n->input(1)}, keep_dims_of(n)));
  return rw.replace(n, sum);
}

bool decompose_reduce_l2(Rewriter& rw, Node* n) {
  if (!constant_of(n->input(1))) return false;
  const Value two = rw.scalar(n->input(0).type(), 2);
  Node* square = rw.make("Power", {n->input(0), two});
  Node* sum = rw.visit(rw.make("ReduceSum", {square->value(), n->input(1)}, keep_dims_of(n)));
  return rw.replace(n, rw.make("Sqrt", {sum->value()}));
}

bool decompose_hsigmoid(Rewriter& rw, Node* n) {  // min(Relu(x + 3), 6) · (1/6)
  const ElementType type = n->element_type();
  const Value three = rw.scalar(type, 3);
  Node* add = rw.make("Add", {n->input(0), three});
  Node* relu = rw.make("Relu", {add->value()});
  const Value six = rw.scalar(type, 6);
  Node* minimum = rw.visit(rw.make("Minimum", {relu->value(), six}));
  const Value sixth = rw.scalar(type, static_cast<float>(1.0 / 6.0));
  return rw.replace(n, rw.make("Multiply", {minimum->value(), sixth}));
}

bool decompose_log_softmax(Rewriter& rw, Node* n) {  // s - Log(ReduceSum(Exp(s))) with s = x - ReduceMax(x)
  const Value x = n->input(0);
  const auto axis = static_cast<int64_t>(axis_from_front(n->attrs.integer("axis", 1), x.shape().size()));
  const Attributes keep = attributes({{"keep_dims", true}});
  const Value max_axis = rw.indices({axis}), sum_axis = rw.indices({axis});
  Node* max = rw.make("ReduceMax", {x, max_axis}, keep);
  Node* shifted = rw.make("Subtract", {x, max->value()});
  Node* exp = rw.make("Exp", {shifted->value()});
  Node* sum = rw.make("ReduceSum", {exp->value(), sum_axis}, keep);
  Node* log = rw.make("Log", {sum->value()});
  return rw.replace(n, rw.make("Subtract", {shifted->value(), log->value()}));
}

bool decompose_mod(Rewriter& rw, Node* n) {  // Sign(a) · (|a| - trunc(|a| / |b|) · |b|)
  const Value a = n->input(0), b = n->input(1);
  Node* abs_a = rw.make("Abs", {a});
  Node* sign = rw.make("Sign", {a});
  Node* abs_b = rw.make("Abs", {b});
  Node* quotient = rw.visit(rw.make("Divide", {abs_a->value(), abs_b->value()}));
  Node* whole = rw.make("Convert", {quotient->value()}, attributes({{"destination_type", "i32"}}));
  Node* real = rw.make("Convert", {whole->value()},
                       attributes({{"destination_type", std::string(to_string(n->element_type()))}}));
  Node* multiple = rw.make("Multiply", {abs_b->value(), real->value()});
  Node* rest = rw.visit(rw.make("Subtract", {abs_a->value(), multiple->value()}));
  return rw.replace(n, rw.make("Multiply", {sign->value(), rest->value()}));
}

bool decompose_subtract(Rewriter& rw, Node* n) {  // a + b · (-1)
  if (n->input(0).type() != n->input(1).type()) return false;
  const Value minus_one = rw.scalar(n->input(1).type(), -1);
  Node* negated = rw.make("Multiply", {n->input(1), minus_one});
  return rw.replace(n, rw.make("Add", {n->input(0), negated->value()}));
}

bool decompose_divide(Rewriter& rw, Node* n) {  // a · b^(-1)
  if (rw.graph().release->model_optimizations) return multiply_by_inverse(rw, n);
  if (!is_float(n->element_type())) return false;
  const Value minus_one = rw.scalar(n->input(1).type(), -1);
  Node* inverse = rw.make("Power", {n->input(1), minus_one});
  return rw.replace(n, rw.make("Multiply", {n->input(0), inverse->value()}));
}

bool decompose_negative(Rewriter& rw, Node* n) {  // x · (-1)
  const Value minus_one = rw.scalar(n->element_type(), -1);
  return rw.replace(n, rw.make("Multiply", {n->input(0), minus_one}));
}

constexpr RewriteRow kLayerDecompositions[] = {
    {{"Gelu"}, downgrade_gelu},
    {{"ReduceL1"}, decompose_reduce_l1, "Abs ReduceSum"},
    {{"ReduceL2"}, decompose_reduce_l2, "Power ReduceSum"},
    {{"HSigmoid"}, decompose_hsigmoid, "Relu Minimum Multiply"},
    {{"LogSoftmax"}, decompose_log_softmax, "ReduceMax Subtract Exp ReduceSum Log"},
};
constexpr RewriteRow kArithmeticDecompositions[] = {
    {{"Mod"}, decompose_mod, "Abs Sign Multiply"},
    {{"Subtract"}, decompose_subtract},
    {{"Divide"}, decompose_divide},
    {{"Negative"}, decompose_negative, "PowerIE"},
};

}  // namespace

std::span<const RewriteRow> layer_decompositions() { return kLayerDecompositions; }
std::span<const RewriteRow> arithmetic_decompositions() { return kArithmeticDecompositions; }

}  // namespace blobsmith::transforms
