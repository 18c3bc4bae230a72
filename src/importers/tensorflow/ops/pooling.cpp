// Pools over windows.
#include "importers/tensorflow/operators.hpp"
#include "importers/tensorflow/window.hpp"

namespace blobsmith::tensorflow_import {
namespace {

std::vector<Value> pool(Context& c) {
  const int64_t rank = c.rank();
  Window w = read_window(c, rank, "same_upper");
  std::vector<int64_t> kernel;
  if (c.input_count() > 2) {  // the newer form has both as inputs
    kernel = of_planes(c, c.integers_of(1, "window"), rank, "ksize");
    w.strides = of_planes(c, c.integers_of(2, "strides"), rank, "strides");
  } else {
    kernel = of_planes(c, c.node().integers("ksize"), rank, "ksize");
  }
  Attributes a = attributes({{"kernel", kernel},
                             {"strides", w.strides},
                             {"pads_begin", w.pads_begin},
                             {"pads_end", w.pads_end},
                             {"auto_pad", w.auto_pad},
                             {"rounding_type", std::string("floor")}});
  if (c.becomes() == "AvgPool") a.set("exclude-pad", true);
  return {c.to_model_layout(c.make(c.becomes(), {c.to_channels_first(c.input(0))}, a, 1))};
}

constexpr OperatorRow kOperators[] = {
    {"MaxPool", "MaxPool", pool}, {"MaxPoolV2", "MaxPool", pool}, {"MaxPool3D", "MaxPool", pool},
    {"AvgPool", "AvgPool", pool}, {"AvgPoolV2", "AvgPool", pool}, {"AvgPool3D", "AvgPool", pool},
};

}  // namespace

std::span<const OperatorRow> pooling_operators() { return kOperators; }

}  // namespace blobsmith::tensorflow_import
