// The order of all rewrites between reading a model and parsing its layers (front-end spec §5.2 to §5.6).
#include "transforms/pipeline.hpp"

#include <array>
#include <span>

#include "core/release.hpp"
#include "graph/numbering.hpp"
#include "transforms/conversion/passes.hpp"
#include "transforms/conversion/rewrites.hpp"

namespace blobsmith {
namespace transforms {
namespace {

bool optimize_slices(Graph& g) {
  const bool removed = remove_useless_slices(g), shared = share_equal_slices(g), grouped = split_into_slices(g);
  return removed || shared || grouped;
}

// quirk: folding outside the common optimizations counts as a change where it made constants of constants.
bool fold_between_conversions(Graph& g) {
  const int64_t before = numbering::next(g);
  const bool changed = fold_constants(g);
  return changed || numbering::next(g) != before;
}

// quirk: the patterns of the conversion to legacy layers are nodes, which take numbers.
bool legacy_patterns(Graph& g) {
  numbering::skip(g, g.release->legacy_patterns);
  return false;
}

/// One step: a pass over the whole graph, or one walk that offers each node to the rewrites of some files.
struct StepRow {
  using Pass = bool (*)(Graph&);
  using Rewrites = std::span<const RewriteRow> (*)();

  const char* name;
  Pass pass = nullptr;
  std::array<Rewrites, 16> rewrites{};
  int64_t pattern_ids;  ///< quirk: numbers that the reference's patterns take right before this step

  constexpr StepRow(const char* n, Pass p, int64_t ids = 0) : name(n), pass(p), pattern_ids(ids) {}
  constexpr StepRow(const char* n, std::initializer_list<Rewrites> r, int64_t ids = 0) : name(n), pattern_ids(ids) {
    std::ranges::copy(r, rewrites.begin());
  }

  bool run(Graph& graph) const {
    if (pass) return pass(graph);
    std::vector<RewriteRow> rows;
    for (const Rewrites of_file : rewrites)
      if (of_file) std::ranges::copy(of_file(), std::back_inserter(rows));
    return apply_rewrites(graph, rows);
  }
};

/// Steps, and when all shapes are inferred again: after each that changed something, not at all, or behind the last.
struct Stretch {
  enum class Infers : char { AfterChanges, Never, AtTheEnd };
  std::span<const StepRow> steps;
  Infers infers;
  bool (*runs)(const Release&);
};

constexpr StepRow kVersions[] = {
    {"newest NonMaxSuppression", {non_max_suppression_versions}},
    {"Gather 8 to 7", {newest_gathers}},
    {"Gather 7 to 1", {gather_versions}},
    {"GatherND 8 to 5", {gather_nd_versions}},
    {"Gather and GatherElements", {gather_merges}},
};

// What prior boxes compute is a constant elsewhere.
constexpr StepRow kPriorBoxes[] = {
    {"prior boxes read tensors", {prior_boxes_of_tensors}},
};

constexpr StepRow kCommonOptimizations[] = {
    // §5.3
    {"constant folding", fold_constants},
    {"constant folding", fold_constants},  // again after steps for quantized networks
    {"slices", optimize_slices},
    {"broadcasts before elementwise operations", {broadcasts_before_elementwise}},
    {"transpose sinking", {transpose_sinking}},
    {"operations that change nothing", {nop_eliminations}},
    {"constant folding", fold_constants},
    {"pattern fusions",
     {scatter_fusions, rearrangement_fusions, transposes_to_reshapes, activation_fusions, clamp_fusions, gelu_fusions,
      hard_activation_fusions, l2_fusions, softmax_fusions, pad_fusions, mvn_fusions, dilation_fusions}},
    {"decompositions",
     {layer_decompositions, bidirectional_sequences, reductions_to_pooling, broadcasts_to_tiles,
      arithmetic_decompositions, depth_and_space_decompositions, batch_norm_decomposition, einsum_decomposition,
      positive_gather_indices}},
    {"constant folding", fold_constants},
    {"chains of Add and Multiply", {linear_chain_fusions}},
    {"Multiply into convolutions", {multiplications_into_convolutions}},
    {"constant folding", fold_constants},
};

constexpr StepRow kModelFolding[] = {
    {"constant folding", fold_constants},
};

constexpr StepRow kModelOptimizations[] = {
    {"Gathers of lists", {joined_gathers}},
    {"Gathers that change nothing", {gathers_of_all}},
    {"Slice to StridedSlice", {slices_by_axes}},
    {"slices", optimize_slices},
    {"broadcasts before elementwise operations", {broadcasts_before_elementwise}},
    {"transpose sinking", {transpose_sinking}},
    {"operations that change nothing", {model_nop_eliminations}},
    {"constant folding", fold_constants},
    {"pattern fusions",
     {scatter_fusions, activation_fusions, hard_activation_fusions, l2_fusions, clamp_fusions, pad_fusions,
      softmax_fusions, mvn_fusions, dilation_fusions, gelu_fusions, leaky_relu_fusions, split_concat_pairs,
      arithmetic_fusions, transposes_to_reshapes, reshape_chains, transposed_weights}},
    {"batch norms and divisions by constants", {batch_norm_decomposition, divisions_by_constants}},
    {"chains of Add and Multiply", {linear_chain_fusions}},
    {"Multiply into convolutions and MatMul",
     {multiplications_into_convolutions, multiplications_before_convolutions, multiplications_into_matmuls}},
    {"constant folding", fold_constants},
    {"reversed channels", reverse_channels_in_constants, 40},
    {"ranks of constants", align_constant_ranks},
    {"constant folding", fold_constants},
};

constexpr StepRow kHalving[] = {
    {"networks whose weights are stored in FP16", compute_compressed_in_half},
};

constexpr StepRow kRestOfCommonOptimizations[] = {
    {"pattern fusions", {rearrangement_fusions, interpolations_in_sequence, gathers_before_transposes}},
    {"reductions of two", {reductions_of_two}},
    {"decompositions",
     {layer_decompositions, bidirectional_sequences, reductions_to_pooling, broadcasts_to_tiles,
      arithmetic_decompositions, depth_and_space_decompositions, batch_norm_decomposition, einsum_decomposition,
      positive_gather_indices, unrolled_matmuls}},
    {"constant folding", fold_constants},
    {"chains of Add and Multiply", {linear_chain_fusions}},
    {"Multiply into convolutions and MatMul",
     {multiplications_into_convolutions, multiplications_before_convolutions, multiplications_into_matmuls}},
    {"constant folding", fold_constants},
    {"Softmax 8 to 1", {softmax_versions}},
    {"MaxPool 8 to 1", {max_pool_versions}},
    {"strides", push_strides_up},
};

constexpr StepRow kTransposesAgain[] = {
    {"Interpolate along outer axes", {interpolations_of_outer_axes}},
    {"transpose sinking", {transpose_sinking}},
};

// §5.2, §5.5
constexpr StepRow kDynamic[] = {
    {"dynamic shapes", resolve_dynamic_shapes},
    {"shapes of resolvers", {shapes_of_resolvers}},
    {"ExtractImagePatches to ReorgYolo", {image_patches_to_reorg}},
    {"constant folding", fold_between_conversions},
};

constexpr StepRow kToOpset1[] = {
    {"Broadcast 3 to 1", {broadcast_versions}, 7},         {"ShapeOf 3 to 1", {shape_of_versions}},
    {"ShuffleChannels", {shuffle_channels_decomposition}}, {"TopK 3 to 1", {top_k_versions}},
    {"SpaceToBatch", {space_to_batch_decomposition}},      {"BatchToSpace", {batch_to_space_decomposition}},
};

// §5.6
constexpr StepRow kToLegacy[] = {
    {"32-bit integers", convert_precision},
    {"numbers of patterns", legacy_patterns},
    {"constant folding", fold_constants},
    {"decompositions", {arithmetic_decompositions}},
    {"MatMul", {matmul_to_legacy}},
    {"constant folding", fold_constants},
    {"convolutions", {convolutions_to_legacy}},
    {"biases", {biases_into_convolutions, biases_into_fully_connected}},
    {"constant folding", fold_constants},
    {"layers",
     {flat_fully_connected, operations_of_rank_1, inputs_to_attributes, broadcasts_to_tiles, sequences_to_legacy,
      interpolations_to_legacy, slices_to_crops}},
    {"Reshape before FullyConnected", {reshapes_before_fully_connected}},
    {"NormalizeL2", {normalize_l2_to_legacy}},
    {"Multiply-Add", {multiply_add_to_legacy}},
    {"Multiply and Add of constants", {constant_elementwise_to_legacy}},
    {"constant folding", fold_constants},
    {"32-bit integers", convert_precision},
    {"resolvers of resolvers", {resolver_merges}},
};

bool always(const Release&) { return true; }
bool with_model_optimizations(const Release& r) { return r.model_optimizations; }
bool infers_between_opsets(const Release& r) { return r.infers_between_opsets; }
bool does_not_infer_between_opsets(const Release& r) { return !r.infers_between_opsets; }
bool without_model_optimizations(const Release& r) { return !r.model_optimizations; }

const Stretch kConversion[] = {
    {kPriorBoxes, Stretch::Infers::AfterChanges, without_model_optimizations},
    {kVersions, Stretch::Infers::AfterChanges, always},
    {kCommonOptimizations, Stretch::Infers::AfterChanges, without_model_optimizations},
    {kModelFolding, Stretch::Infers::AfterChanges, with_model_optimizations},
    {kModelOptimizations, Stretch::Infers::Never, with_model_optimizations},
    {kHalving, Stretch::Infers::AfterChanges, with_model_optimizations},
    {kRestOfCommonOptimizations, Stretch::Infers::AtTheEnd, with_model_optimizations},
    {kTransposesAgain, Stretch::Infers::AfterChanges, with_model_optimizations},
    {kDynamic, Stretch::Infers::AfterChanges, always},
    {kToOpset1, Stretch::Infers::AfterChanges, infers_between_opsets},
    {kToOpset1, Stretch::Infers::Never, does_not_infer_between_opsets},
    {kToLegacy, Stretch::Infers::AfterChanges, always},
};

void run(const Stretch& stretch, Graph& graph) {
  for (const StepRow& step : stretch.steps) {
    numbering::skip(graph, step.pattern_ids);
    if (step.run(graph) && stretch.infers == Stretch::Infers::AfterChanges) numbering::validated(graph);
  }
  if (stretch.infers == Stretch::Infers::AtTheEnd) numbering::validated(graph);
}

}  // namespace
}  // namespace transforms

std::string_view conversion_of(std::string_view type) {
  for (const transforms::Stretch& stretch : transforms::kConversion)
    for (const transforms::StepRow& step : stretch.steps)
      for (const auto rewrites : step.rewrites)
        if (rewrites)
          for (const transforms::RewriteRow& row : rewrites())
            if (!row.becomes.empty() && row.roots.contains(type)) return row.becomes;
  return {};
}

void convert_to_legacy(Graph& graph) {
  for (const transforms::Stretch& stretch : transforms::kConversion)
    if (stretch.runs(*graph.release)) transforms::run(stretch, graph);
}

}  // namespace blobsmith
