// The eltwise family: two or three inputs, numpy broadcasting (stages spec §4; order rule: memory spec §2.1). Ports:
// always three inputs, Fakes where unused.
#include "vpu/format/eltwise.hpp"

#include "vpu/stages/rules.hpp"
#include "vpu/stages/types_check.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

/// The order all inputs of full rank and the output get: that of the input with the most dimensions, unless another one
/// has its channels further in.
DimsOrder common_order(const Stage& s) {
  const DimsOrder a = s.input(0)->desc.order, b = s.input(1)->desc.order, c = s.input(2)->desc.order;
  DimsOrder chosen = a.rank() >= b.rank() ? a : b;
  const DimsOrder others[] = {a.rank() >= b.rank() ? b : a, a.rank() >= c.rank() ? c : a};
  for (const DimsOrder& x : others) {
    if (x.rank() < 3) continue;
    if (x.position(Dim::C) == 1 || (x.position(Dim::C) == 2 && chosen.position(Dim::C) != 1)) chosen = x;
  }
  const DimsOrder out = s.output(0)->desc.order;
  return out.rank() > chosen.rank() ? out : chosen;
}

void eltwise_order(const Stage& s, OrderRequirements& w) {
  const DimsOrder common = common_order(s);
  for (int i = 0; i < 3; ++i) {
    const DimsOrder own = s.input(i)->desc.order;
    w.inputs.at(static_cast<size_t>(i)) = own.rank() == common.rank() ? common : own;
  }
  w.outputs.at(0) = common;
}

bool takes_integers(StageType t) {
  switch (t) {
    case StageType::Sum:
    case StageType::Prod:
    case StageType::Max:
    case StageType::Min:
    case StageType::Div:
    case StageType::Equal:
    case StageType::Greater_equal:
    case StageType::Select:
    case StageType::Logical_NOT:
    case StageType::Logical_AND:
    case StageType::Abs: return true;
    default: return false;
  }
}

void check(const Stage& s) {
  const DataType condition = s.input(0)->desc.type, result = s.output(0)->desc.type;
  if (s.is(StageType::Select) && condition == DataType::S32) {
    types_check::ports(s, result == DataType::S32 ? "S32 S32 S32 -> S32" : "S32 FP16 FP16 -> FP16");
  } else if (s.is_any(StageType::Greater, StageType::Less, StageType::Equal) && condition != result) {
    types_check::ports(s, "FP16 FP16 FP16 -> S32");  // a comparison of halves may yield integers
  } else {
    types_check::port(s, "input", 0, s.input(0), takes_integers(s.type) ? "FP16|S32" : "FP16");
    types_check::ports(s, "T T T -> T");
  }
}

/// The bits of a number that is a float for halves and an integer for integers.
uint32_t bits_of(double v, DataType type) {
  if (type == DataType::S32) return static_cast<uint32_t>(static_cast<int32_t>(v));
  return std::bit_cast<uint32_t>(static_cast<float>(v));
}

std::unique_ptr<StageParams> encode(const Stage& s) {
  const auto& spec = s.get<EltwiseSpec>();
  const DataType type = s.input(0)->desc.type;
  auto p = std::make_unique<EltwiseParams>();
  p->coeff1 = bits_of(spec.coeff1, type);
  p->coeff2 = bits_of(spec.coeff2, type);
  p->post_operation = static_cast<int32_t>(spec.post_operation);
  p->negative_slope = bits_of(spec.negative_slope, type);
  p->min_value = bits_of(spec.min_value, type);
  p->max_value = bits_of(spec.max_value, type);
  return p;
}

constexpr StageRow eltwise(StageType t) {
  return {.type = t, .shaves = can_be_limited, .order = eltwise_order, .check_types = check, .encode = encode};
}

constexpr StageRow kDefs[] = {
    eltwise(StageType::Sum),           eltwise(StageType::Prod),        eltwise(StageType::Max),
    eltwise(StageType::Div),           eltwise(StageType::Min),         eltwise(StageType::Squared_diff),
    eltwise(StageType::Equal),         eltwise(StageType::Not_equal),   eltwise(StageType::Greater),
    eltwise(StageType::Greater_equal), eltwise(StageType::Less),        eltwise(StageType::Less_equal),
    eltwise(StageType::Logical_NOT),   eltwise(StageType::Logical_AND), eltwise(StageType::Logical_OR),
    eltwise(StageType::Logical_XOR),   eltwise(StageType::Pow),         eltwise(StageType::Floor_mod),
    eltwise(StageType::Select),        eltwise(StageType::Abs),
};

}  // namespace

std::span<const StageRow> eltwise_defs() { return kDefs; }

}  // namespace blobsmith::vpu
