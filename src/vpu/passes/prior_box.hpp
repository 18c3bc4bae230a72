// Anchor boxes of SSD networks, computed at compile time (middle-end spec §3.5.1).
#pragma once
#include "core/bytes.hpp"
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

Bytes prior_box_content(const Stage& s);
Bytes prior_box_clustered_content(const Stage& s);

}  // namespace blobsmith::vpu
