// Conditions. They are 32-bit integers, 0 or 1, on the VPU: it compares FP16 (greater, less, equal) and integers (at
// least, equal), and has "and" and "not" of them.
#include "transforms/legalise/terms.hpp"

namespace blobsmith::legalise_rows {
namespace {

bool compares_integers(const Node& n) { return is_whole(n.input(0).type()); }
bool compares_reals(const Node& n) { return is_float(n.input(0).type()); }
bool of_conditions(const Node& n) {
  return is_whole(n.input(0).type()) && is_whole(n.input(1).type()) && is_whole(n.element_type());
}

Value not_equal(Rewriter& rw, const Node& n) {
  Terms t(rw);
  return t.negated(t.equal(n.input(0), n.input(1)));
}
Value greater(Rewriter& rw, const Node& n) { return Terms(rw).less(n.input(1), n.input(0)); }
Value less(Rewriter& rw, const Node& n) { return Terms(rw).less(n.input(0), n.input(1)); }
Value less_equal(Rewriter& rw, const Node& n) { return Terms(rw).at_least(n.input(1), n.input(0)); }

/// Either of two conditions.
Value either(Terms& t, Value a, Value b) {
  const Value second = t.convert(b, ElementType::i32);
  const Value larger = t.maximum(t.convert(a, ElementType::i32), second);
  return spelled_out(t.convert(larger, ElementType::boolean));
}
Value logical_or(Rewriter& rw, const Node& n) {
  Terms t(rw);
  return either(t, n.input(0), n.input(1));
}
Value logical_xor(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const Value second = t.convert(n.input(1), ElementType::boolean);
  return t.negated(t.equal(t.convert(n.input(0), ElementType::boolean), second));
}

/// Nothing is true of a NaN.
Value or_equal(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const char* strictly = n.is("GreaterEqual") ? "Greater" : "Less";
  const Value equal = t.equal(n.input(0), n.input(1));
  return either(t, t.make(strictly, n.inputs()), equal);
}

bool makes_a_condition(const Node& n) {
  return n.element_type() == ElementType::boolean && is_integer(n.input(0).type());
}
Value is_not_zero(Rewriter& rw, const Node& n) {
  Terms t(rw);
  return t.negated(t.equal(n.input(0), t.number(n.input(0), 0)));
}

Value converted_like(Rewriter& rw, const Node& n) {
  return Terms(rw).make("Convert", {n.input(0)},
                        transforms::attributes({{"destination_type", std::string(to_string(n.element_type()))}}));
}

bool has_known_axes(const Node& n) { return transforms::constant_of(n.input(1)) != nullptr; }
Value any_of(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const Value x = t.convert(n.input(0), ElementType::i32);
  const auto axes = transforms::normalized_axes(n.input(1).node->constant.to_i64(), x.shape().size());
  return spelled_out(t.convert(t.reduce("ReduceMax", x, axes, n.attrs.flag("keep_dims")), ElementType::boolean));
}

/// -1, 0 or 1 of a real number.
Value sign_of_real(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const Value x = n.input(0), zero = t.number(x, 0);
  const Value above = t.convert(t.make("Greater", {x, zero}), x.type());
  const Value below = t.number(x, -1);
  return t.choose(t.make("Less", {x, zero}), below, above);
}

bool has_known_buckets(const Node& n) {
  const Tensor* buckets = transforms::constant_of(n.input(1));
  return buckets && buckets->shape.size() == 1 && buckets->shape[0] > 0 && is_static(n.shape());
}
/// The number of bounds below x, or of those that are not above it.
Value bucketize(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const Value x = n.input(0);
  const std::vector<float> single = n.input(1).node->constant.to_f32();
  const std::vector<double> bounds(single.begin(), single.end());
  Shape shape = n.shape();
  shape.push_back(1);
  const Value each = t.reshape(x, shape);
  const Value limits = rw.constant(Tensor::reals(x.type(), {static_cast<int64_t>(bounds.size())}, bounds));
  const char* beyond = n.attrs.flag("with_right_bound", true) ? "Greater" : "GreaterEqual";
  const Value passed = t.convert(t.make(beyond, {each, limits}), x.type());
  return t.convert(t.reduce("ReduceSum", passed, {static_cast<int64_t>(n.shape().size())}, false), n.element_type());
}

constexpr SpelledRow kRows[] = {
    {{"Greater"}, compares_integers, greater, "not GreaterEqual(b, a)"},
    {{"Less"}, compares_integers, less, "not GreaterEqual(a, b)"},
    {{"LessEqual"}, compares_integers, less_equal, "GreaterEqual(b, a)"},
    {{"NotEqual"}, [](const Node&) { return true; }, not_equal, "not Equal(a, b)"},
    {{"GreaterEqual", "LessEqual"}, compares_reals, or_equal, "one of two comparisons"},
    {{"LogicalOr"}, of_conditions, logical_or, "Maximum of the conditions"},
    {{"LogicalXor"}, of_conditions, logical_xor, "not Equal(a, b)"},
    {{"ReduceLogicalOr"}, has_known_axes, any_of, "ReduceMax of the conditions"},
    {{"Convert"}, makes_a_condition, is_not_zero, "not Equal(x, 0)"},
    {{"Bucketize"}, has_known_buckets, bucketize, "the number of bounds below"},
    {{"ConvertLike"}, [](const Node&) { return true; }, converted_like, "Convert to the type of the other"},
    {{"Sign"}, compares_reals, sign_of_real, "two comparisons with 0"},
};

}  // namespace

std::span<const SpelledRow> logic_rows() { return kRows; }

}  // namespace blobsmith::legalise_rows
