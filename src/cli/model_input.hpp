// Models given on the command line: any format that there is a reader for, with the options that reading takes.
#pragma once
#include <string>
#include <vector>

#include "cli/cli.hpp"
#include "graph/graph.hpp"
#include "importers/import.hpp"

namespace blobsmith::cli {

struct ModelInput {
  std::string file;
  std::vector<std::string> shapes{};  ///< "x=1,3,48,192", or "[1,3,48,192],..."
  std::string inputs{}, outputs{};    ///< where to cut
  std::string mean{}, scale{};        ///< "[104,117,123]", or "x[104,117,123],..."
  bool reverse_channels = false;
  int64_t batch = 0;
  bool quirks = false;         ///< reproduce known wrong results of Intel's importers
  bool half_precision = true;  ///< constants as a blob has them; false: as precise as they are in the file
};

/// Declares the model and --input-shape.
void add_model_options(CLI::App& app, ModelInput& m);
/// Declares what Model Optimizer does on the way: cutting, mean and scale values.
void add_conversion_options(CLI::App& app, ModelInput& m);
/// Picks the reader by the name's extension. Without `problems` the first layer that can't be read is an error.
Graph read_model(const ModelInput& m, std::vector<ImportNote>* notes = nullptr, ImportProblems* problems = nullptr);

/// What a network for a camera is compiled with.
struct CameraOptions {
  std::string ip = "U8", op, iop;
  std::vector<std::string> config;
  int shaves = 6, slices = 0;
};

void add_camera_options(CLI::App& app, CameraOptions& o);
vpu::CompileOptions camera_options(const CameraOptions& o, const Graph& g, bool quirks);

}  // namespace blobsmith::cli
