// The few loops that are worth vector instructions, chosen at run time. Sums run over their elements in order, one
// after the other, so that no result depends on how the work was divided.
#pragma once
#include <algorithm>
#include <cstdint>

namespace blobsmith::compute {

inline constexpr int64_t kGroup =
    8;  ///< output channels that a convolution computes together, as the engine's weights are stored
inline constexpr int64_t kSlack =
    32;  ///< floats that must be readable (writable) behind the rows given to `accumulate`

/// Weights of one group, FP16 [k][8], become floats without the rows that are all zero; `kept` receives the numbers of
/// the others, `masks` which of their weights are not zero (bit m: channel m). All have room for k rows.
struct PackedRows {
  int64_t rows = 0, zeros = 0;  ///< kept rows, and zeros among their weights
};
PackedRows pack_weights(const void* halves, int64_t k, float* to, int32_t* kept, uint8_t* masks);

/// out[m*out_pitch + p] = sum over k of weights[k*8 + m] * x[offsets[k] + p], for m < 8 and p < pixels.
void accumulate(const float* weights, const float* x, const int32_t* offsets, int64_t k, float* out, int64_t out_pitch,
                int64_t pixels);
/// out[p] = sum over k of weights[k] * x[offsets[k] + p].
void accumulate_one(const float* weights, const float* x, const int32_t* offsets, int64_t k, float* out,
                    int64_t pixels);

/// Weights of several groups, FP16 [group][k][8], as they lie in memory.
struct GroupedWeights {
  const void* halves = nullptr;
  int64_t groups = 0, group_elements = 0;  ///< group_elements: FP16 numbers from one group to the next
  bool skip_zeros = false;                 ///< where all 8 of a row are zero, x may be infinite or NaN
};
/// The same as `accumulate` for few pixels that lie anywhere: out[(group*pixels + p)*8 + m], x taken at offsets[k] +
/// pixel_offsets[p].
void accumulate_columns(const GroupedWeights& weights, const float* x, const int32_t* offsets, int64_t k,
                        const int32_t* pixel_offsets, int64_t pixels, float* out);

/// to[i] = from[2*i]
void every_second(const float* from, int64_t n, float* to);

/// FP16 numbers of 3 channels side by side, 8 of each: to[channel*pitch + i*8 + m] from the bytes at i*step + 2*(3*m +
/// channel).
void separate_three(const uint8_t* from, int64_t step, int64_t count, uint16_t* to, int64_t pitch);

/// Whether none of the numbers is infinite or NaN.
bool all_finite(const float* values, int64_t n);

/// In place; to a few units in the last place of FP32.
void sigmoids(float* values, int64_t n);
void hyperbolic_tangents(float* values, int64_t n);

/// What follows the sum of a hardware operation: bias, scale, ReLU with two slopes, clamp.
struct Finish {
  float bias = 0, scale = 1;
  bool relu = false;
  float threshold = 0, slope_below = 0, slope_above = 1;
  bool clamp = false;
  float clamp_max = 0;
};
inline float finished(const Finish& f, float v) {
  v = (v + f.bias) * f.scale;
  if (f.relu) v = (v > f.threshold ? f.slope_above : f.slope_below) * v;
  if (f.clamp) v = std::min(std::max(v, 0.0f), f.clamp_max);  // NaN stays
  return v;
}
void finish(const Finish& f, float* values, int64_t n);

}  // namespace blobsmith::compute
