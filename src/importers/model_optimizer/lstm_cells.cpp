// An LSTM's step, spelled out, is one LSTMCell (model-optimizer spec §5.1):
//
//   i, j, f, o = Split(MatMul(Concat(x, h), W) + b)      or of MatMul(x, W) + MatMul(h, R) + b, in any order of gates
//   c' = c · sigmoid(f + forget bias) + sigmoid(i) · tanh(j),   h' = tanh(c') · sigmoid(o)
#include <algorithm>

#include "importers/common/gates.hpp"
#include "importers/model_optimizer/rewrites.hpp"
#include "transforms/conversion/passes.hpp"

namespace blobsmith::model_optimizer {
namespace {

using transforms::constant_of;
using transforms::has_one_user;
using transforms::producer;

struct Gate {
  const Node* split = nullptr;
  int64_t port = 0;
  double added = 0;  ///< to the number in front of the activation
};

/// sigmoid(part of a Split) or sigmoid(part + constant); the same with tanh.
std::optional<Gate> gate_of(Value v, std::string_view activation) {
  const Node* a = producer(v, activation);
  if (!a || !has_one_user(v)) return std::nullopt;
  Value x = a->input(0);
  Gate g;
  if (const Node* sum = producer(x, "Add"); sum && has_one_user(x)) {
    const int side = constant_of(sum->input(0)) ? 0 : 1;
    const auto c = transforms::single_value(sum->input(side));
    if (!c) return std::nullopt;
    g.added = *c;
    x = sum->input(1 - side);
  }
  const Node* split = producer(x, "Split");
  if (!split || split->output_count() != 4 || !has_one_user(x)) return std::nullopt;
  g.split = split;
  g.port = x.port;
  return g;
}

struct Cell {
  Gate input, fresh, forget, output;
  Value old_state, new_state;
};

/// The two orders of a commutative operation's operands.
template <class F>
bool in_any_order(const Node* n, F f) {
  return f(n->input(0), n->input(1)) || f(n->input(1), n->input(0));
}

bool match_new_state(Value v, Cell& cell) {
  const Node* sum = producer(v, "Add");
  return sum && in_any_order(sum, [&](Value kept, Value added) {
           const Node *keeps = producer(kept, "Multiply"), *adds = producer(added, "Multiply");
           if (!keeps || !adds || !has_one_user(kept) || !has_one_user(added)) return false;
           const bool fresh = in_any_order(adds, [&](Value a, Value b) {
             const auto input = gate_of(a, "Sigmoid"), candidate = gate_of(b, "Tanh");
             if (!input || !candidate) return false;
             cell.input = *input;
             cell.fresh = *candidate;
             return true;
           });
           return fresh && in_any_order(keeps, [&](Value a, Value b) {
                    const auto forget = gate_of(a, "Sigmoid");
                    if (!forget) return false;
                    cell.forget = *forget;
                    cell.old_state = b;
                    return true;
                  });
         });
}

bool match(const Node* n, Cell& cell) {
  return in_any_order(n, [&](Value a, Value b) {
    const Node* squashed = producer(a, "Tanh");
    const auto output = gate_of(b, "Sigmoid");
    if (!squashed || !output || !has_one_user(a)) return false;
    cell.output = *output;
    cell.new_state = squashed->input(0);
    return match_new_state(cell.new_state, cell);
  });
}

struct Product {
  Value x;
  Tensor weights;  ///< [width, 4H]
};

std::optional<Product> product_of(Value v) {
  const Node* m = producer(v, "MatMul");
  if (!m || !has_one_user(v) || m->attrs.flag("transpose_a") || m->attrs.flag("transpose_b")) return std::nullopt;
  const Tensor* w = constant_of(m->input(1));
  if (!w || w->shape.size() != 2 || m->input(0).shape().size() != 2) return std::nullopt;
  return Product{m->input(0), *w};
}

struct Sums {
  Value x, h;
  Tensor w, r;              ///< [I, 4H] and [H, 4H]
  std::vector<float> bias;  ///< 4H
  std::string name;
};

/// What the Split takes its parts of.
std::optional<Sums> sums_of(Value v, int64_t hidden) {
  Sums s;
  s.bias.assign(static_cast<size_t>(4 * hidden), 0);
  if (!has_one_user(v)) return std::nullopt;
  const Node* sum = producer(v, "Add");
  if (sum && (constant_of(sum->input(0)) || constant_of(sum->input(1)))) {
    const int side = constant_of(sum->input(0)) ? 0 : 1;
    s.bias = constant_of(sum->input(side))->to_f32();
    if (std::ssize(s.bias) != 4 * hidden) return std::nullopt;
    v = sum->input(1 - side);
    sum = has_one_user(v) ? producer(v, "Add") : nullptr;
  }
  if (sum) {
    const auto a = product_of(sum->input(0)), b = product_of(sum->input(1));
    if (!a || !b || b->weights.shape[0] != hidden || b->weights.shape[1] != 4 * hidden) return std::nullopt;
    s = {a->x, b->x, a->weights, b->weights, std::move(s.bias), sum->input(0).node->name};
    return s;
  }
  const auto p = product_of(v);
  const Node* both = p ? producer(p->x, "Concat") : nullptr;
  if (!both || both->input_count() != 2 || !has_one_user(p->x)) return std::nullopt;
  s.x = both->input(0);
  s.h = both->input(1);
  const int64_t width = s.x.shape()[1];
  if (s.h.shape()[1] != hidden || p->weights.shape != Shape{width + hidden, 4 * hidden}) return std::nullopt;
  s.w = importers::rows_of(p->weights, 0, width);
  s.r = importers::rows_of(p->weights, width, hidden);
  s.name = both->name;
  return s;
}

}  // namespace

bool fuse_lstm_cell(Rewriter& rw, Node* n) {
  Cell cell;
  if (n->shape().size() != 2 || !is_static(n->shape()) || !match(n, cell)) return false;
  const Node* split = cell.input.split;
  const int64_t hidden = n->shape()[1];
  const std::vector<int64_t> gates{cell.forget.port, cell.input.port, cell.fresh.port, cell.output.port};
  for (const Gate* g : {&cell.fresh, &cell.forget, &cell.output})
    if (g->split != split) return false;
  std::vector<int64_t> sorted = gates;
  std::ranges::sort(sorted);
  const auto axis = transforms::single_value(split->input(1));
  if (sorted != std::vector<int64_t>{0, 1, 2, 3} || !axis || (*axis != 1 && *axis != -1) ||
      cell.old_state.shape() != n->shape() || split->shape(0) != n->shape())
    return false;
  auto s = sums_of(split->input(0), hidden);
  if (!s) return false;
  for (const Gate* g : {&cell.input, &cell.fresh, &cell.forget, &cell.output})
    for (int64_t i = 0; i < hidden; ++i)
      s->bias[static_cast<size_t>(g->port * hidden + i)] += static_cast<float>(g->added);
  const auto turned = [&](const Tensor& t) { return rw.constant(importers::turned_gates(t, hidden, gates)); };
  Attributes a = transforms::attributes({{"hidden_size", hidden}});
  Node* lstm = rw.make("LSTMCell",
                       {s->x, s->h, cell.old_state, turned(s->w), turned(s->r),
                        turned(Tensor::of(ElementType::f32, {4 * hidden}, s->bias))},
                       std::move(a), 4);
  lstm->name = s->name + "/LSTMCell";
  rw.redirect(cell.new_state, lstm->value(1));
  return rw.redirect(n->value(), lstm->value(0));
}

}  // namespace blobsmith::model_optimizer
