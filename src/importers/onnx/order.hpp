// The order in which the operators of an ONNX file are to be computed. Files ought to have it, but converters to FP16
// put their Casts at the end, and ONNX Runtime takes them so.
#pragma once
#include <cstddef>
#include <vector>

#include "importers/onnx/file.hpp"

namespace blobsmith::onnx_import {

/// Operators by number, producers before what reads them; else as in the file. A circle stays as it stands.
std::vector<size_t> order_of_computing(const onnx_file::Model& model);

}  // namespace blobsmith::onnx_import
