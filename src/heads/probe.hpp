// What the arithmetic behind a detector's convolutions makes of numbers that are put in their place.
#pragma once
#include <functional>
#include <vector>

#include "heads/levels.hpp"

namespace blobsmith::heads {

/// The value of an element of a level's convolution: level, convolution, position in row-major order.
using Filling = std::function<float(size_t level, size_t convolution, size_t element)>;

/// A Filling: numbers from -2 to 2, the same every time.
float random_number(size_t level, size_t convolution, size_t element);

/// The results of `graph` (or those of another graph with the same convolutions, by their ids) for such convolutions,
/// in its order.
std::vector<std::vector<float>> probe(const Graph& graph, const Levels& levels, const std::vector<const Node*>& results,
                                      const Filling& filling);

}  // namespace blobsmith::heads
