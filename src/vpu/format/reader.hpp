// The bytes of a .blob file -> Blob.
#pragma once
#include "core/bytes.hpp"
#include "vpu/format/blob.hpp"

namespace blobsmith::vpu {

/// Decodes every record of a blob of OpenVINO 2020.4 .. 2022.1. Whatever the bytes are: a complete Blob, or an Error
/// (BadBlob, FileTruncated) that names the offset. Constants are checked to lie inside the file; where buffers lie in
/// the other memories is for the emulator to check.
Blob read_blob(const Bytes& file);

}  // namespace blobsmith::vpu
