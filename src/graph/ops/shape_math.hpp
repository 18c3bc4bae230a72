// Arithmetic on shapes shared by the operations: broadcasting, sliding windows, padding. Dimensions may be kDynamic.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/window.hpp"
#include "graph/graph.hpp"
#include "graph/ops/op.hpp"

namespace blobsmith::ops {

/// Two dimensions that must agree; nothing when they differ. A dynamic one takes the other's size.
std::optional<int64_t> merge_dims(int64_t a, int64_t b);
std::optional<Shape> merge_shapes(const Shape& a, const Shape& b);
/// numpy broadcasting of both shapes; nothing when they don't fit.
std::optional<Shape> broadcast(const Shape& a, const Shape& b);
/// The shape of an element-wise operation of two inputs under `auto_broadcast`.
Shape elementwise_shape(const Inference& in, const Shape& a, const Shape& b);

int64_t add_dims(int64_t a, int64_t b);  ///< dynamic when one is
int64_t multiply_dims(int64_t a, int64_t b);
/// Product of dims [begin, end); dynamic when one is; throws on overflow.
int64_t product(const Shape& s, int64_t begin, int64_t end);
inline int64_t div_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Spellings of auto_pad.
inline constexpr std::string_view kPadModes = "explicit|same_upper|same_lower|valid|notset";
/// What convolutions and poolings have in common, outermost axis first. Reads strides, dilations (where stated), pads
/// and auto_pad; empty lists become ones or zeros; same_* and valid become explicit pads, which are written back to the
/// attributes. `input`, `kernel`: sizes of the spatial axes.
Windows read_windows(Inference& in, const std::vector<int64_t>& input, const std::vector<int64_t>& kernel);
/// Writes pads_begin and pads_end.
void set_pad_attributes(Inference& in, const Windows& w);
/// Output size per spatial axis.
std::vector<int64_t> window_outputs(const Inference& in, const std::vector<int64_t>& input, const Windows& w,
                                    bool round_up = false);
/// An attribute's list with one entry per spatial axis: an empty list becomes `fill` repeated.
std::vector<int64_t> spatial_list(Inference& in, std::string_view name, size_t rank, int64_t fill);

/// Spatial part of a shape (all after batch and channels).
std::vector<int64_t> spatial(const Shape& s, size_t from = 2);
Shape concat(const Shape& a, const std::vector<int64_t>& b);

/// Output 0 is like input 0.
void infer_like_input(Inference& in);

}  // namespace blobsmith::ops
