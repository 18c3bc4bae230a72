// What OpenVINO 2022.1 appends to a blob: the inputs and outputs of the network as its own interface names them.
#pragma once
#include "core/bytes.hpp"
#include "graph/graph.hpp"
#include "vpu/format/blob.hpp"

namespace blobsmith::vpu {

/// Parameters and Results in the model's order, with names, types and largest shapes as after the conversion.
BlobNetworkInfo describe_network(const Graph& converted);
/// The bytes behind the end that the header states (blob-format spec §9).
Bytes encode(const BlobNetworkInfo& info);

}  // namespace blobsmith::vpu
