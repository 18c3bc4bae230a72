// ReLU, leaky ReLU and clamp become the post-operation of the element-wise stage before them (middle-end spec §3.33).
#include <algorithm>

#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

bool takes_post_op(const Stage& s) {
  using T = StageType;
  return s.is_any(T::Sum, T::Prod, T::Max, T::Min, T::Div, T::Squared_diff, T::Floor_mod, T::Pow, T::Equal,
                  T::Not_equal, T::Less, T::Less_equal, T::Greater, T::Greater_equal, T::Logical_AND, T::Logical_OR,
                  T::Logical_XOR, T::Logical_NOT, T::Abs);
}

bool is_fp16(const Data* d) { return d->desc.type == DataType::FP16; }

bool strides_agree(const Stage& op) {
  return op.input(0)->strides() == op.output()->strides() || op.output()->satisfies(StridesRequirement::compact());
}

void merge_all(Program& p, bool any_strides) {
  p.for_each_stage([&](Stage* s) {
    if (!takes_post_op(*s) || !std::ranges::all_of(s->inputs(), is_fp16) || !std::ranges::all_of(s->outputs(), is_fp16))
      return;
    Stage* op = single_next(*s, {StageType::Relu, StageType::LeakyRelu, StageType::Clamp});
    if (!op || !(any_strides || strides_agree(*op))) return;
    s->name += " + " + op->name;
    s->change<EltwiseSpec>([&](EltwiseSpec& e) {
      e.post_operation = op->type;
      e.negative_slope = 0;
      e.min_value = 0;
      e.max_value = 1;
      if (const auto* relu = op->find<ReluParams>()) e.negative_slope = relu->negative_slope;
      if (const auto* clamp = op->find<ClampParams>()) {
        e.min_value = clamp->min_value;
        e.max_value = clamp->max_value;
      }
    });
    absorb(p, s, op);
  });
}

}  // namespace

void merge_eltwise_and_relu_dynamic(Program& p) {
  if (p.is_dynamic()) merge_all(p, true);
}

void merge_eltwise_and_relu_static(Program& p) {
  if (p.options.enable_early_eltwise_relu_fusion && p.is_dynamic()) return;
  merge_all(p, false);
}

}  // namespace blobsmith::vpu
