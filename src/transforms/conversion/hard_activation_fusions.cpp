// HSwish and HSigmoid from their spelled-out forms; the reference knows certain combinations only
// (front-end spec §5.4).
#include "core/release.hpp"
#include "transforms/conversion/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

enum class Gate { Relu, Maximum, Clamp };

struct Gated {
  Gate kind;
  Value x;
};

bool is_sixth(Value v) { return is_single(v, 1.0 / 6.0, 1e-4); }
bool is_six(Value v) { return is_single(v, 6, 0); }

// x of x + 3.
std::optional<Value> without_three(Value v) {
  Node* add = producer(v, "Add");
  if (!add) return std::nullopt;
  for (const auto& [x, three] : either_order(add))
    if (is_single(three, 3, 0)) return x;
  return std::nullopt;
}

std::optional<Gated> gate_over(Gate kind, Value inner) {
  const auto x = without_three(inner);
  if (!x) return std::nullopt;
  return Gated{kind, *x};
}

// min(Relu(x+3), 6), min(max(x+3, 0), 6) or Clamp(x+3, 0, 6).
std::optional<Gated> gate_of(Value v) {
  if (Node* clamp = producer(v, "Clamp"))
    return clamp->attrs.real("min", 0) == 0 && clamp->attrs.real("max", 0) == 6
               ? gate_over(Gate::Clamp, clamp->input(0))
               : std::nullopt;
  Node* minimum = producer(v, "Minimum");
  if (!minimum) return std::nullopt;
  for (const auto& [inner, six] : either_order(minimum)) {
    if (!is_six(six)) continue;
    if (Node* relu = producer(inner, "Relu")) return gate_over(Gate::Relu, relu->input(0));
    Node* maximum = producer(inner, "Maximum");
    if (!maximum) continue;
    for (const auto& [sum, zero] : either_order(maximum))
      if (is_single(zero, 0, 0)) return gate_over(Gate::Maximum, sum);
  }
  return std::nullopt;
}

// v = inner / 6 or inner · (1/6); `divides` says which.
std::optional<Value> six_times(Value v, bool& divides) {
  if (Node* divide = producer(v, "Divide"); divide && is_six(divide->input(1))) {
    divides = true;
    return divide->input(0);
  }
  divides = false;
  if (Node* multiply = producer(v, "Multiply"))
    for (const auto& [inner, sixth] : either_order(multiply))
      if (is_sixth(sixth)) return inner;
  return std::nullopt;
}

bool fuse_hsigmoid(Rewriter& rw, Node* n) {
  bool divides = false;
  const auto inner = six_times(n->value(), divides);
  const auto gate = inner ? gate_of(*inner) : std::nullopt;
  if (!gate) return false;
  if (gate->kind == Gate::Maximum && !divides) return false;
  if (gate->kind == Gate::Clamp && divides && !rw.graph().release->clamps_in_hard_sigmoids) return false;
  return rw.replace(n, rw.make("HSigmoid", {gate->x}));
}

bool fuse_hswish(Rewriter& rw, Node* n) {
  const auto become = [&](Value x) { return rw.replace(n, rw.make("HSwish", {x})); };
  bool divides = false;
  // (x · gate) / 6 and (x · gate) · (1/6), only with Relu
  if (const auto inner = six_times(n->value(), divides))
    if (Node* multiply = producer(*inner, "Multiply"))
      for (const auto& [x, g] : either_order(multiply))
        if (const auto gate = gate_of(g); gate && gate->kind == Gate::Relu && gate->x == x) return become(x);
  // x · (gate / 6), x · (gate · (1/6)); elsewhere by way of an HSigmoid
  if (!n->is("Multiply") || rw.graph().release->clamps_in_hard_sigmoids) return false;
  for (const auto& [x, scaled] : either_order(n)) {
    const auto inner = six_times(scaled, divides);
    const auto gate = inner ? gate_of(*inner) : std::nullopt;
    if (!gate || gate->x != x) continue;
    if (gate->kind == Gate::Clamp || (gate->kind == Gate::Maximum && divides)) return become(x);
  }
  return false;
}

bool fuse_hswish_of_hsigmoid(Rewriter& rw, Node* n) {  // x · HSigmoid(x)
  for (const auto& [x, h] : either_order(n))
    if (Node* hsigmoid = producer(h, "HSigmoid"); hsigmoid && has_one_user(h) && hsigmoid->input(0) == x)
      return rw.replace(n, rw.make("HSwish", {x}));
  return false;
}

bool fuse_hswish_of_clamp(Rewriter& rw, Node* n) {  // x · Clamp(x + 3, 0, 6) -> HSwish(x) · 6
  if (!rw.graph().release->clamps_in_hard_sigmoids) return false;
  for (const auto& [x, g] : either_order(n)) {
    const auto gate = gate_of(g);
    if (!gate || gate->kind != Gate::Clamp || gate->x != x) continue;
    Node* hswish = rw.make("HSwish", {x});
    const Value six = rw.scalar(x.type(), 6);
    return rw.replace(n, rw.make("Multiply", {hswish->value(), six}));
  }
  return false;
}

constexpr RewriteRow kHardActivationFusions[] = {
    {{"Multiply", "Divide"}, fuse_hswish},
    {{"Multiply"}, fuse_hswish_of_hsigmoid},
    {{"Multiply"}, fuse_hswish_of_clamp},
    {{"Multiply", "Divide"}, fuse_hsigmoid},
};

}  // namespace

std::span<const RewriteRow> hard_activation_fusions() { return kHardActivationFusions; }

}  // namespace blobsmith::transforms
