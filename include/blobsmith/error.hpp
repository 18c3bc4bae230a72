// Errors: values with an address (file, layer, type), a code that users can look up, and a hint. Every function of the
// library that fails throws Error, or ErrorList where it found several problems of one model; both are
// std::runtime_error. Nothing else is thrown but std::bad_alloc and what a caller's own callback throws.
#pragma once
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace blobsmith {

/// Stable numbers, printed as "BS2003". The thousands digit is the room:
/// 1 input files, 2 layers, 3 types and shapes, 4 options, 5 resources, 6 calls that were stopped, 9 our own bugs.
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
  Cancelled = 6001,
  Internal = 9001,
};

/// What went wrong, where, why, and what to do: what() is one message, the other parts are for those who show more.
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
  Error& from(std::string source) {
    source_ = std::move(source);
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
  const std::string& layer() const { return layer_; }  ///< as the compiler calls it; empty: of the model as a whole
  const std::string& layer_type() const { return type_; }
  /// The layer of the user's model that it comes from, as messages name it: `node "/head/Resize" (Resize-13)`.
  const std::string& source() const { return source_; }
  const std::string& why() const { return why_; }
  const std::string& hint() const { return hint_; }
  bool has_address() const { return !layer_.empty(); }

 private:
  ErrorCode code_;
  std::string file_, layer_, type_, source_, why_, hint_;
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

/// What an error code means, for users who look one up.
struct ErrorCodeRow {
  ErrorCode code;
  std::string_view meaning;
  std::string_view remedy;
};

/// "BS2003".
std::string error_name(ErrorCode code);
/// In the order of the numbers.
std::span<const ErrorCodeRow> error_codes();
/// Of the thousands digit: "input files".
std::string_view error_group(ErrorCode code);

}  // namespace blobsmith
