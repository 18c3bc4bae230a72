// Progress and cancellation of the calls that take long.
#pragma once
#include <functional>
#include <stop_token>
#include <string_view>

namespace blobsmith {

/// How far a call is. `fraction` goes from 0 to 1 over the whole call and never back.
struct Progress {
  std::string_view phase;  ///< "reading", "converting", "lowering", "passes", "writing", "running"; outlives the call
  double fraction = 0;
};

/// Both parts may be left out. The callback is called on the thread that made the call, many times a second at most
/// times; what it throws leaves the call. After a request to stop the call throws Error with ErrorCode::Cancelled at
/// the next step (a rewrite, a pass, a stage), and leaves no file.
struct Control {
  std::function<void(const Progress&)> on_progress;
  std::stop_token stop;
};

}  // namespace blobsmith
