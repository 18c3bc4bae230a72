// Software poolings (stages spec §6, middle-end spec §3.28).
// Attributes: MaxPool, AvgPool, GlobalMaxPool: window (vpu/program/window.hpp), excludePad. PoolND: kernel_shape,
// pads_begin, pads_end, strides integer lists starting with X, interleaved (0), pooling_method 1 max 2 average,
// rounding_type 3 floor 4 ceil, exclude_pad.
#include "vpu/format/pooling.hpp"

#include "vpu/program/window.hpp"
#include "vpu/stages/rules.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

void pool_strides(const Stage& s, StrideWishes& w) {
  if (channel_minor(s.input(0))) w.inputs.at(0) = StridesRequirement::compact();
}

std::unique_ptr<StageParams> encode_pool(const Stage& s) {
  auto p = std::make_unique<PoolParams>();
  p->set_window(window_of(s));
  p->exclude_pad = uword(s, "excludePad");
  return p;
}

std::unique_ptr<StageParams> encode_pool_nd(const Stage& s) {
  auto p = std::make_unique<PoolNDParams>();
  p->kernel = words(s.attrs.integers("kernel_shape"));
  p->pads_begin = words(s.attrs.integers("pads_begin"));
  p->pads_end = words(s.attrs.integers("pads_end"));
  p->strides = words(s.attrs.integers("strides"));
  p->interleaved = word(s, "interleaved", 0);
  p->method = word(s, "pooling_method");
  p->rounding = word(s, "rounding_type");
  p->exclude_pad = word(s, "exclude_pad");
  return p;
}

constexpr const char* kTypes = "FP16 -> FP16";

constexpr StageDef kDefs[] = {
    {.type = StageType::MaxPool,
     .order = all_keep_order,
     .strides = pool_strides,
     .types = kTypes,
     .encode = encode_pool},
    {.type = StageType::AvgPool,
     .order = all_keep_order,
     .strides = pool_strides,
     .types = kTypes,
     .encode = encode_pool},
    // In blobs of 2020.1; 2021.4 writes ReduceMean or AvgPool.
    {.type = StageType::GlobalAvgPool},
    {.type = StageType::GlobalMaxPool, .order = all_keep_order, .types = kTypes, .encode = encode_pool},
    {.type = StageType::PoolND,
     .order = output_of_planes,
     .strides = compact_first,
     .types = kTypes,
     .encode = encode_pool_nd},
};

}  // namespace

std::span<const StageDef> pooling_defs() { return kDefs; }

}  // namespace blobsmith::vpu
