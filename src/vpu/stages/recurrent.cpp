// LSTM cells and loops (stages spec §11).
#include "vpu/format/recurrent.hpp"

#include "vpu/program/loops.hpp"
#include "vpu/stages/rules.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

// ---- LSTMCell ----

constexpr int kLstmInputs = 5;

void lstm_order(const Stage& s, OrderRequirements& w) { channels_outer(s, w); }

std::vector<const Data*> lstm_buffers(const Stage& s) {
  std::vector<const Data*> r(s.inputs().begin(), s.inputs().end());
  ensure(r.size() == kLstmInputs, "inputs of an LSTM cell");
  r.insert(r.end(), s.outputs().begin(), s.outputs().end());
  if (s.get<LstmCellParams>().n_cells > 1) r.insert(r.end(), s.temps().begin(), s.temps().end());
  return r;
}

// ---- loops ----

const LoopComponents& components(const Stage& s) { return s.get<LoopSpec>().components; }

/// The tensor that a component slices, and the slice.
const Data* outer(const Stage& s, const LoopComponent& c) {
  return s.is(StageType::LoopStart) ? s.input(static_cast<int>(c.port)) : s.output(static_cast<int>(c.port));
}
const Data* inner(const Stage& s, const LoopComponent& c) {
  return s.is(StageType::LoopStart) ? s.output(static_cast<int>(c.inner)) : s.input(static_cast<int>(c.inner));
}

void fill_loop(const Stage& s, LoopParams& p) {
  p.iterations = static_cast<int32_t>(s.get<LoopSpec>().iterations);
  for (const LoopComponent& c : components(s))
    p.components.push_back({position(s, c.rule.axis, outer(s, c)), static_cast<int32_t>(c.rule.start),
                            static_cast<int32_t>(c.rule.stride), static_cast<int32_t>(c.rule.end)});
}

std::unique_ptr<StageParams> encode_loop_start(const Stage& s) {
  auto p = std::make_unique<LoopStartParams>();
  p->stages_count = static_cast<uint32_t>(s.get<LoopSpec>().stages);
  fill_loop(s, *p);
  return p;
}

std::unique_ptr<StageParams> encode_loop_end(const Stage& s) {
  auto p = std::make_unique<LoopEndParams>();
  fill_loop(s, *p);
  return p;
}

void loop_start_order(const Stage& s, OrderRequirements& w) {
  for (size_t i = 0; i < w.outputs.size() && i < s.inputs().size(); ++i) w.outputs[i] = s.inputs()[i]->desc.order;
}

void loop_end_order(const Stage& s, OrderRequirements& w) {
  for (const LoopComponent& c : components(s)) w.outputs.at(static_cast<size_t>(c.port)) = inner(s, c)->desc.order;
  for (size_t i = 0; i < s.outputs().size(); ++i) {
    const int partner = s.outputs()[i]->marks.end_shared;
    for (const Data* in : s.inputs())
      if (in->id() == partner) w.outputs[i] = in->desc.order;
  }
}

std::vector<const Data*> loop_buffers(const Stage& s) {
  std::vector<const Data*> r;
  for (const LoopComponent& c : components(s)) {
    r.push_back(outer(s, c));
    r.push_back(inner(s, c));
  }
  return r;
}

constexpr StageRow kDefs[] = {
    {.type = StageType::LSTMCell,
     .order = lstm_order,
     .strides = compact_all,
     .types = "FP16 FP16 FP16 FP16 FP16 -> FP16 FP16*",
     .buffers = lstm_buffers},
    {.type = StageType::LoopStart, .order = loop_start_order, .encode = encode_loop_start, .buffers = loop_buffers},
    {.type = StageType::LoopEnd, .order = loop_end_order, .encode = encode_loop_end, .buffers = loop_buffers},
};

}  // namespace

std::span<const StageRow> recurrent_defs() { return kDefs; }

}  // namespace blobsmith::vpu
