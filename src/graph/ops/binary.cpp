// Element-wise operations of two or more inputs: arithmetic, comparison, logic, Select (front-end spec §15.1).
#include <algorithm>
#include <cmath>
#include <cstring>

#include "graph/ops/numbers.hpp"
#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"
#include "graph/ops/strided.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;
constexpr std::string_view kBroadcasts = "numpy|none|explicit|pdpd";
constexpr AttributeSpec kArithmetic[] = {{"auto_broadcast", Choice, "numpy", kBroadcasts}};
constexpr AttributeSpec kDivide[] = {{"auto_broadcast", Choice, "numpy", kBroadcasts}, {"m_pythondiv", Flag, "true"}};
constexpr AttributeSpec kFakeQuantize[] = {{"levels", Integer, kMandatory},
                                           {"auto_broadcast", Choice, "numpy", kBroadcasts}};

ElementType common_type(const Inference& in, int a, int b) {
  if (in.type(a) != in.type(b)) in.fail_type("Argument element types are inconsistent");
  return in.type(a);
}

void infer_arithmetic(Inference& in) {
  const ElementType type = common_type(in, 0, 1);
  if (type == ElementType::boolean) in.fail_type("Arguments cannot have boolean element type");
  in.output(type, elementwise_shape(in, in.shape(0), in.shape(1)));
}

void infer_comparison(Inference& in) {
  common_type(in, 0, 1);
  in.output(in.replaceable_type(ElementType::boolean), elementwise_shape(in, in.shape(0), in.shape(1)));
}

void infer_logic(Inference& in) {
  in.output(in.replaceable_type(ElementType::boolean), elementwise_shape(in, in.shape(0), in.shape(1)));
}

void infer_select(Inference& in) {
  const ElementType type = common_type(in, 1, 2);
  in.output(type, elementwise_shape(in, elementwise_shape(in, in.shape(1), in.shape(2)), in.shape(0)));
}

void infer_fake_quantize(Inference& in) {
  for (int i = 1; i < 5; ++i)
    if (!broadcast(in.shape(0), in.shape(i))) in.fail("Limits don't broadcast to the data");
  in.output(in.type(), in.shape());
}

// ---- constant folding ----

template <class T>
T real_divide(T a, T b) {
  return T(a / b);
}

template <class T>
T minimum(T a, T b) {
  return b < a ? b : a;
}
template <class T>
T maximum(T a, T b) {
  return a < b ? b : a;
}

template <class T>
T power(T a, T b) {
  if constexpr (std::is_same_v<T, int64_t>)
    return truncate(std::pow(static_cast<double>(a), static_cast<double>(b)));
  else if constexpr (std::is_same_v<T, double>)
    return std::pow(a, b);
  else
    return T(std::pow(static_cast<float>(a), static_cast<float>(b)));
}

template <class T>
T floor_remainder(T a, T b) {
  if constexpr (std::is_same_v<T, int64_t>) {
    if (b == -1) return 0;
    const int64_t r = a % b;
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
  } else {
    return subtract(a, multiply(b, T(std::floor(T(a / b)))));
  }
}

int64_t truncated_quotient(int64_t a, int64_t b) { return b == -1 ? wrapping_subtract(0, a) : a / b; }
int64_t floor_quotient(int64_t a, int64_t b) {
  const int64_t q = truncated_quotient(a, b);
  return b != -1 && a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

template <class T>
using Binary = T (*)(T, T);

template <class T>
struct Entry {
  std::string_view type;
  Binary<T> function;
};

template <class T>
T flag(bool b) {
  return T(b ? 1 : 0);
}

template <class T>
const Entry<T> kFunctions[] = {
    {"Add", add<T>},
    {"Subtract", subtract<T>},
    {"Multiply", multiply<T>},
    {"Minimum", minimum<T>},
    {"Maximum", maximum<T>},
    {"Power", power<T>},
    {"FloorMod", floor_remainder<T>},
    {"Equal", [](T a, T b) { return flag<T>(a == b); }},
    {"NotEqual", [](T a, T b) { return flag<T>(a != b); }},
    {"Greater", [](T a, T b) { return flag<T>(a > b); }},
    {"GreaterEqual", [](T a, T b) { return flag<T>(a >= b); }},
    {"Less", [](T a, T b) { return flag<T>(a < b); }},
    {"LessEqual", [](T a, T b) { return flag<T>(a <= b); }},
    {"LogicalAnd", [](T a, T b) { return flag<T>(a != T(0) && b != T(0)); }},
    {"LogicalOr", [](T a, T b) { return flag<T>(a != T(0) || b != T(0)); }},
    {"LogicalXor", [](T a, T b) { return flag<T>((a != T(0)) != (b != T(0))); }},
};

bool divides(const Node& n) { return n.is("Divide") || n.is("FloorMod"); }

template <class T>
Binary<T> function_of(const Node& n) {
  if (n.is("Divide")) {
    if constexpr (std::is_same_v<T, int64_t>)
      return n.attrs.flag("m_pythondiv", true) ? floor_quotient : truncated_quotient;
    else
      return real_divide<T>;
  }
  for (const Entry<T>& e : kFunctions<T>)
    if (n.is(e.type)) return e.function;
  return nullptr;
}

template <class T>
std::vector<Tensor> compute(const Node& n, const Tensor& left, const Tensor& right) {
  const Loaded<T> a(left), b(right);
  const Binary<T> f = function_of<T>(n);
  if (!a.is_known() || !b.is_known() || !f) return {};
  if constexpr (std::is_same_v<T, int64_t>)
    if (divides(n) && std::ranges::find(b.values(), 0) != b.values().end()) return {};
  const Shape& shape = n.shape();
  std::vector<T> out(static_cast<size_t>(element_count(shape)));
  if (!out.empty()) {
    // Row by row: one step of the last axis is the same in all of them.
    std::vector<int64_t> of_a = broadcast_strides(left.shape, shape), of_b = broadcast_strides(right.shape, shape);
    Shape rows = shape;
    int64_t length = 1, step_a = 0, step_b = 0;
    if (!shape.empty()) {
      length = shape.back();
      step_a = of_a.back();
      step_b = of_b.back();
      rows.pop_back();
      of_a.pop_back();
      of_b.pop_back();
    }
    std::vector<int64_t> begins(static_cast<size_t>(element_count(rows)));
    for_each_position(rows, 0, of_b, [&](int64_t row, int64_t at) { begins[static_cast<size_t>(row)] = at; });
    for_each_position(rows, 0, of_a, [&](int64_t row, int64_t at) {
      const T *x = a.values().data() + at, *y = b.values().data() + begins[static_cast<size_t>(row)];
      T* to = out.data() + row * length;
      for (int64_t i = 0; i < length; ++i) to[i] = f(x[i * step_a], y[i * step_b]);
    });
  }
  return {store<T>(n.element_type(), shape, std::move(out))};
}

std::vector<Tensor> evaluate_binary(const Node& n, Tensors inputs) {
  std::vector<Tensor> result;
  with_working_type(inputs[0]->type, [&](auto zero) { result = compute<decltype(zero)>(n, *inputs[0], *inputs[1]); });
  return result;
}

std::vector<Tensor> evaluate_select(const Node& n, Tensors inputs) {
  if (!is_byte_sized(n.element_type())) return {};
  const auto condition = load<int64_t>(*inputs[0]);
  if (!condition) return {};
  const Shape& shape = n.shape();
  const Tensor yes = gather_strided(*inputs[1], shape, 0, broadcast_strides(inputs[1]->shape, shape));
  TensorBuilder out(gather_strided(*inputs[2], shape, 0, broadcast_strides(inputs[2]->shape, shape)));
  const size_t size = out.element_size();
  for_each_position(shape, 0, broadcast_strides(inputs[0]->shape, shape), [&](int64_t i, int64_t at) {
    if ((*condition)[static_cast<size_t>(at)] != 0)
      std::memcpy(out.at(i), yes.bytes.data() + static_cast<size_t>(i) * size, size);
  });
  return {out.take()};
}

constexpr OpRow arithmetic(std::string_view type) {
  return {type, 0, {1, 7}, 2, 2, kArithmetic, infer_arithmetic, evaluate_binary};
}
constexpr OpRow comparison(std::string_view type) {
  return {type, 0, {1, 7}, 2, 2, kArithmetic, infer_comparison, evaluate_binary};
}
constexpr OpRow logic(std::string_view type) {
  return {type, 0, {1, 7}, 2, 2, kArithmetic, infer_logic, evaluate_binary};
}

constexpr OpRow kOps[] = {
    arithmetic("Add"),
    arithmetic("Subtract"),
    arithmetic("Multiply"),
    arithmetic("Maximum"),
    arithmetic("Minimum"),
    arithmetic("Power"),
    arithmetic("FloorMod"),
    // The reference has no folding for these two: Mod is decomposed first, SquaredDifference stays.
    {"Mod", 0, {1, 7}, 2, 2, kArithmetic, infer_arithmetic},
    {"SquaredDifference", 0, {1, 7}, 2, 2, kArithmetic, infer_arithmetic},
    {"Divide", 0, {1, 7}, 2, 2, kDivide, infer_arithmetic, evaluate_binary},
    comparison("Equal"),
    comparison("NotEqual"),
    comparison("Greater"),
    comparison("GreaterEqual"),
    comparison("Less"),
    comparison("LessEqual"),
    logic("LogicalAnd"),
    logic("LogicalOr"),
    logic("LogicalXor"),
    {"Select", 0, {1, 7}, 3, 3, kArithmetic, infer_select, evaluate_select},
    {"FakeQuantize", 0, {1, 7}, 5, 5, kFakeQuantize, infer_fake_quantize},
};

}  // namespace

std::span<const OpRow> binary_ops() { return kOps; }

}  // namespace blobsmith::ops
