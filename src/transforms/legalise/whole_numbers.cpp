// Exporters write divisions of integers as Convert to real numbers, Divide, Floor, Convert to integers. FP16 holds
// integers up to 2048, so that such chains are computed as what they mean, in integers:
//
//   Convert(Floor(Convert(a) / 80)) -> (a - a mod 80) / 80
#include <cmath>
#include <map>

#include "core/float16.hpp"
#include "transforms/legalise/terms.hpp"

namespace blobsmith::legalise_rows {
namespace {

constexpr int64_t kLargestWhole = int64_t{1} << 30;

class Lifting {
 public:
  explicit Lifting(Rewriter& rw) : terms_(rw) {}

  /// The integers that the real numbers v are known to be; nothing where that isn't known.
  Value lift(Value v) {
    const auto key = std::pair(v.node, v.port);
    if (const auto it = known_.find(key); it != known_.end()) return it->second;
    known_[key] = {};  // while it is looked at
    return known_[key] = compute(v);
  }

  /// Whether there is anything to gain: arithmetic between the conversions.
  static bool is_arithmetic(const Node& n) {
    return n.is("Add") || n.is("Subtract") || n.is("Multiply") || n.is("Floor") || n.is("FloorMod") || n.is("Divide");
  }

 private:
  Value compute(Value v) {
    const Node& n = *v.node;
    if (n.is_constant()) return whole_constant(n);
    if (!is_float(v.type()) || n.output_count() != 1) return {};
    if (n.is("Convert")) {
      const ElementType from = n.input(0).type();
      return is_integer(from) || from == ElementType::boolean ? terms_.convert(n.input(0), ElementType::i32) : Value{};
    }
    if (n.is("Floor")) return floor_of(n.input(0));
    if (n.is("Round") || n.is("Ceiling")) return lift(n.input(0));
    if (n.is("Add") || n.is("Subtract") || n.is("Multiply") || n.is("Maximum") || n.is("Minimum") || n.is("FloorMod")) {
      const Value a = lift(n.input(0)), b = a ? lift(n.input(1)) : Value{};
      return b ? terms_.make(n.type, {a, b}) : Value{};
    }
    if (n.is("Reshape") || n.is("Squeeze") || n.is("Unsqueeze") || n.is("Transpose") || n.is("StridedSlice") ||
        n.is("Gather"))
      return moved(n);
    return {};
  }

  Value moved(const Node& n) {
    std::vector<Value> inputs = n.inputs();
    inputs[0] = lift(inputs[0]);
    return inputs[0] ? terms_.rewriter().copy(&n, inputs)->value() : Value{};
  }

  Value whole_constant(const Node& n) {
    if (!is_float(n.element_type())) return {};
    std::vector<int64_t> whole;
    for (const float f : n.constant.to_f32()) {
      if (f != std::floor(f) || std::fabs(f) > static_cast<float>(kLargestWhole)) return {};
      whole.push_back(static_cast<int64_t>(f));
    }
    return terms_.integers(ElementType::i32, n.shape(), whole);
  }

  /// Floor(a / b) of integers, also with the reciprocal of b as a factor.
  Value floor_of(Value v) {
    const Node& n = *v.node;
    if (n.is("Divide")) {
      const Value a = lift(n.input(0)), b = a ? lift(n.input(1)) : Value{};
      return b ? down(a, b) : Value{};
    }
    if (n.is("Multiply"))
      for (const int port : {0, 1})
        if (const auto divisor = divisor_of(n.input(1 - port)))
          if (const Value a = lift(n.input(port)))
            return down(a, terms_.filled(ElementType::i32, {}, static_cast<double>(*divisor)));
    return lift(v);
  }

  Value down(Value a, Value b) { return terms_.quotient(terms_.subtract(a, terms_.floor_remainder(a, b)), b); }

  /// The only integer whose reciprocal the constant is.
  static std::optional<int64_t> divisor_of(Value v) {
    const auto c = transforms::uniform_value(v);
    if (!c || *c <= 0 || *c >= 1) return std::nullopt;
    const auto half = [](double x) { return half_to_float(float_to_half(static_cast<float>(x))); };
    const auto divisor = static_cast<int64_t>(std::lround(1 / *c));
    const bool is_half = v.type() == ElementType::f16;
    const auto is_it = [&](int64_t d) {
      const double r = 1 / static_cast<double>(d);
      return is_half ? half(r) == half(*c) : std::fabs(r - *c) < 1e-7 * *c;
    };
    if (divisor < 2 || !is_it(divisor) || is_it(divisor - 1) || is_it(divisor + 1)) return std::nullopt;
    return divisor;
  }

  Terms terms_;
  std::map<std::pair<Node*, int>, Value> known_;
};

bool is_conversion_of_arithmetic(const Node& n) {
  if (!n.is("Convert") || !is_integer(n.element_type()) || !is_float(n.input(0).type())) return false;
  const Node* from = n.input(0).node;
  while (from->is("Reshape") || from->is("Squeeze") || from->is("Unsqueeze")) from = from->input(0).node;
  return Lifting::is_arithmetic(*from);
}

}  // namespace

std::vector<Remark> keep_whole_numbers(Graph& graph) {
  std::vector<Remark> said;
  Rewriter rw(graph);
  for (Node* n : graph.ordered()) {
    if (!is_conversion_of_arithmetic(*n)) continue;
    rw.set_origin(n->source);
    Lifting lifting(rw);
    const Value whole = lifting.lift(n->input(0));
    if (!whole) continue;
    said.push_back(remark(Remark::Kind::Rewritten, *n, "the integers before it are not computed in FP16"));
    // the conversion stays, now of integers, and with it its name
    graph.set_input(n, 0, whole);
  }
  if (!said.empty()) graph.remove_unreachable();
  return said;
}

}  // namespace blobsmith::legalise_rows
