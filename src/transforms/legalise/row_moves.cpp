#include "transforms/legalise/row_moves.hpp"

#include <algorithm>
#include <cmath>

#include "core/float16.hpp"

namespace blobsmith::legalise_rows {

bool pads_rows(const Node& n, bool zeros_stay) {
  const Tensor *begin = transforms::constant_of(n.input(1)), *end = transforms::constant_of(n.input(2));
  if (!begin || !end) return false;
  const std::vector<int64_t> before = begin->to_i64(), behind = end->to_i64();
  const auto is_zero = [](int64_t p) { return p == 0; };
  if (std::ranges::all_of(before, is_zero) && std::ranges::all_of(behind, is_zero)) return true;
  const bool pads_zeros =
      n.attrs.text("pad_mode") == "constant" && (n.input_count() < 4 || transforms::is_single(n.input(3), 0, 0));
  return zeros_stay && pads_zeros && before.back() == 0 && behind.back() == 0;
}

bool moves_rows(const Node& n, int64_t columns, bool zeros_stay) {
  if (n.output_count() != 1 || !is_static(n.shape()) || n.shape().empty() || n.shape().back() != columns) return false;
  if (n.is("Reshape") || n.is("Squeeze") || n.is("Unsqueeze")) return n.input(0).shape().back() == columns;
  if (n.is("StridedSlice"))
    return n.input(0).shape().back() == columns && n.shape().size() == n.input(0).shape().size();
  if (n.is("Concat")) {
    const int64_t axis = n.attrs.integer("axis");
    return axis >= 0 && axis + 1 < std::ssize(n.shape());
  }
  if (n.is("Pad")) return pads_rows(n, zeros_stay);
  if (n.is("Gather")) {
    const Tensor* axis = transforms::constant_of(n.input(2));
    return axis && n.attrs.integer("batch_dims", 0) == 0 && axis->to_i64()[0] >= 0 &&
           axis->to_i64()[0] + 1 < std::ssize(n.input(0).shape()) && n.input(1).node->is_constant();
  }
  if (!n.is("Transpose")) return false;
  const Tensor* order = transforms::constant_of(n.input(1));
  return order && order->to_i64().back() + 1 == std::ssize(n.shape());
}

std::vector<Node*> products_behind(const Node* n, int64_t columns, bool zeros_stay, std::vector<Node*>* moves) {
  std::vector<Node*> products;
  std::vector<const Node*> inside{n};
  for (size_t i = 0; i < inside.size(); ++i)
    for (const NodeUse& use : inside[i]->output().uses) {
      Node* reader = use.node;
      if (reader->is("ShapeOf")) continue;
      if (reader->is("MatMul") && use.port == 0 && reader->input(1).node->is_constant() &&
          reader->input(1).shape().size() == 2 && is_float(reader->input(1).type()) &&
          !reader->attrs.flag("transpose_a")) {
        products.push_back(reader);
      } else if (moves_rows(*reader, columns, zeros_stay) && (use.port == 0 || reader->is("Concat"))) {
        if (std::ranges::find(inside, reader) != inside.end()) continue;
        inside.push_back(reader);
        if (moves) moves->push_back(reader);
      } else {
        return {};
      }
    }
  const auto is_inside = [&](Value v) { return std::ranges::find(inside, v.node) != inside.end(); };
  for (const Node* m : inside)
    if (m->is("Concat") && !std::ranges::all_of(m->inputs(), is_inside)) return {};
  return products;
}

std::optional<Value> MovedRows::of(Value v) {
  if (v == from_) return to_;
  if (v.port != 0) return {};
  if (const auto it = known_.find(v.node); it != known_.end()) return it->second;
  const auto r = made(*v.node);
  if (r) known_.emplace(v.node, *r);
  return r;
}

std::optional<Value> MovedRows::made(const Node& n) {
  if (n.is_constant() || n.input_count() == 0 || n.shape().empty() || n.shape().back() % before() != 0) return {};
  Shape expected = n.shape();
  expected.back() = expected.back() / before() * behind();
  const bool joins_rows = n.is("Concat") && n.attrs.integer("axis") + 1 == std::ssize(n.shape());
  if (!joins_rows && !moves_rows(n, before(), false)) return {};
  std::vector<Value> inputs = n.inputs();
  const size_t data = n.is("Concat") ? inputs.size() : 1;
  for (size_t i = 0; i < data; ++i) {
    const auto moved = of(inputs[i]);
    if (!moved) return {};
    inputs[i] = *moved;
  }
  if (n.is("Pad")) return inputs[0];
  if (n.is("Reshape")) return rw_.reshape(inputs[0], expected)->value();
  Node* copy = rw_.copy(&n, std::move(inputs));
  if (copy->shape() != expected) return {};
  return copy->value();
}

bool keeps_digits(double factor) {
  constexpr double kMostFactor = 64;
  return std::fabs(factor) <= kMostFactor && std::fabs(factor) >= 1 / kMostFactor;
}

bool is_read_once(Value v) { return transforms::has_one_user(v) && !transforms::feeds_result(v); }

bool may_mix_items(const Graph& graph) {
  constexpr int64_t kFewRows = 10;  ///< of an item
  int64_t batch = 1;
  for (const Node* p : graph.parameters())
    if (!p->shape().empty()) batch = std::max(batch, p->shape()[0]);
  if (batch == 1) return true;
  const auto has_rows = [&](const Node* n) {
    if (!n->is("MatMul") || !n->input(1).node->is_constant() || n->input(1).shape().size() != 2) return false;
    const Shape& x = n->input(0).shape();
    return is_static(x) && x.size() > 1 && !n->attrs.flag("transpose_a") && x.back() > 0 &&
           element_count(x) / x.back() / batch > kFewRows;
  };
  return std::ranges::any_of(graph.ordered(), has_rows);
}

Tensor floats_as(const Tensor& like, Shape shape, std::vector<float> values) {
  if (like.type != ElementType::f16) return Tensor::of(like.type, std::move(shape), std::move(values));
  std::vector<Half> halves(values.size());
  floats_to_halves(values.data(), halves.data(), halves.size());
  return Tensor::of(like.type, std::move(shape), std::move(halves));
}

}  // namespace blobsmith::legalise_rows
