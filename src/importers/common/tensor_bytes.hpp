// Checked reading of the values of tensors: counts and places come from files.
#pragma once
#include <optional>
#include <string>

#include "graph/graph.hpp"

namespace blobsmith::importers {

/// The size of a tensor's values. Throws ShapeMismatch naming `who` where it overflows.
uint64_t bytes_of(ElementType type, const Shape& shape, const std::string& who);
/// A part of a file, without copying; nothing where the file ends before it does.
std::optional<Bytes> part_of(const Bytes& file, uint64_t offset, uint64_t size);
/// A part of a file, where it lies if that place suits elements of `width` bytes; else a copy, of a large one when it
/// is read.
Bytes placed(const Bytes& part, size_t width);

}  // namespace blobsmith::importers
