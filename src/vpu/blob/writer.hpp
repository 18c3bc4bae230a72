// Program -> the bytes of a blob (blob-format spec).
#pragma once
#include "core/chunked_bytes.hpp"
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

/// Large constants are shared with the program, not copied. The program must have passed allocate_resources.
ChunkedBytes write_blob(Program& program);

}  // namespace blobsmith::vpu
