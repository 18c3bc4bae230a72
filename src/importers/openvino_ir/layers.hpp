// The layers and edges of an IR file (or of a TensorIterator's body) as they stand there (front-end spec §1.2).
#pragma once
#include <cstdint>
#include <map>
#include <pugixml.hpp>
#include <string>
#include <vector>

namespace blobsmith::ir {

struct Port {
  uint32_t id = 0;
  std::vector<std::string> tensor_names;
};

struct Edge {
  uint32_t from_layer = 0, from_port = 0, to_layer = 0, to_port = 0;
};

struct Layer {
  uint32_t id = 0;
  std::string name, type, opset;
  pugi::xml_node xml;
  std::vector<Port> inputs, outputs;

  pugi::xml_node data() const { return xml.child("data"); }
  /// Position of a port in <input> or <output>; throws when there is no such port.
  size_t input_index(uint32_t port) const;
  size_t output_index(uint32_t port) const;
  /// "Add layer sum with id: 7": the start of several messages.
  std::string title() const;
};

struct Layers {
  std::vector<Layer> list;  ///< in the order of the file
  std::map<uint32_t, size_t> by_id;
  std::map<uint32_t, std::vector<Edge>> incoming;  ///< by consumer, in the order of the file

  const Layer* find(uint32_t id) const;
  const std::vector<Edge>& edges_to(uint32_t id) const;
};

/// Reads <layers> and <edges> of a <net> or <body>.
Layers read_layers(const pugi::xml_node& net);

/// Layers that a Result or an Assign needs, producers first: the order in which nodes are made; with `all_parameters`,
/// all Parameters besides, and each as soon as the file names it. Throws on cycles and on edges from layers that don't
/// exist.
std::vector<const Layer*> reachable_in_order(const Layers& layers, bool all_parameters);

}  // namespace blobsmith::ir
