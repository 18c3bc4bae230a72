#include "estimate/advice.hpp"

#include <algorithm>

namespace blobsmith::estimate {
namespace {

using enum vpu::StageType;

/// A depthwise convolution is computed as blocks of a dense one: most of its coefficients are zeros.
bool is_mostly_zeros(const vpu::Blob& blob, const vpu::BlobBuffer& weights) {
  constexpr size_t kSample = 1 << 16;
  const size_t size = blob.constants.size();
  if (weights.location != vpu::Location::Blob || weights.offset >= size) return false;
  const auto all = blob.constants.span().subspan(weights.offset);
  size_t extent = static_cast<size_t>(vpu::element_size(weights.desc.type));
  for (const int64_t d : weights.desc.dims) extent *= static_cast<size_t>(std::max<int64_t>(d, 0));
  const auto sample = all.first(std::min({extent, kSample, all.size()}));
  return sample.size() > 64 && std::ranges::count(sample, 0) > static_cast<std::ptrdiff_t>(sample.size() * 7 / 10);
}

bool reads_fp32_input(const vpu::BlobStage& s) {
  return std::ranges::any_of(s.buffers, [](const vpu::BlobBuffer& b) {
    return b.location == vpu::Location::Input && b.desc.type == vpu::DataType::FP32;
  });
}

std::string of_hardware(const vpu::Blob& blob, const vpu::BlobStage& s, const StageEstimate& c) {
  for (const vpu::BlobBuffer& b : s.buffers)
    if (b.role == "weights" && is_mostly_zeros(blob, b))
      return "depthwise: computed as dense blocks of 16 channels; a full convolution of fewer channels costs the same";
  if (c.bound == StageEstimate::Bound::DdrInput)
    return c.work.descriptors > 1
               ? "its input lies in DDR and is read " + std::to_string(static_cast<int>(c.work.descriptors)) +
                     " times: a smaller picture or fewer channels would fit into CMX"
               : "its input lies in DDR: a smaller picture or fewer channels would fit into CMX";
  if (c.bound == StageEstimate::Bound::Weights)
    return "reading its coefficients takes longer than computing: fewer parameters";
  return {};
}

std::string of_class(vpu::StageType type) {
  switch (class_of(type)) {
    case Constant::Transcendental:
      return "activation on SHAVEs: ReLU or clamp (ReLU6) would be part of the convolution before it";
    case Constant::Conversion: return {};
    case Constant::MultiplyDepthwise: return "depthwise on SHAVEs: kernels of 3x3 with stride 1 or 2 run on the NCE";
    case Constant::Multiply:
      return type == GEMM ? "MatMul by rows on SHAVEs: with constant weights, a 1x1 convolution runs on the NCE"
                          : "convolution on SHAVEs: without dilation, and with kernels up to 15, it runs on the NCE";
    case Constant::Detection: return "post-processing: can be left to the host";
    case Constant::Interpolate: return "resizing on SHAVEs: a transposed convolution runs on the NCE";
    default: return {};
  }
}

}  // namespace

std::string advice(const vpu::Blob& blob, const vpu::BlobStage& s, const StageEstimate& c) {
  if (reads_fp32_input(s)) return "input in FP32: give it as U8 (--ip U8)";
  if (s.type == MyriadXHwOp) return of_hardware(blob, s, c);
  if (s.type == Copy)
    return "moves tiles, because of the size of CMX: other numbers of SHAVEs and slices, smaller planes";
  return of_class(s.type);
}

}  // namespace blobsmith::estimate
