// Cuts an ONNX model where operators can't be compiled: what the chip computes, and what a host computes before and
// after it, each as a model of its own.
//
// Every operator has a level: how many of those that can't be compiled lie on a way to it, at most. The chip's part is
// one level without them, that with the most weights; what lies below goes before it, the rest after it:
//
//   x ─ Decode* ─ Conv ─ Conv ─ Unique* ─ Gather    before: Decode; chip: Conv, Conv; after: Unique, Gather
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "importers/common/model_files.hpp"
#include "importers/onnx/file.hpp"

namespace blobsmith::onnx_file {

struct Part {
  std::vector<size_t> operators;             ///< in the order of the file; constants may be in several parts
  std::vector<std::string> inputs, outputs;  ///< tensors that come from outside, and that others or the user need
};
struct Parts {
  Part before, chip, after;
};

/// `refused`: operators by their number; `first`: the chip's part is the level that nothing goes before, whatever its
/// weights. It is empty where nothing is left.
Parts split(const Model& model, const std::vector<size_t>& refused, bool first = false);

/// A part as the bytes of a model. What `known` and the file say of its inputs is stated; weights of other files are
/// taken in.
std::vector<uint8_t> part_of_model(const Bytes& file, const Model& model, const Part& part,
                                   const std::map<std::string, ValueInfo>& known);

}  // namespace blobsmith::onnx_file
