// The few loops that are worth vector instructions, each with a portable form; chosen at run time.
#pragma once
#include <cstdint>

namespace blobsmith::compute {

inline constexpr int64_t kGroup = 8;   ///< output channels that a convolution computes together, as the engine's weights are stored
inline constexpr int64_t kSlack = 32;  ///< floats that must be readable (writable) behind the rows given to `accumulate`

/// Weights of one group, FP16 [k][8], become floats without the rows that are all zero; `kept` receives the numbers of the
/// others. `to` has room for k rows.
struct PackedRows {
  int64_t rows = 0, zeros = 0;  ///< kept rows, and zeros among their weights
};
PackedRows pack_weights(const void* halves, int64_t k, float* to, int32_t* kept);

/// out[m*out_pitch + p] = sum over k of weights[k*8 + m] * x[offsets[k] + p], for m < rows (8 or 1) and p < pixels.
void accumulate(int rows, const float* weights, const float* x, const int32_t* offsets, int64_t k, float* out, int64_t out_pitch, int64_t pixels);
/// The same for at most 8 pixels that lie anywhere: out[p*8 + m], x taken at offsets[k] + pixel_offsets[p]. The weights are
/// FP16 [k][8]; where all 8 are zero, x is not read.
void accumulate_columns(const void* weights, const float* x, const int32_t* offsets, int64_t k, const int32_t* pixel_offsets, int pixels, float* out);

/// What follows the sum of a hardware operation: bias, scale, ReLU with two slopes, clamp.
struct Finish {
  float bias = 0, scale = 1;
  bool relu = false;
  float threshold = 0, slope_below = 0, slope_above = 1;
  bool clamp = false;
  float clamp_max = 0;
};
void finish(const Finish& f, float* values, int64_t n);

}  // namespace blobsmith::compute
