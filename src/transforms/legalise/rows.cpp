#include "transforms/legalise/rows.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "graph/ops/known_value.hpp"
#include "transforms/legalise/plane_lines.hpp"
#include "transforms/legalise/row_moves.hpp"

namespace blobsmith {
namespace {

using legalise_rows::line_length;
using legalise_rows::Product;
using transforms::Rewriter;

constexpr int64_t kFewRows = 10;  ///< as many or fewer are as fast apart, without the two Transposes

/// x [..., rows, in] by a constant [in, out], or its transpose.
std::optional<Product> product_of(const Node& n) {
  const Shape &x = n.input(0).shape(), &w = n.input(1).shape();
  if (!n.input(1).node->is_constant() || n.input(0).node->is_constant() || n.attrs.flag("transpose_a")) return {};
  if (!is_float(n.element_type()) || !is_static(x) || x.size() < 2 || w.size() < 2) return {};
  const int64_t in = x.back(), out = n.shape().back();
  if (in < 1 || out < 1 || element_count(w) != in * out) return {};
  const int64_t rows = element_count(x) / in;
  if (rows <= kFewRows) return {};
  return Product{.rows = rows, .in = in, .out = out};
}

/// The only reader of v, where it adds a constant to each column.
Node* bias_behind(Value v, int64_t columns) {
  if (!transforms::has_one_user(v) || transforms::feeds_result(v)) return nullptr;
  Node* add = v.node->output().uses[0].node;
  if (!add->is("Add") || add->shape() != v.shape()) return nullptr;
  const Value other = add->input(add->input(0) == v ? 1 : 0);
  const bool per_column = other.node->is_constant() && !other.shape().empty() && other.shape().back() == columns &&
                          element_count(other.shape()) == columns;
  return per_column ? add : nullptr;
}

constexpr std::string_view kOfElements[] = {"Add",      "Clamp",   "Divide",   "Elu",      "Erf",   "Exp",      "Gelu",
                                            "HSigmoid", "HSwish",  "Maximum",  "Minimum",  "Mish",  "Multiply", "Power",
                                            "Relu",     "Sigmoid", "SoftPlus", "Subtract", "Swish", "Tanh"};

bool is_of_elements(const Node& n, const Shape& shape) {
  return std::ranges::find(kOfElements, n.type) != std::end(kOfElements) && n.output_count() == 1 && n.shape() == shape;
}

/// The products that read what is computed from this one, element by element: their planes should be alike.
std::vector<const Node*> products_fed_by(const Node* product) {
  constexpr size_t kMost = 16;
  std::vector<const Node*> inside{product}, fed;
  const auto is_known = [&](Value v) {
    return v.node->is_constant() || std::ranges::find(inside, v.node) != inside.end();
  };
  for (size_t i = 0; i < inside.size() && inside.size() < kMost; ++i)
    for (const NodeUse& use : inside[i]->output().uses) {
      const Node* reader = use.node;
      if (reader->is("MatMul") && use.port == 0)
        fed.push_back(reader);
      else if (is_of_elements(*reader, product->shape()) && std::ranges::all_of(reader->inputs(), is_known) &&
               std::ranges::find(inside, reader) == inside.end())
        inside.push_back(reader);
    }
  return fed;
}

/// The length of each product's lines: the same for those that nothing but what is computed element by element divides.
std::map<const Node*, int64_t> line_lengths(const std::vector<std::pair<Node*, Product>>& products) {
  std::map<const Node*, size_t> group;
  std::vector<std::vector<const Node*>> members;
  std::map<const Node*, Product> sizes;
  for (const auto& [n, p] : products) sizes.emplace(n, p);
  for (const auto& [n, p] : products) {  // in order: those that feed one come before it
    const auto [it, is_new] = group.emplace(n, members.size());
    if (is_new) members.push_back({n});
    for (const Node* fed : products_fed_by(n)) {
      const auto other = sizes.find(fed);
      if (other == sizes.end() || other->second.rows != p.rows || !group.emplace(fed, it->second).second) continue;
      members[it->second].push_back(fed);
      other->second.activated = true;
    }
  }
  std::map<const Node*, int64_t> lengths;
  for (const std::vector<const Node*>& some : members) {
    std::vector<Product> of_some;
    for (const Node* n : some) of_some.push_back(sizes.at(n));
    const int64_t length = line_length(of_some);
    for (const Node* n : some) lengths[n] = length;
  }
  return lengths;
}

/// How rows become a plane. In order; or, where they are those of several items (windows of a picture), with the items
/// beside each other: [items, height, part of a line] becomes [height, part of a line, items].
struct Plane {
  int64_t height, width, items = 1;

  int64_t part() const { return width / items; }
};

/// Whether a Transpose gives the rows, or reads them: it can do the plane's work too (transposes.cpp).
bool is_beside_transpose(const Node* n, Value result) {
  const Node* before = n->input(0).node;
  while (before->is("Reshape")) before = before->input(0).node;
  if (before->is("Transpose")) return true;
  while (transforms::has_one_user(result) && !transforms::feeds_result(result)) {
    Node* reader = result.node->output().uses[0].node;
    if (!reader->is("Reshape")) return reader->is("Transpose");
    result = reader->value();
  }
  return false;
}

Plane plane_of_rows(const Node* n, Value result, const Product& p, int64_t width) {
  Plane plane{p.rows / width, width};
  const Shape& x = n->input(0).shape();
  const int64_t in_item = x[x.size() - 2], items = p.rows / in_item;
  const bool in_order = width % in_item == 0 || in_item % width == 0;
  if (items > 1 && !in_order && width % items == 0 && in_item % (width / items) == 0 && is_beside_transpose(n, result))
    plane.items = items;
  return plane;
}

Value rows_as_plane(Rewriter& rw, Value rows, const Plane& p, int64_t columns) {
  if (p.items == 1)
    return rw.transpose(rw.reshape(rows, {1, p.height, p.width, columns})->value(), {0, 3, 1, 2})->value();
  const Value lines = rw.reshape(rows, {p.items, p.height, p.part(), columns})->value();
  return rw.reshape(rw.transpose(lines, {3, 1, 2, 0})->value(), {1, columns, p.height, p.width})->value();
}

Value plane_as_rows(Rewriter& rw, Value plane, const Plane& p, int64_t columns) {
  if (p.items == 1) return rw.transpose(plane, {0, 2, 3, 1})->value();
  const Value lines = rw.reshape(plane, {columns, p.height, p.part(), p.items})->value();
  return rw.transpose(lines, {3, 1, 2, 0})->value();
}

Remark to_plane(Rewriter& rw, Node* n, const Product& p, int64_t width) {
  Node* add = bias_behind(n->value(), p.out);
  Node* last = add ? add : n;
  const Plane shape = plane_of_rows(n, last->value(), p, width);
  Value w = n->input(1);
  if (!n->attrs.flag("transpose_b")) w = rw.transpose(rw.reshape(w, {p.in, p.out})->value(), {1, 0})->value();
  w = rw.reshape(w, {p.out, p.in, 1, 1})->value();
  const Value plane = rows_as_plane(rw, n->input(0), shape, p.in);
  const std::vector<int64_t> ones{1, 1}, zeros{0, 0};
  Node* y = rw.make("Convolution", {plane, w},
                    transforms::attributes({{"strides", ones},
                                            {"dilations", ones},
                                            {"pads_begin", zeros},
                                            {"pads_end", zeros},
                                            {"auto_pad", "explicit"}}));
  y->name = n->name + "/rows";
  const Remark said =
      remark(Remark::Kind::Rewritten, *n,
             "a 1x1 convolution over " + std::to_string(shape.height) + "x" + std::to_string(shape.width) + " rows");
  if (add) {
    const Value bias = add->input(add->input(0).node == n ? 1 : 0);
    y = rw.make("Add", {y->value(), rw.reshape(bias, {1, p.out, 1, 1})->value()});
  }
  rw.replace(last, rw.reshape(plane_as_rows(rw, y->value(), shape, p.out), last->shape()));
  return said;
}

// ---- between two Transposes ----
// Transpose, Reshape, (element by element), Reshape, Transpose: what is done to each element may as well be done before
// the first of them, which makes one of the two (transposes.cpp), or none.

/// What is computed element by element from the rows that a tensor is turned into, up to the only reader of the result.
class Elements {
 public:
  /// `rows`: a Transpose whose last axis is one of its input's, or a Reshape of that which keeps the axis.
  explicit Elements(Node* rows) : rows_(rows->value()) {
    Node* turn = rows->is("Reshape") ? rows->input(0).node : rows;
    const Tensor* order = turn->is("Transpose") ? transforms::constant_of(turn->input(1)) : nullptr;
    if (!order || !is_static(turn->shape()) || !is_static(rows->shape()) || rows->shape().empty() ||
        rows->shape().back() != turn->shape().back() || !legalise_rows::is_read_once(turn->value()))
      return;
    order_ = order->to_i64();
    source_ = turn->input(0);
    good_ = true;
    grow(rows_);
    for (Node* n : inside_) check(n);
    good_ = good_ && exits_.size() == 1 && !inside_.empty();
  }

  /// What reads the result; null where the rest does not fit.
  Node* reader() const { return good_ ? exits_[0].second : nullptr; }
  Value result() const { return exits_[0].first; }
  /// The same, computed before the Transpose. None where a constant doesn't fit.
  std::optional<Value> before_transpose(Rewriter& rw) const {
    std::map<const Node*, Value> made;
    const auto moved = [&](Value v) -> std::optional<Value> {
      if (v == rows_) return source_;
      const auto it = made.find(v.node);
      return it != made.end() ? it->second : turned(rw, v);
    };
    std::vector<Node*> order = inside_;
    std::ranges::sort(order, {}, [](const Node* n) { return n->id(); });
    for (size_t left = order.size(); left > 0;) {  // each after what it reads
      const size_t before = left;
      for (Node*& n : order) {
        const auto waits = [&](Value v) { return is_inside(v.node) && !made.contains(v.node); };
        if (!n || std::ranges::any_of(n->inputs(), waits)) continue;
        std::vector<Value> inputs;
        for (const Value& v : n->inputs()) {
          const std::optional<Value> m = moved(v);
          if (!m) return {};
          inputs.push_back(*m);
        }
        Node* copy = rw.copy(n, std::move(inputs));
        copy->name = n->name + "/turned";
        made[n] = copy->value();
        n = nullptr;
        --left;
      }
      if (left == before) return {};
    }
    return rw.reshape(rw.transpose(made.at(exits_[0].first.node), order_)->value(), rows_.shape())->value();
  }

 private:
  bool is_inside(const Node* n) const { return std::ranges::find(inside_, n) != inside_.end(); }
  void grow(Value v) {
    for (const NodeUse& use : v.node->output(v.port).uses) {
      Node* n = use.node;
      if (!is_of_elements(*n, rows_.shape())) {
        exits_.emplace_back(v, n);
      } else if (!is_inside(n)) {
        inside_.push_back(n);
        if (inside_.size() > kMost) good_ = false;
        if (good_) grow(n->value());
      }
    }
  }
  /// All that it reads is from inside, or constant.
  void check(const Node* n) {
    for (const Value& v : n->inputs()) good_ = good_ && (v == rows_ || is_inside(v.node) || v.node->is_constant());
  }
  /// A constant as it broadcasts before the Transpose: one value, or one for each column; none otherwise.
  std::optional<Value> turned(Rewriter& rw, Value v) const {
    if (!v.node->is_constant()) return {};
    if (v.shape().empty()) return v;  // a Swish's factor is to stay one number
    const int64_t columns = rows_.shape().back(), count = element_count(v.shape());
    if (count != 1 && (count != columns || v.shape().back() != columns)) return {};
    Shape shape(order_.size(), 1);
    if (count != 1) shape[static_cast<size_t>(order_.back())] = columns;
    return rw.reshape(v, shape)->value();
  }

  static constexpr size_t kMost = 16;
  Value rows_, source_;
  std::vector<int64_t> order_;
  bool good_ = false;
  std::vector<Node*> inside_;
  std::vector<std::pair<Value, Node*>> exits_;
};

/// Whether a value goes to a Transpose, through nothing but Reshapes.
bool goes_to_transpose(Node* reader) {
  while (reader->is("Reshape") && legalise_rows::is_read_once(reader->value())) reader = reader->output().uses[0].node;
  return reader->is("Transpose");
}

void compute_before_transpose(Rewriter& rw, Node* rows) {
  const Elements elements(rows);
  Node* reader = elements.reader();
  if (!reader || !goes_to_transpose(reader)) return;
  if (const std::optional<Value> turned = elements.before_transpose(rw)) rw.redirect(elements.result(), *turned);
}

}  // namespace

bool moves_input_away(const Node& product, int64_t spare) {
  const auto p = product_of(product);
  if (!p) return false;
  constexpr int64_t kPadding = 2;  ///< channels that the engine's modes fill up
  const int64_t width = line_length({&*p, 1});
  return legalise_rows::lies_near(*p, width) &&
         !legalise_rows::lies_near({.rows = p->rows, .in = p->in + spare + kPadding, .out = p->out}, width);
}

std::vector<Remark> rows_to_planes(Graph& graph) {
  Rewriter rw(graph);
  std::vector<std::pair<Node*, Product>> products;
  for (Node* n : graph.ordered()) {
    if (!n->is("MatMul")) continue;
    rw.set_origin(n->source);
    const Node* weights = n->input(1).node;
    if (const auto known = weights->is_constant() ? std::nullopt : known_value(n->input(1)))
      rw.set_input(n, 1, rw.constant(*known));
    if (auto p = product_of(*n)) {
      Node* add = bias_behind(n->value(), p->out);
      const int64_t in_item = n->input(0).shape()[n->input(0).shape().size() - 2];
      if (in_item < p->rows && is_beside_transpose(n, add ? add->value() : n->value())) p->item = in_item;
      products.emplace_back(n, *p);
    }
  }
  std::vector<Remark> done;
  if (products.empty()) return done;
  const std::map<const Node*, int64_t> lengths = line_lengths(products);
  for (const auto& [n, p] : products) {
    rw.set_origin(n->source);
    done.push_back(to_plane(rw, n, p, lengths.at(n)));
  }
  for (Node* n : graph.ordered()) {
    rw.set_origin(n->source);
    if ((n->is("Reshape") || n->is("Transpose")) && n->use_count() > 0) compute_before_transpose(rw, n);
  }
  graph.remove_unreachable();
  return done;
}

}  // namespace blobsmith
