// A TensorFlow model as named operators and tensors.
#pragma once
#include <functional>

#include "importers/common/source.hpp"
#include "importers/tensorflow/functions.hpp"

namespace blobsmith::tensorflow_file {

/// A function that a loop or a branch runs.
struct Body {
  std::vector<std::string> arguments, results;  ///< keys of tensors
  importers::SourceModel model;                 ///< SourceOperator::index counts `nodes`
  std::vector<Node> nodes;
};
using Bodies = std::map<std::string, Body>;

struct Source {
  importers::SourceModel model;  ///< SourceOperator::index counts `nodes`
  std::vector<Node> nodes;
  Bodies bodies{};  ///< by the names of their functions
};

/// The value of a variable by its name; nothing: it isn't known.
using Variables = std::function<std::optional<Tensor>(const std::string& name)>;

/// Operators in an order in which they can be computed. Outputs are those of the signature, else what nothing reads.
Source make_source(FlatModel flat, const Variables& variables);

/// Leaves out what the outputs don't come from; operators are in an order in which they can be computed.
void keep_needed(importers::SourceModel& model);

/// What a Switch of a known condition leads to stays, the rest goes (control flow of TensorFlow 1). Throws ErrorList
/// where variables remain: the graph is not frozen; and where a condition is an input.
void prune_branches(Source& source);

}  // namespace blobsmith::tensorflow_file
