// How one axis of a picture is resized: where outputs come from, and the weights of their inputs.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace blobsmith::importers {

/// Modes as ONNX's Resize has them.
struct ResizeAxis {
  std::string mode, coordinates, rounding;
  double scale, in, out, from = 0, to = 1;  ///< from, to: the part of tf_crop_and_resize
  double cube;                              ///< "cubic": -0.75, -0.5
  bool antialias, exclude_outside;

  double source(double i) const;  ///< where output i lies among the inputs
  bool is_outside(double x) const { return coordinates == "tf_crop_and_resize" && (x < 0 || x > in - 1); }
  int64_t nearest(double x) const;
  /// The weight of an input at this distance, which grows as the image shrinks where antialias is on.
  double weight(double distance) const;
  double reach() const;
  /// Of each input for each output, [in, out].
  std::vector<float> weights() const;
};

}  // namespace blobsmith::importers
