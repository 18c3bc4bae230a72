// Errors: values with an address (file, layer, type), a code users can look up, and a hint.
#pragma once
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace blobsmith {

/// Stable numbers, printed as "BS2003". The thousands digit is the room:
/// 1 input files, 2 layers, 3 types and shapes, 4 options, 5 resources, 9 our own bugs.
enum class ErrorCode : int {
  FileNotFound = 1001,
  FileNotReadable = 1002,
  FileNotWritable = 1003,
  FileTooLarge = 1004,
  FileTruncated = 1005,
  FileCorrupt = 1006,
  UnknownFormat = 1007,
  MissingWeights = 1008,
  BadXml = 1010,
  BadOnnx = 1020,
  BadBlob = 1030,
  BadTensorFile = 1040,
  UnknownOperation = 2001,
  UnsupportedLayer = 2003,
  NotYetSupported = 2004,
  BadAttribute = 2005,
  BadGraph = 2006,
  TypeMismatch = 3001,
  ShapeMismatch = 3002,
  UnknownOption = 4001,
  BadOptionValue = 4002,
  BadInputName = 4003,
  NotEnoughResources = 5001,
  AllocationFailed = 5002,
  Internal = 9001,
};

/// What went wrong, where, why, and what to do. Thrown; never printed below src/cli.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, std::string what) : std::runtime_error(std::move(what)), code_(code) {}

  Error& in_file(std::string v) {
    file_ = std::move(v);
    return *this;
  }
  Error& at_layer(std::string name, std::string type) {
    layer_ = std::move(name);
    type_ = std::move(type);
    return *this;
  }
  Error& because(std::string v) {
    why_ = std::move(v);
    return *this;
  }
  Error& hint(std::string v) {
    hint_ = std::move(v);
    return *this;
  }

  ErrorCode code() const { return code_; }
  const std::string& file() const { return file_; }
  const std::string& layer() const { return layer_; }
  const std::string& layer_type() const { return type_; }
  const std::string& why() const { return why_; }
  const std::string& hint() const { return hint_; }
  bool has_address() const { return !layer_.empty(); }

 private:
  ErrorCode code_;
  std::string file_, layer_, type_, why_, hint_;
};

/// Several problems of one model, found in one run, in network order.
class ErrorList : public std::runtime_error {
 public:
  explicit ErrorList(std::vector<Error> errors)
      : std::runtime_error(errors.empty() ? "" : errors.front().what()), errors_(std::move(errors)) {}
  const std::vector<Error>& errors() const { return errors_; }

 private:
  std::vector<Error> errors_;
};

/// `Failed to compile layer "X": unsupported layer type "Y"`: the words users search for.
Error unsupported_layer(std::string_view layer, std::string_view type);
/// `Failed to compile layer "X": <what>` for a layer of a known type in a form that can't be compiled.
Error cannot_compile(std::string_view layer, std::string_view type, std::string_view what);
/// `not yet supported: <what>, layer "X"`: Intel's compiler takes it, this program does not so far.
Error not_yet_supported(std::string_view layer, std::string_view type, std::string_view what);
/// A broken invariant of this program (exit code 70).
Error internal_error(std::string_view what);

/// Throws internal_error unless `condition` holds.
inline void ensure(bool condition, std::string_view what) {
  if (!condition) throw internal_error(what);
}

}  // namespace blobsmith
