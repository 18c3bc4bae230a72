// A row of a framework's table of operators, for the tables of supported layers.
#pragma once
#include <string_view>
#include <vector>

namespace blobsmith {

struct FrameworkOperator {
  std::string_view name;
  std::string_view becomes;  ///< the main operation; empty: it passes its input on
  std::string_view limits;   ///< forms that are refused
};

}  // namespace blobsmith
