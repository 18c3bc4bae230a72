// Values for the inputs of a run: given in memory, read from files, or random numbers.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "blobsmith/emulator.hpp"
#include "blobsmith/tensor.hpp"

namespace blobsmith {

struct InputOptions {
  /// By input, in framework order, as many as the input has.
  std::map<std::string, std::vector<float>> values{};
  /// "NAME=FILE": a .npy or .npz array, a picture (PNG, JPEG; resized to the input), or the bytes themselves; NAME= may
  /// be left out where there is one input. "FILE.npz": all inputs that it has arrays for.
  std::vector<std::string> files{};
  bool random = false;  ///< numbers for the inputs not given: 0..255 for U8, 0 or 1 for S32, [-1, 1) for others
  uint32_t seed = 0;    ///< of those: the same numbers for one seed everywhere
  bool rgb = false, letterbox = false;  ///< of pictures: RGB instead of BGR; keep the proportions and fill the rest
  std::vector<float> mean{}, scale{};   ///< of pictures: (value - mean) / scale; one number, or one per channel
};

/// Something with inputs to fill.
class InputTarget {
 public:
  virtual ~InputTarget() = default;
  virtual const std::vector<TensorInfo>& inputs() const = 0;
  /// `next` fills one span of values after another, in framework order.
  virtual void set_input(const TensorInfo& input, const std::function<void(std::span<float>)>& next) = 0;
  virtual void set_integers(const TensorInfo& input, std::span<const int32_t> values) = 0;
};

/// Sets every input. Throws BadInputName for a name that is none and for an input without values, BadTensorFile or
/// ShapeMismatch for values that don't fit. Returns what users should know: inputs of bytes whose values were rounded,
/// or brought into the range from 0 to 255.
std::vector<std::string> set_inputs(InputTarget& target, const InputOptions& options);
std::vector<std::string> set_inputs(Emulator& emulator, const InputOptions& options);

/// How many values a tensor has.
int64_t count_of(const TensorInfo& t);

}  // namespace blobsmith
