#include "transforms/legalise/rows.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "graph/ops/known_value.hpp"
#include "transforms/legalise/row_moves.hpp"

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
  if (rows <= kFewRows) return {};
  return Product{rows, in, out};
}

constexpr int64_t kLineStep = 8;  ///< places of a line that lie in one word of the engine's memory

/// Whether the convolution engine can be given a plane in tiles, with the memory of six slices (hw-tiling spec §6,
/// §7.2): otherwise the convolution runs on SHAVEs, which takes ten times as long.
bool fits_engine(int64_t width, int64_t height, const Product& p) {
  constexpr int64_t kMostTiles = 15, kLeastWidth = 64, kOutputs = 458752, kMemory = 131072, kMostChannels = 2048,
                    kMostBlocks = 256, kLines = 4, kLongest = 507, kTall = 64;
  const auto parts = [](int64_t n, int64_t of) { return (n + of - 1) / of; };
  for (int64_t n = 1; n <= kMostTiles; ++n) {
    const int64_t channels = parts(p.in, n);
    for (int64_t columns = 1; columns <= kMostTiles; ++columns) {
      const int64_t w = parts(width, columns);
      if (columns > 1 && w < kLeastWidth) break;
      const int64_t pitch = parts(w, kLineStep) * kLineStep * 2;
      for (int64_t lines = 1; lines <= kMostTiles; ++lines) {
        const int64_t h = parts(height, lines);
        if (channels > kMostChannels || (w > kLongest && h > 1 && h < kTall) || pitch * h * p.out > kOutputs) continue;
        const int64_t least = std::min(kLines + (w <= kLineStep ? 1 : 0), h);
        for (int64_t lanes = 1; lanes <= 16; lanes *= 2) {
          const int64_t blocks = parts(channels, lanes);
          if (blocks <= kMostBlocks && kMemory / (blocks * lanes * pitch) >= least) return true;
        }
      }
    }
  }
  return false;
}

/// Lines of at least 64 places, a multiple of 8, suit the convolution engine; else they are as long as may be. Where it
/// can't take such a plane, there are many outputs, which read the inputs again and again: lines that are copied into
/// the chip's memory, as they end within a word there, are best, then others.
int64_t line_length(const Product& p) {
  constexpr int64_t kLeast = 64, kMost = 256, kShortest = 8;
  constexpr double kAligned = 0.85;  ///< as good as lines of which a seventh is empty
  const int64_t longest = std::min(p.rows, kMost);
  const auto divides = [&](int64_t w) { return p.rows % w == 0; };
  int64_t usual = longest;
  while (!divides(usual)) --usual;
  for (int64_t w = longest / kLineStep * kLineStep; w >= kLeast; w -= kLineStep)
    if (divides(w)) usual = w;
  if (fits_engine(usual, p.rows / usual, p)) return usual;
  int64_t best = usual;
  double highest = 0;
  for (int64_t w = kShortest; w <= longest; ++w) {
    if (!divides(w) || !fits_engine(w, p.rows / w, p)) continue;
    const int64_t words = (w + kLineStep - 1) / kLineStep;
    const double full = static_cast<double>(w) / static_cast<double>(words * kLineStep);
    const double score = w % kLineStep == 0 ? kAligned : full;
    if (score < highest) continue;
    highest = score;
    best = w;
  }
  return best;
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

Plane plane_of_rows(const Node* n, Value result, const Product& p) {
  const int64_t width = line_length(p);
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

Remark to_plane(Rewriter& rw, Node* n, const Product& p) {
  Node* add = bias_behind(n->value(), p.out);
  Node* last = add ? add : n;
  const Plane shape = plane_of_rows(n, last->value(), p);
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

constexpr std::string_view kOfElements[] = {"Add",      "Clamp",   "Divide",   "Elu",      "Erf",   "Exp",      "Gelu",
                                            "HSigmoid", "HSwish",  "Maximum",  "Minimum",  "Mish",  "Multiply", "Power",
                                            "Relu",     "Sigmoid", "SoftPlus", "Subtract", "Swish", "Tanh"};

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

/// Whether the input of a plane lies in the memory of six slices beside a tile of its output.
bool lies_near(const Product& p, int64_t width) {
  constexpr int64_t kSlices = 6 * 131072, kMostOutput = 458752;
  const int64_t height = p.rows / width, pitch = (width + kLineStep - 1) / kLineStep * kLineStep * 2;
  const int64_t tiles = (pitch * height * p.out + kMostOutput - 1) / kMostOutput;
  return pitch * (height * p.in + (height + tiles - 1) / tiles * p.out) <= kSlices;
}

}  // namespace

bool moves_input_away(const Node& product, int64_t spare) {
  const auto p = product_of(product);
  if (!p) return false;
  constexpr int64_t kPadding = 2;  ///< channels that the engine's modes fill up
  const int64_t width = line_length(*p);
  return lies_near(*p, width) && !lies_near({p->rows, p->in + spare + kPadding, p->out}, width);
}

std::vector<Remark> rows_to_planes(Graph& graph) {
  std::vector<Remark> done;
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
    if ((n->is("Reshape") || n->is("Transpose")) && n->use_count() > 0) compute_before_transpose(rw, n);
  }
  graph.remove_unreachable();
  return done;
}

}  // namespace blobsmith
