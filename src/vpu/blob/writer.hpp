// Program -> the bytes of a blob (blob-format spec).
#pragma once
#include <cstdint>
#include <vector>

#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

/// The program must have passed allocate_resources.
std::vector<uint8_t> write_blob(Program& program);

}  // namespace blobsmith::vpu
