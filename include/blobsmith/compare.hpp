// A blob, layer by layer, against the model that it was made of.
//
// Threads: calls are independent of each other; one call uses CompareOptions::threads threads itself.
#pragma once
#include "blobsmith/convert.hpp"
#include "blobsmith/inputs.hpp"

namespace blobsmith {

/// One tensor on both sides. Errors are of the values that are finite on both.
struct LayerResult {
  std::string name, type;  ///< of the layer; its operation
  Shape shape;
  bool is_output = false;
  int stage = -1;  ///< of the blob, after which it is complete; -1: not known
  int64_t count = 0;

  double largest = 0;         ///< magnitude, in the model
  double max_error = 0;       ///< absolute
  double mean_error = 0;      ///< absolute
  double relative_error = 0;  ///< root of the squared errors' sum, over that of the model's squared values
  double cosine = 1;
  int64_t worst_at = 0;                   ///< element with the largest error
  float model_value = 0, blob_value = 0;  ///< there

  int64_t overflows = 0;      ///< too large for FP16 in the model, or infinite in the blob alone
  int64_t flushed = 0;        ///< zero in the blob, too small for a normal FP16 number in the model
  int64_t nans = 0;           ///< not a number in the blob, but one in the model
  int64_t model_special = 0;  ///< infinite or not a number in the model
  int64_t differing = -1;     ///< of whole numbers (labels, positions), which are equal or not; -1: real numbers
  double rounding = -1;       ///< relative error that rounding every tensor to FP16 alone gives; -1: not looked at
  bool within = true;         ///< of the tolerance, or of twice what that rounding gives; labels: all but 1 %
};

/// A tensor that could not be compared with the model.
struct Skipped {
  std::string name, why;
  bool is_output = false;  ///< of the network: then the blob was made of another model
};

/// A layer that the blob computes together with one behind it, so that its own values are never in memory.
struct Inside {
  std::string name, type;
  std::string shows_in;  ///< the first compared layer that its values reach; empty where none does
};

struct Comparison {
  std::vector<LayerResult> layers;  ///< in the order in which the blob has them ready, as far as that is known
  std::vector<Skipped> skipped;
  int model_layers = 0;        ///< layers of the model whose values depend on the inputs
  int compared_layers = 0;     ///< of these
  std::vector<Inside> inside;  ///< the others, in the order of the model
  double blob_milliseconds = 0, model_milliseconds = 0;

  const LayerResult* first_outside() const;  ///< the first layer that leaves the tolerance, or null
  bool outputs_within() const;
};

struct CompareOptions {
  std::string
      blob{};  ///< a .blob made of the model, of blobsmith or of Intel; "": the model is compiled as by convert()
  std::map<std::string, Shape> input_shapes{};
  ConversionOptions conversion{};  ///< of both sides
  CameraOptions camera{};          ///< that the blob is (or was) compiled with
  bool quirks = false;             ///< compile with the known wrong results of Intel's tools (docs/quirks.md)
  InputOptions inputs{.random = true};
  double tolerance = 0.02;  ///< of LayerResult::relative_error
  int threads = 0;          ///< 0: one per processor
  Control control{};
};

struct CompareResult {
  Comparison comparison;
  bool traced = true;          ///< false: the blob was made in another way, so that only its outputs could be compared
  std::vector<Remark> faults;  ///< WrongResult: layers that the blob is known to compute otherwise
  std::vector<std::string> advice;  ///< what to do, most important first
};

/// Throws Error or ErrorList as convert() and Emulator do, and BadInputName where blob and model don't belong together.
CompareResult compare(const ModelFile& model, const CompareOptions& options = {});

}  // namespace blobsmith
