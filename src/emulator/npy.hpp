// NumPy's .npy files.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/bytes.hpp"

namespace blobsmith {

/// An array in C order, widened to double-free types: integers as int64_t, everything else as float.
struct NpyArray {
  std::vector<int64_t> shape;
  std::string dtype;  ///< as in the file, "<f4"
  bool is_integer = false;
  std::vector<float> floats;      ///< always filled
  std::vector<int64_t> integers;  ///< of integer and bool arrays (exact)
};

/// true if the bytes begin like a .npy file.
bool looks_like_npy(const Bytes& file);
/// Types f2 f4 f8, i1..i8, u1..u8, b1, either byte order, C or Fortran order, versions 1 to 3. Throws BadTensorFile.
NpyArray read_npy(const Bytes& file);
/// A version 1 file of FP32 values.
std::vector<uint8_t> write_npy(std::span<const float> values, const std::vector<int64_t>& shape);

}  // namespace blobsmith
