// Concatenation of a convolution's output with its negative, scaled and rectified, as one SCRelu stage (middle-end spec
// §3.24).
#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

struct Pattern {
  Stage *power = nullptr, *concat = nullptr, *scale = nullptr, *relu = nullptr;
};

std::optional<Pattern> match(const Stage& conv) {
  Pattern m;
  const std::vector<Stage*> next = conv.next();
  for (Stage* s : next) {
    if (s->is(StageType::Power) && !m.power) m.power = s;
    if (s->is(StageType::StubConcat) && !m.concat) m.concat = s;
  }
  if (next.size() != 2 || !m.power || !m.concat || !m.concat->get<PartsSpec>().axis) return {};
  const auto& negation = m.power->get<PowerParams>();
  if (negation.bias != 0.0f || negation.scale != -1.0f || negation.power != 1.0f) return {};
  if (single_next(*m.power, {StageType::StubConcat}) != m.concat) return {};
  m.scale = single_next(*m.concat, {StageType::ScaleShift, StageType::Scale, StageType::Bias});
  if (!m.scale) return {};
  m.relu = single_next(*m.scale, {StageType::Relu, StageType::LeakyRelu});
  return m.relu ? std::optional(m) : std::nullopt;
}

void replace(Program& p, Stage* conv, const Pattern& m) {
  Data* scales = m.scale->is(StageType::Bias) ? nullptr : m.scale->input(1);
  Data* biases = m.scale->is(StageType::Bias)         ? m.scale->input(1)
                 : m.scale->is(StageType::ScaleShift) ? m.scale->input(2)
                                                      : nullptr;
  Data* out = m.relu->output();
  const std::string name = m.relu->name;
  const LayerPtr layer = m.relu->layer;
  ScreluSpec spec;
  spec.negative_slope = m.relu->get<ReluParams>().negative_slope;
  spec.dim = *m.concat->get<PartsSpec>().axis;
  for (Stage* s : {m.scale, m.concat, m.power, m.relu}) p.remove(s);
  Data* fake = p.add_fake();
  p.add_stage(name + "@SCRelu", StageType::SCRelu, layer,
              {conv->output(), scales ? scales : fake, biases ? biases : fake}, {out})
      ->set(spec);
}

}  // namespace

void replace_with_screlu(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (!s->is(StageType::StubConv)) return;
    if (const std::optional<Pattern> m = match(*s)) replace(p, s, *m);
  });
}

}  // namespace blobsmith::vpu
