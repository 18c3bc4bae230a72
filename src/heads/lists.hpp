// Detectors whose outputs are lists with a row for each cell (or each anchor of it), whatever computes them: boxes,
// class scores, key points, coefficients of masks, in one list or in several, for all strides or one for each. What a
// list holds is told by its numbers: a score of an empty network is the same everywhere, and between 0 and 1 whatever
// comes.
#pragma once
#include <optional>

#include "blobsmith/detection_head.hpp"
#include "graph/graph.hpp"

namespace blobsmith::heads {

/// The head of such a detector: PicoDet, PP-YOLOE, DAMO-YOLO, SCRFD, YOLACT, YOLO-World and their like; none where no
/// boxes with scores are found.
std::optional<DetectionHead> from_lists(const Graph& graph);

}  // namespace blobsmith::heads
