// An estimate as text, JSON and a page.
#pragma once
#include <string>
#include <vector>

#include "blobsmith/estimate.hpp"

namespace blobsmith::cli {

struct EstimateReport {
  std::string file;
  EstimateResult result;  ///< of a blob: the estimate alone
};

/// Why a number of SHAVEs is marked as the best, and what the numbers of threads mean.
inline constexpr const char* kBestWords =
    "Best: the fewest SHAVEs within 1 % of the highest throughput. Two threads share the chip up to 8 SHAVEs each; one "
    "thread uses one of the two NCEs.";

/// A layer, or a stage where none is known, and what it does: "conv1: HW conv ... and 3 more stages".
std::string cost_words(const Estimate& e, const LayerCost& l);
/// What the estimate doesn't cover, what the cable allows, what else may run on the chip: a sentence each.
std::vector<std::string> notes(const EstimateReport& r);
std::string estimate_json(const EstimateReport& r);
void print_estimate(const EstimateReport& r);
std::string estimate_html(const EstimateReport& r);

}  // namespace blobsmith::cli
