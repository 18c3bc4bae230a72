// Constants of types that weights are compressed to, as types that the graph computes with: elements of two to four
// bits, of which the first lie in the low bits of a byte, and floats of four to 16 bits.
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "core/text.hpp"
#include "graph/ops/attribute_text.hpp"
#include "importers/openvino_ir/builder.hpp"

namespace blobsmith::ir {
namespace {

/// A float of few bits: sign, exponent, mantissa. Subnormal numbers are held; the largest exponent is one of numbers
/// too.
float small_float(uint32_t code, int exponent_bits, int mantissa_bits, int bias) {
  const uint32_t mantissa = code & ((1u << mantissa_bits) - 1);
  const int exponent = static_cast<int>((code >> mantissa_bits) & ((1u << exponent_bits) - 1));
  const float sign = (code >> (exponent_bits + mantissa_bits)) & 1 ? -1.0f : 1.0f;
  const float fraction = std::ldexp(static_cast<float>(mantissa), -mantissa_bits);
  return sign * (exponent == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1 + fraction, exponent - bias));
}

float f4e2m1(uint32_t code) { return small_float(code, 2, 1, 1); }
float f8e4m3(uint32_t code) {
  return (code & 0x7F) == 0x7F ? std::numeric_limits<float>::quiet_NaN() : small_float(code, 4, 3, 7);
}
/// The upper half of an FP16.
float f8e5m2(uint32_t code) {
  if ((code & 0x7C) != 0x7C) return small_float(code, 5, 2, 15);
  if (code & 3) return std::numeric_limits<float>::quiet_NaN();
  return code & 0x80 ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
}
/// A power of two.
float f8e8m0(uint32_t code) {
  return code == 0xFF ? std::numeric_limits<float>::quiet_NaN() : std::ldexp(1.0f, static_cast<int>(code) - 127);
}
float bf16(uint32_t code) { return std::bit_cast<float>(code << 16); }

/// Quantiles of the normal distribution ("NormalFloat 4" of the QLoRA paper, its table).
float nf4(uint32_t code) {
  constexpr std::array kValues{-1.0f,        -0.69619280f, -0.52507305f, -0.39491749f, -0.28444138f, -0.18477343f,
                               -0.09105004f, 0.0f,         0.07958030f,  0.16093020f,  0.24611230f,  0.33791524f,
                               0.44070983f,  0.56261700f,  0.72295684f,  1.0f};
  return kValues[code & 15];
}

struct PackedRow {
  std::string_view name;
  int bits;
  float (*real)(uint32_t code);  ///< null: an integer
  bool is_signed = false;
};
constexpr PackedRow kPackedTypes[] = {{"u2", 2, nullptr},    {"u4", 4, nullptr},    {"i4", 4, nullptr, true},
                                      {"nf4", 4, nf4},       {"f4e2m1", 4, f4e2m1}, {"f8e4m3", 8, f8e4m3},
                                      {"f8e5m2", 8, f8e5m2}, {"f8e8m0", 8, f8e8m0}, {"bf16", 16, bf16}};

const PackedRow* find_row(std::string_view name) {
  for (const PackedRow& row : kPackedTypes)
    if (same_caseless(row.name, name)) return &row;
  return nullptr;
}

class Codes {
 public:
  Codes(const Bytes& bytes, int bits) : bytes_(bytes), bits_(static_cast<size_t>(bits)) {}
  uint32_t operator[](size_t i) const {
    const uint8_t* p = bytes_.data();
    if (bits_ == 16) return static_cast<uint32_t>(p[2 * i] | p[2 * i + 1] << 8);
    const size_t at = i * bits_;
    return static_cast<uint32_t>(p[at / 8] >> (at % 8)) & ((1u << bits_) - 1);
  }

 private:
  const Bytes& bytes_;
  size_t bits_;
};

}  // namespace

std::optional<ElementType> unpacked_type(std::string_view type_name) {
  const PackedRow* row = find_row(type_name);
  if (!row) return std::nullopt;
  return row->real ? ElementType::f32 : row->is_signed ? ElementType::i8 : ElementType::u8;
}

Tensor unpack(std::string_view type_name, Shape shape, const Bytes& bytes) {
  const PackedRow& row = *find_row(type_name);
  const auto count = static_cast<size_t>(element_count(shape));
  // The size is looked at first: a hostile shape must not allocate.
  if (count > bytes.size() * 8 / static_cast<size_t>(row.bits))
    throw Error(ErrorCode::FileTruncated, "Incorrect weights in bin file!");
  const Codes codes(bytes, row.bits);
  if (row.real) {
    std::vector<float> v(count);
    for (size_t i = 0; i < count; ++i) v[i] = row.real(codes[i]);
    return Tensor::of(ElementType::f32, std::move(shape), std::move(v));
  }
  std::vector<uint8_t> v(count);
  const uint32_t sign = row.is_signed ? 1u << (row.bits - 1) : 0;
  for (size_t i = 0; i < count; ++i) v[i] = static_cast<uint8_t>((codes[i] ^ sign) - sign);
  return Tensor::of(*unpacked_type(type_name), std::move(shape), std::move(v));
}

}  // namespace blobsmith::ir
