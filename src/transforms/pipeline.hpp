// Rewrites of a Graph before it is lowered: what the reference does between reading a model and parsing its layers.
// Facts: front-end spec §5.
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith {

struct BatchInfo {
  int64_t batch = 1;                        ///< taken out of the graph: its inputs have 1 as dimension 0 now
  bool with_detection_output = false;
  std::set<std::string> unbatched_outputs;  ///< outputs whose shape did not depend on the batch
  struct Layer {
    std::string name, type;
  };
  std::vector<Layer> across;                ///< layers that work across the items: computed one by one their result is another
};

/// Name of a network input (Parameter) or output (Value that feeds a Result), as blobs state it (front-end §3).
std::string output_name(Value v);

/// Element types of the outputs by name. To be taken before the conversion, which turns booleans into integers.
std::map<std::string, ElementType> output_types(const Graph& graph);

/// Takes the batch out of the network where every input has the same (front-end §5.1). Without quirks a batch stays that
/// some layer works across.
BatchInfo detect_batch(Graph& graph, bool quirks = true);
namespace transforms {
// interpolate_to_legacy.cpp
/// Of opset 1: the coordinates are to be others than those that the VPU takes them to be.
bool resizes_by_middles(const Node& interpolate);
/// Says the coordinates of those that can be said in opset 4, which the VPU heeds, and returns these.
std::vector<const Node*> state_coordinates(Graph& graph);
// gather.cpp
/// A Gather of several constant places of which some are counted from the back.
bool takes_from_the_back(const Node& n);
/// Counts them from the front, and returns these Gathers.
std::vector<const Node*> count_indices_from_front(Graph& graph);
// pad_fusion.cpp
/// A pooling or transposed convolution of which convert_to_legacy would make another one: it takes the Pad before it for padding.
bool is_changed_by_pad_fusion(const Node& window);
/// Marks the Pads before such layers as not to be fused, and returns the latter.
std::vector<const Node*> keep_pads_apart(Graph& graph);
// normalization_fusions.cpp
/// x / (norm of x + eps), of which convert_to_legacy would make an L2 normalisation with another eps.
bool is_changed_by_l2_fusion(const Node& divide);
/// Marks these as not to be fused, and returns them.
std::vector<const Node*> keep_norms_apart(Graph& graph);
/// An L2 normalisation over axes that the VPU does not take it over.
bool normalises_other_axes(const Node& n);
/// Makes these of the operations that they stand for, and returns the last of these.
std::vector<const Node*> spell_out_norms(Graph& graph);
}  // namespace transforms
/// opset operations -> the layer set that the VPU lowering knows (front-end §5.2 to §5.6).
void convert_to_legacy(Graph& graph);
/// Every TensorIterator as copies of its body (front-end §6.6); after the conversion.
void unroll_loops(Graph& graph);

}  // namespace blobsmith
