// What `blobsmith run` was asked to do, and the parts that do it.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "blobsmith/emulator.hpp"

namespace CLI {
class App;
}

namespace blobsmith::cli {

struct RunOptions {
  std::string blob, output_dir;
  std::vector<std::string> inputs, expect, dump_stages, assume;
  std::vector<float> mean, scale;  ///< of pictures: (value - mean) / scale
  bool rgb = false, random = false, letterbox = false, avg_exclude_pad = false, check_memory = false, profile = false,
       json = false;
  std::string sort = "time";  ///< of the profile: "time" or "order"
  int threads = 0, repeat = 1;
  uint32_t seed = 0;
  double tolerance = 0.01;  ///< of --expect, relative to an output's largest value
};

/// Declares --input and how pictures are read.
void add_input_options(CLI::App& app, RunOptions& options);

/// Something with inputs to fill: an emulator, or the reference executor.
class InputTarget {
 public:
  virtual ~InputTarget() = default;
  virtual const std::vector<TensorInfo>& inputs() const = 0;
  /// `next` fills one span of values after another, in framework order.
  virtual void set_input(const TensorInfo& input, const std::function<void(std::span<float>)>& next) = 0;
  virtual void set_integers(const TensorInfo& input, std::span<const int32_t> values) = 0;
};

/// Sets every input of the network from the files named (run_inputs.cpp).
void set_inputs(InputTarget& target, const RunOptions& options);
void set_inputs(Emulator& emulator, const RunOptions& options);

int64_t count_of(const TensorInfo& t);                      ///< elements
std::string shape_text(const std::vector<int64_t>& shape);  ///< "1x3x224x224"
/// A name of a layer or stage as a file name.
std::string as_file_name(std::string name);

}  // namespace blobsmith::cli
