// Rewrites of operations that the reference compiler computes differently from the model, and the predicates that
// recognise them; fault_table.cpp puts them together. What they make comes through convert_to_legacy as it is.
#pragma once
#include <optional>

#include "transforms/faults/fault_table.hpp"

namespace blobsmith::transforms {

// interpolate_layers.cpp
/// Of opset 1: the coordinates are to be others than those that the VPU takes them to be.
bool resizes_by_middles(const Node& interpolate);
/// States the coordinates in the words of opset 4, which the VPU follows, where that can be done.
Rewritten state_coordinates(Graph& graph);
// gather.cpp
/// A Gather of several constant places of which some are counted from the back.
bool takes_from_the_back(const Node& n);
/// Counts them from the front.
Rewritten count_indices_from_front(Graph& graph);
// broadcast.cpp
/// Elementwise arithmetic that does without a Broadcast before it, which other inputs read as well.
bool is_changed_by_shared_broadcast(const Node& n);
/// Marks these Broadcasts as not to vanish.
Rewritten keep_shared_broadcasts(Graph& graph);
// pad_fusion.cpp
/// A pooling or transposed convolution of which convert_to_legacy would make another one: it takes the Pad before it
/// for padding.
bool is_changed_by_pad_fusion(const Node& window);
/// Marks the Pads before such layers as not to be fused, and returns the latter.
Rewritten keep_pads_apart(Graph& graph);
// normalization_fusions.cpp
/// x / (norm of x + eps), of which convert_to_legacy would make an L2 normalisation with another eps.
bool is_changed_by_l2_fusion(const Node& divide);
/// Marks these as not to be fused.
Rewritten keep_norms_apart(Graph& graph);
/// x / max(norm of x, eps), of which convert_to_legacy would make an L2 normalisation with eps for its square.
bool is_l2_of_maximum(const Node& divide);
/// Makes L2 normalisations of these.
Rewritten restate_maxima(Graph& graph);
/// x / sqrt(max(sum of squares, eps)), or with eps added, of which convert_to_legacy would make an L2 normalisation
/// that the VPU computes otherwise.
bool is_changed_by_guarded_l2_fusion(const Node& divide);
Rewritten keep_guarded_norms_apart(Graph& graph);
/// A Divide that convert_to_legacy makes an L2 normalisation, with its guard inside of the root or outside.
bool becomes_l2(const Node& divide, bool guarded_inside);
// inputs_to_attributes.cpp
/// A product of an L2 normalisation and constants of which the VPU's layer takes other elements: one element counts as
/// one per channel unless it has one axis, elements along other axes count as one for all or one per channel.
bool misreads_factor(const Node& product);
/// Marks L2 normalisations, so that their factors become what they are.
Rewritten read_factors_exactly(Graph& graph);
// arithmetic_fusions.cpp
/// The larger of x and its product with a slope above 1, or one that is not known, of which convert_to_legacy would
/// make a leaky ReLU, which is the smaller one there.
bool is_changed_by_leaky_relu(const Node& maximum);
Rewritten keep_maxima_apart(Graph& graph);
// reshape_fusions.cpp
/// A ReduceMax or ReduceMin over the axis of a Concat of two tensors of which one has several elements along it.
bool is_changed_by_reduction_of_two(const Node& reduce);
Rewritten keep_reductions_of_two_apart(Graph& graph);
// norms.cpp
/// An L2 normalisation over axes that the VPU does not take it over.
bool normalises_other_axes(const Node& n);
/// Moves these to axes where it does.
Rewritten move_norms(Graph& graph);
/// One with a least sum of squares that makes a difference: the VPU adds it.
bool adds_least_norm(const Node& n);
/// Makes these of the operations that they stand for.
Rewritten spell_out_least_norms(Graph& graph);
// normalization_fusions.cpp
/// eps of an MVN, or of operations that convert_to_legacy makes one, that is to be inside of the square root.
std::optional<double> eps_inside_mvn(const Node& n);
// moments.cpp
/// An MVN, or what becomes one, with an eps inside of the square root that is large enough to make a difference.
bool mistakes_eps(const Node& n);
/// An MVN of which that can't be helped: of too many rows.
bool mistakes_eps_for_good(const Node& n);
/// Has such moments computed with values beside the data that stand for eps.
Rewritten keep_eps_inside(Graph& graph);
/// Makes MVNs of what becomes one anyway, and has those computed over last axes that the VPU can't compute otherwise.
Rewritten move_moments(Graph& graph);
/// An MVN or NormalizeL2 with an eps that is lost between model and blob.
bool loses_eps(const Node& n);
Rewritten keep_eps_above_zero(Graph& graph);
// merge_gathers.cpp
/// A Transpose between Gather and GatherElements that convert_to_legacy would turn the indices by, in the wrong
/// direction.
bool is_changed_by_gather_merge(const Node& transpose);
/// Marks these as not to be merged.
Rewritten keep_gathers_apart(Graph& graph);
// dynamic/shapes.cpp
/// A Transpose or Concat of unknown shape of which the real shape would come out wrong.
bool mistakes_real_shape(const Node& n);
/// Marks these.
Rewritten keep_real_shapes(Graph& graph);
// channel_layers.cpp
/// A PReLU whose slopes the VPU would take for those of other values.
bool has_misplaced_slopes(const Node& n);
/// Gives these a fourth axis, or makes them of two halves.
Rewritten place_slopes(Graph& graph);
bool has_channels_among_many_axes(const Node& n);
Rewritten set_channels_apart(Graph& graph);
/// GRN and LRN of three axes.
bool lacks_channels(const Node& n);
/// Gives these a fourth axis.
Rewritten give_channels(Graph& graph);
/// An LRN whose k is not an integer.
bool loses_fraction(const Node& n);
/// Divides these by k^beta afterwards.
Rewritten keep_fractions(Graph& graph);
// respelled_layers.cpp
/// A Convert of real numbers to booleans.
bool truncates_to_boolean(const Node& n);
Rewritten compare_with_zero(Graph& graph);
/// An ExtractImagePatches of which convert_to_legacy would make a ReorgYolo (or refuse it for its few channels).
bool is_reorganised(const Node& n);
/// Makes these SpaceToDepth.
Rewritten cut_into_blocks(Graph& graph);
/// A StridedSlice that drops an axis of which begin_mask says that it is taken from the start, with another begin.
bool drops_masked_begins(const Node& n);
/// Says the start.
Rewritten state_masked_begins(Graph& graph);
bool pads_interpolation(const Node& n);
/// Pads those of opset 4 before.
Rewritten pad_before_interpolations(Graph& graph);
// resize_by_weights.cpp
/// An interpolation in a way that the VPU has no stage for (cubic, area, antialiased, padded in opset 1).
bool lacks_interpolation(const Node& n);
/// One of these that resizes a plane: two matrices can do it.
bool can_be_weighted(const Node& n);
/// Makes 1x1 convolutions of these.
Rewritten resize_by_weights(Graph& graph);
// special_cells.cpp
/// An LSTM with activations or a clip of its own.
bool is_special_cell(const Node& n);
/// A special cell that can be spelled out, with at most 128 steps.
bool is_special_cell_of_known_functions(const Node& n);
/// Makes these of the operations that they stand for, sequences step by step.
Rewritten spell_out_cells(Graph& graph);
/// A sequence with constant lengths of which some are shorter than the data.
bool ends_early(const Node& n);
/// Lets the data of these end there.
Rewritten end_sequences(Graph& graph);
/// A sequence whose lengths are only known at run time.
bool may_end_early(const Node& n);

}  // namespace blobsmith::transforms
