// Forms of Resize that neither the VPU nor OpenVINO's Interpolate has.
#pragma once
#include "importers/onnx/mo_context.hpp"

namespace blobsmith::onnx_import::mo {

/// What is resized: of every axis the stated scale and the size of the result.
struct ResizedAxes {
  std::vector<float> scales;
  std::vector<int64_t> sizes;
};

/// The scales and sizes that the operator (opset 11 on) states, by its `axes` and keep_aspect_ratio_policy.
ResizedAxes resized_axes(Context& c);
/// True where an Interpolate means something else: other coordinates, weights, axes, or a scale that the sizes don't
/// give.
bool needs_spelled_resize(Context& c, const ResizedAxes& r);
/// Axis by axis: a Gather of the nearest, or a product by a matrix of weights.
Value spelled_resize(Context& c, const ResizedAxes& r);

}  // namespace blobsmith::onnx_import::mo
