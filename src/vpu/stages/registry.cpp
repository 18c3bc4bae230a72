// Finds a stage type's definition and asks it, adding what the injected child asks.
#include <algorithm>

#include "vpu/stages/rules.hpp"
#include "vpu/stages/stage_row.hpp"
#include "vpu/stages/types_check.hpp"

namespace blobsmith::vpu {
namespace {

/// Sorted by type.
std::vector<const StageRow*> build_table() {
  std::vector<const StageRow*> table;
  for (auto defs : {special_stage_defs(), hw_op_defs(), post_op_defs(), eltwise_defs(), data_movement_defs(),
                    indexing_defs(), convolution_defs(), pooling_defs(), normalization_defs(), resize_defs(),
                    reduction_defs(), detection_defs(), roi_defs(), recurrent_defs(), custom_defs()})
    for (const StageRow& d : defs) table.push_back(&d);
  std::ranges::sort(table, {}, &StageRow::type);
  return table;
}

ShaveRequirement own_requirement(const Stage& s) {
  const StageRow& d = stage_row(s.type);
  if (d.shaves) return d.shaves(s);
  return s.category() == StageCategory::SHAVE ? ShaveRequirement::NeedMax : ShaveRequirement::NotNeeded;
}

/// The requirements of a stage and, behind its own ports, those of its injected child.
template <class Requirements>
Requirements requirements(const Stage& s, void (*StageRow::*member)(const Stage&, Requirements&)) {
  Requirements w(s);
  if (const auto own = stage_row(s.type).*member) own(s, w);
  if (const Stage* child = s.injected()) {
    const Requirements c = requirements(*child, member);
    std::ranges::copy(c.inputs, w.inputs.begin() + s.own_input_count());
    std::ranges::copy(c.outputs, w.outputs.begin() + s.own_output_count());
  }
  return w;
}

const std::vector<Data*>& datas_of(const Stage& s, std::string_view kind) {
  return kind == "in" ? s.inputs() : kind == "out" ? s.outputs() : s.temps();
}

}  // namespace

const StageRow* find_stage_def(StageType t) {
  static const std::vector<const StageRow*> table = build_table();
  const auto it = std::ranges::lower_bound(table, t, {}, &StageRow::type);
  return it != table.end() && (*it)->type == t ? *it : nullptr;
}

const StageRow& stage_row(StageType t) {
  const StageRow* d = find_stage_def(t);
  ensure(d != nullptr, std::string("no definition of stage type ") + to_string(t));
  return *d;
}

ShaveRequirement shave_requirement(const Stage& s) {
  const ShaveRequirement own = own_requirement(s);
  return s.injected() ? std::max(own, own_requirement(*s.injected())) : own;
}

OrderRequirements order_requirements(const Stage& s) { return requirements<OrderRequirements>(s, &StageRow::order); }
StrideRequirements stride_requirements(const Stage& s) {
  return requirements<StrideRequirements>(s, &StageRow::strides);
}
BatchRequirements batch_requirements(const Stage& s) { return requirements<BatchRequirements>(s, &StageRow::batch); }

void check_types(const Stage& s) {
  const StageRow& d = stage_row(s.type);
  if (d.check_types)
    d.check_types(s);
  else if (d.types)
    types_check::ports(s, d.types);
}

void finalize_layout(Program& p, Stage& s) {
  if (const auto f = stage_row(s.type).finalize_layout) f(p, s);
}

std::shared_ptr<const StageParams> encode_params(const Stage& s) {
  if (const auto encode = stage_row(s.type).encode) return encode(s);
  if (!stage_format(s.type).make_params) return std::make_shared<StageParams>();
  ensure(s.params != nullptr, "stage '" + s.name + "' of type " + to_string(s.type) + " has no parameters");
  return s.params;
}

std::vector<const Data*> blob_buffers(const Stage& s) {
  const StageRow& d = stage_row(s.type);
  if (d.buffers) return d.buffers(s);
  std::vector<const Data*> r;
  const std::vector<BufferOrderWord> order = parse_buffer_order(stage_format(s.type).buffer_order);
  for (const BufferOrderWord& w : order) {
    const std::vector<Data*>& datas = datas_of(s, w.kind);
    if (w.index >= 0) {
      ensure(w.index < static_cast<int>(datas.size()),
             "stage '" + s.name + "' lacks " + std::string(w.kind) + std::to_string(w.index));
      r.push_back(datas[static_cast<size_t>(w.index)]);
      continue;
    }
    for (size_t i = 0; i < datas.size(); ++i)
      if (!names(order, w.kind, static_cast<int>(i))) r.push_back(datas[i]);
  }
  return r;
}

}  // namespace blobsmith::vpu
