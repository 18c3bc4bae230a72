// What the right column of the table of operators works with: it makes the nodes that the importer inside Intel's
// compiler makes of an ONNX node, in the same order (front-end spec §16.2). Nodes keep their automatic names
// "<Type>_<number>", so the order is part of the mapping.
#pragma once
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/release.hpp"
#include "graph/evaluations.hpp"
#include "graph/graph.hpp"
#include "graph/numbering.hpp"
#include "importers/onnx/node_view.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::onnx_import::ie {

using transforms::attributes;

/// The graph as far as it is made.
struct Import {
  Graph graph;
  Values values;
  std::set<std::string> read;  ///< tensors that nodes or outputs of the model name
  numbering::Evaluations evaluations;
};

class Context final : public NodeView {
 public:
  Context(Import& import, const onnx_file::Node& node, std::string_view becomes);

  /// By whose rules the file is read.
  const Release& release() const { return *import_.graph.release; }
  /// The version of operations that opset 8 renewed.
  int newest() const { return static_cast<int>(release().ir_opset); }
  /// The tensor that a value is known to hold: a constant, or arithmetic on static shapes.
  std::optional<Tensor> known(Value v) const;
  /// The integers of a constant; refuses with `otherwise` when they are computed at run time.
  std::vector<int64_t> integers_of(Value v, std::string_view otherwise) const;
  /// Whether the model reads an output of the node.
  bool is_read(size_t output) const { return import_.read.contains(node().outputs.at(output)); }
  int64_t rank(Value v) const { return static_cast<int64_t>(v.shape().size()); }

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
    return make("Gather", {v, indices, axis}, attributes({{"batch_dims", int64_t{0}}}), newest());
  }
  Value concat(std::vector<Value> parts, int64_t axis) {
    return make("Concat", std::move(parts), attributes({{"axis", axis}}));
  }
  std::vector<Value> split(Value v, int64_t parts, int64_t axis);
  Value transpose(Value v, std::vector<int64_t> order);
  Value binary(const char* type, Value a, Value b) { return make(type, {a, b}); }
  /// Numbers that the reference spends on nodes that it drops again.
  void skip_ids(int64_t count) { numbering::skip(import_.graph, count); }

  static constexpr int kNewest = -1;

 private:
  Error refusal(std::string_view why, ErrorCode code) const override;

  Import& import_;
  transforms::Rewriter rewriter_;
};

// ---- parts of several mappings ----

/// 2-D: [product before the axis, the others].
Value flatten(Context& c, Value x, int64_t axis);
/// A vector of C elements as [1,C,1,...] of the rank that `rank_of_target` computes.
Value channel_reshape(Context& c, Value vector, Value rank_of_target);
/// A tensor of one element as a scalar.
Value interpret_as_scalar(Context& c, Value v);
/// The `mode` values along an axis, and where they are.
Value top_k(Context& c, Value x, Value k, int64_t axis, const char* mode, const char* sort, const char* index_type);
/// The sum of magnitudes (p = 1) or the root of the sum of squares (p = 2) over axes.
Value vector_norm(Context& c, Value x, Value axes, int64_t p, bool keep_axes);
/// The values as another type.
Tensor cast(const Tensor& t, ElementType type);
/// All axes, or those from `first` on.
std::vector<int64_t> axes_from(int64_t first, int64_t rank);

}  // namespace blobsmith::onnx_import::ie
