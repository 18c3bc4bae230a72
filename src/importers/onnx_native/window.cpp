#include "importers/onnx_native/window.hpp"

namespace blobsmith::onnx_native {
namespace {

std::string pad_mode(const Recipe& r) {
  const std::string mode = r.text("auto_pad", "NOTSET");
  if (mode == "NOTSET") return "explicit";
  if (mode == "VALID") return "valid";
  if (mode == "SAME_UPPER") return "same_upper";
  if (mode == "SAME_LOWER") return "same_lower";
  r.refuse("Provided `auto_pad` attribute value: '" + mode + "' is invalid.");
}

}  // namespace

size_t spatial_axes(const Recipe& r, Value x) {
  if (r.rank(x) < 3) r.refuse("its input has " + std::to_string(r.rank(x)) + " dimensions");
  return static_cast<size_t>(r.rank(x)) - 2;
}

Window read_window(const Recipe& r, size_t spatial) {
  Window w;
  w.strides = r.integers("strides", std::vector<int64_t>(spatial, 1));
  w.dilations = r.integers("dilations", std::vector<int64_t>(spatial, 1));
  w.auto_pad = pad_mode(r);
  const std::vector<int64_t> pads = r.integers("pads", std::vector<int64_t>(2 * spatial, 0));
  // A list of half the size counts for both sides.
  const size_t half = pads.size() == spatial ? 0 : spatial;
  if (pads.size() < half + spatial || w.strides.size() != spatial || w.dilations.size() != spatial)
    r.refuse("pads, strides or dilations do not fit the input's " + std::to_string(spatial) + " spatial axes");
  const auto begin = pads.begin(), end = begin + static_cast<std::ptrdiff_t>(half),
             size = begin + static_cast<std::ptrdiff_t>(spatial);
  w.pads_begin.assign(begin, size);
  w.pads_end.assign(end, end + static_cast<std::ptrdiff_t>(spatial));
  return w;
}

}  // namespace blobsmith::onnx_native
