#include "core/release.hpp"

namespace blobsmith {

constinit const Release kRelease2021{.network_info = false,
                                     .runtime_2_0 = false,
                                     .outputs_by_tensor = false,
                                     .sinks_transposes_behind_converts = false,
                                     .nodes_before = 709,
                                     .ir_opset = 7,
                                     .parameters_in_file_order = false};
constinit const Release kRelease2022{.network_info = true,
                                     .runtime_2_0 = true,
                                     .outputs_by_tensor = true,
                                     .sinks_transposes_behind_converts = true,
                                     .nodes_before = 1117,
                                     .ir_opset = 8,
                                     .parameters_in_file_order = true};

}  // namespace blobsmith
