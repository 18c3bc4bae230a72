// The five memories of the machine and the views of buffer records into them (execution spec §1).
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "emulator/view.hpp"
#include "vpu/format/blob.hpp"

namespace blobsmith::emulator {

/// Zeros; pages that nobody writes to take no room.
class ZeroedBytes {
 public:
  explicit ZeroedBytes(size_t size)
      : bytes_(static_cast<uint8_t*>(std::calloc(std::max<size_t>(size, 1), 1)), &std::free), size_(size) {
    if (!bytes_) throw std::bad_alloc();
  }
  uint8_t* data() const { return bytes_.get(); }
  int64_t size() const { return static_cast<int64_t>(size_); }

 private:
  std::unique_ptr<uint8_t[], decltype(&std::free)> bytes_;
  size_t size_;
};

class Memory {
 public:
  explicit Memory(const vpu::Blob& blob);

  int64_t size() const { return input_.size() + output_.size() + bss_.size() + cmx_.size(); }  ///< bytes
  /// Forgets everything but the inputs.
  void clear(uint8_t fill);
  void set_item(int64_t item) { item_ = item; }  ///< the batch item that Input and Output records mean

  /// The tensor of a record; its address range is checked here, so no loop over the view can leave the memory.
  View view(const vpu::BlobBuffer& record) const;
  /// A dynamic tensor at the largest size for which there is room.
  View view_at_capacity(const vpu::BlobBuffer& record) const;
  /// One batch item of a network input or output.
  View io_view(bool output, size_t index, int64_t item) const;

  struct Arena {
    const uint8_t* begin = nullptr;
    int64_t size = 0;
  };
  Arena arena(vpu::Location where) const;  ///< Input, Output, BSS or CMX

  /// Items of this output; 1 when all batch items write the same place (execution spec §1.5).
  int64_t output_items(size_t index) const { return output_items_[index]; }

 private:
  struct Range {
    uint8_t* data = nullptr;
    int64_t size = 0;
  };
  Range room(vpu::Location where, vpu::IoReference io, int64_t offset, size_t record_at) const;
  View make_view(const vpu::BlobTensorDesc& desc, const std::vector<int64_t>& dims, Range room, size_t record_at) const;
  std::vector<int64_t> capacity(const vpu::BlobBuffer& record, Range room) const;
  std::vector<int64_t> read_dims(const vpu::BlobBuffer& record, Range room) const;

  const vpu::Blob& blob_;
  ZeroedBytes input_, output_, bss_, cmx_;
  std::vector<int64_t> output_items_;
  int64_t cmx_begin_ = 0;  ///< no stage uses what lies before; buffers are given out from the end
  int64_t item_ = 0;
};

}  // namespace blobsmith::emulator
