// Interpolate of opset1 -> Interp (linear) or ResampleV2; version 4 stays (front-end spec §5.6).
#include "graph/ops/interpolation.hpp"
#include "transforms/conversion/rewrites.hpp"
#include "transforms/faults/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

// quirk: only the first of the pads is looked at.
bool first_is_zero(const Attributes& attrs, std::string_view name) {
  const auto pads = attrs.get_or<std::vector<int64_t>>(name, {});
  return pads.empty() || pads[0] == 0;
}

bool keeps_batch_and_channels(const Node& n) {
  const Shape &x = n.input(0).shape(), &y = n.shape();
  return x.size() == y.size() && x.size() > 2 && x[0] == y[0] && x[1] == y[1];
}

// The integer by which every spatial dimension grows; nothing when they grow differently.
std::optional<int64_t> common_factor(const Shape& x, const Shape& y) {
  std::optional<int64_t> factor;
  for (size_t i = 2; i < x.size(); ++i) {
    if (x[i] < 1 || y[i] % x[i] != 0 || (factor && *factor != y[i] / x[i])) return std::nullopt;
    factor = y[i] / x[i];
  }
  return factor;
}

bool to_interp(Rewriter& rw, Node* n, const std::string& mode) {
  if (mode != "linear") throw cannot_compile(*n, "Interp do not support mode '" + mode + "'");
  if (n->attrs.flag("antialias")) throw cannot_compile(*n, "Interp do not support antialias");
  Attributes attrs = attributes({{"height", n->shape()[2]},
                                 {"width", n->shape()[3]},
                                 {"align_corners", n->attrs.flag("align_corners", true)},
                                 {"mode", mode},
                                 {"antialias", false}});
  for (const auto& [from, to] : {std::pair("pads_begin", "pad_beg"), std::pair("pads_end", "pad_end")})
    if (const auto pads = n->attrs.get_or<std::vector<int64_t>>(from, {}); !pads.empty()) attrs.set(to, pads[0]);
  return rw.replace(n, rw.make_like(n, "Interp", {n->input(0)}, attrs));
}

bool to_resample(Rewriter& rw, Node* n, const std::string& mode) {
  Attributes attrs = attributes({{"mode", mode}, {"antialias", n->attrs.flag("antialias")}});
  const auto factor = common_factor(n->input(0).shape(), n->shape());
  if (factor) attrs.set("factor", *factor);
  std::vector<Value> inputs{n->input(0)};
  if (!factor) inputs.push_back(rw.indices(n->shape()));
  return rw.replace(n, rw.make_like(n, "ResampleV2", inputs, attrs));
}

}  // namespace

// Whole multiples of the nearest pixel come out the same.
bool resizes_by_middles(const Node& n) {
  const std::string mode = n.attrs.text("mode", "");
  if (!n.is("Interpolate") || n.version != 0 || mode == "cubic" || mode == "area") return false;
  const Shape &in = n.input(0).shape(), &out = n.shape();
  const std::string_view coordinates = ops::coordinates_of_opset1(n.attrs, in.size());
  bool multiple = mode == "nearest" && coordinates == "asymmetric";
  for (size_t i = 0; i < in.size(); ++i) multiple = multiple && in[i] > 0 && out[i] % in[i] == 0;
  return in != out && !multiple && coordinates != "half_pixel";
}

Rewritten state_coordinates(Graph& graph) {
  Rewritten list;
  for (Node* n : graph.ordered()) {
    if (!resizes_by_middles(*n) || !keeps_batch_and_channels(*n)) continue;
    if (n->attrs.flag("antialias") && n->attrs.text("mode") == "linear") continue;
    const Shape &in = n->input(0).shape(), &out = n->shape();
    if (in.size() != 4 || !is_static(in) || !is_static(out) || !ops::all_zero(n->attrs, "pads_begin") ||
        !ops::all_zero(n->attrs, "pads_end"))
      continue;
    const std::vector<float> scales{static_cast<float>(out[2]) / static_cast<float>(in[2]),
                                    static_cast<float>(out[3]) / static_cast<float>(in[3])};
    const std::vector<Value> inputs{n->input(0), graph.constant(Tensor::i64({out[2], out[3]}))->value(),
                                    graph.constant(Tensor::of(ElementType::f32, {2}, scales))->value(),
                                    graph.constant(Tensor::i64({2, 3}))->value()};
    Node* stated = graph.make(
        "Interpolate", inputs,
        attributes({{"mode", n->attrs.text("mode")},
                    {"shape_calculation_mode", "sizes"},
                    {"coordinate_transformation_mode", std::string(ops::coordinates_of_opset1(n->attrs, in.size()))},
                    {"nearest_mode", std::string(ops::kNearestOfOpset1)}}),
        4, n->name);
    stated->source = n->source;
    graph.redirect(n->value(), stated->value());
    graph.remove(n);
    list.push_back(rewritten(*stated));
  }
  return list;
}

namespace {

bool interpolate_to_legacy(Rewriter& rw, Node* n) {
  const size_t rank = n->input(0).shape().size();
  if (n->version != 0 || !constant_of(n->input(1)) || (rank != 4 && rank != 5) || !keeps_batch_and_channels(*n))
    return false;
  const std::string mode = n->attrs.text("mode");
  if (rank == 4 && mode != "nearest" && mode != "cubic" && mode != "area") return to_interp(rw, n, mode);
  if (!first_is_zero(n->attrs, "pads_begin") || !first_is_zero(n->attrs, "pads_end") ||
      n->attrs.flag("align_corners", true))
    return false;
  return to_resample(rw, n, mode);
}

constexpr RewriteRow kInterpolationsToLegacy[] = {
    {{"Interpolate"}, interpolate_to_legacy, "Interp Resample Interpolate"},
};

}  // namespace

std::span<const RewriteRow> interpolations_to_legacy() { return kInterpolationsToLegacy; }

}  // namespace blobsmith::transforms
