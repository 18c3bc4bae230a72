// Subtract and Divide are Add and Multiply to the fusions; what is left of the former is written as Subtract again.
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

bool become(Rewriter& rw, Node* n, const char* type, Value a, Value b) {
  Node* by = rw.make(type, {a, b});
  by->source = n->source;
  return rw.replace(n, by);
}

}  // namespace

bool subtract_to_add(Rewriter& rw, Node* n) {
  if (!is_float(n->element_type())) return false;
  return become(rw, n, "Add", n->input(0), apply(rw, n, "Multiply", n->input(1), -1, "/negate_"));
}

bool divide_to_multiply(Rewriter& rw, Node* n) {
  if (!is_float(n->element_type())) return false;
  return become(rw, n, "Multiply", n->input(0), apply(rw, n, "Power", n->input(1), -1, "/reciprocal_"));
}

bool add_to_subtract(Rewriter& rw, Node* n) {
  Node* negated = transforms::producer(n->input(1), "Multiply");
  if (!negated || !negated->name.ends_with("/negate_") || !transforms::is_single(negated->input(1), -1, 0))
    return false;
  return become(rw, n, "Subtract", n->input(0), negated->input(0));
}

}  // namespace blobsmith::model_optimizer
