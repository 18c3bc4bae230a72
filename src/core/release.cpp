#include "core/release.hpp"

namespace blobsmith {

constinit const Release kRelease2021{.network_info = false, .outputs_by_tensor = false};
constinit const Release kRelease2022{.network_info = true, .outputs_by_tensor = true};

}  // namespace blobsmith
