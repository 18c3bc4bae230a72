// Integers of 8 and 16 bits, and those without sign. The VPU computes with 32-bit integers alone (bytes are only read,
// as FP16), so everything becomes those; what may leave its type's range wraps around as it would have in the type.
// Numbers beyond 2^31 have no place in them.
#include <algorithm>
#include <array>
#include <iterator>

#include "graph/ops/numbers.hpp"
#include "transforms/legalise/terms.hpp"

namespace blobsmith::legalise_rows {
namespace {

bool is_narrow(ElementType t) {
  return t == ElementType::u8 || t == ElementType::i8 || t == ElementType::u16 || t == ElementType::i16 ||
         t == ElementType::u32 || t == ElementType::u64;
}
bool wraps(ElementType t) { return byte_width(t) < 4; }
bool is_signed(ElementType t) { return t == ElementType::i8 || t == ElementType::i16; }

bool makes_reals(const NodeUse& u) { return u.node->is("Convert") && is_float(u.node->element_type()); }

constexpr std::array<std::string_view, 9> kLeaveTheRange{"Add", "Subtract",  "Multiply",   "Negative", "Power",
                                                         "Abs", "ReduceSum", "ReduceProd", "CumSum"};
/// Operations whose stages take FP16 only; it holds all integers up to 2048.
constexpr std::array<std::string_view, 3> kOnBytes{"MaxPool", "Interpolate", "ReverseSequence"};

template <class List>
bool is_one_of(const Node& n, const List& list) {
  return std::ranges::find(list, n.type) != list.end();
}

/// v as the type that has been would hold it.
Value wrapped(Terms& t, Value v, ElementType type) {
  const double range = type == ElementType::u8 || type == ElementType::i8 ? 256 : 65536;
  const double low = is_signed(type) ? -range / 2 : 0;
  const Value from_zero = low == 0 ? v : t.add(v, -low);
  const Value rest = t.floor_remainder(from_zero, t.number(v, range));
  return low == 0 ? rest : t.add(rest, low);
}

class Widening {
 public:
  explicit Widening(Graph& graph) : graph_(graph), rw_(graph), terms_(rw_) {}

  std::vector<Remark> run() {
    const std::vector<Node*> order = graph_.ordered();
    const bool any = std::ranges::any_of(order, [](const Node* n) {
      for (int i = 0; i < n->output_count(); ++i)
        if (is_narrow(n->element_type(i)) && !stays(*n)) return true;
      return false;
    });
    if (!any) return {};
    for (Node* n : order) {
      rw_.set_origin(n->source);
      widen(n);
    }
    return std::move(said_);
  }

 private:
  /// What nothing but conversions to real numbers reads: pictures, quantized weights.
  static bool stays(const Node& n) {
    return (n.is_constant() || (n.is("Parameter") && n.element_type() == ElementType::u8)) &&
           std::ranges::all_of(n.output().uses,
                               [](const NodeUse& u) { return makes_reals(u) || u.node->is("Result"); });
  }

  void widen(Node* n) {
    if (n->is_constant()) {
      if (is_narrow(n->element_type()) && !stays(*n)) widen_constant(n);
      return;
    }
    if (n->is("Parameter")) {
      if (is_narrow(n->element_type()) && !stays(*n)) widen_parameter(n);
      return;
    }
    if (n->is("Result") || n->body) return;
    const ElementType was = n->output_count() ? n->element_type() : ElementType::f32, from = type_read(*n);
    for (const char* name : {"destination_type", "output_type", "index_element_type"})
      if (n->attrs.has(name))
        if (const auto type = parse_element_type(n->attrs.text(name)); type && is_narrow(*type))
          n->attrs.set(name, std::string("i32"));
    if (is_narrow(was) && is_one_of(*n, kOnBytes)) return through_halves(n);
    if (n->output_count()) infer(graph_, n);
    if (!is_narrow(was)) return;
    const bool cuts = n->is("Convert") && !is_float(from) && from != ElementType::boolean && from != was;
    if (!wraps(was)) return types_.emplace_back(n, was), void();
    if (cuts || is_one_of(*n, kLeaveTheRange)) wrap(n, was);
    said_.push_back(remark(Remark::Kind::Rewritten, *n, "32-bit integers, which wrap around as the model's"));
  }

  /// The type of input 0 as the model has it.
  ElementType type_read(const Node& n) const {
    if (n.input_count() == 0) return ElementType::f32;
    const auto it = std::ranges::find(types_, n.input(0).node, &std::pair<const Node*, ElementType>::first);
    return it == types_.end() ? n.input(0).type() : it->second;
  }

  void widen_constant(Node* n) {
    types_.emplace_back(n, n->element_type());
    n->constant = ops::store<int64_t>(ElementType::i32, n->shape(), n->constant.to_i64());
    graph_.set_outputs(n, {{ElementType::i32, n->shape()}});
  }

  void widen_parameter(Node* n) {
    if (n->element_type() != ElementType::u8) {
      types_.emplace_back(n, n->element_type());
      return graph_.set_outputs(n, {{ElementType::i32, n->shape()}});
    }
    const std::vector<NodeUse> uses = n->output().uses;
    const Value whole = terms_.convert(n->value(), ElementType::i32);
    types_.emplace_back(whole.node, ElementType::u8);
    for (const NodeUse& u : uses)
      if (!makes_reals(u) && !u.node->is("Result")) graph_.set_input(u.node, u.port, whole);
  }

  void through_halves(Node* n) {
    graph_.set_input(n, 0, terms_.convert(n->input(0), ElementType::f16));
    infer(graph_, n);
    redirect(n, [&](Value v) { return terms_.convert(v, ElementType::i32); });
    said_.push_back(remark(Remark::Kind::Rewritten, *n, "computed in FP16, which holds the integers of 8 bits"));
  }

  void wrap(Node* n, ElementType was) {
    types_.emplace_back(n, was);
    redirect(n, [&](Value v) {
      const Value y = wrapped(terms_, v, was);
      types_.emplace_back(y.node, was);
      return y;
    });
  }

  /// All that read n read f(n), which has its name.
  template <class F>
  void redirect(Node* n, F f) {
    const std::vector<NodeUse> uses = n->output().uses;
    const Value y = f(n->value());
    for (const NodeUse& u : uses) graph_.set_input(u.node, u.port, y);
    y.node->name = n->name;
    n->name += "/wide";
  }

  Graph& graph_;
  Rewriter rw_;
  Terms terms_;
  std::vector<std::pair<const Node*, ElementType>> types_;
  std::vector<Remark> said_;
};

}  // namespace

std::vector<Remark> widen_integers(Graph& graph) { return Widening(graph).run(); }

}  // namespace blobsmith::legalise_rows
