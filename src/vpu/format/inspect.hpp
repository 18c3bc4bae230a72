// A Blob for people and for scripts.
#pragma once
#include <string>

#include "vpu/format/blob.hpp"

namespace blobsmith::vpu {

/// Header, inputs and outputs, every stage with parameters and buffers, and what every byte is for.
std::string inspect_text(const Blob& blob);
/// The same as one JSON object.
std::string inspect_json(const Blob& blob);

}  // namespace blobsmith::vpu
