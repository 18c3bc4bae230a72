// The order of all rewrites between reading a model and parsing its layers (front-end spec §5.2 to §5.6).
#include "transforms/pipeline.hpp"

#include "transforms/conversion/quirks.hpp"
#include "transforms/conversion/rewrites.hpp"

namespace blobsmith {
namespace transforms {
namespace {

using Group = std::vector<Rewrite>;

// What drops a Broadcast that it reads; the reference's list has no other arithmetic.
const std::vector<std::string_view> kElementwise{"Add", "Subtract", "Multiply", "Divide", "SquaredDifference"};
const std::vector<std::string_view> kReductions{"ReduceMax",       "ReduceMin", "ReduceMean", "ReduceSum",
                                                "ReduceProd",      "ReduceL1",  "ReduceL2",   "ReduceLogicalAnd",
                                                "ReduceLogicalOr", "Squeeze"};
const std::vector<std::string_view> kWindows{
    "AvgPool", "MaxPool", "Convolution", "GroupConvolution", "ConvolutionBackpropData", "GroupConvolutionBackpropData"};

bool prior_boxes(Graph& g) { return apply_rewrites(g, {{{"Unsqueeze"}, prior_box_to_legacy}}); }
bool newest_nms(Graph& g) { return apply_rewrites(g, {{{"NonMaxSuppression"}, upgrade_non_max_suppression}}); }
bool optimize_slices(Graph& g) {
  const bool removed = remove_useless_slices(g), shared = share_equal_slices(g);
  return removed || shared;
}

bool broadcasts_before_eltwise(Graph& g) { return apply_rewrites(g, {{kElementwise, drop_broadcast_before_eltwise}}); }

bool sink_transposes(Graph& g) {
  static const Group kGroup{
      {kReductions, sink_transpose_through_reduce},
      {{"Transpose"}, fuse_transposes},
      {{"Concat"}, fuse_split_squeeze_concat},
  };
  return apply_rewrites(g, kGroup);
}

bool eliminate_nops(Graph& g) {
  static const Group kGroup{
      {{"Gather"}, eliminate_unsqueeze_gather},
      {{"Gather"}, eliminate_gather},
      {{"Pad"}, eliminate_same_shape},
      {{"Convert"}, eliminate_convert},
      {{"Reshape"}, eliminate_reshape},
      {{"Concat"}, eliminate_concat},
      {{"Squeeze", "Unsqueeze"}, eliminate_squeeze_unsqueeze},
      {{"Broadcast"}, eliminate_broadcast_1},
  };
  return apply_rewrites(g, kGroup);
}

bool fuse_patterns(Graph& g) {
  static const Group kGroup{
      {{"ScatterElementsUpdate"}, scatter_elements_to_scatter},
      {{"Reshape"}, fuse_depth_to_space},
      {{"Log"}, fuse_softplus},
      {{"Multiply"}, fuse_mish},
      {{"Multiply"}, fuse_swish_sigmoid},
      {{"Divide"}, fuse_swish_exp},
      {{"Reshape"}, fuse_shuffle_channels},
      {{"Multiply", "Divide"}, fuse_hswish},
      {{"Multiply"}, fuse_hswish_of_hsigmoid},
      {{"Multiply", "Divide"}, fuse_hsigmoid},
      {{"Divide"}, fuse_normalize_l2},
      {{"Minimum"}, fuse_clamp},
      {kWindows, fuse_pad},
      {{"Divide"}, fuse_softmax},
      {{"Multiply", "Divide"}, fuse_mvn},
      {{"Add"}, fuse_mvn_with_constants},
      {{"BatchToSpace"}, fuse_dilated_convolution},
      {{"Multiply"}, fuse_gelu},
      {{"Transpose"}, transpose_to_reshape},
  };
  return apply_rewrites(g, kGroup);
}

bool decompose(Graph& g) {
  static const Group kGroup{
      {{"Gelu"}, downgrade_gelu},
      {{"LSTMSequence"}, split_bidirectional_sequence},
      {{"ReduceL1"}, decompose_reduce_l1},
      {{"ReduceL2"}, decompose_reduce_l2},
      {{"HSigmoid"}, decompose_hsigmoid},
      {{"LogSoftmax"}, decompose_log_softmax},
      {{"ReduceMean", "ReduceMax", "ReduceSum"}, reduce_to_pooling},
      {{"Broadcast"}, broadcast_to_tile},
      {{"Mod"}, decompose_mod},
      {{"Subtract"}, decompose_subtract},
      {{"Divide"}, decompose_divide},
      {{"Negative"}, decompose_negative},
      {{"DepthToSpace"}, decompose_depth_to_space},
      {{"SpaceToDepth"}, decompose_space_to_depth},
      {{"BatchNormInference"}, decompose_batch_norm},
      {{"Einsum"}, decompose_einsum},
      {{"Gather"}, make_gather_indices_positive},
  };
  return apply_rewrites(g, kGroup);
}

bool fuse_linear_chains(Graph& g) {
  static const Group kGroup{
      {{"Multiply"}, multiply_before_add},
      {{"Add"}, fuse_add_add},
      {{"Multiply"}, fuse_multiply_multiply},
  };
  return apply_rewrites(g, kGroup);
}

bool multiplications_into_convolutions(Graph& g) {
  return apply_rewrites(g, {{{"Multiply"}, fuse_multiply_into_convolution}});
}
bool gathers_before_gather_elements(Graph& g) {
  return apply_rewrites(g, {{{"Transpose"}, merge_gather_and_gather_elements}});
}
bool old_gathers(Graph& g) { return apply_rewrites(g, {{{"Gather"}, gather_7_to_1}}); }
bool shapes_of_resolvers(Graph& g) { return apply_rewrites(g, {{{"ShapeOf"}, shape_of_resolver}}); }
bool merge_subsequent_resolvers(Graph& g) { return apply_rewrites(g, {{{"DynamicShapeResolver"}, merge_resolvers}}); }
bool reorg_from_patches(Graph& g) { return apply_rewrites(g, {{{"ExtractImagePatches"}, image_patches_to_reorg}}); }
// quirk: folding outside the common optimizations counts as a change where it made constants of constants.
bool fold_between_conversions(Graph& g) {
  const int64_t before = g.next_id;
  const bool changed = fold_constants(g);
  return changed || g.next_id != before;
}
bool old_broadcasts(Graph& g) { return apply_rewrites(g, {{{"Broadcast"}, broadcast_3_to_1}}); }
bool old_shape_ofs(Graph& g) { return apply_rewrites(g, {{{"ShapeOf"}, shape_of_3_to_1}}); }
bool shuffle_channels(Graph& g) { return apply_rewrites(g, {{{"ShuffleChannels"}, decompose_shuffle_channels}}); }
bool old_top_ks(Graph& g) { return apply_rewrites(g, {{{"TopK"}, top_k_3_to_1}}); }
bool spaces_to_batches(Graph& g) { return apply_rewrites(g, {{{"SpaceToBatch"}, decompose_space_to_batch}}); }
bool batches_to_spaces(Graph& g) { return apply_rewrites(g, {{{"BatchToSpace"}, decompose_batch_to_space}}); }

bool legacy_decompositions(Graph& g) {
  static const Group kGroup{
      {{"Mod"}, decompose_mod},
      {{"Subtract"}, decompose_subtract},
      {{"Divide"}, decompose_divide},
      {{"Negative"}, decompose_negative},
  };
  return apply_rewrites(g, kGroup);
}

bool convert_matmul(Graph& g) {
  static const Group kGroup{
      {{"MatMul"}, matmul_to_fully_connected},
      {{"MatMul"}, matmul_to_gemm},
  };
  return apply_rewrites(g, kGroup);
}

bool convert_convolutions(Graph& g) {
  static const Group kGroup{
      {{"Convolution", "GroupConvolution"}, convolution_to_legacy},
      {{"ConvolutionBackpropData", "GroupConvolutionBackpropData"}, deconvolution_to_legacy},
  };
  return apply_rewrites(g, kGroup);
}

bool fuse_biases(Graph& g) {
  static const Group kGroup{
      {{"Add"}, fuse_add_into_convolution},
      {{"Add"}, fuse_add_into_fully_connected},
  };
  return apply_rewrites(g, kGroup);
}

bool convert_to_layers(Graph& g) {
  static const Group kGroup{
      {{"FullyConnected"}, flatten_fully_connected},
      {{"ConvolutionIE", "AvgPool", "MaxPool"}, raise_1d_operation},
      {{"Multiply"}, normalize_l2_with_multiply},
      {{"HardSigmoid"}, hard_sigmoid_to_legacy},
      {{"Proposal"}, proposal_to_legacy},
      {{"Broadcast"}, broadcast_to_tile},
      {{"Tile"}, tile_to_legacy},
      {{"LRN"}, lrn_to_legacy},
      {{"Pad"}, pad_to_legacy},
      {{"LSTMCell"}, lstm_cell_to_legacy},
      {{"Interpolate"}, interpolate_to_legacy},
      {{"StridedSlice"}, strided_slice_to_crop},
      {{"Power"}, power_to_legacy},
      {{"Sqrt"}, sqrt_to_legacy},
      {{"PRelu"}, prelu_to_legacy},
      {{"Selu"}, selu_to_legacy},
      {{"Swish"}, swish_to_legacy},
      {{"OneHot"}, one_hot_to_legacy},
      {{"TopK"}, top_k_to_legacy},
      {{"LSTMSequence"}, lstm_sequence_to_legacy},
  };
  return apply_rewrites(g, kGroup);
}

bool fuse_fully_connected_reshapes(Graph& g) {
  return apply_rewrites(g, {{{"FullyConnected"}, fuse_reshape_into_fully_connected}});
}
bool convert_normalize(Graph& g) { return apply_rewrites(g, {{{"NormalizeL2"}, normalize_l2_to_legacy}}); }
bool convert_multiply_add(Graph& g) { return apply_rewrites(g, {{{"Add"}, multiply_add_to_legacy}}); }
bool convert_constant_eltwise(Graph& g) {
  return apply_rewrites(g, {{{"Multiply", "Add"}, constant_eltwise_to_legacy}});
}

struct Step {
  const char* name;
  bool (*run)(Graph&);
  int64_t pattern_ids = 0;  ///< quirk: numbers that the reference's patterns take right before this step
};

constexpr Step kSteps[] = {
    {"prior boxes read tensors", prior_boxes},
    {"newest NonMaxSuppression", newest_nms},
    {"Gather 7 to 1", old_gathers},
    {"Gather and GatherElements", gathers_before_gather_elements},

    // common optimizations (§5.3)
    {"constant folding", fold_constants},
    {"constant folding", fold_constants},  // again after steps for quantized networks
    {"slices", optimize_slices},
    {"broadcasts before elementwise operations", broadcasts_before_eltwise},
    {"transpose sinking", sink_transposes},
    {"operations that change nothing", eliminate_nops},
    {"constant folding", fold_constants},
    {"pattern fusions", fuse_patterns},
    {"decompositions", decompose},
    {"constant folding", fold_constants},
    {"chains of Add and Multiply", fuse_linear_chains},
    {"Multiply into convolutions", multiplications_into_convolutions},
    {"constant folding", fold_constants},

    // down to opset1 (§5.2, §5.5)
    {"dynamic shapes", resolve_dynamic_shapes},
    {"shapes of resolvers", shapes_of_resolvers},
    {"ExtractImagePatches to ReorgYolo", reorg_from_patches},
    {"constant folding", fold_between_conversions},
    {"Broadcast 3 to 1", old_broadcasts, 9},
    {"ShapeOf 3 to 1", old_shape_ofs},
    {"ShuffleChannels", shuffle_channels},
    {"TopK 3 to 1", old_top_ks},
    {"SpaceToBatch", spaces_to_batches},
    {"BatchToSpace", batches_to_spaces},
    {"32-bit integers", convert_precision},

    // to legacy layers (§5.6)
    {"constant folding", fold_constants, 190},
    {"decompositions", legacy_decompositions},
    {"MatMul", convert_matmul},
    {"constant folding", fold_constants},
    {"convolutions", convert_convolutions},
    {"biases", fuse_biases},
    {"constant folding", fold_constants},
    {"layers", convert_to_layers},
    {"Reshape before FullyConnected", fuse_fully_connected_reshapes},
    {"NormalizeL2", convert_normalize},
    {"Multiply-Add", convert_multiply_add},
    {"Multiply and Add of constants", convert_constant_eltwise},
    {"constant folding", fold_constants},
    {"32-bit integers", convert_precision},
    {"resolvers of resolvers", merge_subsequent_resolvers},
};

}  // namespace
}  // namespace transforms

void convert_to_legacy(Graph& graph) {
  for (const transforms::Step& step : transforms::kSteps) {
    graph.next_id += step.pattern_ids;
    if (step.run(graph)) graph.next_id += transforms::quirks::ids_of_validation(graph);
  }
}

}  // namespace blobsmith
