// Products of numbers that were quantized while the network runs, as ONNX Runtime's quantize_dynamic writes them.
#pragma once
#include "importers/onnx/file.hpp"

namespace blobsmith::onnx_import::mo {

/// Gives MatMulInteger and ConvInteger the factors that their sums are multiplied with, as inputs behind their own
/// four, where nothing else reads those sums: their rows scale the operands instead, as sums of integers leave FP16's
/// range.
///
///   i = MatMulInteger(a, b, za, zb), f = Cast(i), s = Mul(sa, sb), y = Mul(f, s)   ->   y = MatMulInteger(a, b, za,
///   zb, sa, sb)
void give_products_their_scales(onnx_file::Model& model);

}  // namespace blobsmith::onnx_import::mo
