// The steps of a call that can be watched and stopped.
#pragma once
#include <string_view>

#include "blobsmith/progress.hpp"

namespace blobsmith {

/// Throws Cancelled where the caller has asked to stop.
void check_stop(const Control& control);
/// The same, and tells how far the call is.
void report(const Control& control, std::string_view phase, double fraction);
/// A call within a call: its fractions fill the range from `begin` to `end` of the outer one's. `outer` must outlive
/// it.
Control part_of(const Control& outer, double begin, double end);

}  // namespace blobsmith
