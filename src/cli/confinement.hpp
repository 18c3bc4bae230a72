// What a process gives up before it reads files of strangers. Nothing of it can be taken back.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace blobsmith::cli {

struct Confinement {
  std::string folder;              ///< the only place where files are made, read and written
  std::vector<std::string> files;  ///< that may be read beside it
  uint64_t memory_bytes = 0;       ///< address space; 0: as it is
  uint64_t file_bytes = 0;         ///< size of a file that is written
  uint64_t seconds = 0;            ///< of processor time
  int system_call_filter = -1;     ///< descriptor of a compiled filter (seccomp's BPF program); -1: none
};

/// Names of the layers that hold from now on: "rlimits", "no_new_privileges", "landlock", "seccomp". A layer that this
/// system doesn't have is left out.
std::vector<std::string> confine(const Confinement& c);

}  // namespace blobsmith::cli
