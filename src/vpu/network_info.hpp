// What OpenVINO 2022.1 appends to a blob: the inputs and outputs of the network as its own interface names them.
#pragma once
#include "core/bytes.hpp"
#include "graph/graph.hpp"
#include "vpu/format/blob.hpp"

namespace blobsmith::vpu {

/// Of a network as it was read: Parameters and Results in the model's order.
BlobNetworkInfo describe_network(const Graph& graph);
/// Types are those of the converted network, and dimensions that depend on the data the largest that they can be there.
void take_converted(BlobNetworkInfo& info, const Graph& converted);
/// The bytes behind the end that the header states (blob-format spec §9).
Bytes encode(const BlobNetworkInfo& info);

}  // namespace blobsmith::vpu
