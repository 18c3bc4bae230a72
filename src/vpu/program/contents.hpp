// Contents of constants computed by the passes (memory spec §8.2). FP16 unless said; every computed value is rounded
// as the reference does (quirks::float_to_half).
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "core/bytes.hpp"
#include "core/float16.hpp"

namespace blobsmith::vpu::contents {

/// FP16 elements whose values the caller writes, all of them: not cleared first, as weights can be large.
struct Buffer {
  explicit Buffer(size_t size) : owner(std::make_shared_for_overwrite<Half[]>(size)), data(owner.get()), count(size) {}
  Bytes bytes() && { return Bytes(owner, reinterpret_cast<const uint8_t*>(data), count * sizeof(Half)); }
  std::span<Half> span() { return {data, count}; }
  std::shared_ptr<Half[]> owner;
  Half* data;
  size_t count;
};

/// n times fp16(v).
Bytes replicated(float v, int64_t n);
/// The content n times end to end.
Bytes repeated(const Bytes& content, int64_t n);
/// fp16(float(x) * factor) of every element.
Bytes scaled(const Bytes& content, float factor);
/// fp16 of every value.
Bytes halves(std::span<const float> values);
/// The same as a blob of the IR is converted (quirks::float_to_half_blob).
Bytes blob_halves(std::span<const float> values);
Bytes int32s(std::vector<int32_t> values);
/// Elements [start, start + count) of FP16 content.
Bytes slice(const Bytes& content, int64_t start, int64_t count);
Bytes joined(std::span<const Bytes> parts);
/// Transposes FP16 content: `dims` outermost first, output axis k is input axis axes[k].
Bytes permuted(const Bytes& content, const std::vector<int64_t>& dims, const std::vector<int>& axes);
/// Every row of `length` FP16 elements reversed: a kernel flipped along both axes when a row is a kernel.
Bytes reversed_rows(const Bytes& content, int64_t length);

// Weights of the SHAVE kernels: source [out][in][position] (middle-end spec §3.25).
Bytes position_in_out(const Bytes& weights, int64_t out, int64_t in, int64_t positions);  ///< T1: [position][in][out]
Bytes out_position_in(const Bytes& weights, int64_t out, int64_t in, int64_t positions);  ///< T2: [out][position][in]
Bytes position_out_in(const Bytes& weights, int64_t out, int64_t in, int64_t positions);  ///< T3: [position][out][in]
/// Deconvolution [in][out][ky][kx] as the convolution [out][in][-ky][-kx].
Bytes deconv_as_conv(const Bytes& weights, int64_t in, int64_t out, int64_t positions);

}  // namespace blobsmith::vpu::contents
