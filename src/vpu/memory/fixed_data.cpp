#include "vpu/memory/fixed_data.hpp"

#include <limits>

#include "vpu/memory/pool.hpp"

namespace blobsmith::vpu {
namespace {

constexpr int64_t kMaxAddress = std::numeric_limits<int32_t>::max();  // offsets in a blob are 32-bit words

/// `cursor` is the end of the tensors before this one; the last one is not rounded up.
void place_io(Data* d, Location location, int64_t batch, int64_t& cursor) {
  const int64_t bytes = checked_bytes(*d);
  cursor = align_up(cursor, kDataAlignment);
  d->marks.io_offset = cursor;
  check_addressable(batch, "batch");
  cursor += bytes * batch;
  check_addressable(cursor, "network inputs and outputs");
  d->placement = {location, 0};
}

void place_const(Data* d, int64_t& cursor) {
  d->placement = {Location::Blob, cursor};
  cursor += align_up(checked_bytes(*d), kDataAlignment);
  check_addressable(cursor, "constants");
}

}  // namespace

void check_addressable(int64_t bytes, const char* what) {
  if (bytes <= kMaxAddress) return;
  throw Error(ErrorCode::AllocationFailed,
              std::string(what) + " need " + std::to_string(bytes) + " bytes: more than a blob can address")
      .hint("use smaller tensors or a smaller batch");
}

int64_t checked_bytes(const Data& d) {
  const DimValues strides = d.strides();
  const Dim outer = d.desc.order.at(d.desc.rank() - 1);
  int64_t bytes = 0;
  if (__builtin_mul_overflow(strides[outer], d.desc.dim(outer), &bytes) || bytes > kMaxAddress)
    throw Error(ErrorCode::AllocationFailed, "data \"" + d.name + "\" is larger than a blob can address")
        .hint("use smaller tensors");
  return bytes;
}

void place_children(Data* d) {
  for (Data* c : d->children()) {
    int64_t offset = d->placement.offset;
    if (c->sharing()->mode == Sharing::Mode::ROI && !c->sharing()->offset.empty()) {
      const DimValues strides = d->strides();
      c->sharing()->offset.for_each([&](Dim dim, int64_t v) { offset += v * strides[dim]; });
    }
    c->placement = {d->placement.location, offset};
    place_children(c);
  }
}

Program::MemorySizes place_fixed_data(Program& program) {
  Program::MemorySizes sizes;
  program.for_each_data([](Data* d) { d->placement = {}; });
  program.for_each_data([&](Data* d) {
    switch (d->usage) {
      case DataUsage::Input:
        d->marks.batch = program.batch_size;
        place_io(d, Location::Input, program.batch_size, sizes.inputs);
        break;
      case DataUsage::Output:
        // One that does not depend on the batch is computed once.
        if (!d->marks.unbatched) d->marks.batch = program.batch_size;
        place_io(d, Location::Output, d->marks.unbatched ? 1 : program.batch_size, sizes.outputs);
        break;
      case DataUsage::Const: place_const(d, sizes.blob); break;
      default: return;
    }
    place_children(d);
  });
  return sizes;
}

}  // namespace blobsmith::vpu
