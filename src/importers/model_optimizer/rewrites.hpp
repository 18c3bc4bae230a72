// What Model Optimizer 2021.4.2 does to a network after its operators are known, by file. The order is pipeline.cpp
// (model-optimizer spec §6, Appendix C). Constants that these rewrites compute may be f64 beside f32 tensors;
// to_half_precision rounds each of them once.
#pragma once
#include <set>

#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::model_optimizer {

using transforms::Rewriter;

void change_input_types(Graph& graph);  ///< input_types.cpp

// hard_activations.cpp
bool fuse_hswish(Rewriter& rw, Node* n);
bool fuse_hsigmoid(Rewriter& rw, Node* n);
bool fuse_spelled_softmax(Rewriter& rw, Node* n);  ///< softmax.cpp
// layer_norm.cpp
bool fuse_layer_norm(Rewriter& rw, Node* n);
// arithmetic.cpp: Subtract and Divide as Add and Multiply, and back
bool subtract_to_add(Rewriter& rw, Node* n);
bool divide_to_multiply(Rewriter& rw, Node* n);
bool multiply_to_negative(Rewriter& rw, Node* n);
bool add_to_subtract(Rewriter& rw, Node* n);
bool add_to_subtract_by_name(Rewriter& rw, Node* n);  ///< as "NAME/sub"
// linear_sequences.cpp
bool fuse_linear_sequence(Rewriter& rw, Node* n);
// multiply_into_weights.cpp
bool multiply_into_weights_before(Rewriter& rw, Node* n);  ///< a Multiply behind a convolution
bool multiply_into_matrix_before(Rewriter& rw,
                                 Node* n);  ///< the former, but for products of which axis 1 is not the last
/// Depthwise weights that make several channels of each take one value only: TensorFlow has them in another order.
bool multiply_into_tensorflow_weights_before(Rewriter& rw, Node* n);
bool multiply_into_weights_behind(Rewriter& rw, Node* n);  ///< a Multiply in front of convolutions
// grouped_convolution.cpp
bool fuse_grouped_convolution(Rewriter& rw, Node* n);
// pad_folding.cpp
bool fold_pad(Rewriter& rw, Node* n);
bool fold_pad_exactly(Rewriter& rw, Node* n);
bool fold_stated_pad(Rewriter& rw, Node* n);  ///< of TensorFlow: a Pad without a stated value stays
// dilated_convolution.cpp, normalize_l2.cpp, reshapes.cpp: forms that TensorFlow spells out
bool fuse_dilated_convolution(Rewriter& rw, Node* n);
bool fuse_normalize_l2(Rewriter& rw, Node* n);
bool merge_reshapes(Rewriter& rw, Node* n);
bool merge_stated_reshapes(Rewriter& rw, Node* n);
bool drop_stated_reshape(Rewriter& rw, Node* n);
// strides.cpp
void move_strides_up(Graph& graph);
bool fuse_lstm_cell(Rewriter& rw, Node* n);  ///< lstm_cells.cpp
// loop_transposes.cpp
bool move_transposes_into_loop(Rewriter& rw, Node* n);
// transposes.cpp
bool transpose_matmul_constant(Rewriter& rw, Node* n);
bool merge_transposes(Rewriter& rw, Node* n);

// shapes.cpp: options that are off by default
void reuse_concats(Graph& graph);  ///< a Concat whose inputs another one has side by side among its own is read by it
/// Parts that are joined and split again.
bool drop_join_before_split(Rewriter& rw, Node* n);
void fold_shapes(Graph& graph);  ///< what is known of shapes becomes constants

// half_precision.cpp: --data_type FP16
/// Many weights that FP16 holds become half precision, one tensor after the other, so that few are in memory in the
/// double precision that their products with factors have.
void halve_weights(Graph& graph);
/// Multiplies its second operand into sums: a matrix product or a convolution (factors.cpp).
bool takes_weights(const Node& n);
void to_half_precision(Graph& graph);
/// infer() before they are rounded: constants that fusions made in double precision count as what they meet.
void infer_unrounded(Graph& graph, Node* n);
/// Factors beyond FP16 become two (factors.cpp).
std::vector<Remark> split_factors(Graph& graph);
/// Small constants that keep logarithms and quotients finite serve in FP16 too (guards.cpp).
std::vector<Remark> keep_guards(Graph& graph);
/// --data_type FP32: floating constants and inputs of another precision become single.
void to_single_precision(Graph& graph);
/// The number of FP16 that serves for a finite one beyond its range: what stands for infinity (the -1e9 and -3.4e38 of
/// attention masks) leaves room for what is added to it.
double within_half(double v);
/// Finite constants beyond FP16 become numbers that it has; remarks on the layers that read them.
std::vector<Remark> limit_constants(Graph& graph);
// reading_order.cpp
/// The graph as it is after being written as IR and read back: depth first from each Result in order (§8.4). Of the
/// inputs that nothing reads, those in `kept` stay.
Graph in_reading_order(Graph graph, const std::set<const Node*>& kept);

// ---- linear_operand.cpp: a Multiply or Add of one constant and one computed operand --------------------------------
/// An attribute of nodes that the user wants left alone.
inline constexpr std::string_view kUnfused = "unfused";
/// An attribute of nodes whose channels are the last axis: TensorFlow's layout was kept.
inline constexpr std::string_view kChannelsLast = "channels_last";
struct LinearOperand {
  Value data, constant;
};
std::optional<LinearOperand> linear_operand(const Node* n);
/// The constant has one value, or one per channel: such an operation may be fused with others.
bool is_per_channel(const LinearOperand& l, const Node* n);
std::vector<double> doubles(const Tensor& t);

}  // namespace blobsmith::model_optimizer
