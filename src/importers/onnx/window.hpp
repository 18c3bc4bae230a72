// The attributes that convolutions and pools share (front-end spec §16.2).
#pragma once
#include <string>
#include <vector>

#include "importers/onnx/node_view.hpp"

namespace blobsmith::onnx_import {

struct WindowAttributes {
  std::vector<int64_t> strides, dilations, pads_begin, pads_end;
  std::string auto_pad;  ///< as OpenVINO spells it
};

/// The number of axes after batch and channels.
size_t spatial_axes(const NodeView& c, Value x);
WindowAttributes read_window_attributes(const NodeView& c, size_t spatial);

}  // namespace blobsmith::onnx_import
