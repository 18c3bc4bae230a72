// Files: read whole (mapped), write whole (temporary file, then rename).
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "core/chunked_bytes.hpp"

namespace blobsmith {

/// Maps a regular file for reading. Throws FileNotFound, FileNotReadable or FileTooLarge, naming the path.
Bytes read_file(const std::string& path, uint64_t max_size = uint64_t{1} << 32);
bool file_exists(const std::string& path);
/// Writes `data` beside `path` and renames it into place: never leaves a part of a file. Throws FileNotWritable.
void write_file(const std::string& path, std::span<const uint8_t> data);
void write_file(const std::string& path, const ChunkedBytes& data);
void write_file(const std::string& path, const std::string& text);
/// The same in parts: `produce` hands them to its argument one after another.
void write_file(const std::string& path,
                const std::function<void(const std::function<void(std::span<const uint8_t>)>&)>& produce);
/// Creates a folder and its parents. Throws FileNotWritable.
void make_folder(const std::string& path);

}  // namespace blobsmith
