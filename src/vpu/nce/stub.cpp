#include "vpu/nce/stub.hpp"

#include "vpu/program/edits.hpp"

namespace blobsmith::vpu::nce {
namespace {

PlaneSize plane_size(const DataDesc& d) { return {d.dim(Dim::W), d.dim(Dim::H)}; }

PlaneGeometry plane_geometry_of(const Stage& stub) {
  const Window w = window_of(stub);
  if (w.kernel_x < 1 || w.kernel_y < 1 || w.stride_x < 1)
    throw cannot_compile(stub, "kernel and stride must be positive");
  PlaneGeometry g;
  g.in = plane_size(stub.input(kData)->desc);
  g.out = g.window_out = plane_size(stub.output()->desc);
  g.kernel_x = w.kernel_x;
  g.kernel_y = w.kernel_y;
  g.stride = w.stride_x;
  g.pad = {w.pad_left, w.pad_right, w.pad_top, w.pad_bottom};
  return g;
}

}  // namespace

bool is_hw_stub(const Stage& s, StageType type) { return s.is(type) && tries_hw(s); }
bool is_hw_pool_stub(const Stage& s) {
  return is_hw_stub(s, StageType::StubMaxPool) || is_hw_stub(s, StageType::StubAvgPool);
}

DataDesc conv_output_desc(const Stage& stub) { return stub.get<StubSpec>().conv_output.value_or(stub.output()->desc); }

ConvGeometry conv_geometry_of(const Stage& stub) {
  ConvGeometry g{plane_geometry_of(stub), stub.input(kData)->desc.dim(Dim::C), stub.output()->desc.dim(Dim::C)};
  g.plane.window_out = plane_size(conv_output_desc(stub));
  g.plane.with_pool = stub.get<StubSpec>().post.pool;
  return g;
}

PoolGeometry pool_geometry_of(const Stage& stub) {
  const DataDesc& in = stub.input(kData)->desc;
  return {plane_geometry_of(stub), in.dim(Dim::C), in.dim(Dim::N, 1)};
}

TilingLimits limits_of(const Program& p) { return {p.resources.slices, p.resources.tiling_cmx_limit}; }

int64_t hw_bytes(const DataDesc& desc) {
  return buffer_bytes(desc.dim(Dim::W, 1), desc.dim(Dim::H, 1), desc.dim(Dim::C, 1), desc.dim(Dim::N, 1));
}

}  // namespace blobsmith::vpu::nce
