// A Pad of zeros in front of a convolution or a pool becomes pads of it (model-optimizer spec §6.6).
#include <algorithm>

#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::model_optimizer {
namespace {

bool is_window(const Node* n) {
  return n->is("Convolution") || n->is("GroupConvolution") || n->is("MaxPool") || n->is("AvgPool");
}

/// Pads of the spatial axes, if those are all there are.
std::optional<std::vector<int64_t>> spatial_pads(Value v) {
  const Tensor* t = transforms::constant_of(v);
  if (!t) return std::nullopt;
  const std::vector<int64_t> pads = t->to_i64();
  if (pads.size() < 3 || pads[0] != 0 || pads[1] != 0 || std::ranges::any_of(pads, [](int64_t p) { return p < 0; }))
    return std::nullopt;
  return std::vector(pads.begin() + 2, pads.end());
}

void add_pads(Node* n, const char* attribute, const std::vector<int64_t>& by) {
  std::vector<int64_t> pads = n->attrs.integers(attribute);
  for (size_t i = 0; i < pads.size() && i < by.size(); ++i) pads[i] += by[i];
  n->attrs.set(attribute, std::move(pads));
}

bool fold(Rewriter& rw, Node* n, bool quirks) {
  if (n->attrs.text("pad_mode") != "constant" || (n->input_count() > 3 && !transforms::is_single(n->input(3), 0, 0)))
    return false;
  const auto begin = spatial_pads(n->input(1)), end = spatial_pads(n->input(2));
  if (!begin || !end) return false;
  const std::vector<NodeUse> uses = n->output().uses;
  bool changed = false;
  for (const NodeUse& use : uses) {
    Node* window = use.node;
    if (!is_window(window) || use.port != 0 || window->attrs.text("auto_pad", "explicit") == "valid" ||
        window->attrs.text("auto_pad", "explicit").starts_with("same"))
      continue;
    if (!quirks && window->is("MaxPool") && !transforms::is_never_negative(n->input(0))) continue;
    add_pads(window, "pads_begin", *begin);
    add_pads(window, "pads_end", *end);
    if (window->is("AvgPool")) window->attrs.set("exclude-pad", false);
    rw.set_input(window, 0, n->input(0));
    infer_unrounded(rw.graph(), window);
    changed = true;
  }
  return changed;
}

}  // namespace

// quirk: zeros become padding of a MaxPool too, which is minus infinity.
bool fold_pad(Rewriter& rw, Node* n) { return fold(rw, n, true); }
bool fold_pad_exactly(Rewriter& rw, Node* n) { return fold(rw, n, false); }

bool fold_stated_pad(Rewriter& rw, Node* n) {
  if (n->input_count() < 4) return false;
  // Nothing is padded by a window that is valid; Model Optimizer states its pads from here on.
  for (const NodeUse& use : n->output().uses)
    if (is_window(use.node) && use.node->attrs.text("auto_pad", "explicit") == "valid")
      use.node->attrs.set("auto_pad", std::string("explicit"));
  return fold(rw, n, false);
}

}  // namespace blobsmith::model_optimizer
