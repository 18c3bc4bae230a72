// Files as the library reads and writes them: whole, never a part under their name; and NumPy's arrays.
//
// Threads: calls are independent of each other.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "blobsmith/tensor.hpp"

namespace blobsmith {

/// Throws Error: FileNotFound, FileNotReadable, FileTooLarge (more than `most` bytes).
std::vector<uint8_t> load_file(const std::string& path, uint64_t most = uint64_t{1} << 32);
/// Writes beside `path` and renames. Throws FileNotWritable.
void save_file(const std::string& path, std::string_view contents);
/// Creates a folder and its parents. Throws FileNotWritable.
void make_folder(const std::string& path);

/// The array of a .npy file, without a name, or all of a .npz archive with theirs, in its order. Numbers of any type,
/// widened or rounded to float. Throws BadTensorFile.
std::vector<FloatTensor> load_arrays(const std::string& path);
/// Calls its argument with one span of values after another, in C order.
using ValueSource = std::function<void(const std::function<void(std::span<const float>)>&)>;
/// A .npy file of FP32 values, without all of them in memory at once. Throws FileNotWritable.
void save_npy(const std::string& path, const Shape& shape, const ValueSource& values);

}  // namespace blobsmith
