// Published speeds of common networks on Myriad X (data/fps.csv), and which of them a network is.
#pragma once
#include <string>
#include <vector>

#include "estimate/network_size.hpp"

namespace blobsmith::estimate {

struct Measurement {
  std::string model, input;               ///< input: "1x3x224x224", several with commas
  double gflops = 0, mparams = 0;         ///< published; 0 where unknown
  std::string device, toolchain, shaves;  ///< shaves: "auto" = 7 for each of two executors
  double fps = 0;                         ///< median of the runs of one source
  std::string source;
};

const std::vector<Measurement>& measurements();
/// The rows of networks that have the input shapes of `graph` and, within 2 %, its multiply-adds and parameters: names
/// of files play no part.
std::vector<Measurement> recognise(const Graph& graph);

}  // namespace blobsmith::estimate
