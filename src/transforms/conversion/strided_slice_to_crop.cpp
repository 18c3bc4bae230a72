// A StridedSlice with steps of 1 is a Crop, between Reshapes when axes come or go (front-end spec §5.6).
#include <algorithm>

#include "graph/ops/slice_plan.hpp"
#include "transforms/conversion/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

struct CropPlan {
  Shape before;  ///< data with the new axes
  std::vector<int64_t> dim, offset;
  bool adds_axes = false, removes_axes = false;
};

struct Bounds {
  const Node& n;
  std::vector<int64_t> begin, end;
  bool set(std::string_view mask, size_t i) const { return ops::masked(n.attrs, mask, i); }
};

void keep_axis(CropPlan& p, int64_t dim) {
  p.before.push_back(dim);
  p.dim.push_back(dim);
  p.offset.push_back(0);
}

std::optional<CropPlan> plan(const Bounds& b, const Shape& data) {
  CropPlan p;
  size_t axis = 0;
  for (size_t i = 0; i < b.begin.size(); ++i) {
    if (b.set("ellipsis_mask", i)) {
      size_t consumed_later = 0;
      for (size_t k = i + 1; k < b.begin.size(); ++k) consumed_later += b.set("new_axis_mask", k) ? 0 : 1;
      while (axis + consumed_later < data.size()) keep_axis(p, data[axis++]);
      continue;
    }
    if (b.set("new_axis_mask", i)) {
      keep_axis(p, 1);
      p.adds_axes = true;
      continue;
    }
    if (axis >= data.size()) return std::nullopt;
    const int64_t dim = data[axis++];
    p.before.push_back(dim);
    if (b.set("shrink_axis_mask", i)) {
      const int64_t at = b.begin[i] < 0 ? b.begin[i] + dim : b.begin[i];
      p.dim.push_back(1);
      p.offset.push_back(b.set("begin_mask", i) ? 0 : at);
      p.removes_axes = true;
      continue;
    }
    const int64_t begin = b.set("begin_mask", i) ? 0 : ops::cut_bound(b.begin[i], dim),
                  end = b.set("end_mask", i) ? dim : ops::cut_bound(b.end[i], dim);
    p.dim.push_back(end - begin);
    p.offset.push_back(begin);
  }
  while (axis < data.size()) keep_axis(p, data[axis++]);
  return p;
}

bool all_ones(const Node& n) {
  if (n.input_count() < 4) return true;
  const Tensor* strides = constant_of(n.input(3));
  return strides && std::ranges::all_of(strides->to_i64(), [](int64_t s) { return s == 1; });
}

bool strided_slice_to_crop(Rewriter& rw, Node* n) {
  const Tensor* begin = constant_of(n->input(1));
  const Tensor* end = constant_of(n->input(2));
  if (!begin || !end || !all_ones(*n) || !is_static(n->input(0).shape()) ||
      producer(n->input(0), "DynamicShapeResolver"))
    return false;
  const Bounds bounds{*n, begin->to_i64(), end->to_i64()};
  if (bounds.end.size() != bounds.begin.size()) return false;
  const auto p = plan(bounds, n->input(0).shape());
  if (!p || p->before.size() > 4) return false;
  const size_t rank = p->before.size();
  if (rank != 2 && rank != 4) return false;

  Value x = n->input(0);
  if (p->adds_axes) {
    Node* reshape = rw.reshape(x, p->before, true);
    reshape->name = n->name + "/Reshape_before";
    x = reshape->value();
  }
  std::vector<int64_t> axes;
  for (size_t i = 0; i < rank; ++i) axes.push_back(static_cast<int64_t>(i));
  Node* crop = rw.add("CropIE", {x});
  crop->attrs = attributes({{"axes", axes}, {"dim", p->dim}, {"offset", p->offset}});
  rw.graph().set_outputs(crop, {{n->element_type(), p->dim}});
  if (!p->removes_axes) return rw.replace(n, crop);
  crop->name = n->name + "/Crop";
  return rw.replace(n, rw.reshape(crop->value(), n->shape(), true));
}

constexpr RewriteRow kSlicesToCrops[] = {
    {{"StridedSlice"}, strided_slice_to_crop},
};

}  // namespace

std::span<const RewriteRow> slices_to_crops() { return kSlicesToCrops; }

}  // namespace blobsmith::transforms
