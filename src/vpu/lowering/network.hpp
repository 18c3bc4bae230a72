// A Graph seen as the reference's layer network: one layer per node except Results and constants that belong to a layer
// (weights) or tell only a shape. Order by name decides everything here (front-end spec §6, §7).
#pragma once
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::vpu {

/// How a recurrent layer runs over its input.
struct SequenceRule {
  int64_t axis = 0;
  bool forward = true;
};

struct NetworkLayer {
  Node* node = nullptr;  ///< holds attributes and weights
  std::string name, type;
  std::vector<Value> inputs;             ///< without internal and shape constants
  std::vector<Value> outputs;            ///< of the node, or of the loop that the layer replaces
  std::optional<SequenceRule> sequence;  ///< of a layer made from a loop
  bool is_input() const { return type == "Input"; }
  bool is_const() const { return type == "Const"; }
};

/// A loop whose body is one recurrent cell between two Reshapes, as the sequence layer that takes its place (front-end
/// spec §6.6); nothing for other loops.
std::optional<NetworkLayer> as_recurrent_sequence(const NetworkLayer& loop);

class Network {
 public:
  /// `combine_loops`: loops over one recurrent cell become sequence layers.
  /// Throws BadGraph when two outputs have one name, or a dimension is dynamic or zero.
  explicit Network(const Graph& graph, bool combine_loops = true);

  /// Every layer: sources and what follows them, so that a consumer comes after its producers (front-end spec §7).
  const std::vector<const NetworkLayer*>& sorted() const { return sorted_; }
  const std::vector<const Node*>& inputs() const { return inputs_; }  ///< by name
  const std::vector<Value>& outputs() const { return outputs_; }      ///< by name, each once
  bool is_output(Value v) const;
  /// The layers that read a value, ascending by name, each once.
  const std::vector<const NetworkLayer*>& consumers(Value v) const;
  /// "<node>" or "<node>.<port>".
  std::string data_name(Value v) const;

 private:
  using Key = std::pair<const Node*, int>;
  void choose_names(const std::vector<Node*>& nodes);
  void make_layers(const std::vector<Node*>& nodes, bool combine_loops);
  void drop_unread_constants();
  void connect();
  void sort();

  std::map<const Node*, std::string> names_;  // for look-ups only, as are the maps below
  std::vector<NetworkLayer> layers_;
  std::vector<const NetworkLayer*> sorted_;
  std::vector<const Node*> inputs_;
  std::vector<Value> outputs_;
  std::map<Key, std::vector<const NetworkLayer*>> consumers_;
};

}  // namespace blobsmith::vpu
