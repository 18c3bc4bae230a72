// Element types of graph tensors.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace blobsmith {

enum class ElementType : uint8_t { f16, f32, f64, bf16, i4, i8, i16, i32, i64, u1, u4, u8, u16, u32, u64, boolean };

std::string_view to_string(ElementType t);                          ///< "f16"
std::string_view precision_name(ElementType t);                     ///< "FP16", as Intel's tools print it
std::optional<ElementType> parse_element_type(std::string_view s);  ///< either spelling, any case
int bit_width(ElementType t);
inline size_t byte_width(ElementType t) { return static_cast<size_t>((bit_width(t) + 7) / 8); }
bool is_float(ElementType t);
bool is_integer(ElementType t);  ///< signed or unsigned; not boolean

}  // namespace blobsmith
