// What the reference executor knows of operations: one table row each, one file per family, beside the evaluation that
// constant folding has (graph/ops), which serves all operations without a row here.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compute/regions.hpp"
#include "compute/thread_pool.hpp"
#include "graph/graph.hpp"
#include "graph/ops/strided.hpp"

namespace blobsmith::reference {

/// One node to compute. Floating tensors are FP32. All output shapes that its inputs determine are static.
class Call {
 public:
  Call(const Node& node, std::span<const Tensor* const> inputs, compute::ThreadPool& pool)
      : node_(node), inputs_(inputs), pool_(pool) {}

  const Node& node() const { return node_; }
  const Attributes& attrs() const { return node_.attrs; }
  compute::ThreadPool& pool() const { return pool_; }
  int input_count() const { return static_cast<int>(inputs_.size()); }
  const Tensor& input(int i) const { return *inputs_[static_cast<size_t>(i)]; }
  std::span<const Tensor* const> inputs() const { return inputs_; }
  const Shape& shape(int i = 0) const { return input(i).shape; }
  int64_t dim(int i, size_t axis) const { return shape(i).at(axis); }
  /// Requires that input i is floating.
  std::span<const float> floats(int i) const;
  std::vector<int64_t> integers(int i) const { return input(i).to_i64(); }
  /// Of any type.
  std::vector<double> reals(int i) const;
  double real(int i) const { return static_cast<double>(input(i).to_f32().at(0)); }

  const Shape& out_shape(int i = 0) const { return node_.shape(i); }
  /// Requires that the shape is known.
  int64_t out_count(int i = 0) const;

  /// Throws ShapeMismatch (with the layer's name) unless `condition` holds: inputs whose values make no sense.
  void require(bool condition, std::string_view what) const;

 private:
  const Node& node_;
  std::span<const Tensor* const> inputs_;
  compute::ThreadPool& pool_;
};

using Outputs = std::vector<Tensor>;
using Function = Outputs (*)(const Call&);

inline constexpr int kAnyVersion = -1;

struct OperationRow {
  std::string_view type;
  int version;  ///< as graph/ops tells revisions apart, or kAnyVersion
  Function run;
};

/// The row of a type, or null.
const OperationRow* find_operation(std::string_view type, int version);

inline Tensor float_tensor(Shape shape, std::vector<float> values) {
  return Tensor::of(ElementType::f32, std::move(shape), std::move(values));
}
/// Integers as the integer type `type`.
Tensor integer_tensor(ElementType type, Shape shape, std::span<const int64_t> values);

/// Numbers as `type`, which is f32 or one of the integers.
Tensor number_tensor(ElementType type, Shape shape, const std::vector<double>& values);
/// An input [N][C][H][W].
compute::FeatureMaps feature_maps(const Call& c, int input);

/// Runs the body of a node once; inputs and outputs in the order of its parameters and results.
Outputs run_body(const Graph& body, std::vector<Tensor> inputs, compute::ThreadPool& pool);

// The rows of each family, one per file of this folder.
std::span<const OperationRow> convolution_operations();
std::span<const OperationRow> pooling_operations();
std::span<const OperationRow> matmul_operations();
std::span<const OperationRow> elementwise_operations();
std::span<const OperationRow> normalization_operations();
std::span<const OperationRow> resize_operations();
std::span<const OperationRow> rearrange_operations();
std::span<const OperationRow> selection_operations();
std::span<const OperationRow> recurrent_operations();
std::span<const OperationRow> control_flow_operations();
std::span<const OperationRow> roi_operations();
std::span<const OperationRow> detection_operations();
std::span<const OperationRow> proposal_operations();
std::span<const OperationRow> sequence_operations();
std::span<const OperationRow> einsum_operations();
std::span<const OperationRow> fourier_operations();
std::span<const OperationRow> embedding_operations();
std::span<const OperationRow> special_convolution_operations();

}  // namespace blobsmith::reference
