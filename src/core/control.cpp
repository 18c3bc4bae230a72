#include "core/control.hpp"

#include "core/error.hpp"

namespace blobsmith {

void check_stop(const Control& control) {
  if (control.stop.stop_requested()) throw Error(ErrorCode::Cancelled, "stopped");
}

void report(const Control& control, std::string_view phase, double fraction) {
  check_stop(control);
  if (control.on_progress) control.on_progress({phase, fraction});
}

Control part_of(const Control& outer, double begin, double end) {
  Control inner{{}, outer.stop};
  if (outer.on_progress)
    inner.on_progress = [&outer, begin, end](const Progress& p) {
      outer.on_progress({p.phase, begin + (end - begin) * p.fraction});
    };
  return inner;
}

}  // namespace blobsmith
