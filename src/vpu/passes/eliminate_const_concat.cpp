// Concatenations of constants are carried out (middle-end spec §3.10).
#include <algorithm>
#include <cstring>

#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

/// Compact strides in elements.
DimValues element_strides(const DataDesc& desc) {
  DimValues r;
  int64_t s = 1;
  for (Dim d : desc.order.dims()) {
    r.set(d, s);
    s *= desc.dim(d);
  }
  return r;
}

void place(const Data& part, const DimValues& offset, const DataDesc& whole, std::vector<uint8_t>& bytes) {
  const DimValues strides = element_strides(whole);
  const std::vector<Dim> dims = part.desc.order.dims();
  const auto size = static_cast<size_t>(element_size(whole.type));
  std::vector<int64_t> at(dims.size(), 0);
  for (int64_t i = 0, n = part.desc.element_count(); i < n; ++i) {
    int64_t to = 0;
    for (size_t k = 0; k < dims.size(); ++k) to += (at[k] + offset.get(dims[k], 0)) * strides[dims[k]];
    ensure(to >= 0 && static_cast<size_t>(to + 1) * size <= bytes.size(), "concatenated constant does not fit");
    std::memcpy(bytes.data() + static_cast<size_t>(to) * size, part.content.data() + static_cast<size_t>(i) * size,
                size);
    for (size_t k = 0; k < dims.size() && ++at[k] == part.desc.dim(dims[k]); ++k) at[k] = 0;
  }
}

bool is_foldable(const Stage& s) {
  return s.is(StageType::StubConcat) &&
         std::ranges::all_of(s.inputs(), [](const Data* d) { return is_const(d) && d->consumers().size() == 1; });
}

void fold(Program& p, Stage* concat) {
  Data* out = concat->output();
  const std::vector<DimValues>& offsets = concat->get<PartsSpec>().offsets;
  std::vector<uint8_t> bytes(static_cast<size_t>(out->desc.compact_bytes()), 0);
  for (int i = 0; i < concat->input_count(); ++i) {
    if (concat->input(i)->desc.type != out->desc.type)
      throw cannot_compile(*concat, "constants of different types are concatenated");
    place(*concat->input(i), offsets.at(static_cast<size_t>(i)), out->desc, bytes);
  }
  Data* merged = p.add_const(out->name, out->desc, Bytes::adopt(std::move(bytes)));
  p.redirect_consumers(out, merged);
  p.remove(concat);
}

}  // namespace

void eliminate_const_concat(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (is_foldable(*s)) fold(p, s);
  });
}

}  // namespace blobsmith::vpu
