// The passes of this folder over a Program: one function each, one file each (middle-end spec §3). Their order stands
// in vpu/pipeline.cpp.
#pragma once
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

void convert_shape_notation(Program&);
void reorder_inputs_to_channel_minor(Program&);
void add_copy_for_outputs_inside_network(Program&);
void initial_check(Program&);
void replace_prior_box_with_const(Program&);
void split_conv_3d_into_2d(Program&);
void split_pool_3d_into_2d(Program&);
void analyze_weightable_layers(Program&);
void merge_parallel_fc(Program&);
void eliminate_const_concat(Program&);
void split_grouped_conv(Program&);
void eliminate_redundant_conversions(Program&);
void replace_fc_by_conv(Program&);
void replace_deconv_by_conv(Program&);
void reshape_dilation_conv(Program&);
void reshape_before_conv_tiling(Program&);
void uplift_activation_stages(Program&);
void swap_concat_and_hw_ops(Program&);
void merge_hw_stages(Program&);
void split_large_kernel_conv(Program&);
void adjust_data_batch(Program&);
void replace_with_screlu(Program&);
void sw_conv_adaptation(Program&);
void sw_deconv_adaptation(Program&);
void replace_with_reduce_mean(Program&);
void sw_pool_adaptation(Program&);
void sw_fully_connected_adaptation(Program&);
void gemm_transpose(Program&);
void merge_relu_and_bias(Program&);
void merge_eltwise_and_relu_dynamic(Program&);
void merge_eltwise_and_relu_static(Program&);
void merge_permute_stages(Program&);
void propagate_dynamism(Program&);
void count_stages_in_loops(Program&);
void mark_fast_stages(Program&);
void final_check(Program&);

}  // namespace blobsmith::vpu
