// The attributes that convolutions and pools share (front-end spec §16.2).
#pragma once
#include <string>
#include <vector>

#include "importers/onnx_native/recipe.hpp"

namespace blobsmith::onnx_native {

struct Window {
  std::vector<int64_t> strides, dilations, pads_begin, pads_end;
  std::string auto_pad;
};

/// The number of axes after batch and channels.
size_t spatial_axes(const Recipe& r, Value x);
Window read_window(const Recipe& r, size_t spatial);

}  // namespace blobsmith::onnx_native
