#include "vpu/format/data_movement.hpp"

namespace blobsmith::vpu {

// The pairs have no count: what is left before the two last words.
void PadParams::fields(FieldArchive& a) {
  constexpr size_t kTail = sizeof pad_value + sizeof pad_mode, kPair = 8;
  if (a.reading()) pads.assign((a.remaining() < kTail ? 0 : a.remaining() - kTail) / kPair, {});
  for (Pair& p : pads) {
    a.word("begin", p.begin);
    a.word("end", p.end);
  }
  a.word("pad_value", pad_value);
  a.word("pad_mode", pad_mode);
}

}  // namespace blobsmith::vpu
