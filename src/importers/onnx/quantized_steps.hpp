// Real numbers of quantized ones and back, for the left column of the table of operators.
#pragma once
#include "importers/onnx/mo_steps.hpp"

namespace blobsmith::onnx_import::mo {

/// The numbers of a constant scale, at input `scale`, for the zero point at input `zero`. Where FP16 does not hold what
/// the ends of the integers stand for, as where an attention mask was quantized, the scale becomes the largest that
/// does, with a note: everything that is not masked is then as near to 0 as before. Refuses scales that are not finite.
std::vector<float> fitting_scales(Context& c, const Tensor& stated, size_t zero);
/// The scale at an input as a value; one that is not constant stays as it is.
Value fitting_scale(Context& c, Steps& s, size_t scale, size_t zero);
/// (x - zero) * scale; scale and zero are of all, or of each element of the last axis.
Value unquantized(Context& c, Steps& s, size_t x, size_t scale, size_t zero);
/// round(x / scale) + zero, within its type.
Value quantized(Context& c, Steps& s, Value x, size_t scale, size_t zero);

}  // namespace blobsmith::onnx_import::mo
