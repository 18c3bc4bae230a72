#include "reference/operation.hpp"

namespace blobsmith::reference {

std::span<const Operation> roi_operations() { return {}; }

}  // namespace blobsmith::reference
