// The eltwise family: two or three inputs, numpy broadcasting (stages spec §4; order rule: memory spec §2.1).
// Ports: always three inputs, Fakes where unused.
// Attributes: coeff1, coeff2 real (FP16) or integer (S32), 1 when absent; postOperation StageType (Empty);
// negativeSlope (0), min_value (0), max_value (1) real.
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

void order(const Stage& s, OrderWishes& w) {
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
uint32_t number(const Stage& s, std::string_view name, int32_t fallback) {
  if (s.input(0)->desc.type != DataType::S32)
    return std::bit_cast<uint32_t>(real(s, name, static_cast<float>(fallback)));
  const Attrs::Value* v = s.attrs.find(name);
  if (v && std::holds_alternative<double>(*v)) return static_cast<uint32_t>(static_cast<int32_t>(std::get<double>(*v)));
  return uword(s, name, static_cast<uint32_t>(fallback));
}

std::unique_ptr<StageParams> encode(const Stage& s) {
  auto p = std::make_unique<EltwiseParams>();
  p->coeff1 = number(s, "coeff1", 1);
  p->coeff2 = number(s, "coeff2", 1);
  p->post_operation = static_cast<int32_t>(s.attrs.get_or<StageType>("postOperation", StageType::Empty));
  p->negative_slope = number(s, "negativeSlope", 0);
  p->min_value = number(s, "min_value", 0);
  p->max_value = number(s, "max_value", 1);
  return p;
}

constexpr StageDef eltwise(StageType t) {
  return {.type = t, .shaves = can_be_limited, .order = order, .check_types = check, .encode = encode};
}

constexpr StageDef kDefs[] = {
    eltwise(StageType::Sum),           eltwise(StageType::Prod),        eltwise(StageType::Max),
    eltwise(StageType::Div),           eltwise(StageType::Min),         eltwise(StageType::Squared_diff),
    eltwise(StageType::Equal),         eltwise(StageType::Not_equal),   eltwise(StageType::Greater),
    eltwise(StageType::Greater_equal), eltwise(StageType::Less),        eltwise(StageType::Less_equal),
    eltwise(StageType::Logical_NOT),   eltwise(StageType::Logical_AND), eltwise(StageType::Logical_OR),
    eltwise(StageType::Logical_XOR),   eltwise(StageType::Pow),         eltwise(StageType::Floor_mod),
    eltwise(StageType::Select),        eltwise(StageType::Abs),
};

}  // namespace

std::span<const StageDef> eltwise_defs() { return kDefs; }

}  // namespace blobsmith::vpu
