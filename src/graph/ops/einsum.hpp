// The equation of Einsum, taken apart (front-end spec §15.1).
#pragma once
#include <map>
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::ops {

/// A label per axis: a letter, or for those that "..." stands for a number, counted from the last one.
struct EinsumLabels {
  std::vector<std::vector<std::string>> inputs;
  std::vector<std::string> output;
  std::map<std::string, int64_t> sizes;
};

/// Throws ShapeMismatch, without an address, where the equation doesn't fit the shapes.
EinsumLabels read_einsum(const std::string& equation, const std::vector<Shape>& inputs);

}  // namespace blobsmith::ops
