// How long the lines of a plane should be that a product of many rows becomes.
#pragma once
#include <cstdint>
#include <span>

namespace blobsmith::legalise_rows {

/// x [rows, in] by a constant [in, out].
struct Product {
  int64_t rows, in, out;
  int64_t item = 0;        ///< rows of each of several items (windows) that Transposes beside it take apart; 0: none
  bool activated = false;  ///< x is another product's result, element by element
};

/// The divisor of the rows with which the convolution engine takes least time, as `estimate` models it, with the memory
/// of six slices. Of products of the same rows, whose planes are to be alike.
int64_t line_length(std::span<const Product> products);

/// Whether the input of a plane lies in the chip's memory beside a tile of its output: otherwise each of the engine's
/// descriptors reads it again from DDR.
bool lies_near(const Product& p, int64_t width);

}  // namespace blobsmith::legalise_rows
