// Pools that the VPU has no stage for, spelled out.
#pragma once
#include "importers/onnx/mo_context.hpp"
#include "importers/onnx/window.hpp"

namespace blobsmith::onnx_import::mo {

/// MaxPool, with the positions of the maxima where they are an output, or AveragePool.
std::vector<Value> spelled_pool(Context& c, const Window& w, bool is_max);

}  // namespace blobsmith::onnx_import::mo
