// Operators on the bits of integers, which the VPU lacks: a shift is a product or quotient by a power of two from a
// table; "and" looks up byte by byte, the others follow from it: a | b = a + b - (a & b), a ^ b = a + b - 2 (a & b).
#include <algorithm>
#include <limits>

#include "importers/onnx/mo_steps.hpp"
#include "importers/onnx/operators.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

constexpr int64_t kByte = 256;

bool is_signed(ElementType t) {
  return t == ElementType::i8 || t == ElementType::i16 || t == ElementType::i32 || t == ElementType::i64;
}

/// By any number of places: beyond the width nothing is left but the sign.
std::vector<Value> bit_shift(Context& c) {
  Steps s(c);
  const std::string direction = c.text("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") c.refuse("direction is '" + direction + "'");
  const Value x = s.convert(c.input(0), ElementType::i32), by = s.convert(c.input(1), ElementType::i32);
  const auto back = [&](Value v) { return std::vector<Value>{s.done(s.convert(v, c.input(0).type()))}; };
  const auto beyond = [&](int64_t last) {
    return s.make("LogicalOr", {s.make("Less", {by, s.number(by, 0)}),
                                s.make("Greater", {by, s.number(by, static_cast<double>(last))})});
  };
  std::vector<int32_t> powers;
  for (int i = 0; i < 31; ++i) powers.push_back(int32_t{1} << i);
  const auto table = [&](std::vector<int32_t> v) {
    const auto count = static_cast<int64_t>(v.size());
    return s.constant(Tensor::of(ElementType::i32, {count}, std::move(v)));
  };
  if (direction == "LEFT") {
    powers.insert(powers.end(), {std::numeric_limits<int32_t>::min(), 0});
    const Value place = s.make("Select", {beyond(31), s.number(by, 32), by});
    return back(s.multiply(x, s.gather(table(powers), place, 0)));
  }
  const Value over = beyond(30), place = s.make("Select", {over, s.number(by, 30), by});
  const auto down = [&](Value a, Value b) { return s.make("Divide", {a, b}, attributes({{"m_pythondiv", true}})); };
  const Value shifted = down(x, s.gather(table(powers), place, 0));
  return back(down(shifted, s.add(s.convert(over, ElementType::i32), 1)));
}

/// The bytes of v from the lowest on, 0..255 each; v counts as of 32 bits, the width of the VPU's integers.
std::vector<Value> bytes_of(Steps& s, Value v, int count) {
  std::vector<Value> bytes;
  for (int i = 0; i < count; ++i) {
    const Value low = s.make("FloorMod", {v, s.number(v, static_cast<double>(kByte))});
    bytes.push_back(low);
    if (i + 1 < count)
      v = s.make("Divide", {s.subtract(v, low), s.number(v, static_cast<double>(kByte))},
                 attributes({{"m_pythondiv", false}}));
  }
  return bytes;
}

Value both(Steps& s, Value a, Value b, ElementType type) {
  const int count = std::min<int>(4, static_cast<int>(byte_width(type)));
  const auto wide = [&](Value v) { return s.convert(v, ElementType::i32); };
  const std::vector<Value> left = bytes_of(s, wide(a), count), right = bytes_of(s, wide(b), count);
  Value y;
  for (int i = count; i-- > 0;) {
    const bool is_sign = i + 1 == count && (is_signed(type) || count == 4);
    std::vector<int64_t> table;
    for (int64_t p = 0; p < kByte * kByte; ++p) {
      const int64_t v = (p / kByte) & (p % kByte);
      table.push_back(is_sign && v >= kByte / 2 ? v - kByte : v);
    }
    const auto at = static_cast<size_t>(i);
    const Value place = s.add(s.multiply(left[at], static_cast<double>(kByte)), right[at]);
    const Value part = s.convert(s.gather(s.indices(table), place, 0), ElementType::i32);
    y = y ? s.add(s.multiply(y, static_cast<double>(kByte)), part) : part;
  }
  return s.convert(y, type);
}

void check(Context& c) {
  if (!is_integer(c.input(0).type())) c.refuse("its inputs are not integers");
  if (c.input(0).type() == ElementType::u64) c.refuse("the chip's integers have 32 bits, and these all 64");
}

std::vector<Value> bitwise_and(Context& c) {
  check(c);
  Steps s(c);
  return {s.done(both(s, c.input(0), c.input(1), c.input(0).type()))};
}
std::vector<Value> bitwise_or(Context& c) {
  check(c);
  Steps s(c);
  const Value a = c.input(0), b = c.input(1);
  return {s.done(s.subtract(s.add(a, b), both(s, a, b, a.type())))};
}
std::vector<Value> bitwise_xor(Context& c) {
  check(c);
  Steps s(c);
  const Value a = c.input(0), b = c.input(1);
  const Value twice = s.multiply(both(s, a, b, a.type()), 2);
  return {s.done(s.subtract(s.add(a, b), twice))};
}
/// -1 - x, or the largest number less x.
std::vector<Value> bitwise_not(Context& c) {
  check(c);
  Steps s(c);
  const Value x = c.input(0);
  const ElementType type = x.type();
  const double largest = is_signed(type) || byte_width(type) >= 4 ? -1 : byte_width(type) == 1 ? 255 : 65535;
  const Value wide = s.convert(x, ElementType::i32);
  return {s.done(s.convert(s.subtract(s.number(wide, largest), wide), type))};
}

}  // namespace
}  // namespace mo

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"BitShift", 11, "Multiply", mo::bit_shift, nullptr},     {"BitwiseAnd", 18, "Gather", mo::bitwise_and, nullptr},
    {"BitwiseOr", 18, "Gather", mo::bitwise_or, nullptr},     {"BitwiseXor", 18, "Gather", mo::bitwise_xor, nullptr},
    {"BitwiseNot", 18, "Subtract", mo::bitwise_not, nullptr},
};

}  // namespace

std::span<const OperatorRow> bit_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
