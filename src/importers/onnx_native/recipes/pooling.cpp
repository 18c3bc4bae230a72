// Pools over windows and over whole planes.
#include "importers/onnx_native/recipe.hpp"
#include "importers/onnx_native/window.hpp"

namespace blobsmith::onnx_native {
namespace {

constexpr int64_t kMostPlanes = 65536;

std::vector<Value> pool(Recipe& r) {
  const Value x = r.input(0);
  const Window w = read_window(r, spatial_axes(r, x));
  if (!r.has("kernel_shape")) r.refuse("unknown attribute 'kernel_shape'");
  Attributes a = attributes({{"strides", w.strides},
                             {"pads_begin", w.pads_begin},
                             {"pads_end", w.pads_end},
                             {"kernel", r.integers("kernel_shape")},
                             {"rounding_type", std::string(r.integer("ceil_mode", 0) == 1 ? "ceil" : "floor")},
                             {"auto_pad", w.auto_pad}});
  if (r.becomes() == "AvgPool") a.set("exclude-pad", r.integer("count_include_pad", 0) == 0);
  return {r.make(r.becomes(), {x}, a, 1)};
}

/// quirk: nothing stands for the second output, the places of the maxima; as a network output it is dropped silently.
std::vector<Value> max_pool(Recipe& r) {
  const Value y = pool(r)[0];
  r.skip_ids(1);
  return {y, Value{}};
}

std::vector<Value> global_pool(Recipe& r) {
  const Value x = r.input(0);
  const Value axes = r.list_i64(axes_from(2, r.rank(x)));
  return {r.make(r.becomes(), {x, axes}, attributes({{"keep_dims", true}}))};
}

/// The norm of each plane, plane by plane.
std::vector<Value> global_lp_pool(Recipe& r) {
  const Value x = r.input(0);
  const int64_t rank = r.rank(x), p = r.integer("p", 2);
  if (rank < 3 || !is_static(x.shape()) || x.shape()[1] < 1)
    r.refuse("its input has the shape " + to_string(x.shape()));
  if (x.shape()[0] != 1 || x.shape()[1] > kMostPlanes)
    r.refuse("it is compiled for one batch and at most " + std::to_string(kMostPlanes) + " channels only");
  if (p != 1 && p != 2) r.refuse("Only normalization of 1st or 2nd order is supported.");
  const Shape one(static_cast<size_t>(rank), 1);
  std::vector<Value> norms;
  for (const Value plane : r.split(x, x.shape()[1], 1)) {
    const Value axes = r.list_i64(axes_from(2, rank));
    const Value norm = vector_norm(r, plane, axes, p);
    const Value pattern = r.list_i64(one);
    norms.push_back(r.reshape(norm, pattern, false));
  }
  return {r.concat(std::move(norms), 1)};
}

constexpr Row kRows[] = {{"GlobalLpPool", 1, global_lp_pool},
                         {"MaxPool", 1, max_pool, "MaxPool"},
                         {"AveragePool", 1, pool, "AvgPool"},
                         {"GlobalAveragePool", 1, global_pool, "ReduceMean"},
                         {"GlobalMaxPool", 1, global_pool, "ReduceMax"}};

}  // namespace

std::span<const Row> pooling_recipes() { return kRows; }

}  // namespace blobsmith::onnx_native
