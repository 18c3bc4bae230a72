// An estimate as text, JSON and a page.
#pragma once
#include <string>
#include <vector>

#include "estimate/measured.hpp"
#include "estimate/sweep.hpp"

namespace blobsmith::cli {

/// What `estimate` found out about one file.
struct EstimateResult {
  std::string file;
  vpu::Blob blob;
  estimate::Estimate estimate;
  std::vector<estimate::SweepEntry> by_shaves;  ///< of a model
  double gflops = 0, mparams = 0;               ///< of a model
  std::vector<estimate::Measurement> measured;  ///< of the network that it was recognised as
};

std::string estimate_json(const EstimateResult& r);
void print_estimate(const EstimateResult& r);
std::string estimate_html(const EstimateResult& r);

}  // namespace blobsmith::cli
