#include "transforms/faults/fault_table.hpp"

#include <algorithm>

#include "transforms/faults/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

bool sums_integers(const Node& n) { return is_integer(n.input(0).type()); }

bool any(const Attributes& a, std::string_view list) {
  return a.has(list) && std::ranges::any_of(a.integers(list), [](int64_t v) { return v != 0; });
}

/// Outputs up to 5x5 stay in software, and so do kernels that the engine does not take.
bool averages_at_borders(const Node& n) {
  const Shape& out = n.shape();
  if (!n.attrs.flag("exclude-pad") || out.size() != 4 || (out[2] <= 5 && out[3] <= 5)) return false;
  const auto &kernel = n.attrs.integers("kernel"), &strides = n.attrs.integers("strides");
  const bool in_software = kernel == std::vector<int64_t>{1, 1} ||
                           (kernel == std::vector<int64_t>{3, 3} && strides.back() == 2) ||
                           (kernel == std::vector<int64_t>{5, 5} && strides.back() == 3);
  return !in_software && (any(n.attrs, "pads_begin") || any(n.attrs, "pads_end"));
}

bool mixes_groups(const Node& n) {
  const Shape& w = n.input(1).shape();
  return w.size() == 5 && w[0] > 1 && w[1] * w[2] > 1;
}

/// Kernels and pads that the convolution engine does not take.
bool deconvolves_in_software(const Node& n) {
  const bool grouped = n.is("GroupConvolutionBackpropData");
  if (!grouped && !n.is("ConvolutionBackpropData")) return false;
  const Shape& w = n.input(1).shape();
  const bool depthwise = grouped && w[1] == 1 && w[2] == 1;
  return depthwise || w.back() > 15 || w[w.size() - 2] > 15 ||
         n.attrs.integers("pads_begin") != n.attrs.integers("pads_end");
}

/// A ReLU behind such a deconvolution and its bias.
bool is_lost(const Node& n) {
  Value v = n.input(0);
  if (v.node->is("Add")) v = v.node->input(v.node->input(0).node->is_constant() ? 1 : 0);
  return deconvolves_in_software(*v.node);
}

bool adds_bias_twice(const Node& n) {
  const Shape& w = n.input(1).shape();
  return w.size() == 4 && w[2] == 1 && w[3] == 16;
}

bool pads_before(const Node& n) { return n.version == 4 && pads_interpolation(n); }
bool interpolates_otherwise(const Node& n) {
  return n.input(0).shape().size() <= 4 && (n.attrs.text("mode") != "cubic" || n.version == 0);
}  // volumes, and cubic ones of opset 4, are refused
bool is_weighted(const Node& n) { return can_be_weighted(n) && interpolates_otherwise(n); }
bool is_not_weighted(const Node& n) {
  return lacks_interpolation(n) && !can_be_weighted(n) && interpolates_otherwise(n);
}

bool keeps_eps(const Node& n) { return mistakes_eps(n) && !mistakes_eps_for_good(n); }

/// Along channels and plane at once.
bool sums_in_volumes(const Node& n) {
  if (!n.input(1).node->is_constant()) return false;
  const std::vector<int64_t> axes = n.input(1).node->constant.to_i64();
  const auto rank = static_cast<int64_t>(n.shape().size());
  return axes.size() > 1 && std::ranges::any_of(axes, [&](int64_t a) { return a == 1 || a + rank == 1; });
}
bool is_aligned(const Node& n) { return n.attrs.flag("aligned"); }
bool always(const Node&) { return true; }

bool is_other_cell(const Node& n) { return is_special_cell(n) && !is_special_cell_of_known_functions(n); }

bool has_bins(const Node& n) { return n.attrs.text("mode") == "bilinear"; }

constexpr FaultyLayerRow kBatchFault = {
    {}, nullptr, "this layer works across the items of the batch, which the blob computes one by one", true};

constexpr unsigned kBoth = k2021_4 | k2022_1;

constexpr FaultRow kFaults[] = {
    {"several negative indices of a Gather give zeros",
     "src/transforms/conversion/gather.cpp",
     "yes: they are counted from the front",
     kBoth,
     {{{"Gather"}, takes_from_the_back, "negative indices give zeros", true}},
     count_indices_from_front,
     "its negative indices, which the chip does not know, are counted from the front"},
    {"interpolation of opset 1 counts coordinates from the middle of pixels, whatever align_corners says",
     "src/vpu/lowering/parsers/resize.cpp",
     "yes, without pads: it becomes one of opset 4",
     kBoth,
     {{{"Interpolate"}, resizes_by_middles, "coordinates are counted from the middle of pixels", true}},
     state_coordinates,
     "its coordinates are said in the words of opset 4, which the chip heeds"},
    {"an L2 normalisation recognised with a maximum of eps and the norm takes eps for its square",
     "src/transforms/conversion/normalization_fusions.cpp",
     "yes",
     k2021_4,
     {{{"Divide"},
       is_l2_of_maximum,
       "with the norm below it this becomes an L2 normalisation with eps for the square of eps",
       true}},
     restate_maxima,
     "its eps, as the least norm, is squared to be the least sum of squares"},
    {"an L2 normalisation by the larger of sum and eps (eps_mode max) is executed with both added",
     "src/vpu/lowering/parsers/normalization.cpp",
     "yes, from eps 2^-14 on: it is spelled out",
     kBoth,
     {{{"NormalizeL2"}, adds_least_norm, "eps is added, where the larger of sum and eps is meant", true}},
     spell_out_least_norms,
     "eps is the least sum of squares, not added to it: it becomes the operations that it stands for"},
    {"an L2 normalisation over other axes than the channels is executed over channels and plane; of three axes the "
     "first counts as the channels",
     "src/transforms/conversion/inputs_to_attributes.cpp",
     "yes: they are moved to the channels",
     kBoth,
     {{{"NormalizeL2"}, normalises_other_axes, "it is executed over the channels, or over channels and plane", true}},
     move_norms,
     "the axes of the norm are put where the chip normalises over them"},
    {"an MVN, or moments that become one, over axes that the chip does not normalise over is refused",
     "src/transforms/faults/moments.cpp",
     "yes: they are moved to the last axis",
     kBoth,
     {},
     move_moments,
     "its axes are put where the chip normalises over them"},
    {"an eps of MVN or NormalizeL2 below 5e-9 is 0 in the blob: rows and vectors of zeros give 0/0",
     "src/vpu/lowering/attribute_text.hpp",
     "yes: it is 1e-8",
     kBoth,
     {{{"MVN"}, loses_eps, "its eps becomes 0: rows of one value give 0/0", true},
      {{"NormalizeL2"}, loses_eps, "its eps becomes 0: vectors of zeros give 0/0", true}},
     keep_eps_above_zero,
     "its eps, which would become 0, is 1e-8"},
    {"MVN with eps inside the square root, spelled out or not, is executed with eps outside",
     "src/vpu/lowering/parsers/normalization.cpp",
     "yes, from eps 1e-9 on ([below](#eps-inside-the-square-root))",
     kBoth,
     {{{"MVN"}, mistakes_eps_for_good, "eps is added outside of the square root", false},
      {{"MVN"}, keeps_eps, "eps is added outside of the square root", true},
      {{"Divide", "Multiply", "Add"},
       mistakes_eps,
       "it becomes an MVN, where eps is added outside of the square root",
       true}},
     keep_eps_inside,
     "eps stays inside of the square root: two more values per row make up for it"},
    {"slopes of PReLU belong to the first of three axes, and to the channels only",
     "src/vpu/lowering/parsers/activation.cpp",
     "yes: a fourth axis, or both halves on their own",
     kBoth,
     {{{"PRelu"},
       has_misplaced_slopes,
       "its slopes are taken for those of the channels, the first of three axes",
       true}},
     place_slopes,
     "its slopes are applied to the axis that the model says"},
    {"factors and summands of channels (normalisations of batches among them) of tensors of more than five axes are "
     "applied to another axis",
     "src/transforms/conversion/mul_add_to_scale_shift.cpp",
     "yes: the axes behind the channels become one",
     kBoth,
     {{{"Multiply", "Add"},
       has_channels_among_many_axes,
       "of more than five axes another than the second is taken for the channels",
       true}},
     set_channels_apart,
     "its axes behind the channels become one"},
    {"GRN and LRN of three axes take the first for the channels",
     "src/vpu/lowering/parsers/normalization.cpp",
     "yes: they get a fourth axis",
     kBoth,
     {{{"LRN", "GRN"}, lacks_channels, "of three axes the first counts as the channels", true}},
     give_channels,
     "it gets a fourth axis, so that its channels are those of the model"},
    {"the k of LRN loses its fraction",
     "src/vpu/lowering/attribute_text.hpp",
     "yes: x / (k + s)^beta is (m/k)^beta x / (m + m/k s)^beta with an integer m",
     kBoth,
     {{{"LRN"}, loses_fraction, "the bias (k) loses its fraction", true}},
     keep_fractions,
     "its k becomes an integer, and the rest a factor behind it"},
    {"a conversion of real numbers to booleans cuts off their fractions first",
     "src/transforms/conversion/convert_precision.cpp",
     "yes: they are compared with zero",
     kBoth,
     {{{"Convert"}, truncates_to_boolean, "fractions are cut off before the comparison with zero", true}},
     compare_with_zero,
     "the numbers are compared with zero, fractions included"},
    {"ExtractImagePatches is executed as ReorgYolo, which orders pixels otherwise",
     "src/transforms/conversion/gather.cpp",
     "yes: it becomes SpaceToDepth",
     kBoth,
     {{{"ExtractImagePatches"}, is_reorganised, "executed as ReorgYolo, which orders pixels otherwise", true}},
     cut_into_blocks,
     "its patches are cut by SpaceToDepth, in the model's order"},
    {"a StridedSlice that drops an axis counts its begin even where begin_mask says that it does not, unless it has "
     "two or four axes and steps of 1",
     "src/graph/ops/slice.cpp",
     "yes",
     kBoth,
     {{{"StridedSlice"}, drops_masked_begins, "of axes that it drops begin counts in spite of begin_mask", true}},
     state_masked_begins,
     "of the axes that it drops it takes the first element where begin_mask says so"},
    {"pads of an interpolation: only the first is looked at",
     "src/transforms/conversion/interpolate_layers.cpp",
     "yes: in opset 4 they become a Pad, in opset 1 weights as above",
     kBoth,
     {{{"Interpolate"}, pads_before, "of the pads only the first is looked at", true}},
     pad_before_interpolations,
     "its pads become a Pad before it"},
    {"a Gather and a GatherElements made one turn the indices by the Transpose between them instead of its inverse",
     "src/transforms/conversion/merge_gathers.cpp",
     "yes: they stay two",
     kBoth,
     {{{"Transpose"},
       is_changed_by_gather_merge,
       "the indices of the GatherElements behind it are turned by it, not by its inverse",
       true}},
     keep_gathers_apart,
     "the Gather before it and the GatherElements behind it are not made one"},
    {"the real shape of a Transpose of unknown shape is that of the inverse Transpose",
     "src/transforms/dynamic/reshape.cpp",
     "yes",
     kBoth,
     {{{"Transpose"}, mistakes_real_shape, "its real shape is that of the inverse Transpose", true}},
     keep_real_shapes,
     "its real shape is that of the model"},
    {"the real shape of a Concat of several tensors of unknown shape and a static one is too small",
     "src/transforms/dynamic/movement.cpp",
     "yes",
     kBoth,
     {{{"Concat"}, mistakes_real_shape, "its real shape is too small", true}}},
    {"cubic and area interpolation of opset 1 are executed as nearest",
     "src/vpu/lowering/parsers/resize.cpp",
     "cubic yes: rows and columns are weighted by two 1x1 convolutions (in opset 4 too, where Intel's compiler refuses "
     "it)",
     kBoth,
     {{{"Interpolate"},
       is_weighted,
       "cubic and area are executed as nearest; pads, antialias and scales beside sizes are not looked at",
       true},
      {{"Interpolate"},
       is_not_weighted,
       "cubic and area are executed as nearest; pads, antialias and scales beside sizes are not looked at",
       false}},
     resize_by_weights,
     "its rows and columns are weighted by convolutions, as the chip has no such interpolation"},
    {"antialias of an interpolation is not looked at",
     "src/vpu/lowering/parsers/resize.cpp",
     "yes: weights as above",
     kBoth,
     {}},
    {"the lengths of its sequences are not looked at by an LSTM",
     "src/vpu/lowering/parsers/recurrent.cpp",
     "yes for constant lengths above zero: the data end there",
     kBoth,
     {{{"LSTMSequence"}, ends_early, "the lengths of its sequences are not looked at", true},
      {{"LSTMSequence"}, may_end_early, "the lengths of its sequences are not looked at", false}},
     end_sequences,
     "its data end where the lengths of its sequences say"},
    {"activations and clip of an LSTM (and input_forget) are not looked at",
     "src/vpu/lowering/parsers/recurrent.cpp",
     "yes for sigmoid, tanh, relu and hardsigmoid, of sequences up to 128 steps: the cell is spelled out",
     kBoth,
     {{{"LSTMCell", "LSTMSequence"},
       is_special_cell_of_known_functions,
       "activations and clip are not looked at",
       true},
      {{"LSTMCell", "LSTMSequence"}, is_other_cell, "activations and clip are not looked at", false}},
     spell_out_cells,
     "its cell, with activations or a clip of its own, becomes the operations that it stands for"},
    {"a Pad of zeros before a transposed convolution is taken out of its padding, which changes the output's size and "
     "values",
     "src/transforms/conversion/pad_fusion.cpp",
     "yes: it stays a Pad, unless the stride is 1",
     kBoth,
     {{{"ConvolutionBackpropData", "GroupConvolutionBackpropData"},
       is_changed_by_pad_fusion,
       "the Pad before it is taken out of its padding",
       true}},
     keep_pads_apart,
     "the zeros of the Pad before it do not become its own padding, which means something else"},
    {"a Pad of zeros before a MaxPool becomes padding of it, which is minus infinity (Model Optimizer, and the "
     "compiler)",
     "src/importers/model_optimizer/pad_folding.cpp src/transforms/conversion/pad_fusion.cpp",
     "yes: it stays a Pad, unless no value can be negative",
     k2021_4,
     {{{"MaxPool"},
       is_changed_by_pad_fusion,
       "the zeros of the Pad before it become its own padding, which is minus infinity",
       true}}},
    {"a Pad of zeros before an AvgPool becomes padding of it, of which the stage knows only how much is in front",
     "src/transforms/conversion/pad_fusion.cpp",
     "yes: it stays a Pad, unless there is as much padding behind",
     kBoth,
     {{{"AvgPool"},
       is_changed_by_pad_fusion,
       "the zeros of the Pad before it become its own padding, of which only those in front are counted behind",
       true}}},
    {"a Broadcast before arithmetic that does without it vanishes for all that read it",
     "src/transforms/conversion/broadcast.cpp",
     "yes: it stays",
     k2021_4,
     {{{"Add", "Subtract", "Multiply", "Divide", "SquaredDifference"},
       is_changed_by_shared_broadcast,
       "the Broadcast before it vanishes, also for what else reads it",
       true}},
     keep_shared_broadcasts,
     "it leaves the Broadcast before it in place, which is read elsewhere as well"},
    {"an L2 normalisation recognised with a sum of eps gets eps 1.0",
     "src/transforms/conversion/normalization_fusions.cpp",
     "yes: it stays spelled out",
     k2021_4,
     {{{"Divide"},
       is_changed_by_l2_fusion,
       "with the norm below it this becomes an L2 normalisation with eps 1.0",
       true}},
     keep_norms_apart,
     "the norm keeps its eps, and stays the operations that it is made of"},
    {"ReduceMax or ReduceMin over the axis along which two tensors were joined is the larger or smaller of the two, "
     "whatever their sizes along it",
     "src/transforms/conversion/reshape_fusions.cpp",
     "yes: the reduction stays one",
     k2022_1,
     {{{"ReduceMax", "ReduceMin"},
       is_changed_by_reduction_of_two,
       "it takes the larger or smaller of the two tensors that are joined before it, element by element",
       true}},
     keep_reductions_of_two_apart,
     "it reduces what is joined before it, and is not taken for the larger or smaller of two tensors"},
    {"the larger of a tensor and its product with a number is taken for a leaky ReLU, also where the number is above 1",
     "src/transforms/conversion/arithmetic_fusions.cpp",
     "yes: it stays a Maximum",
     k2022_1,
     {{{"Maximum"},
       is_changed_by_leaky_relu,
       "it becomes a leaky ReLU, which is the smaller of the two where the slope is above 1",
       true}},
     keep_maxima_apart,
     "it takes the larger of both, and is not taken for a leaky ReLU"},
    {"an L2 normalisation recognised with the guard under the root is executed over channels, with eps added",
     "src/transforms/conversion/normalization_fusions.cpp",
     "yes: it stays spelled out where that makes a difference",
     k2022_1,
     {{{"Divide"},
       is_changed_by_guarded_l2_fusion,
       "with the norm below it this becomes an L2 normalisation over channels, with eps added",
       true}},
     keep_guarded_norms_apart,
     "the norm keeps its axes and its guard, and stays the operations that it is made of"},
    {"the factor of an L2 normalisation counts as one for all where it has one axis, else as one per channel, "
     "whatever its shape: one of shape [1, 1, 1, 1] is missing for all channels but the first",
     "src/transforms/conversion/inputs_to_attributes.cpp",
     "yes",
     kBoth,
     {{{"Multiply", "Divide"},
       misreads_factor,
       "with the L2 normalisation before it, its constant is read as one factor for all or one per channel, which it "
       "is not",
       true}},
     read_factors_exactly,
     "the factor of the L2 normalisation before it is applied as its shape says"},
    // avoided elsewhere, or not at all
    {"average pools of the hardware divide by the whole kernel at the borders, also where padding is excluded",
     "src/vpu/lowering/parsers/pooling.cpp",
     "yes: such pools stay in software",
     kBoth,
     {{{"AvgPool"},
       averages_at_borders,
       "averages at the borders divide by the whole kernel, although the model excludes the padding",
       true}},
     nullptr,
     {},
     Fault::AveragesAtBorders},
    {"the groups of a grouped deconvolution get each other's kernels",
     "src/vpu/passes/split_grouped_conv.cpp",
     "yes",
     kBoth,
     {{{"GroupConvolutionBackpropData"},
       mixes_groups,
       "the groups of this deconvolution get each other's kernels",
       true}},
     nullptr,
     {},
     Fault::MixedGroups},
    {"a ReLU behind a deconvolution that stays in software (depthwise, large kernel, unequal pads) is lost",
     "src/vpu/passes/merge_hw_stages.cpp",
     "yes",
     kBoth,
     {{{"Relu"}, is_lost, "this ReLU behind a deconvolution in software is lost", true}},
     nullptr,
     {},
     Fault::LostRelu},
    {"a 16x1 convolution is split in halves that each add the bias and apply the activation",
     "src/vpu/lowering/parsers/convolution.cpp src/vpu/passes/split_large_kernel_conv.cpp",
     "yes: it stays in software",
     kBoth,
     {{{"Convolution"}, adds_bias_twice, "the 16x1 kernel is split in halves that each add the bias", true}},
     nullptr,
     {},
     Fault::DoubledBias},
    {"the items of a batch are computed one by one, though a layer works across them: a reduction (ReduceMean over all "
     "axes), Softmax, Concat, Gather or the like along the batch, a Transpose of it, a constant for every item",
     "src/transforms/conversion/batch.cpp",
     "yes: all items are computed at once",
     kBoth,
     {kBatchFault}},
    {"mode and bins of PSROIPooling are not looked at",
     "src/vpu/lowering/parsers/roi.cpp",
     "no",
     kBoth,
     {{{"PSROIPooling"}, has_bins, "mode and bins are not looked at: it is executed as average", false}}},
    {"aligned of ExperimentalDetectronROIFeatureExtractor is not looked at",
     "src/vpu/lowering/parsers/roi.cpp",
     "no",
     kBoth,
     {{{"ExperimentalDetectronROIFeatureExtractor"}, is_aligned, "aligned is not looked at", false}}},
    {"DeformablePSROIPooling is executed as PSROIPooling (with offsets it is refused)",
     "src/vpu/lowering/parsers/roi.cpp",
     "no",
     kBoth,
     {{{"DeformablePSROIPooling"}, always, "executed as PSROIPooling: a bin is the mean of its pixels", false}}},
    {"an LSTM over a sequence is refused where one of its outputs is not read",
     "src/vpu/lowering/parsers/recurrent.cpp",
     "yes: they are computed and forgotten",
     k2021_4,
     {},
     nullptr,
     {},
     Fault::UnreadOutputs},
    {"a second im2col convolution with the same weights gets no temporary buffer",
     "src/vpu/stages/convolution.cpp",
     "yes",
     kBoth,
     {},
     nullptr,
     {},
     Fault::MissingBuffer},
    {"a network is refused where data is written, but never read",
     "src/vpu/memory/allocator.cpp",
     "yes: it gets memory all the same",
     kBoth,
     {},
     nullptr,
     {},
     Fault::UnreadData},
    {"Expands of one tensor are merged without a look at their offsets",
     "src/vpu/memory/process_special_stages.cpp",
     "yes",
     kBoth,
     {},
     nullptr,
     {},
     Fault::MergedExpands},
    {"a pooling that is merged into a convolution is refused where the items of a batch are computed one by one",
     "src/vpu/passes/merge_hw_stages.cpp",
     "yes: such poolings stay apart",
     kBoth,
     {},
     nullptr,
     {},
     Fault::BatchedPool},
    {"a 3-D convolution without biases is refused",
     "src/vpu/lowering/parsers/convolution.cpp",
     "yes: they are zeros",
     kBoth,
     {},
     nullptr,
     {},
     Fault::MissingBiases},
    {"what is read inside and outside of the loop over the items of a batch makes a cycle, and is refused",
     "src/vpu/passes/adjust_data_batch.cpp",
     "yes: inside, the item is read",
     kBoth,
     {},
     nullptr,
     {},
     Fault::BatchCycle},
    {"Softmax and LogSoftmax of ONNX opset 13 are flattened at their axis as those of older opsets (Model Optimizer)",
     "src/importers/onnx/ops/softmax.cpp",
     "yes",
     k2021_4,
     {}},
    {"Softmax of ONNX opset 11 and 12 is taken over its axis alone, not over all from it on (the importer in the "
     "compiler)",
     "src/importers/onnx/ops/softmax.cpp",
     "yes",
     kBoth,
     {}},
    {"a ReduceSum of integers is computed in FP16: results beyond 2048 are rounded, beyond 65504 lost",
     "src/transforms/conversion/reduce_to_pooling.cpp",
     "yes: integers are added as integers",
     kBoth,
     {{{"ReduceSum"}, sums_integers, "it is computed in FP16: sums beyond 2048 are rounded, beyond 65504 lost", true}}},
    {"the dilations of MaxPool and AveragePool are forgotten (Model Optimizer)",
     "src/importers/onnx/ops/pooling.cpp",
     "yes: such pools become slices",
     k2021_4,
     {}},
    {"RoiAlign of opset 16 with aligned coordinates is computed without the shift by half a pixel (Model Optimizer)",
     "src/importers/onnx/ops/selection.cpp",
     "yes",
     k2021_4,
     {}},
    {"the factor of a Swish (alpha) is forgotten (Model Optimizer)",
     "src/importers/onnx/ops/openvino.cpp",
     "yes",
     k2021_4,
     {}},
    {"a ConvTranspose with auto_pad SAME stays without padding, one with output_shape too, whose surplus is cut off at "
     "the "
     "end (Model Optimizer)",
     "src/importers/onnx/ops/convolution.cpp",
     "yes",
     k2021_4,
     {}},
    {"an input that nothing reads is none of the blob's (Model Optimizer)",
     "src/importers/model_optimizer/pipeline.cpp",
     "yes",
     k2021_4,
     {}},
    {"a Gather along an axis of a TensorFlow model has its indices renamed instead of the axis (Model Optimizer)",
     "src/importers/model_optimizer/layout.cpp",
     "yes",
     k2021_4,
     {}},
    {"the first class of a TensorFlow detector without a background class is dropped as background (Model Optimizer)",
     "src/importers/tensorflow/ops/detection.cpp",
     "yes",
     k2021_4,
     {}},
    {"an output that is an input, or another output's tensor, loses its name (Model Optimizer)",
     "src/importers/model_optimizer/outputs.cpp",
     "yes",
     k2021_4,
     {}},
    {"an Einsum whose equation has no output keeps all letters, also those that are summed over (Model Optimizer)",
     "src/importers/onnx/ops/matmul.cpp",
     "yes",
     k2021_4,
     {}},
    {"a factor along axis 1 of a product of more than two axes goes into the columns of the second matrix, or into "
     "axis 0 or 1 of a stack of them (Model Optimizer)",
     "src/importers/model_optimizer/multiply_into_weights.cpp",
     "yes",
     k2021_4,
     {}},
    {"Interp of Caffe zooms by its factor alone, not with corners on corners; img_size of PriorBox is not looked at "
     "(Model Optimizer)",
     "src/importers/caffe/ops/resize.cpp src/importers/caffe/ops/detection.cpp",
     "yes",
     k2021_4,
     {}},
    {"an MVN of Caffe across channels is computed over the plane only; the coefficients of an Eltwise of more than two "
     "inputs are forgotten (Model Optimizer)",
     "src/importers/caffe/ops/normalization.cpp src/importers/caffe/ops/element_wise.cpp",
     "yes",
     k2021_4,
     {}},
    {"the state of an LSTM of Kaldi's nnet1 is clipped at another value than CellClip, which is read a byte too early "
     "(Model Optimizer)",
     "src/importers/kaldi/recurrent.cpp",
     "yes",
     k2021_4,
     {}},
    {"odd powers of negative numbers stay negative in a PnormComponent of Kaldi (Model Optimizer)",
     "src/importers/kaldi/operators.cpp",
     "yes",
     k2021_4,
     {}},
    {"count_include_pad of MXNet's pools is not looked at, nor that fix_gamma is on where BatchNorm does not say so "
     "(Model Optimizer)",
     "src/importers/mxnet/ops/convolution.cpp src/importers/mxnet/ops/normalization.cpp",
     "yes",
     k2021_4,
     {}},
    {"states of MXNet's RNN that nothing reads become outputs (Model Optimizer)",
     "src/importers/mxnet/as_model_optimizer.cpp src/importers/mxnet/ops/recurrent.cpp",
     "yes",
     k2021_4,
     {}},
    {"LRN over channels and plane is executed over the plane only",
     "src/transforms/conversion/inputs_to_attributes.cpp",
     "no",
     kBoth,
     {{{"LRN"}, sums_in_volumes, "the channels beside each one are left out of its sums", false}}},
};

std::string releases_text(unsigned releases) {
  std::string text;
  if (releases & k2021_4) text = "2021.4.2";
  if (releases & k2022_1) text += text.empty() ? "2022.1" : ", 2022.1";
  return text;
}

/// "a b" as "`a`, `b`".
std::string files_text(std::string_view files) {
  std::string text = "`" + std::string(files) + "`";
  for (size_t at = text.find(' '); at != std::string::npos; at = text.find(' ', at + 4)) text.replace(at, 1, "`, `");
  return text;
}

}  // namespace

std::span<const FaultRow> fault_rows() { return kFaults; }
const FaultyLayerRow& batch_fault() { return kBatchFault; }

std::string fault_table() {
  std::string text = "| what | where | avoided | OpenVINO |\n| --- | --- | --- | --- |\n";
  for (const FaultRow& f : kFaults)
    text += "| " + std::string(f.fault) + " | " + files_text(f.where) + " | " + std::string(f.avoided) + " | " +
            releases_text(f.releases) + " |\n";
  return text;
}

}  // namespace blobsmith::transforms
