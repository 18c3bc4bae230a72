// The passes over a Program: one function each, one file each (this folder, vpu/nce and vpu/memory).
// Rules: middle-end spec §3, hw-tiling spec, memory spec. The order stands in pipeline.cpp.
#pragma once
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

// vpu/passes
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

// vpu/nce
void split_hw_depth_conv(Program&);
void split_hw_conv_and_pool(Program&);
void hw_padding(Program&);
void hw_conv_tiling(Program&);
void hw_pool_tiling(Program&);
void hw_fully_connected_tiling(Program&);
void hw_extra_split(Program&);
void finalize_hw_ops(Program&);

// vpu/memory
void adjust_data_layout(Program&);
void process_special_stages(Program&);
void adjust_data_location(Program&);
void eliminate_copy_stages(Program&);
void inject_sw(Program&);
void allocate_resources(Program&);

/// Runs every enabled pass in order; writes the Program after each when options.dump_passes names a folder.
void run_passes(Program& program);

}  // namespace blobsmith::vpu
