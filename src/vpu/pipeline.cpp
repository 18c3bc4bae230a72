// The middle end: every pass in order. A dump follows each pass whose row says so, numbered as the reference's.
#include "vpu/pipeline.hpp"

#include "core/file.hpp"
#include "core/text.hpp"
#include "vpu/memory/passes.hpp"
#include "vpu/nce/passes.hpp"
#include "vpu/passes/passes.hpp"

namespace blobsmith::vpu {
namespace {

using Options = PassOptions;
bool always(const Options&) { return true; }
bool hw(const Options& o) { return o.hw_acceleration; }
bool sw_only_reorder(const Options& o) { return !o.hw_acceleration && !o.disable_reorder; }
bool weights_analysis(const Options& o) { return o.hw_acceleration && o.enable_weights_analysis; }
bool dilation(const Options& o) { return o.hw_acceleration && o.hw_dilation; }
bool custom_reshape(const Options& o) { return o.hw_acceleration && o.enable_custom_reshape_param; }
bool screlu(const Options& o) { return o.enable_repl_with_screlu; }
bool extra_split(const Options& o) { return o.hw_acceleration && o.hw_extra_split; }
bool reduce_mean(const Options& o) { return o.enable_replace_with_reduce_mean; }
bool early_relu_fusion(const Options& o) { return o.enable_early_eltwise_relu_fusion; }
bool permute_merging(const Options& o) { return o.enable_permute_merging; }
bool copy_optimization(const Options& o) { return o.copy_optimization != Tristate::No; }
bool injection(const Options& o) { return o.hw_acceleration && o.hw_inject_stages != Tristate::No; }

struct PassRow {
  void (*run)(Program&);
  bool (*enabled)(const Options&);
  const char* dump;  // name of the dump that follows; null: none
};

constexpr PassRow kPasses[] = {
    {convert_shape_notation, always, "convertShapeNotation"},  // dims of dynamic tensors, innermost first
    {reorder_inputs_to_channel_minor, sw_only_reorder, "reorderInputsToChannelMinor"},
    {add_copy_for_outputs_inside_network, always, "addCopyForOutputsInsideNetwork"},
    {initial_check, always, nullptr},  // types of every stage's data
    {replace_prior_box_with_const, always, "replacePriorBoxWithConst"},
    {split_conv_3d_into_2d, always, "splitConv3DInto2D"},
    {split_pool_3d_into_2d, always, "splitPool3DInto2D"},
    {analyze_weightable_layers, weights_analysis, "analyzeWeightableLayers"},
    {merge_parallel_fc, always, "mergeParallelFC"},
    {eliminate_const_concat, always, "eliminateConstConcat"},
    {split_grouped_conv, always, "splitGroupedConv"},
    {eliminate_redundant_conversions, always, "eliminateRedundantConversions"},
    {replace_fc_by_conv, hw, "replaceFCbyConv"},
    {replace_deconv_by_conv, hw, "replaceDeconvByConv"},  // zero insertion, then a convolution
    {reshape_dilation_conv, dilation, "reshapeDilationConv"},
    {reshape_before_conv_tiling, custom_reshape, "reshapeBeforeConvTiling"},
    {uplift_activation_stages, hw, "upliftActivationStages"},  // activations before reshapes and permutes
    {swap_concat_and_hw_ops, hw, "swapConcatAndHwOps"},
    {merge_hw_stages, hw, "mergeHwStages"},         // ReLU, clamp, 2x2 pool into convolutions
    {split_hw_depth_conv, hw, "splitHwDepthConv"},  // depthwise as diagonal dense blocks
    {split_hw_conv_and_pool, hw, "splitHwConvAndPool"},
    {hw_padding, always, "hwPadding"},
    {split_large_kernel_conv, hw, "splitLargeKernelConv"},
    {adjust_data_batch, always, "adjustDataBatch"},  // one batch item at a time where stages need it
    {replace_with_screlu, screlu, "replaceWithSCReLU"},
    {hw_conv_tiling, hw, nullptr},
    {hw_pool_tiling, hw, nullptr},
    {hw_fully_connected_tiling, hw, "hwTiling"},
    {hw_extra_split, extra_split, "hwExtraSplit"},
    {sw_conv_adaptation, always, nullptr},
    {sw_deconv_adaptation, always, nullptr},
    {replace_with_reduce_mean, reduce_mean, "replaceWithReduceMean"},
    {sw_pool_adaptation, always, nullptr},
    {sw_fully_connected_adaptation, always, "swAdaptation"},
    {gemm_transpose, always, "gemmTranspose"},
    {merge_relu_and_bias, always, "mergeReLUAndBias"},
    {merge_eltwise_and_relu_dynamic, early_relu_fusion, "mergeEltwiseAndReLUDynamic"},
    {adjust_data_layout, always, "adjustDataLayout"},  // dim orders and strides; permutes where they clash
    {merge_permute_stages, permute_merging, "mergePermuteStages"},
    {merge_eltwise_and_relu_static, always, "mergeEltwiseAndReLUStatic"},
    {process_special_stages, always, "processSpecialStages"},  // concat, split, crop: views instead of copies
    {propagate_dynamism, always, "propagateDynamism"},
    {adjust_data_location, always, "adjustDataLocation"},  // DDR or CMX
    {eliminate_copy_stages, copy_optimization, "eliminateCopyStages"},
    {inject_sw, injection, "injectSw"},  // a SHAVE or DMA stage beside a hardware one
    {allocate_resources, always, "allocateResources"},
    {finalize_hw_ops, hw, "hwFinalization"},  // descriptors of the convolution engine
    {count_stages_in_loops, always, "countStagesInLoops"},
    {mark_fast_stages, always, "markFastStages"},
    {final_check, always, nullptr},
};

class Dumper {
 public:
  explicit Dumper(std::string folder) : folder_(std::move(folder)) {
    if (!folder_.empty()) make_folder(folder_);
  }
  void operator()(Program& p, const char* pass) {
    if (folder_.empty()) return;
    p.clean_up();
    const std::string path = folder_ + "/" + padded(number_++, 2) + "_" + pass;
    write_file(path + ".json", to_json(p));
    write_file(path + ".dot", to_dot(p));
  }

 private:
  std::string folder_;
  size_t number_ = 0;
};

}  // namespace

void run_passes(Program& program, const std::string& dump_folder, const Control& control) {
  Dumper dump(dump_folder);
  program.clean_up();
  dump(program, "initial");
  for (const PassRow& pass : kPasses) {
    report(control, "passes", static_cast<double>(&pass - kPasses) / std::size(kPasses));
    if (!pass.enabled(program.options)) continue;
    program.clean_up();
    pass.run(program);
    if (pass.dump) dump(program, pass.dump);
  }
  program.clean_up();
}

}  // namespace blobsmith::vpu
