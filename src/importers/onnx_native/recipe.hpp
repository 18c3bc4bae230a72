// One recipe per ONNX operator: the nodes that Intel's own importer makes of it, in the order in which it makes them
// (front-end spec §16.2). Nodes keep their automatic names "<Type>_<number>", so that order is part of the recipe.
#pragma once
#include <array>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/graph.hpp"
#include "importers/onnx_model/model_file.hpp"
#include "importers/onnx_native/numbering.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::onnx_native {

using transforms::attributes;

/// The graph as far as it is made.
struct Import {
  Graph graph;
  std::map<std::string, Value> values;  ///< by ONNX name
  quirks::Numbering numbering;
};

/// What a recipe sees of the node at hand, and how it makes nodes.
class Recipe {
 public:
  Recipe(Import& import, const onnx_file::Node& node, std::string_view becomes);

  const onnx_file::Node& node() const { return node_; }
  std::string becomes() const { return std::string(becomes_); }  ///< the type that the table's row states
  size_t input_count() const { return node_.inputs.size(); }
  size_t output_count() const { return node_.outputs.size(); }
  bool has_input(size_t i) const { return node_.has_input(i); }
  Value input(size_t i) const;        ///< an error when it is absent
  std::vector<Value> inputs() const;  ///< all of them
  /// The tensor that a value is known to hold: a constant, or arithmetic on static shapes.
  std::optional<Tensor> known(Value v) const;
  /// The integers of a constant; refuses with `otherwise` when they are computed at run time.
  std::vector<int64_t> integers_of(Value v, std::string_view otherwise) const;
  int64_t rank(Value v) const { return static_cast<int64_t>(v.shape().size()); }
  int64_t axis(int64_t a, int64_t rank) const;  ///< counted from the front, or an error

  // Attributes of the node, with the default of a missing one.
  int64_t integer(const char* a, int64_t fallback) const { return node_.integer(a, fallback); }
  float real(const char* a, float fallback) const { return node_.real(a, fallback); }
  std::string text(const char* a, const char* fallback) const { return node_.text(a, fallback); }
  std::vector<int64_t> integers(const char* a, std::vector<int64_t> fallback = {}) const {
    return node_.integers(a, std::move(fallback));
  }
  bool has(const char* a) const { return node_.find(a) != nullptr; }
  int64_t mandatory_integer(const char* a) const;

  // Nodes, numbered in the order of the calls.
  Value make(std::string type, std::vector<Value> inputs, Attributes attrs = {}, int version = kNewest);
  Value constant(Tensor t) { return rewriter_.constant(std::move(t)); }
  Value scalar_i64(int64_t v) { return rewriter_.index(v); }
  Value list_i64(std::vector<int64_t> v) { return rewriter_.indices(std::move(v)); }
  Value list_i32(std::vector<int32_t> v);
  Value list_u64(std::vector<int64_t> v);
  Value filled(ElementType type, Shape shape, double v);
  Value convert(Value v, ElementType type);
  Value reshape(Value v, Value pattern, bool special_zero) {
    return make("Reshape", {v, pattern}, attributes({{"special_zero", special_zero}}));
  }
  Value shape_of(Value v) { return make("ShapeOf", {v}, attributes({{"output_type", std::string("i64")}}), 3); }
  Value gather(Value v, Value indices, Value axis) {
    return make("Gather", {v, indices, axis}, attributes({{"batch_dims", int64_t{0}}}), 7);
  }
  Value concat(std::vector<Value> parts, int64_t axis) {
    return make("Concat", std::move(parts), attributes({{"axis", axis}}));
  }
  std::vector<Value> split(Value v, int64_t parts, int64_t axis);
  Value transpose(Value v, std::vector<int64_t> order);
  Value binary(const char* type, Value a, Value b) { return make(type, {a, b}); }
  /// Numbers that the reference spends on nodes that it drops again.
  void skip_ids(int64_t count) { import_.graph.next_id += count; }

  /// The operator is known but not in this form; `why` is the reference's text where it has one.
  [[noreturn]] void refuse(std::string_view why, ErrorCode code = ErrorCode::UnsupportedLayer) const;

  static constexpr int kNewest = -1;

 private:
  Import& import_;
  transforms::Rewriter rewriter_;
  const onnx_file::Node& node_;
  std::string_view becomes_;
};

/// The outputs of the ONNX node; no value for what is not computed.
using MakeFunction = std::vector<Value> (*)(Recipe&);

struct Row {
  std::string_view op_type;
  int since;  ///< the first opset of this meaning
  MakeFunction make;
  std::string_view becomes = {};  ///< for recipes that only differ in the type of the node they make
};

constexpr int64_t kNewestOpset = 13;

/// The row for an operator: the highest `since` that the opset reaches, else the first. Null when there is none.
const Row* find_recipe(std::string_view domain, std::string_view op_type, int64_t opset);

// ---- parts of several recipes
// ----------------------------------------------------------------------------------------

/// 2-D: [product before the axis, the others].
Value flatten(Recipe& r, Value x, int64_t axis);
/// A vector of C elements as [1,C,1,...] of the rank that `rank_of_target` computes.
Value channel_reshape(Recipe& r, Value vector, Value rank_of_target);
/// A tensor of one element as a scalar.
Value interpret_as_scalar(Recipe& r, Value v);
/// The `mode` values along an axis, and where they are.
Value top_k(Recipe& r, Value x, Value k, int64_t axis, const char* mode, const char* sort, const char* index_type);
/// The sum of magnitudes (p = 1) or the root of the sum of squares (p = 2) over axes, which vanish.
Value vector_norm(Recipe& r, Value x, Value axes, int64_t p);
/// The values as another type.
Tensor cast(const Tensor& t, ElementType type);
/// All axes, or those from `first` on.
std::vector<int64_t> axes_from(int64_t first, int64_t rank);

// One table per family (recipes/).
std::span<const Row> arithmetic_recipes();
std::span<const Row> activation_recipes();
std::span<const Row> softmax_recipes();
std::span<const Row> convolution_recipes();
std::span<const Row> pooling_recipes();
std::span<const Row> matmul_recipes();
std::span<const Row> shape_recipes();
std::span<const Row> slice_recipes();
std::span<const Row> indexing_recipes();
std::span<const Row> selection_recipes();
std::span<const Row> resize_recipes();
std::span<const Row> reduction_recipes();
std::span<const Row> normalization_recipes();
std::span<const Row> constant_recipes();
std::span<const Row> quantization_recipes();
std::span<const Row> recurrent_recipes();
std::span<const Row> openvino_recipes();   ///< domain org.openvinotoolkit
std::span<const Row> detection_recipes();  ///< likewise

}  // namespace blobsmith::onnx_native
