// Graph: a trained network as nodes with OpenVINO opset semantics. Knows nothing of frameworks or of the VPU.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "blobsmith/remark.hpp"
#include "core/attributes.hpp"
#include "core/bytes.hpp"
#include "core/error.hpp"
#include "graph/element_type.hpp"

namespace blobsmith {

struct Release;  // core/release.hpp
extern const Release kRelease2021;

using Shape = std::vector<int64_t>;  ///< outermost dimension first; kDynamic where unknown
inline constexpr int64_t kDynamic = -1;

int64_t element_count(
    const Shape& shape);  ///< product of the dimensions, 1 for a scalar; throws on overflow or a dynamic one
bool is_static(const Shape& shape);
std::string to_string(const Shape& shape);  ///< "[1,3,224,224]"

/// A constant: row-major little-endian elements.
struct Tensor {
  ElementType type = ElementType::f32;
  Shape shape;
  Bytes bytes;

  template <class T>
  std::span<const T> as() const {
    return bytes.as<T>();
  }
  template <class T>
  static Tensor of(ElementType type, Shape shape, std::vector<T> values) {
    return {type, std::move(shape), Bytes::adopt(std::move(values))};
  }
  static Tensor i64(std::vector<int64_t> values);  ///< 1-D
  static Tensor scalar_i64(int64_t value);
  /// A floating tensor of any float type from doubles, rounded to nearest even (FP16: by way of single precision).
  static Tensor reals(ElementType type, Shape shape, std::span<const double> values);

  std::vector<int64_t> to_i64() const;  ///< any integer or boolean (or float, truncated) type
  std::vector<float> to_f32() const;    ///< any numeric type
};

class Node;
class Graph;

/// One output of a node.
struct Value {
  Node* node = nullptr;
  int port = 0;
  explicit operator bool() const { return node != nullptr; }
  bool operator==(const Value&) const = default;
  const Shape& shape() const;
  ElementType type() const;
};

struct NodeUse {
  Node* node = nullptr;
  int port = 0;
  bool operator==(const NodeUse&) const = default;
};

struct OutputPort {
  ElementType type = ElementType::f32;
  Shape shape;
  std::vector<NodeUse> uses;              ///< in the order in which the edges were made
  std::vector<std::string> tensor_names;  ///< framework names, for look-up only
  size_t name_buckets = 0;                ///< of the reference's table of them (graph/tensor_names.hpp)
  std::string name;  ///< given by Graph::eliminate; wins over the node's name where outputs are named
};

/// TensorIterator and Loop: how outer ports map to the body (front-end §1.5).
struct PortMap {
  struct Input {
    int outer;
    int body_parameter;
    int64_t axis = -1, start = 0, end = -1, stride = 1, part_size = 1;
    bool sliced = false;
  };
  struct Output {
    int outer;
    int body_result;
    int64_t axis = -1, start = 0, end = -1, stride = 1, part_size = 1;
    bool concatenated = false;
  };
  struct BackEdge {
    int body_result;
    int body_parameter;
  };
  std::vector<Input> inputs;
  std::vector<Output> outputs;
  std::vector<BackEdge> back_edges;
  int current_iteration_input = -1, execution_condition_output = -1;
};

/// One operation. `type` is the opset name ("Convolution"); `version` tells apart revisions of one type
/// (Interpolate 0 and 4, MVN 0 and 6; front-end §15). Types made by the legacy conversion end in "IE".
class Node {
 public:
  std::string type;
  int version = 0;
  std::string name;  ///< friendly name
  Attributes attrs;
  Tensor constant;              ///< of a "Constant"; of a "Parameter": the mean image to subtract from it, if any
  std::unique_ptr<Graph> body;  ///< of TensorIterator and Loop only
  PortMap port_map;
  std::string source;  ///< where it stands in the user's file: `node "/head/Resize" (Resize-13)`; Error::source

  int64_t id() const { return id_; }
  const std::vector<Value>& inputs() const { return inputs_; }
  const Value& input(int i) const { return inputs_.at(static_cast<size_t>(i)); }
  int input_count() const { return static_cast<int>(inputs_.size()); }
  int output_count() const { return static_cast<int>(outputs_.size()); }
  OutputPort& output(int i = 0) { return outputs_.at(static_cast<size_t>(i)); }
  const OutputPort& output(int i = 0) const { return outputs_.at(static_cast<size_t>(i)); }
  Value value(int port = 0) { return {this, port}; }
  const Shape& shape(int i = 0) const { return output(i).shape; }
  ElementType element_type(int i = 0) const { return output(i).type; }
  bool is(std::string_view t) const { return type == t; }
  bool is_constant() const { return type == "Constant"; }
  size_t use_count() const;  ///< over all outputs

 private:
  friend class Graph;
  int64_t id_ = 0;
  std::vector<Value> inputs_;
  std::vector<OutputPort> outputs_;
};

/// Neither input nor output nor constant: what users call a layer.
bool is_layer(const Node& n);
std::vector<Shape> input_shapes(const Node& n);  ///< without constants
std::vector<Shape> output_shapes(const Node& n);

/// Owns the nodes. Parameters and results are listed in the order that the model states.
class Graph {
 public:
  std::string name;

  Graph();
  ~Graph();
  Graph(Graph&&) noexcept;
  Graph& operator=(Graph&&) noexcept;
  /// A copy with nodes of its own, alike in everything (ids, order of uses); the bytes of constants are shared.
  Graph clone() const;

  /// Adds a node without inferring its outputs. An empty name becomes "<Type>_<id>". `outputs` may be refined later.
  Node* add(std::string type, std::vector<Value> inputs, int version = 0, std::string name = {});
  /// add(), attributes, then infer(): the usual way to make a node.
  Node* make(std::string type, std::vector<Value> inputs, Attributes attrs = {}, int version = 0,
             std::string name = {});
  Node* constant(Tensor t, std::string name = {});
  Node* parameter(ElementType type, Shape shape, std::string name);
  Node* result(Value v, std::string name = {});

  void set_outputs(Node* n,
                   std::vector<std::pair<ElementType, Shape>> outputs);  ///< keeps the uses of ports that remain
  void set_input(Node* n, int port, Value v);                            ///< moves one edge (appended to v's uses)
  void add_input(Node* n, Value v);
  void remove_input(Node* n, int port);
  void set_inputs(Node* n, std::vector<Value> inputs);

  /// All consumers of `from` read `to` instead.
  void redirect(Value from, Value to);
  /// All consumers of a's outputs read b's (same port numbers). Names stay as they are.
  void replace(Node* a, Node* b);
  /// front-end §2.3 "eliminate": redirects `out` to `with`; when `out` feeds a Result, the producer of `with` takes
  /// the name of out's node. Returns false, changing nothing, where that is impossible (Parameter, or another user).
  bool eliminate(Value out, Value with);

  void remove(Node* n);       ///< must have no uses
  void remove_unreachable();  ///< drops everything that no Result (or Parameter) needs; Parameters stay

  const std::vector<Node*>& parameters() const { return parameters_; }
  const std::vector<Node*>& results() const { return results_; }
  /// Result nodes may be replaced or reordered by importers.
  std::vector<Node*>& mutable_results() { return results_; }
  std::vector<Node*>& mutable_parameters() { return parameters_; }
  /// Topological order as the reference's (front-end §2.1): parameters first in reverse, then depth first from the
  /// last Result.
  std::vector<Node*> ordered() const;
  std::vector<Node*> all() const;  ///< every live node in order of creation
  size_t size() const;

  const Release* release = &kRelease2021;  ///< by whose rules it is read and compiled
  int64_t next_id = 0;                     ///< number of the next node made: decides automatic names (front-end §2.2)

 private:
  void drop_use(const Value& v, const Node* n, int port);
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<Node*> parameters_, results_;
};

// ---- operations (src/graph/ops) -------------------------------------------------------------------------------------

/// Computes the output types and shapes of `n` from its inputs and attributes; materialises default attributes.
/// Throws ShapeMismatch/BadAttribute naming the node; UnknownOperation for a type that no table row knows.
void infer(Graph& g, Node* n);
void infer_all(Graph& g);  ///< in topological order
/// Computes the outputs of a node whose inputs are all Constants, in its own element type (front-end §2.4).
/// Returns an empty vector when the type has no evaluation.
std::vector<Tensor> evaluate(const Node& n, std::span<const Tensor* const> inputs);
/// Errors about a node, as core/error.hpp has them, with its source.
Error cannot_compile(const Node& n, std::string_view what);
Error not_yet_supported(const Node& n, std::string_view what);
/// A remark on a node.
Remark remark(Remark::Kind kind, const Node& n, std::string what);
/// True when `type` in this version is a known operation.
bool is_known_operation(std::string_view type, int version);

}  // namespace blobsmith
