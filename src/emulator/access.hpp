// What the library itself asks of an Emulator beyond its public face.
#pragma once
#include "blobsmith/emulator.hpp"
#include "vpu/format/blob.hpp"

namespace blobsmith {

struct EmulatorAccess {
  /// Of a blob that has been read. Throws Error (BadBlob) when a buffer lies outside its memory.
  static Emulator make(vpu::Blob blob, EmulatorOptions options = {});
  /// Any tensor by its record, as it is in memory now: within a hook, after the stage before. Throws BadBlob when the
  /// record lies outside its memory.
  static FloatTensor tensor(const Emulator& emulator, const vpu::BlobBuffer& record);
};

}  // namespace blobsmith
