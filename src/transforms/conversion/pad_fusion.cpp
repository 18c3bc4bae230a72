// A zero Pad of the spatial dimensions becomes the padding of the pooling or convolution behind it (front-end spec
// §5.4). quirk: of a MaxPool too, whose padding is minus infinity; and a transposed convolution loses of its padding
// what the Pad had, whatever its stride: its output can become smaller.
#include <algorithm>

#include "core/release.hpp"
#include "transforms/conversion/rewrites.hpp"
#include "transforms/faults/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

struct SpatialPads {
  std::vector<int64_t> begin, end;
};

std::optional<SpatialPads> zero_spatial_pads(const Node& pad) {
  const Tensor* begin = constant_of(pad.input(1));
  const Tensor* end = constant_of(pad.input(2));
  if (!begin || !end || pad.attrs.text("pad_mode", "constant") != "constant") return std::nullopt;
  if (pad.input_count() > 3 && !is_single(pad.input(3), 0, 0)) return std::nullopt;
  SpatialPads p{begin->to_i64(), end->to_i64()};
  if (p.begin.size() < 3 || p.end.size() != p.begin.size()) return std::nullopt;
  const auto any_set = [](const std::vector<int64_t>& v) { return v[0] != 0 || v[1] != 0; };
  if (any_set(p.begin) || any_set(p.end)) return std::nullopt;
  const auto negative = [](int64_t v) { return v < 0; };
  if (std::ranges::any_of(p.begin, negative) || std::ranges::any_of(p.end, negative)) return std::nullopt;
  p.begin.erase(p.begin.begin(), p.begin.begin() + 2);
  p.end.erase(p.end.begin(), p.end.begin() + 2);
  return p;
}

bool is_backprop(const Node& n) { return n.is("ConvolutionBackpropData") || n.is("GroupConvolutionBackpropData"); }

// own + sign · more; false where a padding would become negative.
bool add_pads(std::vector<int64_t>& own, const std::vector<int64_t>& more, int64_t sign) {
  if (own.size() != more.size()) return false;
  for (size_t i = 0; i < own.size(); ++i)
    if ((own[i] += sign * more[i]) < 0) return false;
  return true;
}

// Whether some window would lie in padding alone.
bool leaves_windows_empty(const Node& pool, const SpatialPads& more) {
  std::vector<int64_t> begin = pool.attrs.integers("pads_begin"), end = pool.attrs.integers("pads_end");
  const std::vector<int64_t>& kernel = pool.attrs.integers("kernel");
  if (!add_pads(begin, more.begin, 1) || !add_pads(end, more.end, 1)) return false;
  return !std::ranges::equal(begin, kernel, std::less()) || !std::ranges::equal(end, kernel, std::less());
}

// A pool is told of as much padding behind its input as there is in front.
bool averages_less(const Node& pool, const SpatialPads& more) {
  std::vector<int64_t> begin = pool.attrs.integers("pads_begin"), end = pool.attrs.integers("pads_end");
  return add_pads(begin, more.begin, 1) && add_pads(end, more.end, 1) && begin != end;
}

constexpr const char* kPadApart = "apart";  ///< of a Pad that is not to be fused

}  // namespace

bool is_changed_by_pad_fusion(const Node& window) {
  if (!is_backprop(window) && !window.is("MaxPool") && !window.is("AvgPool")) return false;
  const Node* pad = producer(window.input(0), "Pad");
  const auto pads = pad ? zero_spatial_pads(*pad) : std::nullopt;
  if (!pads) return false;
  if (window.is("AvgPool")) return averages_less(window, *pads);
  if (is_backprop(window))
    return std::ranges::any_of(window.attrs.integers("strides"), [](int64_t s) { return s != 1; });
  return !is_never_negative(pad->input(0)) || leaves_windows_empty(window, *pads);
}

Rewritten keep_pads_apart(Graph& graph) {
  Rewritten windows;
  for (Node* n : graph.ordered()) {
    if (!is_changed_by_pad_fusion(*n)) continue;
    if (n->is("MaxPool") && !graph.release->pads_into_max_pools) continue;
    n->input(0).node->attrs.set(kPadApart, true);
    windows.push_back(rewritten(*n));
  }
  return windows;
}

namespace {

bool fuse_pad(Rewriter& rw, Node* n) {
  if (n->is("MaxPool") && !rw.graph().release->pads_into_max_pools) return false;
  Node* pad = producer(n->input(0), "Pad");
  if (!pad || !has_one_user(n->input(0)) || pad->attrs.flag(kPadApart)) return false;
  const auto pads = zero_spatial_pads(*pad);
  if (!pads || n->input_count() > 2) return false;
  Attributes attrs = n->attrs;
  std::vector<int64_t> begin = attrs.integers("pads_begin"), end = attrs.integers("pads_end");
  const auto is_zero = [](int64_t v) { return v == 0; };
  if (attrs.flag("exclude-pad") && !(std::ranges::all_of(begin, is_zero) && std::ranges::all_of(end, is_zero)))
    return false;
  const int64_t sign = is_backprop(*n) ? -1 : 1;
  if (!add_pads(begin, pads->begin, sign) || !add_pads(end, pads->end, sign)) return false;
  attrs.set("pads_begin", begin);
  attrs.set("pads_end", end);
  attrs.set("auto_pad", "explicit");
  if (attrs.has("exclude-pad")) attrs.set("exclude-pad", false);
  std::vector<Value> inputs = n->inputs();
  inputs[0] = pad->input(0);
  const Shape before = n->shape();
  Node* fused = rw.make(n->type, inputs, attrs, n->version);
  rw.replace(n, fused);
  if (fused->shape() != before) infer_all(rw.graph());
  return true;
}

constexpr RewriteRow kPadFusions[] = {
    {{"AvgPool", "MaxPool", "Convolution", "GroupConvolution", "ConvolutionBackpropData",
      "GroupConvolutionBackpropData"},
     fuse_pad},
};

}  // namespace

std::span<const RewriteRow> pad_fusions() { return kPadFusions; }

}  // namespace blobsmith::transforms
