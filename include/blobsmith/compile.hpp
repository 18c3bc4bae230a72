// A network to the bytes of a blob, with the options and defaults of Intel's compile_tool: for one OpenVINO IR and one
// set of options the bytes are those of OpenVINO 2021.4.2.
//
// Threads: calls are independent of each other; one call uses one thread. The bytes depend on nothing but the model and
// the options.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "blobsmith/detection_head.hpp"
#include "blobsmith/model.hpp"

namespace blobsmith {

/// Keys and values of Intel's configuration (MYRIAD_..., VPU_...), applied in order.
using Config = std::vector<std::pair<std::string, std::string>>;

/// The pairs of a configuration file: "KEY VALUE" lines; # begins a comment. Throws BadOptionValue.
Config parse_config(std::string_view text);

struct CompileOptions {
  Config config{};  ///< applied before the members below
  std::optional<std::string> shaves{}, slices{},
      tiling_cmx_limit_kb{};                                        ///< numbers, or what Intel's tool says of others
  std::optional<TensorType> input_precision{}, output_precision{};  ///< of all; default FP16 for real numbers
  std::map<std::string, TensorType> io_precision{};                 ///< by name; wins over those of all
  std::string input_layout{}, output_layout{};                      ///< of all of that rank: "NCHW", "NHWC", "NC" ...
  std::map<std::string, std::string> io_layout{};
  std::string input_model_layout{}, output_model_layout{};  ///< the network's; with the second runtime interface,
                                                            ///< tensors of another layout are transposed
  std::map<std::string, std::string> io_model_layout{};
  bool quirks = true;         ///< reproduce Intel's known wrong results (docs/quirks.md)
  std::string target{};       ///< OpenVINO version that the blob states, of target_names(); "" = 6.0, as compile_tool
  std::string dump_passes{};  ///< folder for the program after every pass (.json, .dot); "" = none
  Control control{};
};

/// The bytes of a blob, of which large parts are shared with the model.
class BlobBytes {
 public:
  ~BlobBytes();
  BlobBytes(BlobBytes&&) noexcept;
  BlobBytes& operator=(BlobBytes&&) noexcept;

  size_t size() const;
  /// A copy.
  std::vector<uint8_t> bytes() const;
  /// Writes beside `path` and renames: the file appears whole or not at all. Throws FileNotWritable.
  void save(const std::string& path, const Control& control = {}) const;

  struct Impl;
  explicit BlobBytes(std::unique_ptr<Impl> impl);  ///< for the library
  const Impl& impl() const { return *impl_; }      ///< for the library

 private:
  std::unique_ptr<Impl> impl_;
};

/// One input or output of a blob.
struct BlobPort {
  std::string name;
  TensorType type = TensorType::FP16;
  Shape shape;         ///< of one item where the blob runs a batch item by item
  std::string layout;  ///< how it lies in memory: "NCHW", "NHWC", "NC" ...
};

/// Where a stage of a blob comes from.
struct StageOrigin {
  std::string name;                 ///< "conv1@tile=1/2"
  std::string layer, type, source;  ///< of the layer, as in Remark; empty for what belongs to none
};

/// A layer of the model, and the stages of the blob that compute it.
struct LayerStages {
  std::string layer, type, source;
  std::vector<int> stages;  ///< ascending; none where nothing is left to compute: constants, changes of shape
  std::string inside;  ///< a layer behind it, together with which it is computed, where it has no stages of its own
};

struct CompileResult {
  BlobBytes blob;
  int layers = 0, stages = 0;
  std::vector<BlobPort> inputs, outputs;  ///< in the blob's order
  std::vector<Remark> remarks;            ///< Rewritten, OfTarget, NotAsIntel, WrongResult, RawPicture
  double milliseconds = 0;                ///< reading apart
  bool runtime_2_0 = false;               ///< by way of the second runtime interface (ReadOptions::runtime_1_0)
  std::vector<StageOrigin> origins;       ///< of every stage of the blob
  std::vector<LayerStages> layer_stages;  ///< of every layer of the model, in order of execution
  std::optional<DetectionHead> head{};    ///< of convert(): what decodes the outputs, where it is a known detector
};

/// Uses the model up. Throws Error, or ErrorList with every layer that the compiler refuses.
CompileResult compile(Model model, const CompileOptions& options = {});

/// OpenVINO versions that a blob may state, oldest first: "2020.4" ... "2022.1".
std::vector<std::string> target_names();

}  // namespace blobsmith
