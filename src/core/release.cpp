#include "core/release.hpp"

namespace blobsmith {

constinit const Release kRelease2021{.network_info = false,
                                     .runtime_2_0 = false,
                                     .outputs_by_tensor = false,
                                     .halves_compressed_models = false,
                                     .sinks_transposes_behind_converts = false,
                                     .nodes_before = 709,
                                     .ir_opset = 7,
                                     .reads_all_parameters = false};
constinit const Release kRelease2022{.network_info = true,
                                     .runtime_2_0 = true,
                                     .outputs_by_tensor = true,
                                     .halves_compressed_models = true,
                                     .sinks_transposes_behind_converts = true,
                                     .nodes_before = 1117,
                                     .ir_opset = 8,
                                     .reads_all_parameters = true};

}  // namespace blobsmith
