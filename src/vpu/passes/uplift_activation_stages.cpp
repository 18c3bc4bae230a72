// Activations move before the copies, permutes and reshapes in front of them, next to what they may be merged into
// (middle-end spec §3.17).
#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

/// The chain of stages an activation can jump over: `first` is the one farthest from it.
struct Segment {
  Stage *first, *last, *activation;
};

bool is_activation(const Stage& s) {
  return s.is_any(StageType::Relu, StageType::LeakyRelu, StageType::BiasRelu, StageType::BiasLeakyRelu,
                  StageType::Sigmoid, StageType::Tanh, StageType::Erf);
}

bool can_be_jumped(const Stage* s) {
  return s && s->is_any(StageType::Copy, StageType::Permute, StageType::Reshape) && s->input_count() == 1 &&
         s->output_count() == 1 && s->output()->consumers().size() == 1;
}

std::vector<Segment> segments_of(Program& p) {
  std::vector<Segment> r;
  for (Stage* s : p.stages()) {
    if (!is_activation(*s)) continue;
    Stage* last = s->input(0)->producer_stage();
    if (!can_be_jumped(last)) continue;
    Stage* first = last;
    while (can_be_jumped(first->input(0)->producer_stage())) first = first->input(0)->producer_stage();
    r.push_back({first, last, s});
  }
  return r;
}

/// What the jumped stages give now is activated: no longer what their layers mean (blob/trace.hpp).
void mark_activated(const Segment& s) {
  for (Stage* at = s.last; at != s.first; at = at->input(0)->producer_stage()) at->input(0)->marks.activated = true;
}

void uplift(Program& p, const Segment& s) {
  mark_activated(s);
  Data* old_in = s.first->input(0);
  Data* between = s.activation->input(0);
  Data* old_out = s.activation->output();
  Data* activated = p.duplicate(old_in, "@relu-uplifting");
  p.replace_input(s.activation, 0, old_in);
  p.replace_output(s.activation, 0, activated);
  p.replace_input(s.first, 0, activated);
  p.replace_output(s.last, 0, old_out);
  p.remove(between);
}

}  // namespace

void uplift_activation_stages(Program& p) {
  for (const Segment& s : segments_of(p)) uplift(p, s);
}

}  // namespace blobsmith::vpu
