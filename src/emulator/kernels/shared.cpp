// What kernels of several families need.
#include "core/float16.hpp"
#include "emulator/kernels/kernels.hpp"

namespace blobsmith::emulator {

Grid compact_grid(void* data, DataType type, const Sizes& dims, int rank) {
  Grid g{static_cast<uint8_t*>(data), type, rank, dims};
  int64_t stride = vpu::element_size(type);
  for (int k = rank; k-- > 0; stride *= dims[static_cast<size_t>(k)]) g.strides[static_cast<size_t>(k)] = stride;
  return g;
}

RawTensor::RawTensor(ThreadPool& pool, const Grid& g) : RawTensor(vpu::element_size(g.type), g.count()) { copy_elements(pool, g, compact_grid(bytes.data(), g.type, g.dims, g.rank)); }

void RawTensor::store(ThreadPool& pool, const Grid& to) {
  if (vpu::element_size(to.type) != element || to.count() * element != static_cast<int64_t>(bytes.size())) throw Error(ErrorCode::BadBlob, "bad blob: an output of another size or type than computed");
  copy_elements(pool, compact_grid(bytes.data(), to.type, to.dims, to.rank), to);
}

Grid slice(Grid g, int axis, int64_t first, int64_t count) {
  const auto a = static_cast<size_t>(axis);
  if (axis < 0 || axis >= g.rank || first < 0 || count < 0 || count > g.dims[a] || first > g.dims[a] - count) throw Error(ErrorCode::BadBlob, "bad blob: a part outside its tensor");
  g.data += first * g.strides[a];
  g.dims[a] = count;
  return g;
}

Grid at_index(const Grid& g, int axis, int64_t index) {
  const Grid one = slice(g, axis, index, 1);
  Grid r{one.data, g.type};
  for (int k = 0; k < g.rank; ++k)
    if (k != axis) r.push(g.dims[static_cast<size_t>(k)], g.strides[static_cast<size_t>(k)]);
  return r;
}

float to_half_and_back(float v) { return half_to_float(float_to_half(v)); }

}  // namespace blobsmith::emulator
