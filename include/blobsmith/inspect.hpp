// What is in a blob, of blobsmith or of Intel, OpenVINO 2020.1 to 2022.1.
//
// Threads: calls are independent of each other.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "blobsmith/compile.hpp"

namespace blobsmith {

struct StageInfo {
  std::string type;  ///< "MyriadXHwOp"
  int shaves = 0;
  int64_t file_offset = 0, bytes = 0;  ///< of its record in the file
  bool injected = false;               ///< another stage rides on it
};

class BlobInfo {
 public:
  std::string version;  ///< "6.0", or the OpenVINO version that it states
  int64_t file_size = 0;
  int shaves = 0, slices = 0, batch = 1;
  int64_t inputs_size = 0, outputs_size = 0, bss_size = 0;  ///< bytes
  std::vector<BlobPort> inputs, outputs;                    ///< their shape is empty where it is known at run time only
  std::vector<StageInfo> stages;
  bool complete = false;              ///< every byte of the file is accounted for
  std::vector<std::string> problems;  ///< of that account

  /// Everything (stages with parameters and buffers, every byte) as one JSON object, or for people.
  std::string json() const;
  std::string text() const;

  struct Impl;
  std::shared_ptr<const Impl> impl;  ///< for the library
};

/// Throws Error: FileNotFound, or BadBlob, naming the byte where the file can't be what a compiler wrote.
BlobInfo inspect(const std::string& path);
BlobInfo inspect(std::span<const uint8_t> file);

}  // namespace blobsmith
