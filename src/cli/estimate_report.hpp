// An estimate as text, JSON and a page.
#pragma once
#include <string>

#include "blobsmith/estimate.hpp"

namespace blobsmith::cli {

struct EstimateReport {
  std::string file;
  EstimateResult result;  ///< of a blob: the estimate alone
};

std::string estimate_json(const EstimateReport& r);
void print_estimate(const EstimateReport& r);
std::string estimate_html(const EstimateReport& r);

}  // namespace blobsmith::cli
