// Whether the names of an HDF5 file's groups lie inside of it.
#pragma once
#include <cstdint>
#include <span>

namespace blobsmith::keras_file {

/// Throws FileCorrupt where a name that a group refers to starts or ends outside of the group's names.
void check_names_of_groups(std::span<const uint8_t> file);

}  // namespace blobsmith::keras_file
