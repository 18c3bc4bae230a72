// A model file to a blob for a camera in one go: layers that the VPU lacks are rewritten where that is exact, and what
// Intel's tools are known to compute wrong is computed right, unless told otherwise.
//
// Threads: calls are independent of each other; one call uses one thread.
#pragma once
#include "blobsmith/compile.hpp"

namespace blobsmith {

/// What a network for a camera is compiled with.
struct CameraOptions {
  int shaves = 6;
  int slices = 0;  ///< of on-chip memory; 0: as many as SHAVEs
  /// Of inputs of real numbers; default U8, what a camera delivers, for pictures (two sides and 1, 3 or 4 channels,
  /// NCHW or NHWC), FP16 for the others.
  std::optional<TensorType> input_precision{};
  std::optional<TensorType> output_precision{};      ///< default FP16
  std::map<std::string, TensorType> io_precision{};  ///< by name
  Config config{};                                   ///< applied last
};

struct ConvertOptions {
  std::map<std::string, Shape> input_shapes{};  ///< by input; needed where the model leaves a dimension open
  ConversionOptions conversion{};
  CameraOptions camera{};
  bool quirks = false;            ///< reproduce known wrong results of Intel's tools (docs/quirks.md)
  std::string target = "2022.1";  ///< OpenVINO version that the blob states, of target_names()
  std::string dump_passes{};      ///< folder for the program after every pass (.json, .dot); "" = none
  std::string ir_folder{};        ///< the model is also written there as OpenVINO IR, as it was read; "" = not
  int ir_version = 10;            ///< of that IR: 10 (OpenVINO 2020 to 2022) or 11
  Control control{};
};

/// Throws Error, or ErrorList with every layer that can't be converted, naming it.
CompileResult convert(const ModelFile& model, const ConvertOptions& options = {});

/// The same for several numbers of SHAVEs (of CameraOptions::shaves instead), in their order: what doesn't depend on
/// them is done once, the rest in as many threads as there are processors.
std::vector<CompileResult> convert_each(const ModelFile& model, std::span<const int> shaves,
                                        const ConvertOptions& options = {});

}  // namespace blobsmith
