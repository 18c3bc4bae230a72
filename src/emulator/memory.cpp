#include "emulator/memory.hpp"

#include <algorithm>
#include <cstring>

namespace blobsmith::emulator {
namespace {

using vpu::Location;

Error bad_buffer(size_t record_at, const std::string& what) {
  return Error(ErrorCode::BadBlob, "bad blob: " + what + " (buffer record at byte " + std::to_string(record_at) + ")");
}

int64_t first_in_cmx(const vpu::BlobStage& s) {
  int64_t first = s.injected ? first_in_cmx(*s.injected) : INT64_MAX;
  for (const vpu::BlobBuffer& b : s.buffers) {
    if (b.location == Location::CMX) first = std::min<int64_t>(first, b.offset);
    if (b.desc.dims_location == Location::CMX) first = std::min<int64_t>(first, b.desc.dims_offset);
  }
  return first;
}

}  // namespace

Memory::Memory(const vpu::Blob& blob)
    : blob_(blob),
      input_(blob.header.inputs_size),
      output_(blob.header.outputs_size),
      bss_(blob.header.bss_size),
      cmx_(static_cast<size_t>(blob.cmx_bytes())) {
  const int64_t batch = blob.header.batch_size;
  for (size_t i = 0; i < blob.outputs.size(); ++i) {
    const int64_t begin = blob.outputs[i].buffer_offset, end = i + 1 < blob.outputs.size()
                                                                   ? blob.outputs[i + 1].buffer_offset
                                                                   : int64_t{blob.header.outputs_size};
    const int64_t bytes = blob.outputs[i].item_bytes();
    output_items_.push_back(bytes > 0 && (end - begin) / bytes >= batch ? batch : 1);
  }
  cmx_begin_ = cmx_.size();
  for (const vpu::BlobStage& s : blob.stages) cmx_begin_ = std::min(cmx_begin_, first_in_cmx(s));
}

void Memory::clear(uint8_t fill) {
  for (const auto* arena : {&output_, &bss_}) std::fill_n(arena->data(), arena->size(), fill);
  std::fill(cmx_.data() + cmx_begin_, cmx_.data() + cmx_.size(), fill);
}

Memory::Arena Memory::arena(Location where) const {
  const auto& v = where == Location::Input    ? input_
                  : where == Location::Output ? output_
                  : where == Location::BSS    ? bss_
                                              : cmx_;
  return {v.data(), v.size()};
}

Memory::Range Memory::room(Location where, vpu::IoReference io, int64_t offset, size_t record_at) const {
  // Views are read-only where the arena is: StageRun::out refuses constants.
  const auto range = [](const ZeroedBytes& v) { return Range{v.data(), v.size()}; };
  Range whole;
  switch (where) {
    case Location::Input:
      whole = range(input_);
      offset += int64_t{blob_.inputs.at(io.index).buffer_offset} + item_ * int64_t{io.bytes};
      break;
    case Location::Output:
      whole = range(output_);
      offset += int64_t{blob_.outputs.at(io.index).buffer_offset} +
                (output_items_[io.index] > 1 ? item_ * int64_t{io.bytes} : 0);
      break;
    case Location::Blob:
      whole = {const_cast<uint8_t*>(blob_.constants.data()), static_cast<int64_t>(blob_.constants.size())};
      break;
    case Location::BSS: whole = range(bss_); break;
    case Location::CMX: whole = range(cmx_); break;
    case Location::None: throw bad_buffer(record_at, "a tensor that is nowhere is needed");
  }
  if (offset < 0 || offset > whole.size)
    throw bad_buffer(record_at, "a tensor at offset " + std::to_string(offset) + " of a memory of " +
                                    std::to_string(whole.size) + " bytes");
  return {whole.data + offset, whole.size - offset};
}

View Memory::make_view(const vpu::BlobTensorDesc& desc, const std::vector<int64_t>& dims, Range room,
                       size_t record_at) const {
  const auto extent = vpu::tensor_extent(desc.type, dims, desc.strides);
  if (!extent || *extent > room.size) throw bad_buffer(record_at, "a tensor runs past the end of its memory");
  View v{room.data, desc.type, desc.order, desc.rank()};
  constexpr int64_t kLeastRoom = 64;
  int64_t bytes = vpu::element_size(desc.type);
  for (size_t i = 0; i < dims.size(); ++i) {
    v.dims[i] = dims[i];
    v.strides[i] = desc.strides[i];
    // Elements have addresses of their own, so that loops are as long as the memory at most; also where there are none
    // because another dimension is 0.
    if (__builtin_mul_overflow(bytes, std::max<int64_t>(dims[i], 1), &bytes) || bytes > std::max(room.size, kLeastRoom))
      throw bad_buffer(record_at, "a tensor has more elements than its memory holds");
  }
  return v;
}

std::vector<int64_t> Memory::capacity(const vpu::BlobBuffer& record, Range room) const {
  const auto& strides = record.desc.strides;
  std::vector<int64_t> limit;
  for (size_t i = 0; i + 1 < strides.size(); ++i) limit.push_back(strides[i] > 0 ? strides[i + 1] / strides[i] : 0);
  const bool io = record.location == Location::Input || record.location == Location::Output;
  const int64_t bytes = io ? std::min<int64_t>(record.io.bytes, room.size) : room.size;
  limit.push_back(strides.back() > 0 ? bytes / strides.back() : 0);
  return limit;
}

std::vector<int64_t> Memory::read_dims(const vpu::BlobBuffer& record, Range at) const {
  const Range words = room(record.desc.dims_location, record.dims_io, record.desc.dims_offset, record.file_offset);
  std::vector<int64_t> dims = capacity(record, at);
  if (words.size < static_cast<int64_t>(4 * dims.size()))
    throw bad_buffer(record.file_offset, "the sizes of a tensor run past the end of their memory");
  for (size_t i = 0; i < dims.size(); ++i) {
    int32_t v;
    std::memcpy(&v, words.data + 4 * i, sizeof v);
    if (v >= 0 && v < dims[i]) dims[i] = v;
  }
  return dims;
}

View Memory::view(const vpu::BlobBuffer& record) const {
  const Range at = room(record.location, record.io, record.offset, record.file_offset);
  return make_view(record.desc, record.desc.is_dynamic() ? read_dims(record, at) : record.desc.dims, at,
                   record.file_offset);
}

View Memory::view_at_capacity(const vpu::BlobBuffer& record) const {
  const Range at = room(record.location, record.io, record.offset, record.file_offset);
  return make_view(record.desc, record.desc.is_dynamic() ? capacity(record, at) : record.desc.dims, at,
                   record.file_offset);
}

View Memory::io_view(bool output, size_t index, int64_t item) const {
  const vpu::BlobIo& io = (output ? blob_.outputs : blob_.inputs).at(index);
  const auto& arena = output ? output_ : input_;
  int64_t begin = 0;
  const bool fits = !__builtin_mul_overflow(io.item_bytes(), item, &begin) &&
                    !__builtin_add_overflow(begin, io.buffer_offset, &begin) && begin >= 0 && begin <= arena.size();
  if (!fits) throw bad_buffer(io.file_offset, "\"" + io.name + "\" lies outside the memory of inputs or outputs");
  return make_view(io.desc, io.desc.dims, {arena.data() + begin, arena.size() - begin}, io.file_offset);
}

}  // namespace blobsmith::emulator
