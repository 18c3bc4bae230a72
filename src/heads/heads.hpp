// Detectors, recognised by what computes their outputs; facts: front-door spec.
//
// A YOLO ends in convolutions, one to three for every stride ("level convolutions"), and in arithmetic that makes boxes
// of them. Going back from an output through nothing but such arithmetic leads to these convolutions; what reads their
// channels says what they are:
//
//   [1,64,40,40] ─ Reshape, Softmax, 1x1 convolution ─ distances ┐
//   [1,80,40,40] ─ Sigmoid ─ class scores                        ┴ Concat ─ output0 [1,84,2100]
#pragma once
#include <map>
#include <optional>
#include <string>

#include "blobsmith/detection_head.hpp"
#include "graph/graph.hpp"

namespace blobsmith::heads {

/// What the file says of itself beside the network (ONNX: metadata_props).
using Metadata = std::map<std::string, std::string>;

/// The head of a detector in a graph of opset operations; none where no kind is recognised.
std::optional<DetectionHead> find(const Graph& graph, const Metadata& metadata);

/// Outputs that the camera decodes take the place of the boxes that the network makes of them: one for each stride.
/// Returns the new head. Throws BadOptionValue where the network has no such head, or one that can't be reshaped.
DetectionHead reshape(Graph& graph, const Metadata& metadata);

}  // namespace blobsmith::heads
