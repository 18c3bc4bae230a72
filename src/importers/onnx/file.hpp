// The bytes of an .onnx file -> plain structures. Weights stay where they lie in the file if they can.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.hpp"
#include "importers/common/model_files.hpp"

namespace blobsmith::onnx_file {

struct Model;

struct Attribute {
  enum class Kind { Integer, Real, Text, Integers, Reals, Texts, Tensor, Graph, Other };
  Kind kind = Kind::Other;
  int64_t integer = 0;
  float real = 0;
  std::string text;
  std::vector<int64_t> integers;
  std::vector<float> reals;
  std::vector<std::string> texts;
  blobsmith::Tensor tensor;
  std::shared_ptr<const Model> graph;  ///< of a Graph; null where it can't be read, and `text` says why
  std::string stands_for;              ///< in a function: the name of the call's attribute that is the value
};

struct Node {
  std::string name, op_type, domain, overload;
  std::vector<std::string> inputs, outputs;  ///< value names; an empty one is an absent optional value
  std::map<std::string, Attribute> attributes;

  const Attribute* find(const std::string& attribute) const;
  int64_t integer(const std::string& attribute, int64_t fallback) const;
  float real(const std::string& attribute, float fallback) const;
  std::string text(const std::string& attribute, const std::string& fallback) const;
  std::vector<int64_t> integers(const std::string& attribute, std::vector<int64_t> fallback = {}) const;
  bool has_input(size_t i) const { return i < inputs.size() && !inputs[i].empty(); }
  /// "node \"/head/Resize\" (Resize-13)": for messages.
  std::string describe(int64_t opset) const;
};

struct ValueInfo {
  std::string name;
  ElementType type = ElementType::f32;
  std::optional<Shape> shape;  ///< kDynamic where the model leaves a dimension open; absent when it states no shape, or
                               ///< nothing but the name
};

struct Model {
  int64_t opset = 0;  ///< of the default domain
  std::string graph_name;
  std::vector<Node> nodes;  ///< in file order, which ought to be a topological one (order.hpp)
  std::vector<std::pair<std::string, Tensor>> initializers;
  std::set<std::string> four_bits;         ///< those that the file has as UINT4 and INT4; here they are UINT8 and INT8
  std::vector<ValueInfo> inputs, outputs;  ///< inputs without those that are initializers
  std::map<std::string, std::string> metadata;  ///< what the exporter says of the network
};

/// The type that a number of ONNX's TensorProto.DataType means; none for texts, complex numbers and newer types.
std::optional<ElementType> element_type(int64_t onnx_type);
int64_t type_number(ElementType type);

/// Throws BadOnnx, FileTruncated, TypeMismatch naming the tensor or node. `beside`: gives the files of external data;
/// empty: nowhere.
Model read_model(const Bytes& file, const importers::FilesBeside& beside);

}  // namespace blobsmith::onnx_file
