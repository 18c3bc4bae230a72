// An operation is declared once, as a row of a table: name, version, opsets, attributes with their defaults, shape
// inference and constant folding. Readers, importers and messages all use that row (front-end spec §15).
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::ops {

enum class AttributeKind : uint8_t { Flag, Integer, Real, Text, Choice, Integers, Reals, Texts, Type };

/// Instead of a default: the attribute must be stated / may be absent.
inline constexpr std::string_view kMandatory = "!";
inline constexpr std::string_view kOptional = "?";

struct AttributeSpec {
  std::string_view name;
  AttributeKind kind;
  std::string_view fallback;      ///< the default as an IR would spell it, or kMandatory, kOptional
  std::string_view choices = {};  ///< of a Choice: "explicit|same_upper"
};

/// What a row's inference function sees of a node. Outputs are collected in order.
class Inference {
 public:
  Inference(Graph& graph, Node& node) : graph_(graph), node_(node) {}

  Graph& graph() { return graph_; }
  Node& node() { return node_; }
  const Node& node() const { return node_; }
  Attributes& attrs() { return node_.attrs; }
  const Attributes& attrs() const { return node_.attrs; }

  int input_count() const { return node_.input_count(); }
  bool connected(int i) const { return static_cast<bool>(node_.input(i)); }
  const Shape& shape(int i = 0) const { return node_.input(i).shape(); }
  ElementType type(int i = 0) const { return node_.input(i).type(); }
  int64_t rank(int i = 0) const { return static_cast<int64_t>(shape(i).size()); }
  int64_t dim(int input, int64_t axis) const { return shape(input).at(static_cast<size_t>(axis)); }

  /// The element type that an attribute names.
  ElementType type_attribute(std::string_view name) const;
  /// The type of output 0 of an operation that doesn't state it: `fallback`, or i32 once a transform has made it so
  /// (the VPU has neither 64-bit integers nor booleans).
  ElementType replaceable_type(ElementType fallback) const;
  /// The integers that input i is known to hold (constants, or arithmetic on static shapes).
  std::optional<std::vector<int64_t>> values(int i) const;
  /// The same, of exactly one integer.
  std::optional<int64_t> value(int i) const;
  /// The tensor that input i is known to hold.
  std::optional<Tensor> tensor(int i) const;
  /// Known values, or an error that says which input must be constant.
  std::vector<int64_t> constant_values(int i, std::string_view what) const;

  /// `axis` counted from the front, or an error.
  int64_t axis(int64_t axis, int64_t rank) const;
  std::vector<int64_t> axes(const std::vector<int64_t>& list, int64_t rank) const;

  void require(bool condition, const char* what) const {
    if (!condition) fail(what);
  }
  [[noreturn]] void fail(std::string_view what) const;
  [[noreturn]] void fail_type(std::string_view what) const;

  void output(ElementType type, Shape shape) { outputs_.emplace_back(type, std::move(shape)); }
  std::vector<std::pair<ElementType, Shape>> take_outputs() { return std::move(outputs_); }

 private:
  Graph& graph_;
  Node& node_;
  std::vector<std::pair<ElementType, Shape>> outputs_;
};

using Tensors = std::span<const Tensor* const>;
using InferFunction = void (*)(Inference&);
using EvaluateFunction = std::vector<Tensor> (*)(const Node&, Tensors);

inline constexpr int kAnyNumber = -1;

/// The opsets that hold an operation: {1, 7}; {0, 0} for those that only conversions make.
struct Opsets {
  int first = 0, last = 0;
};

struct OpRow {
  std::string_view type;
  int version;
  Opsets opsets;
  int min_inputs, max_inputs;
  std::span<const AttributeSpec> attributes;
  InferFunction infer;
  EvaluateFunction evaluate = nullptr;
};

/// The row of a type in a version; nullptr when there is none. A type of one row only has no versions (its row says 0),
/// so any version finds it.
const OpRow* find_op(std::string_view type, int version);
/// The row of a type (in any letter case) in an opset; nullptr when the opset has none.
const OpRow* find_in_opset(std::string_view type, int opset);
/// All rows, family by family.
std::vector<const OpRow*> all_ops();
/// "v1::Add a (b[0]:f32[1,2], c[0]:f32[2]) -> ()": a node as validation messages show it.
std::string describe(const Node& n);

// The rows of each family, one per file of this folder.
std::span<const OpRow> source_ops();
std::span<const OpRow> convolution_ops();
std::span<const OpRow> pooling_ops();
std::span<const OpRow> binary_ops();
std::span<const OpRow> activation_ops();
std::span<const OpRow> normalization_ops();
std::span<const OpRow> matmul_ops();
std::span<const OpRow> reduction_ops();
std::span<const OpRow> reshape_ops();
std::span<const OpRow> slice_ops();
std::span<const OpRow> broadcast_ops();
std::span<const OpRow> rearrange_ops();
std::span<const OpRow> gather_ops();
std::span<const OpRow> scatter_ops();
std::span<const OpRow> sorting_ops();
std::span<const OpRow> resize_ops();
std::span<const OpRow> roi_ops();
std::span<const OpRow> prior_box_ops();
std::span<const OpRow> detection_ops();
std::span<const OpRow> recurrent_ops();
std::span<const OpRow> control_flow_ops();
std::span<const OpRow> sequence_ops();
std::span<const OpRow> legacy_ops();
std::span<const OpRow> legacy_layer_ops();

}  // namespace blobsmith::ops
