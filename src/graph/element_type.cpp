#include "graph/element_type.hpp"

#include <array>

#include "core/text.hpp"

namespace blobsmith {
namespace {

struct Row {
  std::string_view name, precision;
  int bits;
};
constexpr std::array<Row, 16> kRows{{{"f16", "FP16", 16},
                                     {"f32", "FP32", 32},
                                     {"f64", "FP64", 64},
                                     {"bf16", "BF16", 16},
                                     {"i4", "I4", 4},
                                     {"i8", "I8", 8},
                                     {"i16", "I16", 16},
                                     {"i32", "I32", 32},
                                     {"i64", "I64", 64},
                                     {"u1", "BIN", 1},
                                     {"u4", "U4", 4},
                                     {"u8", "U8", 8},
                                     {"u16", "U16", 16},
                                     {"u32", "U32", 32},
                                     {"u64", "U64", 64},
                                     {"boolean", "BOOL", 8}}};
const Row& row(ElementType t) { return kRows[static_cast<size_t>(t)]; }

}  // namespace

std::string_view to_string(ElementType t) { return row(t).name; }
std::string_view precision_name(ElementType t) { return row(t).precision; }
int bit_width(ElementType t) { return row(t).bits; }
bool is_float(ElementType t) { return t <= ElementType::bf16; }
bool is_integer(ElementType t) { return t >= ElementType::i4 && t <= ElementType::u64; }

std::optional<ElementType> parse_element_type(std::string_view s) {
  for (size_t i = 0; i < kRows.size(); ++i)
    if (same_caseless(s, kRows[i].name) || same_caseless(s, kRows[i].precision)) return static_cast<ElementType>(i);
  return std::nullopt;
}

}  // namespace blobsmith
