// Slice, which names its axes, as the StridedSlice that the conversion knows: x[2:5] along axis 1 takes the bounds
// [0, 2] to [0, 5] with a mask over axis 0 (releases spec §2).
#include <algorithm>
#include <numeric>

#include "graph/numbering.hpp"
#include "transforms/conversion/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

bool slice_to_strided_slice(Rewriter& rw, Node* n) {
  if (n->input(1).shape().size() != 1) return false;
  std::vector<int64_t> axes;
  if (n->input_count() > 4) {
    const Tensor* t = constant_of(n->input(4));
    if (!t) return false;
    axes = t->to_i64();
  } else {
    numbering::skip(rw.graph(), numbering::of_missing_axes(*n));
    axes.resize(static_cast<size_t>(std::max<int64_t>(n->input(1).shape()[0], 0)));
    std::iota(axes.begin(), axes.end(), 0);
  }
  if (axes.empty()) return false;
  axes = normalized_axes(axes, n->input(0).shape().size());
  const size_t length = static_cast<size_t>(*std::ranges::max_element(axes)) + 1;
  std::vector<int64_t> mask(length, 1);
  for (int64_t a : axes) mask[static_cast<size_t>(a)] = 0;
  Value begin = n->input(1), end = n->input(2), step = n->input(3);
  if (!std::ranges::is_sorted(axes) || axes.size() != length) {
    const Value at = rw.indices(axes), axis = rw.indices({0});
    const auto spread = [&](Value list, double fallback) {
      const Value whole = rw.filled(list.type(), {static_cast<int64_t>(length)}, fallback);
      return rw.folded(rw.make("ScatterUpdate", {whole, at, list, axis}));
    };
    begin = spread(begin, 0);  // the values at all axes up to the last that is cut
    end = spread(end, 0);
    step = spread(step, 1);
  }
  return rw.replace(n, rw.make("StridedSlice", {n->input(0), begin, end, step},
                               attributes({{"begin_mask", mask}, {"end_mask", mask}})));
}

constexpr RewriteRow kSlicesByAxes[] = {
    {{"Slice"}, slice_to_strided_slice},
};

}  // namespace

std::span<const RewriteRow> slices_by_axes() { return kSlicesByAxes; }

}  // namespace blobsmith::transforms
