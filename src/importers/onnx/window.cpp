#include "importers/onnx/window.hpp"

namespace blobsmith::onnx_import {
namespace {

std::string pad_mode(const NodeView& c) {
  const std::string mode = c.text("auto_pad", "NOTSET");
  if (mode == "NOTSET") return "explicit";
  if (mode == "VALID") return "valid";
  if (mode == "SAME_UPPER") return "same_upper";
  if (mode == "SAME_LOWER") return "same_lower";
  c.refuse("Provided `auto_pad` attribute value: '" + mode + "' is invalid.");
}

}  // namespace

size_t spatial_axes(const NodeView& c, Value x) {
  const size_t rank = x.shape().size();
  if (rank < 3) c.refuse("its input has " + std::to_string(rank) + " dimensions");
  return rank - 2;
}

WindowAttributes read_window_attributes(const NodeView& c, size_t spatial) {
  WindowAttributes w;
  w.strides = c.integers("strides", std::vector<int64_t>(spatial, 1));
  w.dilations = c.integers("dilations", std::vector<int64_t>(spatial, 1));
  w.auto_pad = pad_mode(c);
  const std::vector<int64_t> pads = c.integers("pads", std::vector<int64_t>(2 * spatial, 0));
  const bool both_sides = pads.size() == spatial;  // a list of half the size counts for both sides
  if ((!both_sides && pads.size() != 2 * spatial) || w.strides.size() != spatial || w.dilations.size() != spatial)
    c.refuse("pads, strides or dilations do not fit the input's " + std::to_string(spatial) + " spatial axes");
  const auto middle = pads.begin() + static_cast<std::ptrdiff_t>(spatial);
  w.pads_begin.assign(pads.begin(), middle);
  w.pads_end = both_sides ? w.pads_begin : std::vector<int64_t>(middle, pads.end());
  return w;
}

}  // namespace blobsmith::onnx_import
