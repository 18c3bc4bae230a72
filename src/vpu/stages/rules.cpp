#include "vpu/stages/rules.hpp"

#include "vpu/stages/order_vote.hpp"

namespace blobsmith::vpu::rules {

int32_t position(const Stage& s, Dim dim, const Data* d) {
  const int p = d->desc.order.position(dim);
  ensure(p >= 0, "stage '" + s.name + "': data '" + d->name + "' has no dimension " + to_string(dim));
  return p;
}
// ---- orders ----

DimsOrder channels_at(DimsOrder order, int position) {
  return order.rank() >= 3 ? order.with_dim_at(Dim::C, position) : order;
}
DimsOrder default_order(const Data* d) { return DimsOrder::of_rank(d->desc.rank()); }
bool channel_minor(const Data* d) { return d->desc.order.position(Dim::C) == 0; }

void output_keeps_order(const Stage& s, OrderRequirements& w) {
  for (auto& o : w.outputs) o = s.input(0)->desc.order;
}

void all_keep_order(const Stage& s, OrderRequirements& w) { w.inputs.at(0) = w.outputs.at(0) = s.input(0)->desc.order; }

void default_orders(const Stage& s, OrderRequirements& w) {
  for (int i = 0; i < s.input_count(); ++i) w.inputs.at(static_cast<size_t>(i)) = default_order(s.input(i));
  for (int i = 0; i < s.output_count(); ++i) w.outputs.at(static_cast<size_t>(i)) = default_order(s.output(i));
}

void channels_outer(const Stage& s, OrderRequirements& w) {
  w.inputs.at(0) = channels_at(s.input(0)->desc.order, 2);
  w.outputs.at(0) = channels_at(s.output(0)->desc.order, 2);
}

void output_of_planes(const Stage& s, OrderRequirements& w) {
  const DimsOrder o = s.input(0)->desc.order;
  w.outputs.at(0) = channels_at(o, o.rank() == 5 ? 3 : 2);
}

void concat_order(const Stage& s, OrderRequirements& w) {
  const DimsOrder winner = most_frequent_order(s.inputs());
  for (auto& i : w.inputs) i = winner;
  w.outputs.at(0) = winner;
}

// ---- strides ----

void compact_first(const Stage&, StrideRequirements& w) {
  w.inputs.at(0) = w.outputs.at(0) = StridesRequirement::compact();
}

void compact_all(const Stage&, StrideRequirements& w) {
  for (auto& r : w.inputs) r = StridesRequirement::compact();
  for (auto& r : w.outputs) r = StridesRequirement::compact();
}

void compact_if_channel_minor(const Stage& s, StrideRequirements& w) {
  if (channel_minor(s.input(0))) compact_first(s, w);
}

void any_first(const Stage&, StrideRequirements& w) { w.inputs.at(0) = w.outputs.at(0) = StridesRequirement::any(); }

StridesRequirement row_aligned() { return StridesRequirement::standard().set(1, StrideRule::Aligned); }
void row_aligned_output(const Stage&, StrideRequirements& w) { w.outputs.at(0) = row_aligned(); }

// ---- batch, SHAVEs ----

void split_batch(const Stage&, BatchRequirements& w) {
  w.inputs.at(0) = true;
  for (auto& o : w.outputs) o = true;
}

ShaveRequirement none(const Stage&) { return ShaveRequirement::NotNeeded; }
ShaveRequirement only_one(const Stage&) { return ShaveRequirement::OnlyOne; }
ShaveRequirement two_or_one(const Stage&) { return ShaveRequirement::TwoOrOne; }
ShaveRequirement can_be_limited(const Stage&) { return ShaveRequirement::CanBeLimited; }

}  // namespace blobsmith::vpu::rules
