// Single layers in words that the VPU understands: conversions to booleans, patches of images, pads of interpolations.
#include "graph/ops/interpolation.hpp"
#include "graph/ops/slice_plan.hpp"
#include "transforms/faults/common.hpp"

namespace blobsmith::transforms {

bool truncates_to_boolean(const Node& n) {
  return n.is("Convert") && n.element_type() == ElementType::boolean && is_float(n.input(0).type());
}

Rewritten compare_with_zero(Graph& graph) {
  return rewrite_each(graph, [](Rewriter& rw, Node* n) {
    if (!truncates_to_boolean(*n)) return false;
    // Of real numbers only Greater, Less and Equal give integers.
    const Value zero = rw.make("Equal", {n->input(0), rw.scalar(n->input(0).type(), 0)})->value();
    return rw.replace(n, rw.make("LogicalNot", {zero}));
  });
}

bool is_reorganised(const Node& n) {
  if (!n.is("ExtractImagePatches")) return false;
  const auto& sizes = n.attrs.integers("sizes");
  const Shape& x = n.input(0).shape();
  if (sizes.size() != 2 || x.size() != 4 || !is_static(x) || sizes != n.attrs.integers("strides") ||
      sizes[0] != sizes[1] || sizes[0] < 2)
    return false;
  return n.attrs.integers("rates") == std::vector<int64_t>{1, 1} && x[2] % sizes[0] == 0 && x[3] % sizes[0] == 0;
}

Rewritten cut_into_blocks(Graph& graph) {
  return rewrite_each(graph, [](Rewriter& rw, Node* n) {
    if (!is_reorganised(*n)) return false;
    return rw.replace(n,
                      rw.make("SpaceToDepth", {n->input(0)},
                              attributes({{"mode", "blocks_first"}, {"block_size", n->attrs.integers("sizes")[0]}})));
  });
}

bool pads_interpolation(const Node& n) {
  return n.is("Interpolate") && (!ops::all_zero(n.attrs, "pads_begin") || !ops::all_zero(n.attrs, "pads_end"));
}

Rewritten pad_before_interpolations(Graph& graph) {
  return rewrite_each(graph, [](Rewriter& rw, Node* n) {
    if (!pads_interpolation(*n) || n->version != 4 || !is_static(n->input(0).shape())) return false;
    std::vector<int64_t> begin = n->attrs.integers("pads_begin"), end = n->attrs.integers("pads_end");
    begin.resize(n->shape().size(), 0);
    end.resize(n->shape().size(), 0);
    const Value x = n->input(0), zero = rw.scalar(x.type(), 0), from = rw.indices(std::move(begin)),
                to = rw.indices(std::move(end));
    std::vector<Value> inputs = n->inputs();
    inputs[0] = rw.make("Pad", {x, from, to, zero}, attributes({{"pad_mode", "constant"}}))->value();
    Attributes attrs = n->attrs;
    for (const char* pads : {"pads_begin", "pads_end"}) attrs.set(pads, std::vector<int64_t>());
    return rw.replace(n, rw.make("Interpolate", inputs, attrs, 4));
  });
}

namespace {
/// The begins of a slice as its masks say, where these differ from what it states.
std::optional<std::vector<int64_t>> masked_begins(const Node& n) {
  if (!n.is("StridedSlice")) return std::nullopt;
  const Tensor *begin = constant_of(n.input(1)), *strides = n.input_count() > 3 ? constant_of(n.input(3)) : nullptr;
  if (!begin) return std::nullopt;
  const std::vector<int64_t> stated = begin->to_i64();
  std::vector<int64_t> masked =
      ops::begins_as_masked(n.attrs, stated, strides ? strides->to_i64() : std::vector<int64_t>());
  return masked == stated ? std::nullopt : std::optional(std::move(masked));
}
}  // namespace

bool drops_masked_begins(const Node& n) { return masked_begins(n).has_value(); }

Rewritten state_masked_begins(Graph& graph) {
  return rewrite_each(graph, [](Rewriter& rw, Node* n) {
    const auto begins = masked_begins(*n);
    if (begins) rw.set_input(n, 1, rw.indices(*begins));
    return begins.has_value();
  });
}

}  // namespace blobsmith::transforms
