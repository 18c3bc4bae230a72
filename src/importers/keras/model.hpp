// A Keras model file -> layers and the calls that connect them, with their weights: .h5 of Keras 1 to 3, .keras
// (model-optimizer spec §4.3).
#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::keras_file {

using Json = nlohmann::json;

// Not layers of Keras, but what stands around a model that TimeDistributed wraps.
inline constexpr const char* kStepsTogether = "TimeDistributed/together";  ///< [N, steps, ..] to [N steps, ..]
inline constexpr const char* kStepsApart = "TimeDistributed/apart";        ///< back; input 1 has the steps

/// A layer, called on tensors. Calls of one layer share its weights.
struct Call {
  std::string name;        ///< of the layer; of its further calls with a number behind it
  std::string class_name;  ///< "Conv2D"
  Json config;
  std::vector<std::string> inputs;  ///< keys of tensors, "name:0"
  Json arguments;                   ///< what else it is called with, by name
  size_t outputs = 1;
  std::map<std::string, Tensor>
      weights;  ///< by their names: "kernel", "bias", "cell/kernel"; numbers where there are none
};

struct Input {
  std::string name;
  ElementType type = ElementType::f32;
  std::optional<Shape> shape{};  ///< kDynamic where it is open
};

struct Model {
  std::string name;
  std::vector<Input> inputs;
  std::vector<Call> calls;           ///< in an order in which they can be computed
  std::vector<std::string> outputs;  ///< keys
  int keras = 2;                     ///< major version
};

/// Throws FileCorrupt, MissingWeights (a file of weights alone), ErrorList with all layers of a class that the file
/// does not define.
Model read_model(const std::string& path);
Model read_h5(const Bytes& file);
/// The layers alone, of config.json: they have no weights.
Model read_description(const std::string& json);
Model read_keras_archive(const Bytes& file);

}  // namespace blobsmith::keras_file
