// --expect: results against files.
#pragma once
#include <string>
#include <vector>

#include "blobsmith/emulator.hpp"
#include "cli/run_options.hpp"

namespace blobsmith::cli {

/// One output, compared with what was expected. Differences are relative to the largest expected magnitude of the
/// output.
struct Verdict {
  std::string output;
  std::vector<int64_t> shape, expected_shape;
  bool same_count = true, good = false;
  double largest_difference = 0;  ///< absolute; infinite where one side only is not a number
  double relative_difference = 0;
  int64_t differing = 0, count = 0;
  int64_t moved = 0;            ///< rows that stand elsewhere, where what they are sorted by ties in FP16
  std::vector<int64_t> at;      ///< where the largest difference is
  float got = 0, expected = 0;  ///< there
};

/// Checks the outputs that --expect names. Throws when a file can't be read or names no output.
std::vector<Verdict> check_expected(const Emulator& emulator, const RunArguments& options);
/// "scores: as expected (largest difference 0.1 % of ...)" or what differs and where.
std::string verdict_text(const Verdict& v);

}  // namespace blobsmith::cli
