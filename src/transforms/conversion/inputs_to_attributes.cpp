// Operations whose legacy layer keeps constant inputs as attributes (front-end spec §5.6).
#include <algorithm>

#include "core/release.hpp"
#include "graph/numbering.hpp"
#include "graph/ops/shape_math.hpp"
#include "transforms/conversion/passes.hpp"
#include "transforms/conversion/rewrites.hpp"
#include "transforms/faults/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

// NormalizeL2 with one scale for all, or one per channel. quirk: other axes than the channels count as channels and
// plane; a factor of one axis counts as one for all, any other as one per channel.
Node* normalize_ie(Rewriter& rw, Node* normalize, Value scales, bool channel_shared) {
  const Tensor* axes = constant_of(normalize->input(1));
  const bool over_channels = axes && axes->to_i64() == std::vector<int64_t>{1};
  return rw.make_like(normalize, "NormalizeIE", {normalize->input(0), scales},
                      attributes({{"eps", normalize->attrs.real("eps")},
                                  {"across_spatial", !over_channels},
                                  {"channel_shared", channel_shared}}));
}

enum class Factor { Single, PerChannel, Other };

/// What a constant of this shape is to an L2 norm of that one.
Factor kind_of_factor(const Shape& factor, const Shape& norm) {
  if (element_count(factor) == 1) return factor.size() <= norm.size() ? Factor::Single : Factor::Other;
  if (factor.size() > norm.size()) return Factor::Other;
  const size_t channels = norm.size() == 3 ? 0 : 1, missing = norm.size() - factor.size();
  for (size_t i = 0; i < factor.size(); ++i)
    if (factor[i] != (i + missing == channels ? norm[channels] : 1)) return Factor::Other;
  return Factor::PerChannel;
}

bool is_misread(const Shape& factor, const Shape& norm) {
  return kind_of_factor(factor, norm) != (factor.size() == 1 ? Factor::Single : Factor::PerChannel);
}

/// A chain of products by constants, and quotients, behind a value.
struct FactorChain {
  Value x;
  Shape factor;  ///< of all of them together
};

std::optional<FactorChain> factor_chain(const Node& n) {
  if (n.is("Divide") && constant_of(n.input(1))) return FactorChain{n.input(0), n.input(1).shape()};
  if (!n.is("Multiply")) return std::nullopt;
  for (const auto& [x, factor] : either_order(&n))
    if (constant_of(factor)) return FactorChain{x, factor.shape()};
  return std::nullopt;
}

bool normalize_l2_with_multiply(Rewriter& rw, Node* n) {
  Node* normalize = producer(n->input(0), "NormalizeL2");
  Value scales = n->input(1);
  if (Node* broadcast = producer(scales, "Broadcast")) scales = broadcast->input(0);
  if (!normalize || !constant_of(scales) || !constant_of(normalize->input(1))) return false;
  bool shared = scales.shape().size() == 1;
  if (normalize->attrs.flag(kExactFactor)) {
    const Factor kind = kind_of_factor(scales.shape(), normalize->shape());
    if (kind == Factor::Other) return false;
    shared = kind == Factor::Single;
  }
  return rw.replace(n, normalize_ie(rw, normalize, scales, shared));
}

bool norm_to_legacy(Rewriter& rw, Node* n) {
  if (!constant_of(n->input(1))) return false;
  return rw.replace(n, normalize_ie(rw, n, rw.filled(n->element_type(), {1}, 1), true));
}

bool lrn_to_legacy(Rewriter& rw, Node* n) {
  const Tensor* axes_constant = constant_of(n->input(1));
  if (!axes_constant) return false;
  Shape axes = normalized_axes(axes_constant->to_i64(), n->shape().size());
  Attributes attrs = n->attrs;
  if (axes == Shape{1}) {
    attrs.set("region", "across");
  } else {
    for (size_t i = 2; i < n->shape().size(); ++i)
      if (std::ranges::find(axes, static_cast<int64_t>(i)) == axes.end()) return false;
    attrs.set("region", "same");
  }
  return rw.replace(n, rw.make_like(n, "LRN_IE", {n->input(0)}, attrs));
}

void require_unsigned(const Node& n, const std::string& attribute, const std::vector<int64_t>& list) {
  if (std::ranges::all_of(list, [](int64_t v) { return v >= 0; })) return;
  std::string text;
  for (int64_t v : list) text += (text.empty() ? "" : ",") + std::to_string(v);
  throw cannot_compile(n, "Error of validate layer: " + n.name + " with type: Pad. Cannot parse parameter " +
                              attribute + "  from IR for layer " + n.name + ". Value " + text +
                              " cannot be casted to unsigned int.");
}

bool pad_to_legacy(Rewriter& rw, Node* n) {
  const Tensor* begin = constant_of(n->input(1));
  const Tensor* end = constant_of(n->input(2));
  if (!begin || !end) return false;
  for (const auto& [name, pads] : {std::pair{"pads_begin", begin}, std::pair{"pads_end", end}})
    require_unsigned(*n, name, pads->to_i64());
  double value = 0;
  if (n->attrs.text("pad_mode", "constant") == "constant" && n->input_count() > 3) {
    const auto stated = single_value(n->input(3));
    if (!stated) return false;
    value = *stated;
  }
  Attributes attrs = attributes({{"pads_begin", begin->to_i64()},
                                 {"pads_end", end->to_i64()},
                                 {"pad_mode", n->attrs.text("pad_mode", "constant")},
                                 {"pad_value", value}});
  return rw.replace(n, rw.make_like(n, "PadIE", {n->input(0)}, attrs));
}

// One Tile per repeated axis, from the last to the first.
bool tile_to_legacy(Rewriter& rw, Node* n) {
  const Tensor* repeats_constant = constant_of(n->input(1));
  Value x = n->input(0);
  if (!repeats_constant || !is_static(x.shape())) return false;
  const std::vector<int64_t> repeats = repeats_constant->to_i64();
  if (x.shape().size() != repeats.size())
    throw cannot_compile(*n, "Tile operation has a form that is not supported. " + n->name +
                                 " should be converted to TileIE operation.");
  const auto repeated = std::ranges::count_if(repeats, [](int64_t r) { return r != 1; });
  if (repeated == 0) {
    if (!x.node->is("Parameter")) x.node->name = n->name;
    return rw.redirect(n->value(), x);
  }
  // quirk: inner Tiles get names with a colon and the axes done so far.
  std::string name = n->name + (repeated > 1 ? ":" : "");
  for (size_t axis = repeats.size(); axis-- > 0;) {
    if (repeats[axis] == 1) continue;
    Shape shape = x.shape();
    shape[axis] *= repeats[axis];
    Node* tile = rw.add("TileIE", {x}, 0, name);
    tile->attrs = attributes({{"axis", static_cast<int64_t>(axis)}, {"tiles", repeats[axis]}});
    rw.graph().set_outputs(tile, {{x.type(), std::move(shape)}});
    name += "_" + std::to_string(axis);
    x = tile->value();
  }
  return rw.replace(n, x.node);
}

bool make_power(Rewriter& rw, Node* n, double exponent) {
  return rw.replace(
      n, rw.make_like(n, "PowerIE", {n->input(0)}, attributes({{"power", exponent}, {"scale", 1.0}, {"shift", 0.0}})));
}

bool power_to_legacy(Rewriter& rw, Node* n) {
  const auto exponent = uniform_value(n->input(1));
  return exponent && n->input(0).shape() == n->shape() && make_power(rw, n, *exponent);
}

bool sqrt_to_legacy(Rewriter& rw, Node* n) { return make_power(rw, n, 0.5); }

bool prelu_to_legacy(Rewriter& rw, Node* n) {
  const auto slope = uniform_value(n->input(1));
  return slope && rw.replace(n, rw.make_like(n, "ReLUIE", {n->input(0)}, attributes({{"negative_slope", *slope}})));
}

bool swish_to_legacy(Rewriter& rw, Node* n) {
  double alpha = 1;
  if (n->input_count() > 1) {
    const auto beta = single_value(n->input(1));
    if (!beta) return false;
    alpha = *beta;
  }
  return rw.replace(n, rw.make_like(n, "SwishIE", {n->input(0)}, attributes({{"alpha", alpha}})));
}

bool hard_sigmoid_to_legacy(Rewriter& rw, Node* n) {
  const auto alpha = single_value(n->input(1)), beta = single_value(n->input(2));
  if (!alpha || !beta) return false;
  return rw.replace(n,
                    rw.make_like(n, "HardSigmoid_IE", {n->input(0)}, attributes({{"alpha", *alpha}, {"beta", *beta}})));
}

bool selu_to_legacy(Rewriter& rw, Node* n) {
  const auto alpha = single_value(n->input(1)), lambda = single_value(n->input(2));
  if (!alpha || !lambda) return false;
  return rw.replace(n, rw.make_like(n, "SeluIE", {n->input(0)}, attributes({{"alpha", *alpha}, {"gamma", *lambda}})));
}

bool has_half_constants(const Graph& g) {
  return std::ranges::any_of(g.all(),
                             [](const Node* n) { return n->is_constant() && n->constant.type == ElementType::f16; });
}

bool one_hot_to_legacy(Rewriter& rw, Node* n) {
  const auto depth = single_value(n->input(1)), on = single_value(n->input(2)), off = single_value(n->input(3));
  if (!depth || !on || !off) return false;
  // The VPU makes floats only; another wanted type comes out of a Convert.
  const ElementType made = has_half_constants(rw.graph()) ? ElementType::f16 : ElementType::f32;
  Node* one_hot = rw.make_like(n, "OneHotIE", {n->input(0)},
                               attributes({{"axis", n->attrs.integer("axis")},
                                           {"depth", static_cast<int64_t>(*depth)},
                                           {"on_value", *on},
                                           {"off_value", *off}}));
  const ElementType wanted = n->element_type();
  rw.graph().set_outputs(one_hot, {{made, n->shape()}});
  if (made == wanted) return rw.replace(n, one_hot);
  one_hot->name = n->name;
  return rw.replace(
      n, rw.make("Convert", {one_hot->value()}, attributes({{"destination_type", std::string(to_string(wanted))}})));
}

bool top_k_to_legacy(Rewriter& rw, Node* n) {
  Value k = n->input(1);
  if (!k.shape().empty()) {
    if (k.shape() != Shape{1}) return false;
  } else if (const auto value = single_value(k)) {
    k = k.type() == ElementType::i32 ? rw.filled(ElementType::i32, {1}, *value)
                                     : rw.indices({static_cast<int64_t>(*value)});
  } else {
    const Value axis = rw.indices({0});
    k = rw.make("Unsqueeze", {k, axis})->value();
  }
  // quirk: its shape is inferred by way of a Squeeze and a TopK that hold the bounds of k.
  Node* top = rw.make_like(n, "TopKIE", {n->input(0), k}, n->attrs);
  numbering::skip(rw.graph(), rw.graph().release->compares_bounds ? 7 : 4);
  return rw.replace(n, top);
}

bool proposal_to_legacy(Rewriter& rw, Node* n) {
  Value info = n->input(2);
  const Shape flat{1, info.shape().empty() ? 1 : info.shape().back()};
  if (Node* reshape = producer(info, "Reshape");
      reshape && reshape->input(0).shape().size() == 2 && reshape->input(0).shape()[0] == 1)
    info = reshape->input(0);
  else if (info.shape().size() == 1)
    info = rw.reshape(info, {1, -1}, true)->value();
  Attributes attrs = n->attrs;
  if (n->version == 4) attrs.set("infer_probs", true);
  return rw.replace(n, rw.make_like(n, "ProposalIE", {n->input(0), n->input(1), info}, attrs));
}

constexpr RewriteRow kInputsToAttributes[] = {
    {{"Multiply"}, normalize_l2_with_multiply},
    {{"HardSigmoid"}, hard_sigmoid_to_legacy},
    {{"Proposal"}, proposal_to_legacy},
    {{"Tile"}, tile_to_legacy},
    {{"LRN"}, lrn_to_legacy},
    {{"Pad"}, pad_to_legacy},
    {{"Power"}, power_to_legacy},
    {{"Sqrt"}, sqrt_to_legacy, "PowerIE"},
    {{"PRelu"}, prelu_to_legacy},
    {{"Selu"}, selu_to_legacy},
    {{"Swish"}, swish_to_legacy},
    {{"OneHot"}, one_hot_to_legacy},
    {{"TopK"}, top_k_to_legacy, "TopKIE"},
};
constexpr RewriteRow kNormalizeL2ToLegacy[] = {
    {{"NormalizeL2"}, norm_to_legacy},
};

}  // namespace

bool misreads_factor(const Node& n) {
  auto chain = factor_chain(n);
  if (!chain || !is_static(n.shape())) return false;
  const auto& users = n.output(0).uses;
  if (users.size() == 1 && factor_chain(*users[0].node)) return false;  // the last of a chain stands for all
  const Value nearest = chain->x;
  while (has_one_user(chain->x)) {
    const auto inner = factor_chain(*chain->x.node);
    if (!inner) break;
    chain = FactorChain{inner->x, ops::broadcast(chain->factor, inner->factor).value_or(chain->factor)};
  }
  if (chain->x == nearest && n.input(0) != nearest) return false;  // a constant in front stays a product of its own
  const Node& norm = *chain->x.node;
  return ((norm.is("NormalizeL2") && constant_of(norm.input(1))) || becomes_l2(norm, false)) &&
         is_misread(chain->factor, norm.shape());
}

Rewritten read_factors_exactly(Graph& graph) {
  Rewritten list;
  for (Node* n : graph.ordered()) {
    if (misreads_factor(*n)) list.push_back(rewritten(*n));
    if (n->is("NormalizeL2") || becomes_l2(*n, graph.release->l2_guard_under_root)) n->attrs.set(kExactFactor, true);
  }
  return list;
}

std::span<const RewriteRow> inputs_to_attributes() { return kInputsToAttributes; }
std::span<const RewriteRow> normalize_l2_to_legacy() { return kNormalizeL2ToLegacy; }

}  // namespace blobsmith::transforms
