// What `blobsmith run` was asked to do, and the parts that do it.
#pragma once
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "blobsmith/emulator.hpp"

namespace blobsmith::cli {

struct RunOptions {
  std::string blob, output_dir;
  std::vector<std::string> inputs, dump_stages;
  bool rgb = false, letterbox = false, avg_exclude_pad = false, profile = false, json = false;
  std::string sort = "time";  ///< of the profile: "time" or "order"
  int threads = 0, repeat = 1;
};

/// Sets every input of the network from the files named (run_inputs.cpp).
void set_inputs(Emulator& emulator, const RunOptions& options);

std::string shape_text(const std::vector<int64_t>& shape);  ///< "1x3x224x224"
/// A name of a layer or stage as a file name.
std::string as_file_name(std::string name);

}  // namespace blobsmith::cli
