// Weights as the convolution engine reads them (hw-tiling spec §12): output channels interleaved in groups of eight,
// [out / 8][in][position][out % 8], with zeros for channels that do not exist.
#pragma once
#include "core/bytes.hpp"

namespace blobsmith::vpu::nce {

struct WeightsShape {
  int64_t out_channels = 0, in_channels = 0,
          positions = 0;  ///< of the source, [out][in][position]; positions = kernel_x * kernel_y
};

/// Input channels [first, first + count), as many of them as exist, in a buffer of extended_in x extended_out channels
/// (FP16).
Bytes hw_weights(const Bytes& source, const WeightsShape& shape, int64_t first, int64_t count, int64_t extended_in,
                 int64_t extended_out);

/// FP16 values followed by zeros up to `count`.
Bytes padded_with_zeros(const Bytes& values, int64_t count);

/// A depthwise kernel of `channels` filters as a dense convolution: zero except the filter of channel i at [i][i].
Bytes diagonal_weights(const Bytes& source, int64_t first, int64_t channels, int64_t positions);

}  // namespace blobsmith::vpu::nce
