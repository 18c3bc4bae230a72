// Calls of functions replaced by what they do, so that a model is one list of nodes.
#pragma once
#include <set>

#include "importers/tensorflow/file.hpp"

namespace blobsmith::tensorflow_file {

struct FlatFunction;

/// A model without calls: inputs of nodes are keys of tensors, "node:port", without those that only order.
struct FlatModel {
  std::vector<Node> nodes;
  struct Output {
    std::string key;
    std::string sorted_by;  ///< what Model Optimizer calls it while it freezes a function
  };
  std::vector<Output> outputs;                       ///< of the signature; empty: not stated
  std::map<std::string, std::string> aliases;        ///< outputs of calls, and what they are now
  std::set<std::string> waited_for;                  ///< nodes that others only come after
  std::map<std::string, std::string> variable_keys;  ///< as in Model
  std::map<std::string, FlatFunction> bodies;        ///< of loops and branches, by the names of their functions

  /// What the key of a tensor means now.
  std::string resolve(std::string key) const;
};

/// A function that a loop or branch runs: it reads the keys of its arguments beside those of its nodes.
struct FlatFunction {
  std::vector<std::string> arguments, results;  ///< keys
  FlatModel flat;                               ///< its bodies are those of the whole model
};

/// The key of a node's first or stated output: "node" is "node:0".
std::string tensor_key(const std::string& input);
/// Inlines from the signature's outputs where there is one ("serving_default"; empty: the only one), whose call keeps
/// no name in front of its nodes, as Model Optimizer has it; else all nodes of the graph. Throws FileCorrupt.
FlatModel flatten(Model model, const std::string& signature);

}  // namespace blobsmith::tensorflow_file
