// Pools that the VPU has no stage for, spelled out.
#pragma once
#include "importers/onnx/mo_context.hpp"
#include "importers/onnx/window.hpp"

namespace blobsmith::onnx_import::mo {

/// MaxPool, with the positions of the maxima where they are an output, or AveragePool.
std::vector<Value> spelled_pool(Context& c, const WindowAttributes& w, Value x, bool is_max);
/// The mean over whole windows, padding included.
Value spelled_mean(Context& c, const WindowAttributes& w, Value x);
/// With ceil_mode: a window would begin behind the input, which OpenVINO counts and ONNX doesn't.
bool hangs_over(Context& c, const WindowAttributes& w);

}  // namespace blobsmith::onnx_import::mo
