// Reads a trained network of any format that there is a reader for. formats.cpp is the table of formats.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "blobsmith/model_file.hpp"
#include "core/diagnostics.hpp"
#include "graph/graph.hpp"
#include "importers/model_optimizer/options.hpp"

namespace blobsmith {

/// Of Intel's two ways from a framework to a network, which give different blobs.
enum class ImportAs {
  ModelOptimizer,   ///< as the offline converter with --data_type FP16: what `convert` does
  InferenceEngine,  ///< as the importer inside Intel's compiler: what `compile` does; takes no other options
};

struct ImportOptions {
  ImportAs as = ImportAs::ModelOptimizer;
  const Release* release = &kRelease2021;       ///< of OpenVINO, whose rules decide
  std::optional<bool> runtime_1_0{};            ///< by way of the first runtime interface; none: as the format is read
  std::map<std::string, Shape> input_shapes{};  ///< by input; needed where the model leaves a dimension open
  model_optimizer::CutOptions cut{};
  model_optimizer::PreprocessOptions preprocess{};
  model_optimizer::RewriteOptions rewrites{};
  model_optimizer::FrameworkOptions framework{};
  bool half_precision = true;       ///< constants rounded to FP16; false: as precise as in the file
  bool strip_quantization = false;  ///< activations stay as they are between QuantizeLinear and DequantizeLinear
  bool quirks = false;              ///< reproduce known wrong results of Intel's importers (docs/quirks.md)
  /// Where layers that can't be read are noted, and left out; null: they are thrown.
  Diagnostics* problems = nullptr;
};

struct Imported {
  Graph graph;
  /// Layers that are converted differently from Model Optimizer, whose way would compute something else than the model.
  std::vector<Remark> notes{};
  bool runtime_2_0 = false;                       ///< it is to be compiled by way of the second runtime interface
  std::map<std::string, std::string> metadata{};  ///< what the file says of the network beside it (ONNX)
};

/// Picks the reader by the file's name, else by its first bytes. Throws Error or ErrorList: FileNotFound, UnknownFormat
/// with what to do, what is wrong with the file, every operator that is not known.
Imported import_model(const ModelFile& file, const ImportOptions& options = {});

/// True for the names of files that hold models, also of formats that can't be read.
bool is_model_file(std::string_view path);
/// "ONNX (.onnx), OpenVINO IR (.xml)": what can be read.
std::string readable_formats();

}  // namespace blobsmith
