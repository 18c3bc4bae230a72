// Runs a MyriadX blob on this computer, from the blob's bytes alone. The library is the CMake target
// blobsmith::emulator; examples/emulator.cpp shows its use, docs/emulator.md says how close it is to the device.
//
// Errors are blobsmith::Error, whose what() names the stage; nothing else is thrown but what a hook throws. After an
// error an Emulator can be used on: the next run() begins anew.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "blobsmith/error.hpp"
#include "blobsmith/progress.hpp"
#include "blobsmith/tensor.hpp"

namespace blobsmith {

/// What is not known of the chip's arithmetic: the defaults are the most exact choice, the others exist to measure how
/// much a result depends on it (docs/emulator.md).
struct ArithmeticOptions {
  bool fp16_sums = false;        ///< convolutions round their sum to FP16 after every input channel; else sums are FP32
  bool saturate = false;         ///< FP16 results beyond 65504 become 65504; else infinite
  bool flush_denormals = false;  ///< FP16 results below 2^-14 become 0
};

struct EmulatorOptions {
  /// Average pools of the hardware divide by the whole kernel, borders included, even where the model excludes padding
  /// (execution spec §2.2). true: by the number of valid elements instead, as the model means.
  bool avg_exclude_pad = false;
  /// Fills all memories with NaN before every run: a stage that reads what nobody has written shows up.
  bool fill_with_nan = false;
  ArithmeticOptions arithmetic{};
  /// Keeps account of every byte during runs: see Emulator::memory_reports. Several times slower, 8 bytes per byte.
  bool check_memory = false;
  int threads = 0;  ///< 0: one per processor
};

/// One stage, just run. Blobs hold no layer names: a stage is known by its number, type and the outputs that it writes.
struct StageEvent {
  int index = 0;          ///< in the blob, from 0
  bool injected = false;  ///< the stage that rides on hardware stage `index`
  std::vector<int> turn;  ///< batch item (when there are several), then iterations of the loops around
  std::string type;       ///< "MyriadXHwOp"
  std::vector<std::string> network_outputs;  ///< those that it wrote, or wrote a part of
  double milliseconds = 0;                   ///< of the stage alone
  /// Tensors in framework order, named by their role in the stage ("in0", "out0", "input"); read when called, and
  /// callable until the hook returns. `inputs` are those the stage has read, constants excepted.
  std::function<std::vector<FloatTensor>()> inputs, outputs;

  /// "12-SoftMax", "12-injected-Copy"; with the turn behind it where there is one: "12-SoftMax@0.3".
  std::string label() const;
};

/// A fault in the use of memory that a device would not report. Reports of one stage, buffer and kind are one.
struct MemoryReport {
  enum class Kind {
    Unwritten,        ///< reads what no stage has written
    Overlap,          ///< goes over values that are still needed, or reads what another writes at the same time
    Outside,          ///< beyond the declared size of a network input or output, or of the memory
    Alignment,        ///< elements off their size; rows of the convolution engine off 16 bytes
    OutputUnwritten,  ///< no stage has written (all of) a network output
  };
  Kind kind = Kind::Unwritten;
  int stage = 0;  ///< -1 for OutputUnwritten
  bool injected = false;
  std::string type, buffer;  ///< "Copy", "in0"; the output's name for OutputUnwritten
  std::string memory;        ///< "BSS", "CMX", "Input", "Output"
  int64_t first = 0, last = 0,
          bytes = 0;  ///< first and last byte within the memory, and how many between are concerned
  std::string other;  ///< the tensor met there: "12-Copy.out0"

  std::string text() const;
};

/// Memory is allocated once, at construction: the blob's inputs, outputs, BSS and CMX and a copy of the file; run as
/// often as wanted. One Emulator is not for use by several threads at once; several Emulators are independent of each
/// other, and one uses EmulatorOptions::threads threads itself. The result does not depend on their number.
class Emulator {
 public:
  /// Of a .blob file, which is mapped. Throws Error naming it.
  static Emulator open(const std::string& path, EmulatorOptions options = {});
  /// `file`: the bytes of a blob, which are copied. Throws Error (BadBlob) when they can't be what a compiler wrote.
  explicit Emulator(std::span<const uint8_t> file, EmulatorOptions options = {});
  ~Emulator();
  Emulator(Emulator&&) noexcept;
  Emulator& operator=(Emulator&&) noexcept;

  const std::vector<TensorInfo>& inputs() const;
  /// Without the "@shape" companions of dynamic outputs; the shapes of those are upper bounds.
  const std::vector<TensorInfo>& outputs() const;

  /// Values in framework order, as many as the input has. Converted to the input's type: floats to U8 are rounded to
  /// the nearest even number and cut to 0..255. Throws BadInputName or ShapeMismatch.
  void set_input(std::string_view name, std::span<const float> values);
  void set_input(std::string_view name, std::span<const uint8_t> values);
  void set_input(std::string_view name, std::span<const int32_t> values);
  /// The same without all values in memory at once: `next` is called to fill one span after another, in framework
  /// order.
  void set_input(std::string_view name, const std::function<void(std::span<float>)>& next);

  /// Runs the network. Throws NotYetSupported for a stage that can't be emulated (custom kernels), naming it.
  void run(const Control& control = {});

  /// The values of the last run in framework order (NCHW), widened to float; a dynamic output has its real shape.
  /// Throws BadInputName.
  FloatTensor output(std::string_view name) const;
  /// The same without all values in memory at once: `take` is called with one span after another, in framework order.
  void output(std::string_view name, const std::function<void(std::span<const float>)>& take) const;
  /// The real shape of an output in the last run.
  std::vector<int64_t> output_shape(std::string_view name) const;

  /// What was found in all runs so far, in stage order; empty unless EmulatorOptions::check_memory.
  std::vector<MemoryReport> memory_reports() const;

  /// What an input holds: the values set, in its type.
  FloatTensor input(std::string_view name) const;
  /// How many stages the blob has; StageEvent::index is below it.
  int stage_count() const;

  /// Called after every stage of a run; an empty function ends it.
  void on_stage(std::function<void(const StageEvent&)> hook);

 private:
  friend struct EmulatorAccess;  ///< for the library: emulator/access.hpp
  Emulator() = default;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace blobsmith
