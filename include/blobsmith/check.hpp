// Every problem of a model in one run, layer by layer, without making a blob.
//
// Threads: calls are independent of each other; one call uses one thread.
#pragma once
#include "blobsmith/convert.hpp"
#include "blobsmith/error.hpp"

namespace blobsmith {

struct CheckOptions {
  std::map<std::string, Shape> input_shapes{};
  ConversionOptions conversion{};
  CameraOptions camera{};
  bool fix = true;  ///< false: as compile() judges: no rewrites, Intel's known wrong results
  Control control{};
};

struct CheckedLayer : LayerInfo {
  enum class Status {
    Supported,
    Fixed,        ///< supported after a rewrite that convert() does by itself; `fix`: which
    Unsupported,  ///< a problem names it
    NotChecked,   ///< it reads what an unsupported layer gives, so that nothing can be said of it
  };
  Status status = Status::Supported;
  std::string fix;
};
const char* to_string(CheckedLayer::Status s);

struct CheckProblem {
  Error error;
  int layer = -1;                     ///< in CheckResult::layers; -1: of the network as a whole
  std::string nearest{};              ///< the form of the layer that is supported; "" where none is known
  std::vector<std::string> cut_at{};  ///< what the layer reads: ConversionOptions::outputs that leave it out
};

struct CheckResult {
  std::vector<TensorInfo> inputs, outputs;  ///< of the model, as far as it could be read
  std::vector<CheckedLayer> layers;         ///< in network order; `inputs`, `outputs` empty where one could not be read
  std::vector<CheckProblem> problems;       ///< in network order
  std::vector<Remark> remarks;              ///< WrongResult: what a blob would compute differently from the model

  bool compiles() const { return problems.empty(); }
  int count(CheckedLayer::Status s) const;
};

/// Throws Error for what concerns the file as a whole or the options.
CheckResult check(const ModelFile& model, const CheckOptions& options = {});

}  // namespace blobsmith
