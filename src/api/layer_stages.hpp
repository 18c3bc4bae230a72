// Which stages of a blob compute which layers of its model.
#pragma once
#include <span>
#include <vector>

#include "blobsmith/compile.hpp"
#include "graph/graph.hpp"

namespace blobsmith::api {

/// What has to be known of a graph before it is compiled, which uses it up.
class LayersOfModel {
 public:
  LayersOfModel() = default;
  explicit LayersOfModel(const Graph& graph);

  /// A stage belongs to the layer that it names, or else to those of the same place in the user's file. A layer that no
  /// stage names is computed together with the nearest one that reads it: "conv" -> "bias" -> "relu" may be a single
  /// stage, which names the last.
  std::vector<LayerStages> computed_by(std::span<const StageOrigin> stages) const;

 private:
  struct Layer {
    std::string name, type, source;
    std::vector<size_t> readers;  ///< in layers_, behind it
  };
  std::vector<Layer> layers_;
};

}  // namespace blobsmith::api
