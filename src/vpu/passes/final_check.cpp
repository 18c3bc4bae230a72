// What must hold after the last pass (middle-end spec §3.40). Changes nothing.
#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"
#include "vpu/stages/stage_row.hpp"

namespace blobsmith::vpu {
namespace {

void check_data(const Data& d) {
  if (const Data* parent = d.parent()) {
    ensure(d.memory_type == parent->memory_type, "data '" + d.name + "' lies in other memory than its parent");
    ensure(d.sharing()->mode != Sharing::Mode::ROI || d.desc.order == parent->desc.order,
           "data '" + d.name + "' has another order than its parent");
    ensure(d.sharing()->mode != Sharing::Mode::Reshape || d.desc.element_count() == parent->desc.element_count(),
           "data '" + d.name + "' has another size than its parent");
  }
  ensure(d.satisfies(d.required_strides), "strides of data '" + d.name + "' are not those required");
}

bool is_stub(const Stage& s) {
  return s.is_any(StageType::StubConv, StageType::StubMaxPool, StageType::StubAvgPool, StageType::StubFullyConnected,
                  StageType::StubDeconv, StageType::StubPriorBox, StageType::StubPriorBoxClustered);
}

void check_order(const Stage& s, const Data* d, const std::optional<DimsOrder>& required) {
  ensure(!required || is_fake(d) || d->desc.order == *required,
         "data '" + d->name + "' does not have the order that stage '" + s.name + "' requires");
}

void check_strides(const Stage& s, const Data* d, const std::optional<StridesRequirement>& required) {
  ensure(!required || is_fake(d) || d->satisfies(*required),
         "data '" + d->name + "' does not have the strides that stage '" + s.name + "' requires");
}

void check_batch(const Stage& s, const Data* d, const std::optional<bool>& one_at_a_time) {
  ensure(!one_at_a_time.value_or(false) || d->desc.dim(Dim::N, 1) == 1,
         "data '" + d->name + "' has a batch that stage '" + s.name + "' does not take");
}

template <class Requirements, class Check>
void check_ports(const Stage& s, const Requirements& requirements, Check check) {
  for (size_t i = 0; i < requirements.inputs.size() && i < s.inputs().size(); ++i)
    check(s, s.inputs()[i], requirements.inputs[i]);
  for (size_t i = 0; i < requirements.outputs.size() && i < s.outputs().size(); ++i)
    check(s, s.outputs()[i], requirements.outputs[i]);
}

void check_convert(const Stage& s) {
  const DataType in = s.input(0)->desc.type, out = s.output()->desc.type;
  using enum DataType;
  const bool known = (in == U8 && out == FP16) || (in == FP16 && out == FP32) || (in == FP32 && out == FP16) ||
                     (in == S32 && out == FP16) || (in == FP16 && out == S32) || (in == S32 && out == U8);
  if (!known)
    throw cannot_compile(
        s, std::string("conversion from ") + to_string(in) + " to " + to_string(out) + " is not supported");
}

/// The engine writes only to multiples of 16 bytes; inputs have been copied where need be.
void check_alignment(const Stage& s) {
  if (s.output()->placement.offset % 16 != 0)
    throw cannot_compile(s, "AssertionFailed: output->dataLocation().offset % 16 == 0")
        .hint("a concatenation puts the result of this layer beside another whose rows are not of whole 16 bytes");
}

void check_stage(const Stage& s, const Resources& resources) {
  if (is_stub(s)) throw not_yet_supported(s, std::string(to_string(s.type)) + " is left after all passes");
  check_ports(s, order_requirements(s), check_order);
  check_ports(s, stride_requirements(s), check_strides);
  check_ports(s, batch_requirements(s), check_batch);
  if (s.is(StageType::Convert)) check_convert(s);
  if (s.category() == StageCategory::HW) check_alignment(s);
  const ShaveRequirement requirement = shave_requirement(s);
  ensure(s.num_shaves <= resources.shaves && (requirement == ShaveRequirement::NotNeeded) == (s.num_shaves == 0),
         "stage '" + s.name + "' has a wrong number of SHAVEs");
}

}  // namespace

void final_check(Program& p) {
  p.for_each_data([](const Data* d) { check_data(*d); });
  for (const Stage* s : p.stages()) check_stage(*s, p.resources);
}

}  // namespace blobsmith::vpu
