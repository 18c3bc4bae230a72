// The bytes of TensorFlow's files -> plain structures (model-optimizer spec §4.2). All that touches protobuf is behind
// this header and checkpoint.hpp.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::tensorflow_file {

/// Only the member that the file states has a value other than its default.
struct Attribute {
  int64_t integer = 0;
  double real = 0;
  bool flag = false;
  std::string text;            ///< also the name of a function
  std::optional<int> type;     ///< TensorFlow's number
  std::optional<Shape> shape;  ///< kDynamic where it is open; absent: not even the rank is known
  std::optional<Tensor> tensor;
  std::vector<int64_t> integers;
  std::vector<double> reals;
  std::vector<std::string> texts;
  std::vector<int> types;
};

struct Node {
  std::string name, op;
  std::vector<std::string> inputs;  ///< "node", "node:1"; in a function "node:output:0"; "^node" only orders
  std::map<std::string, Attribute> attributes;

  const Attribute* find(std::string_view attribute) const;
  int64_t integer(std::string_view attribute, int64_t fallback) const;
  double real(std::string_view attribute, double fallback) const;
  bool flag(std::string_view attribute, bool fallback) const;
  std::string text(std::string_view attribute, std::string fallback) const;
  std::vector<int64_t> integers(std::string_view attribute) const;
  std::vector<double> reals(std::string_view attribute) const;
};

struct Argument {
  std::string name, number_attribute, type_list_attribute;
};

struct Function {
  std::vector<Argument> inputs, outputs;
  std::vector<Node> nodes;
  std::map<std::string, std::string> returns;  ///< output argument: "node:output:0" or an input argument
};

struct Signature {
  std::map<std::string, std::string> inputs, outputs;  ///< by argument: "serving_default_x:0"
};

struct Model {
  std::vector<Node> nodes;
  std::map<std::string, Function> functions;
  std::map<std::string, Signature> signatures;
  std::map<std::string, std::string> variable_keys;  ///< of object-based checkpoints: name of a variable -> its key
};

/// The type that a number of TensorFlow's DataType means; none for texts, complex and quantised numbers, resources.
std::optional<ElementType> element_type(int tensorflow_type);
int type_number(ElementType type);
/// "DT_STRING", for messages.
std::string type_name(int tensorflow_type);

// Each throws FileCorrupt, TypeMismatch, ShapeMismatch naming the node.
Model read_graph(const Bytes& file);       ///< .pb: GraphDef
Model read_graph_text(const Bytes& file);  ///< .pbtxt
/// saved_model.pb. Of several graphs that with all `tags`.
Model read_saved_model(const Bytes& file, const std::vector<std::string>& tags);
Model read_meta_graph(const Bytes& file);  ///< .meta
/// What the file is, when it isn't a GraphDef: "a SavedModel"; empty: nothing known.
std::string what_else(const Bytes& file);

}  // namespace blobsmith::tensorflow_file
