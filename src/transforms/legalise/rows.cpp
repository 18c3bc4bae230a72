#include "transforms/legalise/rows.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "graph/ops/known_value.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith {
namespace {

using transforms::Rewriter;

constexpr int64_t kFewRows = 10;  ///< as many or fewer are as fast apart, without the two Transposes

struct Product {
  int64_t rows, in, out;
};

/// x [..., rows, in] by a constant [in, out], or its transpose.
std::optional<Product> product_of(const Node& n) {
  const Shape &x = n.input(0).shape(), &w = n.input(1).shape();
  if (!n.input(1).node->is_constant() || n.input(0).node->is_constant() || n.attrs.flag("transpose_a")) return {};
  if (!is_float(n.element_type()) || !is_static(x) || x.size() < 2 || w.size() < 2) return {};
  const int64_t in = x.back(), out = n.shape().back();
  if (in < 1 || out < 1 || element_count(w) != in * out) return {};
  const int64_t rows = element_count(x) / in;
  if (rows <= kFewRows || rows % 10 == 0) return {};
  return Product{rows, in, out};
}

/// Lines of at least 64 places, a multiple of 8, suit the convolution engine; else they are as long as may be.
int64_t line_length(int64_t rows) {
  constexpr int64_t kLeast = 64, kMost = 256, kStep = 8;
  for (int64_t w = kLeast; w <= std::min(rows, kMost); w += kStep)
    if (rows % w == 0) return w;
  int64_t w = std::min(rows, kMost);
  while (rows % w != 0) --w;
  return w;
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

Remark to_plane(Rewriter& rw, Node* n, const Product& p) {
  const int64_t width = line_length(p.rows), height = p.rows / width;
  Value w = n->input(1);
  if (!n->attrs.flag("transpose_b")) w = rw.transpose(rw.reshape(w, {p.in, p.out})->value(), {1, 0})->value();
  w = rw.reshape(w, {p.out, p.in, 1, 1})->value();
  const Value lines = rw.reshape(n->input(0), {1, height, width, p.in})->value();
  const Value plane = rw.transpose(lines, {0, 3, 1, 2})->value();
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
             "a 1x1 convolution over " + std::to_string(height) + "x" + std::to_string(width) + " rows");
  Node* last = n;
  if (Node* add = bias_behind(n->value(), p.out)) {
    const Value bias = add->input(add->input(0).node == n ? 1 : 0);
    y = rw.make("Add", {y->value(), rw.reshape(bias, {1, p.out, 1, 1})->value()});
    last = add;
  }
  const Value back = rw.transpose(y->value(), {0, 2, 3, 1})->value();
  rw.replace(last, rw.reshape(back, last->shape()));
  return said;
}

// ---- between two products ----
// Convolution, Transpose, Reshape, (element by element), Reshape, Transpose, Convolution: what is done to each element
// may as well be done to the plane, without the Transposes.

constexpr std::string_view kOfElements[] = {"Add",      "Clamp",   "Divide",   "Elu",      "Erf",   "Exp",      "Gelu",
                                            "HSigmoid", "HSwish",  "Maximum",  "Minimum",  "Mish",  "Multiply", "Power",
                                            "Relu",     "Sigmoid", "SoftPlus", "Subtract", "Swish", "Tanh"};

bool is_transpose(const Node* n, const std::vector<int64_t>& order) {
  const Tensor* t = n->is("Transpose") ? transforms::constant_of(n->input(1)) : nullptr;
  return t && t->to_i64() == order;
}

/// A constant as it broadcasts against a plane [1, columns, h, w]: one value, or one for each column; none otherwise.
std::optional<Value> over_plane(Rewriter& rw, Value v, int64_t columns) {
  if (!v.node->is_constant()) return {};
  const int64_t count = element_count(v.shape());
  if (count == 1) return rw.reshape(v, {1, 1, 1, 1})->value();
  if (count != columns || v.shape().back() != columns) return {};
  return rw.reshape(v, {1, columns, 1, 1})->value();
}

/// What is computed element by element from the rows that a plane is turned into, up to the only reader of the result.
class Elements {
 public:
  /// `rows`: a Reshape of the Transpose of a plane.
  explicit Elements(Node* rows) : rows_(rows->value()), plane_(rows->input(0).node->input(0)) {
    grow(rows_);
    for (Node* n : inside_) check(n);
    good_ = good_ && exits_.size() == 1 && !inside_.empty();
  }

  /// The Reshape that reads the result; null where the rest does not fit.
  Node* reader() const { return good_ ? exits_[0].second : nullptr; }
  Value plane() const { return plane_; }
  /// The same of the plane. None where a constant doesn't fit.
  std::optional<Value> on_plane(Rewriter& rw) const {
    std::map<const Node*, Value> made;
    const auto moved = [&](Value v) -> std::optional<Value> {
      if (v == rows_) return plane_;
      const auto it = made.find(v.node);
      return it != made.end() ? it->second : over_plane(rw, v, plane_.shape()[1]);
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
        copy->name = n->name;
        made[n] = copy->value();
        n = nullptr;
        --left;
      }
      if (left == before) return {};
    }
    return made.at(exits_[0].first.node);
  }

 private:
  bool is_inside(const Node* n) const { return std::ranges::find(inside_, n) != inside_.end(); }
  void grow(Value v) {
    for (const NodeUse& use : v.node->output(v.port).uses) {
      Node* n = use.node;
      const bool element_wise = std::ranges::find(kOfElements, n->type) != std::end(kOfElements) &&
                                n->output_count() == 1 && n->shape() == rows_.shape();
      if (!element_wise) {
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

  static constexpr size_t kMost = 16;
  Value rows_, plane_;
  bool good_ = true;
  std::vector<Node*> inside_;
  std::vector<std::pair<Value, Node*>> exits_;
};

bool join(Rewriter& rw, Node* rows) {
  if (!rows->is("Reshape") || !is_transpose(rows->input(0).node, {0, 2, 3, 1})) return false;
  const Elements elements(rows);
  Node* lines = elements.reader();
  if (!lines || !lines->is("Reshape") || !transforms::has_one_user(lines->value())) return false;
  Node* turned = lines->output().uses[0].node;
  if (!is_transpose(turned, {0, 3, 1, 2}) || turned->shape() != elements.plane().shape()) return false;
  const std::optional<Value> result = elements.on_plane(rw);
  return result && rw.redirect(turned->value(), *result);
}

/// Several items of a batch are run one by one, and not to be mixed.
bool is_one_item(const Graph& graph) {
  return std::ranges::all_of(graph.parameters(),
                             [](const Node* p) { return p->shape().empty() || p->shape()[0] == 1; });
}

}  // namespace

std::vector<Remark> rows_to_planes(Graph& graph) {
  std::vector<Remark> done;
  if (!is_one_item(graph)) return done;
  Rewriter rw(graph);
  for (Node* n : graph.ordered()) {
    if (!n->is("MatMul")) continue;
    rw.set_origin(n->source);
    const Node* weights = n->input(1).node;
    if (const auto known = weights->is_constant() ? std::nullopt : known_value(n->input(1)))
      rw.set_input(n, 1, rw.constant(*known));
    if (const auto p = product_of(*n)) done.push_back(to_plane(rw, n, *p));
  }
  if (done.empty()) return done;
  for (Node* n : graph.ordered()) {
    rw.set_origin(n->source);
    if (n->is("Reshape") && n->use_count() > 0) join(rw, n);
  }
  graph.remove_unreachable();
  return done;
}

}  // namespace blobsmith
