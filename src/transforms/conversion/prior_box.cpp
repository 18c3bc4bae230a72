// PriorBox over the shapes of two tensors becomes a layer that reads the tensors themselves (front-end spec §5.2).
#include "transforms/conversion/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

// The tensor whose shape `v` is a slice of, Converts in between allowed.
std::optional<Value> sliced_shape_of(Value v) {
  if (Node* convert = producer(v, "Convert")) v = convert->input(0);
  Node* slice = producer(v, "StridedSlice");
  if (!slice) return std::nullopt;
  Value shape = slice->input(0);
  if (Node* convert = producer(shape, "Convert")) shape = convert->input(0);
  Node* shape_of = producer(shape, "ShapeOf");
  if (!shape_of) return std::nullopt;
  return shape_of->input(0);
}

bool prior_box_to_legacy(Rewriter& rw, Node* n) {  // Unsqueeze(PriorBox(slice of ShapeOf(a), slice of ShapeOf(b)))
  Node* prior = n->input(0).node;
  if (!prior->is("PriorBox") && !prior->is("PriorBoxClustered")) return false;
  const auto map = sliced_shape_of(prior->input(0)), image = sliced_shape_of(prior->input(1));
  if (!map || !image) return false;
  return rw.replace(n, rw.make_like(n, prior->type + "IE", {*map, *image}, prior->attrs));
}

constexpr RewriteRow kPriorBoxesOfTensors[] = {
    {{"Unsqueeze"}, prior_box_to_legacy},
};

}  // namespace

std::span<const RewriteRow> prior_boxes_of_tensors() { return kPriorBoxesOfTensors; }

}  // namespace blobsmith::transforms
