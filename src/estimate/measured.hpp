// Published speeds of common networks on Myriad X (data/fps.csv), and which of them a network is.
#pragma once
#include <vector>

#include "blobsmith/estimate.hpp"
#include "estimate/network_size.hpp"

namespace blobsmith::estimate {

const std::vector<Measurement>& measurements();
/// The rows of networks that have the input shapes of `graph`, within 2 % its parameters and within 5 % its
/// multiply-adds, those of the nearest parameters first: names of files play no part.
std::vector<Measurement> recognise(const Graph& graph);

}  // namespace blobsmith::estimate
