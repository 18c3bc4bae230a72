// Every rewrite, by file. The order in which they run is pipeline.cpp; what each does is said where it is defined.
#pragma once
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::transforms {

// ---- passes over the whole graph; true when they changed it ----
bool fold_constants(Graph& graph);         // constant_folding.cpp
bool convert_precision(Graph& graph);      // convert_precision.cpp
bool remove_useless_slices(Graph& graph);  // strided_slice_optimization.cpp
bool share_equal_slices(Graph& graph);
void smart_reshape(Graph& graph);           // smart_reshape.cpp
bool resolve_dynamic_shapes(Graph& graph);  // dynamic/shapes.cpp

// ---- rewrites at one node ----
// dynamic/shapes.cpp
bool shape_of_resolver(Rewriter& rw, Node* n);
bool merge_resolvers(Rewriter& rw, Node* n);
// prior_box.cpp
bool prior_box_to_legacy(Rewriter& rw, Node* n);
// non_max_suppression.cpp
bool upgrade_non_max_suppression(Rewriter& rw, Node* n);
// broadcast.cpp
bool drop_broadcast_before_eltwise(Rewriter& rw, Node* n);
bool broadcast_3_to_1(Rewriter& rw, Node* n);
bool broadcast_to_tile(Rewriter& rw, Node* n);
// transpose_sinking.cpp
bool sink_transpose_through_reduce(Rewriter& rw, Node* n);
bool fuse_transposes(Rewriter& rw, Node* n);
bool fuse_split_squeeze_concat(Rewriter& rw, Node* n);
// nop_elimination.cpp
bool eliminate_unsqueeze_gather(Rewriter& rw, Node* n);
bool eliminate_gather(Rewriter& rw, Node* n);
bool eliminate_same_shape(Rewriter& rw, Node* n);
bool eliminate_broadcast_1(Rewriter& rw, Node* n);
bool eliminate_convert(Rewriter& rw, Node* n);
bool eliminate_reshape(Rewriter& rw, Node* n);
bool eliminate_concat(Rewriter& rw, Node* n);
bool eliminate_squeeze_unsqueeze(Rewriter& rw, Node* n);
// activation_fusions.cpp
bool fuse_softplus(Rewriter& rw, Node* n);
bool fuse_mish(Rewriter& rw, Node* n);
bool fuse_swish_sigmoid(Rewriter& rw, Node* n);
bool fuse_swish_exp(Rewriter& rw, Node* n);
bool fuse_clamp(Rewriter& rw, Node* n);
bool fuse_gelu(Rewriter& rw, Node* n);
bool fuse_hswish_of_hsigmoid(Rewriter& rw, Node* n);
// hard_activation_fusions.cpp
bool fuse_hswish(Rewriter& rw, Node* n);
bool fuse_hsigmoid(Rewriter& rw, Node* n);
// normalization_fusions.cpp
bool fuse_normalize_l2(Rewriter& rw, Node* n);
bool fuse_softmax(Rewriter& rw, Node* n);
bool fuse_mvn(Rewriter& rw, Node* n);
bool fuse_mvn_with_constants(Rewriter& rw, Node* n);
// pad_fusion.cpp
bool fuse_pad(Rewriter& rw, Node* n);
// layout_fusions.cpp
bool fuse_depth_to_space(Rewriter& rw, Node* n);
bool fuse_shuffle_channels(Rewriter& rw, Node* n);
bool transpose_to_reshape(Rewriter& rw, Node* n);
// space_batch.cpp
bool fuse_dilated_convolution(Rewriter& rw, Node* n);
bool decompose_space_to_batch(Rewriter& rw, Node* n);
bool decompose_batch_to_space(Rewriter& rw, Node* n);
// decompositions.cpp
bool downgrade_gelu(Rewriter& rw, Node* n);
bool decompose_reduce_l1(Rewriter& rw, Node* n);
bool decompose_reduce_l2(Rewriter& rw, Node* n);
bool decompose_hsigmoid(Rewriter& rw, Node* n);
bool decompose_log_softmax(Rewriter& rw, Node* n);
bool decompose_mod(Rewriter& rw, Node* n);
bool decompose_subtract(Rewriter& rw, Node* n);
bool decompose_divide(Rewriter& rw, Node* n);
bool decompose_negative(Rewriter& rw, Node* n);
// reduce_to_pooling.cpp
bool reduce_to_pooling(Rewriter& rw, Node* n);
// depth_to_space.cpp
bool decompose_depth_to_space(Rewriter& rw, Node* n);
bool decompose_space_to_depth(Rewriter& rw, Node* n);
bool decompose_shuffle_channels(Rewriter& rw, Node* n);
// batch_norm_decomposition.cpp
bool decompose_batch_norm(Rewriter& rw, Node* n);
// einsum.cpp
bool decompose_einsum(Rewriter& rw, Node* n);
// gather.cpp
bool make_gather_indices_positive(Rewriter& rw, Node* n);
bool gather_7_to_1(Rewriter& rw, Node* n);
bool merge_gather_and_gather_elements(Rewriter& rw, Node* n);
bool scatter_elements_to_scatter(Rewriter& rw, Node* n);
bool image_patches_to_reorg(Rewriter& rw, Node* n);
// sequences.cpp
bool split_bidirectional_sequence(Rewriter& rw, Node* n);
// sequences_to_legacy.cpp
bool lstm_cell_to_legacy(Rewriter& rw, Node* n);
bool lstm_sequence_to_legacy(Rewriter& rw, Node* n);
// lin_op_fusion.cpp
bool multiply_before_add(Rewriter& rw, Node* n);
bool fuse_add_add(Rewriter& rw, Node* n);
bool fuse_multiply_multiply(Rewriter& rw, Node* n);
// conv_fusions.cpp
bool fuse_multiply_into_convolution(Rewriter& rw, Node* n);
bool fuse_add_into_convolution(Rewriter& rw, Node* n);
// opset3_to_opset1.cpp
bool shape_of_3_to_1(Rewriter& rw, Node* n);
bool top_k_3_to_1(Rewriter& rw, Node* n);
// matmul_to_fc.cpp
bool matmul_to_fully_connected(Rewriter& rw, Node* n);
bool matmul_to_gemm(Rewriter& rw, Node* n);
bool fuse_add_into_fully_connected(Rewriter& rw, Node* n);
bool flatten_fully_connected(Rewriter& rw, Node* n);
bool fuse_reshape_into_fully_connected(Rewriter& rw, Node* n);
// convolution_to_legacy.cpp
bool convolution_to_legacy(Rewriter& rw, Node* n);
bool deconvolution_to_legacy(Rewriter& rw, Node* n);
bool raise_1d_operation(Rewriter& rw, Node* n);
// inputs_to_attributes.cpp
bool normalize_l2_with_multiply(Rewriter& rw, Node* n);
bool normalize_l2_to_legacy(Rewriter& rw, Node* n);
bool lrn_to_legacy(Rewriter& rw, Node* n);
bool pad_to_legacy(Rewriter& rw, Node* n);
bool tile_to_legacy(Rewriter& rw, Node* n);
bool power_to_legacy(Rewriter& rw, Node* n);
bool sqrt_to_legacy(Rewriter& rw, Node* n);
bool prelu_to_legacy(Rewriter& rw, Node* n);
bool swish_to_legacy(Rewriter& rw, Node* n);
bool hard_sigmoid_to_legacy(Rewriter& rw, Node* n);
bool selu_to_legacy(Rewriter& rw, Node* n);
bool one_hot_to_legacy(Rewriter& rw, Node* n);
bool top_k_to_legacy(Rewriter& rw, Node* n);
bool proposal_to_legacy(Rewriter& rw, Node* n);
// interpolate_to_legacy.cpp
bool interpolate_to_legacy(Rewriter& rw, Node* n);
// strided_slice_to_crop.cpp
bool strided_slice_to_crop(Rewriter& rw, Node* n);
// mul_add_to_scale_shift.cpp
bool multiply_add_to_legacy(Rewriter& rw, Node* n);
bool constant_eltwise_to_legacy(Rewriter& rw, Node* n);

}  // namespace blobsmith::transforms
