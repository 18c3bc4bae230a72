// Operations that OpenVINO has gained and ONNX has too, under other names: made by the rows of ONNX's operators.
#pragma once
#include <span>

#include "importers/openvino_ir/later_opsets.hpp"

namespace blobsmith::ir {

std::span<const LaterRow> onnx_rows();

}  // namespace blobsmith::ir
