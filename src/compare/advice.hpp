// What to do about a comparison that went wrong.
#pragma once
#include <string>
#include <vector>

#include "compare/comparison.hpp"
#include "compare/known_faults.hpp"

namespace blobsmith::comparison {

/// What was given to an input and what the blob's input holds of it.
struct InputLoss {
  std::string name, type;  ///< "U8"
  int64_t changed = 0, count = 0;
  double largest = 0;  ///< difference
};

/// Sentences, most important first. `faults`: those that the blob has.
std::vector<std::string> advice(const Comparison& c, const std::vector<Remark>& faults,
                                const std::vector<InputLoss>& losses);

}  // namespace blobsmith::comparison
