// What a reader of models found wrong where it was asked to go on: for checks that tell all problems in one run.
#pragma once
#include <string>
#include <vector>

#include "core/error.hpp"

namespace blobsmith {

struct ImportProblems {
  struct Failed {
    Error error;
    std::string name, type, source;  ///< of the layer; `source` as in Node::source
  };
  /// Reads the result of a layer that failed, so that nothing can be said of it.
  struct Unchecked {
    std::string name, type, source;
  };
  std::vector<Failed> failed;
  std::vector<Unchecked> unchecked;
  std::vector<std::string> order;  ///< the sources of all layers as they stand in the file
};

}  // namespace blobsmith
