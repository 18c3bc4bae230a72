// The one channel for what is found out about a model on its way to a blob.
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "blobsmith/remark.hpp"
#include "core/error.hpp"

namespace blobsmith {

struct Diagnostics {
  std::vector<Error> problems;
  std::vector<Remark> remarks;
  std::map<std::string, std::vector<std::string>> reads;  ///< tensors that unreadable layers would read, by source
  std::vector<std::string> order;  ///< Node::source of all layers, as they stand in the file; of readers that go on

  /// Notes a layer that is left out, and why.
  void unreadable(Error problem, std::string layer, std::string type, const std::string& source) {
    remarks.push_back({.kind = Remark::Kind::Unreadable,
                       .layer = std::move(layer),
                       .type = std::move(type),
                       .source = source,
                       .what = problem.what()});
    problems.push_back(std::move(problem.from(source)));
  }
};

}  // namespace blobsmith
