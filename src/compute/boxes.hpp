// Boxes of detectors, and the suppression of those that overlap better ones.
#pragma once
#include <cstdint>
#include <vector>

namespace blobsmith::compute {

struct Box {
  float x1 = 0, y1 = 0, x2 = 0, y2 = 0;
};
/// Cut to an image that begins at 0.
Box clipped(const Box& b, float width, float height);
/// Intersection over union; `offset` is added to sides.
float overlap(const Box& a, const Box& b, float offset = 0);
/// Greedy suppression: candidates by falling score (equal scores: in their order); one is dropped when its overlap with
/// a kept one is larger than `threshold`. Returns at most `limit` (negative: all) indices of the kept. `offset` is
/// added to sides.
std::vector<int64_t> suppress(const std::vector<Box>& boxes, const std::vector<float>& scores, float threshold,
                              int64_t limit, float offset = 0);
/// Overlaps with kept boxes lower the score of a box, the more the smaller sigma is, and it waits for its turn again;
/// scores up to `least` count for nothing. `scores` becomes what the kept boxes had when they were kept.
std::vector<int64_t> suppress_softly(const std::vector<Box>& boxes, std::vector<float>& scores, float sigma,
                                     float least, int64_t limit);
/// Indices by falling score, equal ones in their order.
std::vector<int64_t> by_falling_score(const std::vector<float>& scores);

}  // namespace blobsmith::compute
