// Independent pieces of work in as many threads as there are processors.
#pragma once
#include <cstddef>
#include <functional>
#include <string_view>

#include "blobsmith/progress.hpp"

namespace blobsmith {

/// work(0) ... work(count - 1), each once, in any order and thread; the caller's is one of them. Progress is told
/// there, as `phase`. What a piece throws stops the pieces not yet begun and is thrown here, as Cancelled is after a
/// request to stop.
void in_parallel(size_t count, const Control& control, std::string_view phase, const std::function<void(size_t)>& work);

}  // namespace blobsmith
