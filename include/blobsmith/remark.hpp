// What there is to say of single layers of a model, problems (blobsmith/error.hpp) apart.
#pragma once
#include <string>

namespace blobsmith {

struct Remark {
  enum class Kind {
    Rewritten,    ///< the VPU lacks the layer: it became other operations, exactly; `what`: which
    OfTarget,     ///< the layer is what only the chosen OpenVINO version has; `what`: what others would need
    NotAsIntel,   ///< Intel's tools would compute something else than the model; `what`: what is done instead
    WrongResult,  ///< the blob computes something else than the model, as Intel's would; `what`: what
    RawPicture,   ///< an input takes a camera's bytes, 0 to 255, which nothing normalises; `what`: what to state
    Unreadable,   ///< the layer can't be read and was left out; the problem with the same `source` says why
    NotChecked,   ///< the layer reads the result of one that was left out, so that nothing can be said of it
  };
  Kind kind = Kind::Rewritten;
  std::string layer{}, type{};
  std::string source{};  ///< the layer of the user's model, as in Error::source
  std::string what{};
  double max_error = 0;    ///< of Rewritten: against the operation in FP32, over sample values
  bool avoidable = false;  ///< of WrongResult: not where known wrong results are avoided (`convert`)

  /// `LRN "norm1": the k of LRN loses its fraction`.
  std::string text() const { return type + " \"" + layer + "\": " + what; }
};

}  // namespace blobsmith
