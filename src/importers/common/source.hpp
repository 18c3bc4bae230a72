// A model as a front end hands it over, before anything is converted: named operators that read and write tensors.
// Tensors have keys that are unique in the model: names of ONNX values, "node:port", names of blobs. Where a format
// writes one name several times, the keys of the later ones end in kAgain and a number, which is no part of the name.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::importers {

inline constexpr char kAgain = '\n';
/// The name of a tensor in the file.
inline std::string tensor_name(const std::string& key) { return key.substr(0, key.find(kAgain)); }

struct SourceOperator {
  size_t index = 0;  ///< the front end's own number
  std::string name;  ///< of its layer
  std::string type;
  std::string where;                         ///< its place in the file, for messages
  std::vector<std::string> inputs, outputs;  ///< keys of tensors; an empty one is absent
  bool single_outputs = false;  ///< each of its outputs that nothing reads becomes an output of the network
  bool for_shapes = false;      ///< cut off; converted only to learn the shape of what is cut
  std::string advice{};         ///< where it is not known: what is to be said of that
};

struct SourceInput {
  std::string name, key;
  ElementType type = ElementType::f32;
  std::optional<Shape> shape{};  ///< kDynamic where the model leaves a dimension open; absent: nothing is stated
  std::string like{};            ///< instead of type and shape: the key of a tensor that has them
  bool for_shapes = false;
};

struct SourceOutput {
  std::string key;
  std::string name;  ///< empty: the layer keeps its own
};

struct SourceModel {
  std::string name;
  std::vector<SourceInput> inputs;
  std::vector<std::pair<std::string, Tensor>> constants;  ///< by key
  std::vector<SourceOperator> operators;                  ///< in an order in which they can be computed
  std::vector<SourceOutput> outputs;
  bool only_stated_outputs = false;  ///< the user has listed them
  /// By the names of operators that only pass a tensor on, and were left out: its key.
  std::map<std::string, std::string> passed_on{};
};

}  // namespace blobsmith::importers
