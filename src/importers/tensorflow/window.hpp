// Strides, dilations and padding of a window that moves over the planes of a tensor.
#pragma once
#include <string>
#include <vector>

#include "importers/tensorflow/context.hpp"

namespace blobsmith::tensorflow_import {

struct Window {
  std::vector<int64_t> strides, dilations, pads_begin, pads_end;  ///< of the planes alone
  std::string auto_pad;
};

/// The entries of the planes in a list of one number per axis of the model's tensors; ones where there is no list.
std::vector<int64_t> of_planes(const Context& c, const std::vector<int64_t>& list, int64_t rank, const char* what);
/// `same`: what padding SAME becomes.
Window read_window(const Context& c, int64_t rank, const char* same);

}  // namespace blobsmith::tensorflow_import
