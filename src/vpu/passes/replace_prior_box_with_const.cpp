// Anchor boxes depend on sizes only: they become constants, and what computed their inputs goes (middle-end spec
// §3.5).
#include <deque>

#include "vpu/passes/passes.hpp"
#include "vpu/passes/prior_box.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

/// Removes stages whose results nobody reads, from `start` upwards, and inputs of the network too.
void remove_unused(Program& p, Data* start) {
  std::deque<int64_t> queue{start->id()};
  while (!queue.empty()) {
    Data* d = p.find_data(queue.front());
    queue.pop_front();
    if (!d || d->usage == DataUsage::Output) continue;
    if (Stage* producer = d->producer_stage(); producer && producer->next().empty()) {
      for (const Data* in : producer->inputs()) queue.push_back(in->id());
      p.remove(producer);
    }
    if (d->consumers().empty() && !d->producer_stage()) p.remove(d);
  }
}

void replace_prior_box(Program& p, Stage* box) {
  if (box->input_count() != 2 || box->output_count() != 1)
    throw cannot_compile(*box, "anchor boxes need two inputs and one output");
  Data *map = box->input(0), *image = box->input(1), *out = box->output();
  Bytes content = box->is(StageType::StubPriorBox) ? prior_box_content(*box) : prior_box_clustered_content(*box);
  p.disconnect(box);
  Data* result = p.add_const(out->name + "@const", out->desc, std::move(content));
  if (out->usage == DataUsage::Output)
    add_copy(p, box->name + "@copy-output", box->layer, result, out, "replacePriorBoxWithConst");
  else
    p.redirect_consumers(out, result);
  const int64_t image_id = image->id();
  remove_unused(p, map);
  if (Data* d = p.find_data(image_id)) remove_unused(p, d);
  p.remove(box);
}

}  // namespace

void replace_prior_box_with_const(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (s->is_any(StageType::StubPriorBox, StageType::StubPriorBoxClustered)) replace_prior_box(p, s);
  });
}

}  // namespace blobsmith::vpu
