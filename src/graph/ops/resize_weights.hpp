// The weights of Interpolate: every output position along one axis is a weighted sum of inputs along it (all modes are
// products of functions of one axis).
#pragma once
#include <map>
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::ops {

struct Term {
  int64_t from;
  double weight;
};
using AxisWeights = std::vector<std::vector<Term>>;

/// Attributes in the words of opset 4.
struct Resize {
  std::string mode, coordinates, rounding;
  bool antialias = false;  ///< of an image that shrinks
  double cube = -0.75;

  AxisWeights weights(int64_t in_size, int64_t out_size, double scale) const;

 private:
  double source(double at, double scale, double in_size, double out_size) const;
  int64_t nearest(double x, bool shrinks) const;
  std::vector<Term> terms(double x, double scale, int64_t size) const;
  std::vector<Term> triangle(double x, double scale, int64_t size) const;
  std::vector<Term> cubic(double x, int64_t size) const;
};

/// Sizes of its data with its pads.
Shape padded_shape(const Node& n, const Shape& data);
/// The scale of each axis that is resized. `scales` and `axes` are the inputs of opset 4; no axes: all of them.
std::map<size_t, double> resize_scales(const Node& n, const Shape& data, const Shape& out,
                                       const std::vector<float>& scales, const std::vector<int64_t>& axes);
/// Of an Interpolate of opset 1 or 4 that resizes by these scales.
Resize resize_of(const Node& n, const std::map<size_t, double>& scales);

}  // namespace blobsmith::ops
