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
  int64_t batch = 1;  ///< taken out of the graph: its inputs have 1 as dimension 0 now
  bool with_detection_output = false;
  std::set<std::string> unbatched_outputs;  ///< outputs whose shape did not depend on the batch
  std::vector<Remark> across;  ///< layers that work across the items: computed one by one their result is another
};

/// What a network says of itself that the conversion to legacy layers does not keep.
struct Declared {
  BatchInfo batch{};
  std::map<std::string, ElementType> output_types{};  ///< by name; before the conversion made integers of booleans
};

/// Name of a network input (Parameter) or output (Value that feeds a Result), as blobs state it (front-end §3).
std::string output_name(Value v);
/// Of a Result: what the importer states (attribute `output_name`), else as above.
std::string output_name(const Node& result);
inline constexpr std::string_view kOutputName = "output_name";

/// Element types of the outputs by name.
std::map<std::string, ElementType> output_types(const Graph& graph);

/// Takes the batch out of the network where every input has the same (front-end §5.1). Without quirks a batch stays
/// that some layer works across.
BatchInfo detect_batch(Graph& graph, bool quirks = true);
/// opset operations -> the layer set that the VPU lowering knows (front-end §5.2 to §5.6).
void convert_to_legacy(Graph& graph);
/// The types of operations or layers, separated by spaces, that the conversion makes of one; empty where it has no
/// rewrite for all of its forms.
std::string_view conversion_of(std::string_view type);
/// Every TensorIterator as copies of its body (front-end §6.6); after the conversion.
void unroll_loops(Graph& graph);

}  // namespace blobsmith
