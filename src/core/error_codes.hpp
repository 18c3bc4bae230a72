// What each error code means, for users who look one up.
#pragma once
#include <span>
#include <string_view>

#include "core/error.hpp"

namespace blobsmith {

struct ErrorCodeRow {
  ErrorCode code;
  std::string_view meaning;
  std::string_view remedy;
};

/// In the order of the numbers.
std::span<const ErrorCodeRow> error_codes();
/// Of the thousands digit: "input files".
std::string_view error_group(ErrorCode code);

}  // namespace blobsmith
