#include "importers/tensorflow/window.hpp"

#include <algorithm>

namespace blobsmith::tensorflow_import {

std::vector<int64_t> of_planes(const Context& c, const std::vector<int64_t>& list, int64_t rank, const char* what) {
  const auto planes = static_cast<size_t>(rank - 2);
  if (list.empty()) return std::vector<int64_t>(planes, 1);
  if (static_cast<int64_t>(list.size()) != rank)
    c.refuse(std::string(what) + " has " + std::to_string(list.size()) + " numbers, its input " + std::to_string(rank) +
             " dimensions");
  const size_t first = c.channels_last() ? 1 : 2, channels = c.channels_last() ? list.size() - 1 : 1;
  if (list[0] != 1 || list[channels] != 1) c.refuse(std::string(what) + " is " + to_string(list));
  if (std::ranges::any_of(list, [](int64_t v) { return v < 1; }))
    c.refuse(std::string(what) + " is " + to_string(list));
  return {list.begin() + static_cast<std::ptrdiff_t>(first),
          list.begin() + static_cast<std::ptrdiff_t>(first + planes)};
}

Window read_window(const Context& c, int64_t rank, const char* same) {
  if (rank < 3 || rank > 5) c.refuse("its input has " + std::to_string(rank) + " dimensions");
  Window w;
  const auto planes = static_cast<size_t>(rank - 2);
  w.strides = of_planes(c, c.node().integers("strides"), rank, "strides");
  w.dilations = of_planes(c, c.node().integers("dilations"), rank, "dilations");
  w.pads_begin.assign(planes, 0);
  w.pads_end.assign(planes, 0);
  const std::string padding = c.node().text("padding", "");
  if (padding == "SAME") {
    w.auto_pad = same;
  } else if (padding == "VALID") {
    w.auto_pad = "valid";
  } else if (padding == "EXPLICIT") {
    const std::vector<int64_t> pads = c.node().integers("explicit_paddings");
    if (static_cast<int64_t>(pads.size()) != 2 * rank) c.refuse("explicit_paddings is " + to_string(pads));
    const size_t first = c.channels_last() ? 1 : 2;
    for (size_t i = 0; i < planes; ++i) {
      w.pads_begin[i] = pads[2 * (first + i)];
      w.pads_end[i] = pads[2 * (first + i) + 1];
    }
    w.auto_pad = "explicit";
  } else {
    c.refuse("padding is '" + padding + "'");
  }
  return w;
}

}  // namespace blobsmith::tensorflow_import
