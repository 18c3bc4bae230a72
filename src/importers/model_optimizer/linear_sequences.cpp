// A chain of Multiply and Add by constants becomes one Multiply and one Add, computed in double precision
// (model-optimizer spec §6.2).
#include <algorithm>
#include <functional>

#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::model_optimizer {
namespace {

bool is_link(const Node* n) {
  const auto l = linear_operand(n);
  return l && is_per_channel(*l, n);
}

std::vector<Node*> chain_from(Node* first) {
  std::vector<Node*> chain{first};
  while (chain.back()->output().uses.size() == 1) {
    Node* next = chain.back()->output().uses[0].node;
    if (!is_link(next)) break;
    chain.push_back(next);
  }
  return chain;
}

/// One value, or one per channel.
struct Vector {
  std::vector<double> v;

  double at(size_t i) const { return v[v.size() == 1 ? 0 : i]; }
  template <class F>
  void combine(const std::vector<double>& by, F f) {
    const Vector b{by};
    std::vector<double> r(std::max(v.size(), by.size()));
    for (size_t i = 0; i < r.size(); ++i) r[i] = f(at(i), b.at(i));
    v = std::move(r);
  }
  bool is_all(double x) const {
    return std::ranges::all_of(v, [&](double y) { return y == x; });
  }
};

struct Sum {
  Vector multiply{{1.0}}, add{{0.0}};
  std::string multiply_name, add_name;
};

Sum sum_of(const std::vector<Node*>& chain) {
  Sum s;
  for (const Node* n : chain) {
    const std::vector<double> c = doubles(linear_operand(n)->constant.node->constant);
    if (n->is("Multiply")) {
      if (s.multiply_name.empty()) s.multiply_name = n->name;
      s.multiply.combine(c, std::multiplies<>());
      s.add.combine(c, std::multiplies<>());
    } else {
      if (s.add_name.empty()) s.add_name = n->name;
      s.add.combine(c, std::plus<>());
    }
  }
  return s;
}

Value make_link(Rewriter& rw, const Node* like, const char* type, Value data, const Vector& by, std::string name) {
  Shape shape(like->shape().size(), 1);
  if (by.v.size() > 1) shape[1] = static_cast<int64_t>(by.v.size());
  const Value operand = rw.constant(Tensor::of(ElementType::f64, shape, by.v));
  operand.node->name =
      (type == std::string_view("Add") ? "data_add_" : "data_mul_") + std::to_string(operand.node->id());
  Node* n = rw.make_like(like, type, {data, operand});
  n->attrs = like->attrs;
  n->name = std::move(name);
  n->source = like->source;
  return n->value();
}

}  // namespace

bool fuse_linear_sequence(Rewriter& rw, Node* n) {
  if (!is_link(n)) return false;
  const Value before = linear_operand(n)->data;
  if (before.node->output(before.port).uses.size() == 1 && is_link(before.node)) return false;  // not the chain's first
  const std::vector<Node*> chain = chain_from(n);
  if (chain.size() == 1 || (chain.size() == 2 && chain[0]->is("Multiply") && chain[1]->is("Add"))) return false;
  const Sum s = sum_of(chain);
  Node* last = chain.back();
  Value v = before;
  if (!s.multiply.is_all(1)) v = make_link(rw, last, "Multiply", v, s.multiply, s.multiply_name + "/Fused_Mul_");
  if (!s.add.is_all(0)) v = make_link(rw, last, "Add", v, s.add, s.add_name + "/Fused_Add_");
  return rw.redirect(last->value(), v);
}

}  // namespace blobsmith::model_optimizer
