#include "compare/known_faults.hpp"

#include <algorithm>
#include <cmath>

#include "transforms/faults/avoid_faults.hpp"
#include "transforms/pipeline.hpp"

namespace blobsmith::compare {
namespace {

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

bool pads_before(const Node& n) { return n.version == 4 && transforms::pads_interpolation(n); }
bool interpolates_otherwise(const Node& n) {
  return n.attrs.text("mode") != "cubic" || n.version == 0;
}  // cubic ones of opset 4 are refused
bool is_weighted(const Node& n) { return transforms::can_be_weighted(n) && interpolates_otherwise(n); }
bool is_not_weighted(const Node& n) {
  return transforms::lacks_interpolation(n) && !transforms::can_be_weighted(n) && interpolates_otherwise(n);
}

bool keeps_eps(const Node& n) { return transforms::mistakes_eps(n) && !transforms::mistakes_eps_for_good(n); }

/// Along channels and plane at once.
bool sums_in_volumes(const Node& n) {
  if (!n.input(1).node->is_constant()) return false;
  const std::vector<int64_t> axes = n.input(1).node->constant.to_i64();
  const auto rank = static_cast<int64_t>(n.shape().size());
  return axes.size() > 1 && std::ranges::any_of(axes, [&](int64_t a) { return a == 1 || a + rank == 1; });
}
bool is_aligned(const Node& n) { return n.attrs.flag("aligned"); }
bool always(const Node&) { return true; }

bool is_other_cell(const Node& n) {
  return transforms::is_special_cell(n) && !transforms::is_special_cell_of_known_functions(n);
}

bool has_bins(const Node& n) { return n.attrs.text("mode") == "bilinear"; }

struct Fault {
  std::string_view type;  ///< operation
  bool (*applies)(const Node&);
  std::string_view what;  ///< for people
  std::string_view row;   ///< words of its row in docs/quirks.md
  bool avoidable;         ///< convert, and compile --no-quirks, avoid it
};

constexpr Fault kFaults[] = {
    {"AvgPool", averages_at_borders,
     "averages at the borders divide by the whole kernel, although the model excludes the padding",
     "divide by the whole kernel at the borders", true},
    {"GroupConvolutionBackpropData", mixes_groups, "the groups of this deconvolution get each other's kernels",
     "the groups of a grouped deconvolution get each other's kernels", true},
    {"Relu", is_lost, "this ReLU behind a deconvolution in software is lost",
     "a ReLU behind a deconvolution that stays in software", true},
    {"Convolution", adds_bias_twice, "the 16x1 kernel is split in halves that each add the bias",
     "a 16x1 convolution is split in halves", true},
    {"MaxPool", transforms::is_changed_by_pad_fusion,
     "the zeros of the Pad before it become its own padding, which is minus infinity",
     "a Pad of zeros before a MaxPool", true},
    {"ConvolutionBackpropData", transforms::is_changed_by_pad_fusion, "the Pad before it is taken out of its padding",
     "a Pad of zeros before a transposed convolution", true},
    {"GroupConvolutionBackpropData", transforms::is_changed_by_pad_fusion,
     "the Pad before it is taken out of its padding", "a Pad of zeros before a transposed convolution", true},
    {"Divide", transforms::is_changed_by_l2_fusion,
     "with the norm below it this becomes an L2 normalisation with eps 1.0",
     "an L2 normalisation recognised with a sum of eps gets eps 1.0", true},
    {"Gather", transforms::takes_from_the_back, "negative indices give zeros",
     "several negative indices of a Gather give zeros", true},
    {"MVN", transforms::mistakes_eps_for_good, "eps is added outside of the square root",
     "MVN with eps inside the square root", false},
    {"MVN", keeps_eps, "eps is added outside of the square root", "MVN with eps inside the square root", true},
    {"Divide", transforms::mistakes_eps, "it becomes an MVN, where eps is added outside of the square root",
     "MVN with eps inside the square root", true},
    {"Multiply", transforms::mistakes_eps, "it becomes an MVN, where eps is added outside of the square root",
     "MVN with eps inside the square root", true},
    {"Add", transforms::mistakes_eps, "it becomes an MVN, where eps is added outside of the square root",
     "MVN with eps inside the square root", true},
    {"MVN", transforms::loses_eps, "its eps becomes 0: rows of one value give 0/0",
     "an eps of MVN or NormalizeL2 below 5e-9", true},
    {"LRN", transforms::loses_fraction, "the bias (k) loses its fraction", "the k of LRN loses its fraction", true},
    {"LRN", transforms::lacks_channels, "of three axes the first counts as the channels", "GRN and LRN of three axes",
     true},
    {"LRN", sums_in_volumes, "the channels beside each one are left out of its sums", "LRN over channels and plane",
     false},
    {"GRN", transforms::lacks_channels, "of three axes the first counts as the channels", "GRN and LRN of three axes",
     true},
    {"PRelu", transforms::has_misplaced_slopes,
     "its slopes are taken for those of the channels, the first of three axes",
     "slopes of PReLU belong to the first of three axes", true},
    {"Interpolate", pads_before, "of the pads only the first is looked at", "pads of an interpolation", true},
    {"Interpolate", is_weighted, "cubic and area are executed as nearest; pads and antialias are not looked at",
     "cubic and area interpolation of opset 1", true},
    {"Interpolate", is_not_weighted, "cubic and area are executed as nearest; pads and antialias are not looked at",
     "cubic and area interpolation of opset 1", false},
    {"Interpolate", transforms::resizes_by_middles, "coordinates are counted from the middle of pixels",
     "interpolation of opset 1 counts coordinates from the middle of pixels", true},
    {"Divide", transforms::is_l2_of_maximum,
     "with the norm below it this becomes an L2 normalisation with eps for the square of eps",
     "an L2 normalisation recognised with a maximum of eps", true},
    {"NormalizeL2", transforms::adds_least_norm, "eps is added, where the larger of sum and eps is meant",
     "an L2 normalisation by the larger of sum and eps", true},
    {"NormalizeL2", transforms::loses_eps, "its eps becomes 0: vectors of zeros give 0/0",
     "an eps of MVN or NormalizeL2 below 5e-9", true},
    {"NormalizeL2", transforms::normalises_other_axes, "it is executed over the channels, or over channels and plane",
     "an L2 normalisation over other axes", true},
    {"Convert", transforms::truncates_to_boolean, "fractions are cut off before the comparison with zero",
     "a conversion of real numbers to booleans cuts off", true},
    {"StridedSlice", transforms::drops_masked_begins, "of axes that it drops begin counts in spite of begin_mask",
     "a StridedSlice that drops an axis counts its begin", true},
    {"Transpose", transforms::is_changed_by_gather_merge,
     "the indices of the GatherElements behind it are turned by it, not by its inverse",
     "a Gather and a GatherElements made one", true},
    {"Transpose", transforms::mistakes_real_shape, "its real shape is that of the inverse Transpose",
     "the real shape of a Transpose of unknown shape", true},
    {"Concat", transforms::mistakes_real_shape, "its real shape is too small",
     "the real shape of a Concat of several tensors", true},
    {"LSTMCell", transforms::is_special_cell_of_known_functions, "activations and clip are not looked at",
     "activations and clip of an LSTM", true},
    {"LSTMCell", is_other_cell, "activations and clip are not looked at", "activations and clip of an LSTM", false},
    {"LSTMSequence", transforms::is_special_cell_of_known_functions, "activations and clip are not looked at",
     "activations and clip of an LSTM", true},
    {"LSTMSequence", is_other_cell, "activations and clip are not looked at", "activations and clip of an LSTM", false},
    {"LSTMSequence", transforms::ends_early, "the lengths of its sequences are not looked at",
     "the lengths of its sequences", true},
    {"LSTMSequence", transforms::may_end_early, "the lengths of its sequences are not looked at",
     "the lengths of its sequences", false},
    {"ExtractImagePatches", transforms::is_reorganised, "executed as ReorgYolo, which orders pixels otherwise",
     "ExtractImagePatches is executed as ReorgYolo", true},
    {"ExperimentalDetectronROIFeatureExtractor", is_aligned, "aligned is not looked at",
     "aligned of ExperimentalDetectronROIFeatureExtractor", false},
    {"DeformablePSROIPooling", always, "executed as PSROIPooling: a bin is the mean of its pixels",
     "DeformablePSROIPooling is executed as PSROIPooling", false},
    {"PSROIPooling", has_bins, "mode and bins are not looked at: it is executed as average",
     "mode and bins of PSROIPooling", false},
};

constexpr Fault kBatch = {"", nullptr,
                          "this layer works across the items of the batch, which the blob computes one by one",
                          "the items of a batch are computed one by one, though a layer works across them", true};

}  // namespace

std::vector<FaultyLayer> find_faults(const Graph& graph) {
  std::vector<FaultyLayer> list;
  for (const Node* n : graph.ordered()) {
    for (const Fault& f : kFaults)
      if (n->type == f.type && f.applies(*n)) list.push_back({n->name, n->type, std::string(f.what), f.avoidable});
    if (n->body) std::ranges::move(find_faults(*n->body), std::back_inserter(list));
  }
  return list;
}

std::vector<FaultyLayer> remaining_faults(const Graph& graph, bool quirks) {
  std::vector<FaultyLayer> list = find_faults(graph);
  if (!quirks) std::erase_if(list, [](const FaultyLayer& f) { return f.avoidable; });
  return list;
}

std::vector<FaultyLayer> find_batch_faults(Graph graph) {
  std::vector<FaultyLayer> list;
  for (BatchInfo::Layer& l : detect_batch(graph, false).across)
    list.push_back({std::move(l.name), std::move(l.type), std::string(kBatch.what), kBatch.avoidable});
  return list;
}

}  // namespace blobsmith::compare
