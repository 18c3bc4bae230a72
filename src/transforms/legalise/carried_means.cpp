// The stream of a transformer carries what its normalisations need beside each row: two columns with the mean of the
// row plus and minus d (faults/moments.cpp: d makes up for eps). All that adds to the stream gives its mean, too: a
// product by a constant matrix has it in two more columns of the matrix. A normalisation is one stage then.
//
//   s + (x W + b) ─ MVN without variance ─ Concat(d, -d) ─ MVN
//   is s' + (x W' + b') ─ MVN     with W' = [W, mean of W's columns, the same], s' = [s, mean + d, mean - d]
#include <algorithm>
#include <numeric>
#include <set>

#include "transforms/legalise/row_moves.hpp"

namespace blobsmith::legalise_rows {
namespace {

/// The second MVN of a normalisation whose eps lies inside of the square root.
struct Normalisation {
  Node* mvn;
  Value rows;  ///< what is normalised
  double d;
};

std::optional<Normalisation> normalisation_of(Node* n) {
  if (!n->is("MVN") || !n->input(0).node->is("Concat")) return {};
  const Node* both = n->input(0).node;
  if (both->input_count() != 2 || !is_read_once(n->input(0))) return {};
  const Node* centred = both->input(0).node;
  const Tensor* pairs = transforms::constant_of(both->input(1));
  const auto is_last = [](const Node& mvn) {
    const Tensor* axes = mvn.input_count() > 1 ? transforms::constant_of(mvn.input(1)) : nullptr;
    const auto rank = std::ssize(mvn.shape());
    return axes && element_count(axes->shape) == 1 && (axes->to_i64()[0] == rank - 1 || axes->to_i64()[0] == -1);
  };
  if (!centred->is("MVN") || centred->attrs.flag("normalize_variance") || !pairs || pairs->shape.back() != 2 ||
      !is_static(n->shape()) || !is_last(*n) || !is_last(*centred) || !is_read_once(both->input(0)))
    return {};
  return Normalisation{n, centred->input(0), static_cast<double>(pairs->to_f32()[0])};
}

enum class Kind { Sum, Offset, Product, Move, Turned, Constant, Other };

bool is_constant_product(const Node& n) {
  return n.is("MatMul") && n.input(1).node->is_constant() && n.input(1).shape().size() == 2 &&
         is_float(n.element_type());
}

/// A convolution with known weights, perhaps with a bias, whose channels become columns.
Node* turned_convolution(const Node& turn) {
  const Tensor* order = turn.is("Transpose") ? transforms::constant_of(turn.input(1)) : nullptr;
  if (!order || order->to_i64().back() != 1) return nullptr;
  Value v = turn.input(0);
  if (v.node->is("Reshape") && is_read_once(v)) {
    const Shape &from = v.node->input(0).shape(), &to = v.shape();
    if (!is_static(from) || !is_static(to) || from.size() < 2 || to.size() < 2 || from[0] != to[0] || from[1] != to[1])
      return nullptr;
    v = v.node->input(0);
  }
  if (!is_read_once(v)) return nullptr;
  Node* n = v.node;
  if (n->is("Add")) {
    const Value bias = n->input(1);
    Shape one(n->shape().size(), 1);
    one[1] = n->shape()[1];
    if (!bias.node->is_constant() || bias.shape() != one || !is_read_once(n->input(0))) return nullptr;
    n = n->input(0).node;
  }
  return n->is("Convolution") && n->input(1).node->is_constant() && is_static(n->shape()) ? v.node : nullptr;
}

int constant_port(const Node& n) {
  return n.input(1).node->is_constant() ? 1 : n.input(0).node->is_constant() ? 0 : -1;
}

Kind kind_of(Value v, int64_t columns) {
  const Node& n = *v.node;
  if (!is_float(v.type()) || !is_static(v.shape()) || v.shape().empty() || v.shape().back() != columns)
    return Kind::Other;
  if (n.is_constant()) return Kind::Constant;
  if (n.is("Add") && constant_port(n) >= 0) {
    const int port = constant_port(n);
    const bool fits = !n.input(port).shape().empty() && n.input(port).shape().back() == columns;
    return fits && n.input(1 - port).shape() == v.shape() ? Kind::Offset : Kind::Other;
  }
  if (n.is("Add")) return n.input(0).shape() == n.input(1).shape() ? Kind::Sum : Kind::Other;
  if (is_constant_product(n)) return Kind::Product;
  if (turned_convolution(n)) return Kind::Turned;
  return moves_rows(n, columns, false) ? Kind::Move : Kind::Other;
}

/// Streams of rows of one length, with the columns beside them.
class Streams {
 public:
  Streams(Rewriter& rw, int64_t columns, double d) : rw_(rw), columns_(columns), d_(d) {}

  /// The values whose means are not known from what makes them.
  const std::set<const Node*>& unknown_of(Value v) {
    const auto [it, is_new] = unknown_.try_emplace({v.node, v.port});
    if (!is_new) return it->second;
    std::set<const Node*> all;
    const auto add = [&](Value w) {
      const std::set<const Node*> some = unknown_of(w);
      all.insert(some.begin(), some.end());
    };
    switch (kind_of(v, columns_)) {
      case Kind::Sum:
        for (const Value& w : v.node->inputs()) add(w);
        break;
      case Kind::Offset: add(v.node->input(1 - constant_port(*v.node))); break;
      case Kind::Move:
        for (const Value& w : moved_by(*v.node)) add(w);
        break;
      case Kind::Other: all.insert(v.node); break;
      default: break;
    }
    return unknown_[{v.node, v.port}] = std::move(all);
  }

  /// [.., columns + 2]: with the mean of each row, and d where `apart`.
  Value wide(Value v, bool apart) {
    const Key key{v.node, v.port, apart};
    if (const auto it = made_.find(key); it != made_.end()) return it->second;
    const Value w = build(v, apart);
    made_.emplace(key, w);
    const Kind kind = kind_of(v, columns_);
    if (kind != Kind::Constant && kind != Kind::Other) order_.emplace_back(v, w);
    return w;
  }

  /// What else reads the streams reads the first columns of the wide ones.
  void cut_for_others() {
    for (auto it = order_.rbegin(); it != order_.rend(); ++it) {
      const auto& [narrow, wide] = *it;
      if (narrow.node->output(narrow.port).uses.empty()) continue;
      Terms t(rw_);
      rw_.redirect(narrow, t.slice(wide, std::ssize(wide.shape()) - 1, 0, columns_));
    }
  }

 private:
  using Key = std::tuple<const Node*, int, bool>;

  static std::vector<Value> moved_by(const Node& n) {
    std::vector<Value> all = n.inputs();
    if (!n.is("Concat")) all.resize(1);
    return all;
  }

  Value build(Value v, bool apart) {
    Node& n = *v.node;
    switch (kind_of(v, columns_)) {
      case Kind::Constant: return constant(n.constant, apart);
      case Kind::Sum: return sum(n, apart);
      case Kind::Offset: {
        const int port = constant_port(n);
        const Value data = wide(n.input(1 - port), false), by = constant(n.input(port).node->constant, apart);
        return named(rw_.make("Add", {data, by}), n);
      }
      case Kind::Product: return shifted(product(n), apart);
      case Kind::Turned: return shifted(convolution(n), apart);
      case Kind::Move: return move(n, apart);
      case Kind::Other: break;
    }
    return with_mean(v, apart);
  }

  Value named(Node* made, const Node& like) const {
    made->name = like.name;
    return made->value();
  }

  /// One of the two carries d: the one that already does.
  Value sum(const Node& n, bool apart) {
    const auto carries = [&](Value v) { return made_.contains(Key{v.node, v.port, true}); };
    const auto is_added = [&](Value v) {
      const Kind k = kind_of(v, columns_);
      return k == Kind::Product ||
             (k == Kind::Offset && is_constant_product(*v.node->input(1 - constant_port(*v.node)).node));
    };
    const Value a = n.input(0), b = n.input(1);
    const bool second = !carries(a) && (carries(b) || is_added(a));
    const Value x = wide(a, apart && !second), y = wide(b, apart && second);
    return named(rw_.make("Add", {x, y}), n);
  }

  Value move(Node& n, bool apart) {
    std::vector<Value> inputs = n.inputs();
    const size_t count = moved_by(n).size();
    for (size_t i = 0; i < count; ++i) inputs[i] = wide(inputs[i], apart);
    Shape shape = n.shape();
    shape.back() += 2;
    if (n.is("Pad")) return inputs[0];
    if (n.is("Reshape")) return rw_.reshape(inputs[0], shape)->value();
    if (n.is("StridedSlice")) {  // an end that is stated would cut the columns off
      std::vector<int64_t> mask = n.attrs.integers("end_mask");
      mask.resize(shape.size(), 0);
      mask.back() = 1;
      Attributes attrs = n.attrs;
      attrs.set("end_mask", mask);
      const Value part = rw_.make(n.type, std::move(inputs), std::move(attrs), n.version)->value();
      return part.shape() == shape ? part : with_mean(n.value(), apart);
    }
    return rw_.copy(&n, std::move(inputs))->value();
  }

  Value product(const Node& n) {
    const Tensor& w = n.input(1).node->constant;
    const bool transposed = n.attrs.flag("transpose_b");
    const auto columns = static_cast<size_t>(columns_), in = static_cast<size_t>(element_count(w.shape)) / columns;
    const std::vector<float> from = w.to_f32();
    std::vector<float> to(in * (columns + 2));
    for (size_t i = 0; i < in; ++i) {
      double total = 0;
      for (size_t c = 0; c < columns; ++c) {
        const float x = from[transposed ? c * in + i : i * columns + c];
        to[transposed ? c * in + i : i * (columns + 2) + c] = x;
        total += static_cast<double>(x);
      }
      for (size_t c = columns; c < columns + 2; ++c)
        to[transposed ? c * in + i : i * (columns + 2) + c] = static_cast<float>(total / static_cast<double>(columns));
    }
    Shape shape = w.shape;
    shape[transposed ? 0 : 1] += 2;
    const Value weights = rw_.constant(floats_as(w, std::move(shape), std::move(to)));
    return named(rw_.copy(&n, {n.input(0), weights}), n);
  }

  /// Weights [out, in, y, x] or a bias [1, out, 1, 1] with two more outputs.
  Value with_more_outputs(const Tensor& t, size_t axis) {
    const auto columns = static_cast<size_t>(columns_), each = static_cast<size_t>(element_count(t.shape)) / columns;
    std::vector<float> values = t.to_f32();
    std::vector<double> mean(each, 0.0);
    for (size_t i = 0; i < values.size(); ++i)
      mean[i % each] += static_cast<double>(values[i]) / static_cast<double>(columns);
    for (int twice = 0; twice < 2; ++twice)
      for (const double m : mean) values.push_back(static_cast<float>(m));
    Shape shape = t.shape;
    shape[axis] += 2;
    return rw_.constant(floats_as(t, std::move(shape), std::move(values)));
  }

  Value convolution(const Node& turn) {
    const Node* last = turned_convolution(turn);
    const Node* conv = last->is("Add") ? last->input(0).node : last;
    Value v = named(rw_.copy(conv, {conv->input(0), with_more_outputs(conv->input(1).node->constant, 0)}), *conv);
    if (last != conv) v = named(rw_.make("Add", {v, with_more_outputs(last->input(1).node->constant, 1)}), *last);
    if (turn.input(0).node != last) {
      Shape shape = turn.input(0).shape();
      shape[1] += 2;
      v = rw_.reshape(v, shape)->value();
    }
    return rw_.copy(&turn, {v, turn.input(1)})->value();
  }

  Value shifted(Value v, bool apart) {
    if (!apart) return v;
    std::vector<double> by(static_cast<size_t>(columns_), 0.0);
    by.push_back(d_);
    by.push_back(-d_);
    return rw_.make("Add", {v, rw_.constant(Tensor::reals(v.type(), {columns_ + 2}, by))})->value();
  }

  Value constant(const Tensor& t, bool apart) {
    const auto columns = static_cast<size_t>(columns_);
    const std::vector<float> from = t.to_f32();
    std::vector<float> to;
    for (size_t row = 0; row < from.size() / columns; ++row) {
      const auto begin = from.begin() + static_cast<std::ptrdiff_t>(row * columns), end = begin + columns_;
      const double mean = std::accumulate(begin, end, 0.0) / static_cast<double>(columns), d = apart ? d_ : 0;
      to.insert(to.end(), begin, end);
      to.push_back(static_cast<float>(mean + d));
      to.push_back(static_cast<float>(mean - d));
    }
    Shape shape = t.shape;
    shape.back() += 2;
    return rw_.constant(floats_as(t, std::move(shape), std::move(to)));
  }

  Value with_mean(Value v, bool apart) {
    Terms t(rw_);
    const int64_t last = std::ssize(v.shape()) - 1;
    const Value mean = t.reduce("ReduceMean", v, {last}, true);
    const double d = apart ? d_ : 0;
    const std::vector<double> by{d, -d};
    Shape shape(v.shape().size(), 1);
    shape.back() = 2;
    const Value both = t.add(mean, rw_.constant(Tensor::reals(v.type(), std::move(shape), by)));
    return t.concat({v, both}, last);
  }

  Rewriter& rw_;
  int64_t columns_;
  double d_;
  std::map<std::pair<const Node*, int>, std::set<const Node*>> unknown_;
  std::map<Key, Value> made_;
  std::vector<std::pair<Value, Value>> order_;
};

/// Those that streams with the same unknown means lead to; a mean that has to be computed is worth it for some of them.
std::vector<Normalisation> worthwhile(Streams& streams, const std::vector<Normalisation>& all) {
  constexpr size_t kLeastForEach = 3;
  std::map<std::set<const Node*>, std::vector<Normalisation>> by_unknown;
  for (const Normalisation& n : all) by_unknown[streams.unknown_of(n.rows)].push_back(n);
  std::vector<Normalisation> some;
  for (const Normalisation& n : all) {
    const std::set<const Node*>& unknown = streams.unknown_of(n.rows);
    if (by_unknown[unknown].size() >= kLeastForEach * unknown.size()) some.push_back(n);
  }
  return some;
}

}  // namespace

void carry_means(Graph& graph) {
  std::map<std::pair<int64_t, double>, std::vector<Normalisation>> groups;
  for (Node* n : graph.ordered())
    if (const auto found = normalisation_of(n)) groups[{found->rows.shape().back(), found->d}].push_back(*found);
  Rewriter rw(graph);
  for (const auto& [key, all] : groups) {
    Streams streams(rw, key.first, key.second);
    const std::vector<Normalisation> some = worthwhile(streams, all);
    for (const Normalisation& n : some) {
      rw.set_origin(n.mvn->source);
      rw.set_input(n.mvn, 0, streams.wide(n.rows, true));
    }
    streams.cut_for_others();
  }
  graph.remove_unreachable();
}

}  // namespace blobsmith::legalise_rows
