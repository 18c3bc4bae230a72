// A number that scales what a product by a constant matrix or a convolution gives, or one of the parts that it is split
// into, scales their weights instead: the queries of an attention.
//
//   x - MatMul W [192, 3 * 64] - Reshape [197, 3, 64] - Transpose - [3, 197, 64] - Split - q - Multiply 1/8
//   is the same without the Multiply, and with W[:, 0:64] / 8
#include <algorithm>
#include <cmath>
#include <optional>

#include "transforms/legalise/row_moves.hpp"

namespace blobsmith::legalise_rows {
namespace {

/// The elements of an axis whose number i has (i / unit) % size in [from, to).
struct Part {
  size_t axis;
  int64_t unit, size, from, to;

  bool holds(int64_t i) const { return (i / unit) % size >= from && (i / unit) % size < to; }
};

int64_t inside_of(const Shape& shape, size_t axis) { return transforms::product(std::span(shape).subspan(axis + 1)); }

/// The part of `whole` that a Split gives at a port.
std::optional<Part> part_of_split(const Node& split, int port) {
  const Tensor* axis = transforms::constant_of(split.input(1));
  if (!axis || !is_static(split.input(0).shape())) return {};
  const Shape& whole = split.input(0).shape();
  const size_t a = transforms::axis_from_front(axis->to_i64()[0], whole.size());
  int64_t from = 0;
  for (int i = 0; i < port; ++i) from += split.output(i).shape[a];
  return Part{a, 1, whole[a], from, from + split.output(port).shape[a]};
}

/// The same part before a Reshape; none where it is not part of one axis there.
std::optional<Part> before_reshape(const Part& p, const Shape& before, const Shape& behind) {
  const int64_t stride = inside_of(behind, p.axis) * p.unit;
  for (size_t a = 0; a < before.size(); ++a) {
    const int64_t inside = inside_of(before, a);
    if (stride % inside == 0 && inside * before[a] % (stride * p.size) == 0)
      return Part{a, stride / inside, p.size, p.from, p.to};
  }
  return {};
}

/// What gives a part: a product or convolution, the Add of its bias where it has one, and the part of its columns.
struct Origin {
  Node* product = nullptr;
  Node* add = nullptr;
  std::optional<Part> part;    ///< none: all columns
  std::vector<Node*> between;  ///< what moves it
};

size_t axis_of_columns(const Node& product) { return product.is("MatMul") ? product.shape().size() - 1 : 1; }

bool is_product(const Node& n) {
  if (!is_float(n.element_type()) || !is_static(n.shape()) || n.shape().size() < 2) return false;
  const bool known = n.input_count() > 1 && n.input(1).node->is_constant();
  return known && ((n.is("MatMul") && n.input(1).shape().size() == 2) || n.is("Convolution"));
}

/// The constant of a bias of a product's columns, as an input of `add`; -1 where it adds something else.
int bias_port(const Node& add, Value made) {
  const int port = add.input(0) == made ? 1 : 0;
  const Value bias = add.input(port);
  if (!bias.node->is_constant() || add.shape() != made.shape()) return -1;
  const int64_t columns = made.shape()[axis_of_columns(*made.node)];
  const size_t back = made.shape().size() - axis_of_columns(*made.node);  // the axis of columns, from behind
  const Shape& s = bias.shape();
  const bool per_column =
      element_count(s) == columns && (columns == 1 || (s.size() >= back && s[s.size() - back] == columns));
  return per_column ? port : -1;
}

std::optional<Origin> origin_of(Value v) {
  Origin r;
  for (;;) {
    Node* n = v.node;
    if (!is_read_once(v) || n->output_count() == 0) return {};
    if (is_product(*n)) {
      if (r.part && r.part->axis != axis_of_columns(*n)) return {};
      r.product = n;
      return r;
    }
    if (n->is("Split") || n->is("VariadicSplit")) {
      if (r.part) return {};
      r.part = part_of_split(*n, v.port);
      if (!r.part) return {};
    } else if (n->is("Reshape") || n->is("Squeeze") || n->is("Unsqueeze")) {
      if (!is_static(n->shape()) || !is_static(n->input(0).shape())) return {};
      if (r.part) {
        r.part = before_reshape(*r.part, n->input(0).shape(), n->shape());
        if (!r.part) return {};
      }
    } else if (n->is("Transpose")) {
      const Tensor* order = transforms::constant_of(n->input(1));
      if (!order) return {};
      if (r.part) r.part->axis = static_cast<size_t>(order->to_i64()[r.part->axis]);
    } else if (n->is("Add")) {
      const int data = n->input(0).node->is_constant() ? 1 : 0;
      const Value made = n->input(data);
      if (!is_product(*made.node) || bias_port(*n, made) < 0 || !is_read_once(made)) return {};
      if (r.part && r.part->axis != axis_of_columns(*made.node)) return {};
      r.add = n;
      r.product = made.node;
      return r;
    } else {
      return {};
    }
    r.between.push_back(n);
    v = n->input(0);
  }
}

void scale(Rewriter& rw, const Origin& o, double factor) {
  const auto by = [&](int64_t column) { return !o.part || o.part->holds(column) ? static_cast<float>(factor) : 1.0F; };
  const Tensor& w = o.product->input(1).node->constant;
  const bool in_rows = o.product->is("Convolution") || o.product->attrs.flag("transpose_b");
  const int64_t columns = w.shape[in_rows ? 0 : 1], in_column = in_rows ? element_count(w.shape) / columns : 1;
  std::vector<float> values = w.to_f32();
  for (size_t i = 0; i < values.size(); ++i) values[i] *= by(static_cast<int64_t>(i) / in_column % columns);
  rw.set_input(o.product, 1, rw.constant(floats_as(w, w.shape, std::move(values))));
  if (!o.add) return;
  const int port = bias_port(*o.add, o.product->value());
  const Tensor& b = o.add->input(port).node->constant;
  std::vector<float> bias = b.to_f32();
  for (size_t i = 0; i < bias.size(); ++i) bias[i] *= by(static_cast<int64_t>(i));
  rw.set_input(o.add, port, rw.constant(floats_as(b, b.shape, std::move(bias))));
}

struct Factor {
  Value data;
  double by;
};

/// x * or / a number.
std::optional<Factor> factor_of(const Node& n) {
  if ((!n.is("Multiply") && !n.is("Divide")) || !is_float(n.element_type())) return {};
  for (const int port : {1, 0}) {
    if (n.is("Divide") && port == 0) break;
    const auto c = transforms::uniform_value(n.input(port));
    const Value data = n.input(1 - port);
    if (!c || data.node->is_constant() || data.shape() != n.shape()) continue;
    return Factor{data, n.is("Divide") ? 1 / *c : *c};
  }
  return {};
}

bool fold_factor(Rewriter& rw, Node* n) {
  const auto f = factor_of(*n);
  if (!f || !is_read_once(f->data) || !keeps_digits(f->by)) return false;
  auto origin = origin_of(f->data);
  if (!origin && f->data.node->is("MatMul"))  // of scores: of queries or keys instead
    for (const int port : {0, 1})
      if (!origin) origin = origin_of(f->data.node->input(port));
  if (!origin) return false;
  scale(rw, *origin, f->by);
  origin->between.push_back(origin->product);
  if (origin->add) origin->between.push_back(origin->add);
  for (Node* m : origin->between) m->name += "/scaled";  // it holds other values than the model's
  if (f->data.node->output_count() == 1) f->data.node->name = n->name;
  return rw.redirect(n->value(), f->data);
}

}  // namespace

void fold_part_factors(Graph& graph) {
  Rewriter rw(graph);
  for (Node* n : graph.ordered()) {
    rw.set_origin(n->source);
    if (n->output_count() == 1 && n->use_count() > 0 && !transforms::feeds_result(n->value())) fold_factor(rw, n);
  }
  graph.remove_unreachable();
}

}  // namespace blobsmith::legalise_rows
