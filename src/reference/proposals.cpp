#include "reference/operation.hpp"

namespace blobsmith::reference {

std::span<const Operation> proposal_operations() { return {}; }

}  // namespace blobsmith::reference
