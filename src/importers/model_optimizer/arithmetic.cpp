// Subtract and Divide are Add and Multiply to the fusions; what is left of the former is written as Subtract again.
#include <algorithm>

#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::model_optimizer {
namespace {

/// One operation with a constant of the operand's rank; computed now where the operand is constant.
Value apply(Rewriter& rw, const Node* like, const char* type, Value x, double by, const char* suffix) {
  const Value operand = rw.filled(x.type(), Shape(x.shape().size(), 1), by);
  operand.node->name = like->name + suffix + "_input_port_1/value";
  const Value result = rw.folded(type, x, operand);
  result.node->name = x.node->is_constant() ? x.node->name : like->name + suffix;
  return result;
}

bool become(Rewriter& rw, Node* n, const char* type, const std::vector<Value>& inputs, const char* suffix = "") {
  const std::string name = n->name + suffix;
  Node* by = rw.make_like(n, type, inputs);  // a constant that fusions made is of double precision
  by->source = n->source;
  const bool done = rw.replace(n, by);
  by->name = name;
  return done;
}

bool is_all(Value v, float x) {
  const Tensor* t = transforms::constant_of(v);
  return t && is_float(t->type) && std::ranges::all_of(t->to_f32(), [&](float y) { return y == x; });
}

}  // namespace

bool subtract_to_add(Rewriter& rw, Node* n) {
  if (!is_float(n->element_type())) return false;
  return become(rw, n, "Add", {n->input(0), apply(rw, n, "Multiply", n->input(1), -1, "/negate_")});
}

bool divide_to_multiply(Rewriter& rw, Node* n) {
  if (!is_float(n->element_type())) return false;
  return become(rw, n, "Multiply", {n->input(0), apply(rw, n, "Power", n->input(1), -1, "/reciprocal_")});
}

bool multiply_to_negative(Rewriter& rw, Node* n) {
  for (const int factor : {0, 1})
    if (is_all(n->input(factor), -1) && n->input(1 - factor).shape() == n->value().shape())
      return become(rw, n, "Negative", {n->input(1 - factor)}, "/Negate");
  return false;
}

namespace {

bool to_subtract(Rewriter& rw, Node* n, const char* suffix) {
  for (const int port : {1, 0})
    if (const Node* negated = transforms::producer(n->input(port), "Negative"))
      return become(rw, n, "Subtract", {n->input(1 - port), negated->input(0)}, suffix);
  return false;
}

}  // namespace

bool add_to_subtract(Rewriter& rw, Node* n) { return to_subtract(rw, n, ""); }
bool add_to_subtract_by_name(Rewriter& rw, Node* n) { return to_subtract(rw, n, "/sub"); }

}  // namespace blobsmith::model_optimizer
