// Which word was meant.
#pragma once
#include <span>
#include <string>
#include <string_view>

namespace blobsmith {

/// The word with the fewest letters to change, add or leave out; "" where none resembles it (more than half differ).
/// "-" and "_" are one letter.
std::string nearest(std::string_view wanted, std::span<const std::string> words);

}  // namespace blobsmith
