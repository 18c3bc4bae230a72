// NumPy's .npy files.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/bytes.hpp"

namespace blobsmith {

/// The type of an array's elements.
struct NpyType {
  char kind = 'f';  ///< f i u b
  size_t size = 4;
  bool swapped = false;
};

/// An array; its values stay in the file's bytes and are decoded when asked for, by their place in C order.
struct NpyArray {
  std::vector<int64_t> shape;
  std::string dtype;  ///< as in the file, "<f4"
  NpyType type;
  bool fortran = false;
  Bytes data;

  bool is_integer() const { return type.kind != 'f'; }
  int64_t count() const { return static_cast<int64_t>(data.size() / type.size); }
  float number(int64_t i) const;     ///< of integers: the nearest
  int64_t integer(int64_t i) const;  ///< of integer and bool arrays
};

/// true if the bytes begin like a .npy file.
bool looks_like_npy(const Bytes& file);
/// Types f2 f4 f8, i1..i8, u1..u8, b1, either byte order, C or Fortran order, versions 1 to 3. Throws BadTensorFile.
NpyArray read_npy(const Bytes& file);
/// The beginning of a version 1 file of FP32 values, which follow it in C order.
std::vector<uint8_t> npy_header(const std::vector<int64_t>& shape);

}  // namespace blobsmith
