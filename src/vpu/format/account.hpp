// What every byte of a blob is for.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "vpu/format/blob.hpp"

namespace blobsmith::vpu {

struct ByteAccount {
  struct Section {
    std::string name;
    size_t begin = 0, end = 0, padded_end = 0;  ///< in the file; `end` is where its records end
  };
  enum class Kind { Constant, Dims, Strides, UnmentionedConstant, UnmentionedShapes, Padding, Unexplained };
  /// A part of the const section. Dims and strides records that follow each other directly are one region each.
  struct Region {
    Kind kind = Kind::Padding;
    size_t begin = 0, end = 0;       ///< relative to the const section
    std::vector<std::string> users;  ///< of a constant: "12:in1", "12i:in0" for the stage injected into 12
  };
  std::vector<Section> sections;
  std::vector<Region> constants;
  size_t padding = 0, unmentioned_constants = 0, unmentioned_shapes = 0, unexplained = 0;  ///< bytes of the whole file
  std::vector<std::string> problems;  ///< deviations from what Intel's compiler writes

  bool complete() const { return unexplained == 0 && problems.empty(); }
};

/// Unmentioned are: constants of stages that don't write them (axes of MVN), shape words of data that no record names
/// (absent inputs, data between stages that write nothing); blob-format spec §10.
ByteAccount account_bytes(const Blob& blob);
const char* to_string(ByteAccount::Kind k);

}  // namespace blobsmith::vpu
