// The rewrites of the conversion, by file: each exports those that are offered together. The order in which they run
// is pipeline.cpp; what each does is said where it is defined.
#pragma once
#include <span>

#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::transforms {

// non_max_suppression.cpp
std::span<const RewriteRow> non_max_suppression_versions();
// gather.cpp
std::span<const RewriteRow> newest_gathers();
std::span<const RewriteRow> gather_versions();
std::span<const RewriteRow> gather_nd_versions();
std::span<const RewriteRow> joined_gathers();
std::span<const RewriteRow> gathers_of_all();
std::span<const RewriteRow> gathers_before_transposes();
std::span<const RewriteRow> positive_gather_indices();
std::span<const RewriteRow> scatter_fusions();
std::span<const RewriteRow> image_patches_to_reorg();
// merge_gathers.cpp
std::span<const RewriteRow> gather_merges();
// prior_box.cpp
std::span<const RewriteRow> prior_boxes_of_tensors();
// broadcast.cpp
std::span<const RewriteRow> broadcasts_before_elementwise();
std::span<const RewriteRow> broadcast_versions();
std::span<const RewriteRow> broadcasts_to_tiles();
// transpose_sinking.cpp
std::span<const RewriteRow> transpose_sinking();
// nop_elimination.cpp
std::span<const RewriteRow> nop_eliminations();
std::span<const RewriteRow> model_nop_eliminations();
/// Squeeze or Unsqueeze as a Reshape, past what only changes the shape before it.
bool squeeze_to_reshape(Rewriter& rw, Node* n);
// reshape_fusions.cpp
std::span<const RewriteRow> reshape_chains();
std::span<const RewriteRow> reductions_of_two();
// interpolate_fusions.cpp
std::span<const RewriteRow> split_concat_pairs();
std::span<const RewriteRow> interpolations_in_sequence();
std::span<const RewriteRow> interpolations_of_outer_axes();
// activation_fusions.cpp
std::span<const RewriteRow> activation_fusions();
std::span<const RewriteRow> clamp_fusions();
std::span<const RewriteRow> gelu_fusions();
// hard_activation_fusions.cpp
std::span<const RewriteRow> hard_activation_fusions();
// normalization_fusions.cpp
std::span<const RewriteRow> l2_fusions();
std::span<const RewriteRow> softmax_fusions();
std::span<const RewriteRow> mvn_fusions();
// pad_fusion.cpp
std::span<const RewriteRow> pad_fusions();
// layout_fusions.cpp
std::span<const RewriteRow> rearrangement_fusions();
std::span<const RewriteRow> transposes_to_reshapes();
// space_batch.cpp
std::span<const RewriteRow> dilation_fusions();
std::span<const RewriteRow> space_to_batch_decomposition();
std::span<const RewriteRow> batch_to_space_decomposition();
// decompositions.cpp
std::span<const RewriteRow> layer_decompositions();
std::span<const RewriteRow> arithmetic_decompositions();
// reduce_to_pooling.cpp
std::span<const RewriteRow> reductions_to_pooling();
// depth_to_space.cpp
std::span<const RewriteRow> depth_and_space_decompositions();
std::span<const RewriteRow> shuffle_channels_decomposition();
// batch_norm_decomposition.cpp
std::span<const RewriteRow> batch_norm_decomposition();
// einsum.cpp
std::span<const RewriteRow> einsum_decomposition();
// sequences.cpp
std::span<const RewriteRow> bidirectional_sequences();
// sequence_layers.cpp
std::span<const RewriteRow> sequences_to_legacy();
// lin_op_fusion.cpp
std::span<const RewriteRow> linear_chain_fusions();
// conv_fusions.cpp
std::span<const RewriteRow> multiplications_into_convolutions();
std::span<const RewriteRow> multiplications_before_convolutions();
std::span<const RewriteRow> biases_into_convolutions();
// slices_by_axes.cpp
std::span<const RewriteRow> slices_by_axes();
// matmul_fusions.cpp
std::span<const RewriteRow> unrolled_matmuls();
std::span<const RewriteRow> transposed_weights();
std::span<const RewriteRow> multiplications_into_matmuls();
// arithmetic_fusions.cpp
std::span<const RewriteRow> arithmetic_fusions();
std::span<const RewriteRow> leaky_relu_fusions();
std::span<const RewriteRow> divisions_by_constants();
/// a / b as a · b^-1, or as b^-1 alone where a is 1.
bool multiply_by_inverse(Rewriter& rw, Node* n);
// older_versions.cpp
std::span<const RewriteRow> shape_of_versions();
std::span<const RewriteRow> top_k_versions();
std::span<const RewriteRow> softmax_versions();
std::span<const RewriteRow> max_pool_versions();
// matmul_to_fc.cpp
std::span<const RewriteRow> matmul_to_legacy();
std::span<const RewriteRow> biases_into_fully_connected();
std::span<const RewriteRow> flat_fully_connected();
std::span<const RewriteRow> reshapes_before_fully_connected();
// convolution_layers.cpp
std::span<const RewriteRow> convolutions_to_legacy();
std::span<const RewriteRow> operations_of_rank_1();
// inputs_to_attributes.cpp
std::span<const RewriteRow> inputs_to_attributes();
std::span<const RewriteRow> normalize_l2_to_legacy();
// interpolate_layers.cpp
std::span<const RewriteRow> interpolations_to_legacy();
// strided_slice_to_crop.cpp
std::span<const RewriteRow> slices_to_crops();
// mul_add_to_scale_shift.cpp
std::span<const RewriteRow> multiply_add_to_legacy();
std::span<const RewriteRow> constant_elementwise_to_legacy();
// dynamic/shapes.cpp
std::span<const RewriteRow> shapes_of_resolvers();
std::span<const RewriteRow> resolver_merges();

}  // namespace blobsmith::transforms
