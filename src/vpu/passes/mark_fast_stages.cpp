// Names of stages with small outputs end in "@fast-stage" (middle-end spec §3.39). Seen in dumps and reports only.
#include <algorithm>

#include "vpu/passes/passes.hpp"

namespace blobsmith::vpu {

void mark_fast_stages(Program& p) {
  constexpr int64_t kFew = 100;
  for (Stage* s : p.stages())
    if (std::ranges::all_of(s->outputs(), [](const Data* d) { return d->desc.element_count() <= kFew; }))
      s->name += "@fast-stage";
}

}  // namespace blobsmith::vpu
