// What `blobsmith run` was asked to do.
#pragma once
#include <string>
#include <vector>

#include "blobsmith/inputs.hpp"
#include "cli/cli.hpp"

namespace blobsmith::cli {

struct RunArguments {
  std::string file, output_dir;  ///< a blob or a model
  InputOptions inputs;
  ModelOptions model;  ///< of a model: shapes of its inputs, and what its framework takes
  std::vector<std::string> expect, dump_stages, assume;
  bool avg_exclude_pad = false, check_memory = false, profile = false, json = false;
  std::string sort = "time";  ///< of the profile: "time" or "order"
  int threads = 0, repeat = 1;
  double tolerance = 0.01;  ///< of --expect, relative to an output's largest value
};

/// A name of a layer or stage as a file name.
std::string as_file_name(std::string name);

}  // namespace blobsmith::cli
