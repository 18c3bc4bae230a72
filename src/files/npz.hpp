// NumPy's .npz files: ZIP archives of .npy files, stored or deflated.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "files/npy.hpp"

namespace blobsmith {

/// true if the bytes begin like a ZIP archive.
bool looks_like_npz(const Bytes& file);
/// All arrays by name, without ".npy", in the order of the archive. Throws BadTensorFile.
std::vector<std::pair<std::string, NpyArray>> read_npz(const Bytes& file);

}  // namespace blobsmith
