// core/nearest.hpp as the interfaces see it.
#pragma once
#include "core/nearest.hpp"

namespace blobsmith::reports {
using blobsmith::nearest;
}  // namespace blobsmith::reports
