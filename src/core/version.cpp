#include "blobsmith/version.hpp"

namespace blobsmith {

std::string_view version() { return BLOBSMITH_VERSION; }

}  // namespace blobsmith
