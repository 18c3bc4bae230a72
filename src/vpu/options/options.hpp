// What a compilation may be told: resources, switches, precisions. Keys are those of Intel's compile_tool -c (front-end
// §11).
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/element_type.hpp"
#include "vpu/format/container.hpp"

namespace blobsmith {
struct Release;
}

namespace blobsmith::vpu {

/// Switches that the reference distinguishes from YES/NO when unset.
enum class Tristate { Unset, No, Yes };

/// What the passes ask of a program.
struct PassOptions {
  bool hw_acceleration = true;
  bool hw_extra_split = false, hw_dilation = false, hw_pool_conv_merge = true;
  bool disable_reorder = false;
  bool enable_permute_merging = true, enable_repl_with_screlu = false, enable_replace_with_reduce_mean = true;
  bool enable_early_eltwise_relu_fusion = true, enable_custom_reshape_param = false;
  bool enable_weights_analysis = true, check_preprocessing_inside_model = true;
  Tristate copy_optimization = Tristate::Unset, hw_inject_stages = Tristate::Unset, pack_data_in_cmx = Tristate::Unset;
  std::vector<std::string> hw_white_list, hw_black_list;
  bool quirks = true;  ///< reproduce Intel's known wrong results (docs/quirks.md)

  bool hw_disabled(std::string_view layer) const;  ///< by the white or black list
};

struct CompileOptions : PassOptions {
  int shaves = -1, slices = -1, streams = -1, tiling_cmx_limit_kb = -1;
  bool detect_network_batch = true, disable_convert_stages = false;
  bool enable_tensor_iterator_unrolling = false, force_pure_tensor_iterator = false;
  bool force_deprecated_cnn_conversion = false, ignore_unknown_layers = false;
  std::vector<std::string> none_layers;
  std::string custom_layers, tensor_strides, performance_hint;
  std::string dump_passes;  ///< folder for the Program after every pass; empty = none

  /// By way of the second runtime interface: what is told of inputs and outputs becomes part of the network
  /// (transforms/pre_post_process.hpp), and names are those of tensors too.
  bool runtime_2_0 = false;

  // Precisions of inputs and outputs: by name, else for all, else the tool's default (FP16).
  std::optional<ElementType> input_precision, output_precision;
  std::map<std::string, ElementType> io_precision;

  // Memory layouts of inputs and outputs ("NHWC"): by name, else for all of that rank, else the network's.
  std::string input_layout, output_layout;
  std::map<std::string, std::string> io_layout;
  // The network's own, for the second runtime interface: an input of another layout is transposed.
  std::string input_model_layout, output_model_layout;
  std::map<std::string, std::string> io_model_layout;

  /// Applies one key of a configuration file, as `release` knows it (null: as any release does). Throws UnknownOption
  /// or BadOptionValue with Intel's text (null: 2021.4's).
  void set(std::string_view key, std::string_view value, const Release* release = nullptr);
};

/// False for a key that only other releases know.
bool knows(const Release& release, std::string_view key);

struct Resources {
  int slices = 9, shaves = 7, streams = 2;
  int64_t tiling_cmx_limit = 589824;  ///< bytes
  int64_t cmx_bytes() const { return slices * kCmxSliceBytes; }
};

/// front-end §4. Throws NotEnoughResources/BadOptionValue with Intel's texts.
Resources resolve_resources(const CompileOptions& options, const Release& release);

}  // namespace blobsmith::vpu
