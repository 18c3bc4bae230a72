// The array conversions of float16.hpp for rows that don't follow each other: of halves, `stride` bytes from one to the
// next, of floats, `pitch` of them.
#pragma once
#include <cstdint>

namespace blobsmith {

void halves_to_floats(const void* from, int64_t stride, float* to, int64_t pitch, int64_t rows, int64_t width);
void floats_to_halves(const float* from, int64_t pitch, void* to, int64_t stride, int64_t rows, int64_t width);

}  // namespace blobsmith
