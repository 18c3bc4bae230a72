#include "reference/operation.hpp"

namespace blobsmith::reference {

std::span<const Operation> detection_operations() { return {}; }

}  // namespace blobsmith::reference
