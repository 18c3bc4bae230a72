// Gather, and the operations that turn out to be simpler ones (front-end spec §5.2, §5.4).
#include <algorithm>

#include "graph/ops/numbers.hpp"
#include "graph/ops/strided.hpp"
#include "transforms/conversion/rewrites.hpp"
#include "transforms/faults/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

bool make_gather_indices_positive(Rewriter& rw, Node* n) {  // constant -1 -> dimension - 1
  const auto axis = single_value(n->input(2));
  const auto index = single_value(n->input(1));
  const Shape& x = n->input(0).shape();
  if (!axis || !index || *index >= 0) return false;
  const int64_t dim = x.at(axis_from_front(static_cast<int64_t>(*axis), x.size()));
  const Value indices = n->input(1);
  if (dim < 0 || !is_integer(indices.type())) return false;
  const auto positive = static_cast<double>(dim) + *index;
  if (positive < 0) return false;
  rw.set_input(n, 1, rw.filled(indices.type(), indices.shape(), positive));
  return true;
}

}  // namespace

// quirk: several indices stay as they are, and the chip takes negative ones for places outside of the tensor.
bool takes_from_the_back(const Node& n) {
  if (!n.is("Gather")) return false;
  const Tensor* indices = constant_of(n.input(1));
  const auto axis = single_value(n.input(2));
  const Shape& x = n.input(0).shape();
  if (!indices || element_count(indices->shape) < 2 || !axis ||
      x[axis_from_front(static_cast<int64_t>(*axis), x.size())] == kDynamic)
    return false;
  return std::ranges::any_of(indices->to_i64(), [](int64_t i) { return i < 0; });
}

Rewritten count_indices_from_front(Graph& graph) {
  Rewritten list;
  for (Node* n : graph.ordered()) {
    if (!takes_from_the_back(*n)) continue;
    const Node& indices = *n->input(1).node;
    const Shape& x = n->input(0).shape();
    const auto size =
        static_cast<size_t>(x[axis_from_front(static_cast<int64_t>(*single_value(n->input(2))), x.size())]);
    std::vector<int64_t> counted = indices.constant.to_i64();
    for (int64_t& i : counted) i = ops::from_front(i, size);
    graph.set_input(
        n, 1,
        graph.constant(ops::store<int64_t>(indices.element_type(), indices.shape(), counted), indices.name)->value());
    list.push_back(rewritten(*n));
  }
  return list;
}

namespace {

bool gather_7_to_1(Rewriter& rw, Node* n) {
  if (n->version != 7 || n->attrs.integer("batch_dims", 0) != 0) return false;
  return rw.replace(n, rw.make_like(n, "Gather", n->inputs(), {}, 1));
}

bool scatter_elements_to_scatter(Rewriter& rw, Node* n) {  // indices broadcast from 1-D along every other axis
  Node* broadcast = producer(n->input(1), "Broadcast");
  const auto axis_value = single_value(n->input(3));
  if (!broadcast || !axis_value || !is_static(n->shape())) return false;
  const Shape &data = n->shape(), &updates = n->input(2).shape(), &indices = broadcast->input(0).shape();
  const size_t axis = axis_from_front(static_cast<int64_t>(*axis_value), data.size());
  if (!is_static(indices) || updates.size() != data.size()) return false;
  // What is broadcast must be one index per position of the axis.
  const auto larger = std::ranges::count_if(indices, [](int64_t d) { return d != 1; });
  if (larger > 1 || element_count(indices) != updates[axis]) return false;
  for (size_t i = 0; i < data.size(); ++i)
    if (i != axis && data[i] != updates[i]) return false;
  const size_t behind = data.size() - axis - 1;
  if (updates[axis] != 1 && (indices.size() <= behind || indices[indices.size() - 1 - behind] != updates[axis]))
    return false;
  Node* flat = rw.reshape(broadcast->input(0), {updates[axis]});
  return rw.replace(n, rw.make("ScatterUpdate", {n->input(0), flat->value(), n->input(2), n->input(3)}));
}

// ExtractImagePatches with sizes == strides. quirk: ReorgYolo orders pixels otherwise.
bool to_reorg(Rewriter& rw, Node* n) {
  const auto& sizes = n->attrs.integers("sizes");
  const Shape& x = n->input(0).shape();
  if (sizes.size() != 2 || x.size() != 4 || sizes != n->attrs.integers("strides") || sizes[0] != sizes[1] ||
      sizes[0] < 1)
    return false;
  if (n->attrs.integers("rates") != std::vector<int64_t>{1, 1}) return false;
  if (x[2] < 0 || x[3] < 0 || x[2] % sizes[0] != 0 || x[3] % sizes[1] != 0) return false;
  if (x[1] < sizes[0] * sizes[0])
    throw cannot_compile(*n, "For [N, C, H, W] input shape, C >= (stride*stride) is required.");
  return rw.replace(
      n, rw.make_like(n, "ReorgYolo", n->inputs(), attributes({{"stride", std::vector<int64_t>{sizes[0]}}})));
}

constexpr RewriteRow kGatherVersions[] = {
    {{"Gather"}, gather_7_to_1},
};
constexpr RewriteRow kPositiveGatherIndices[] = {
    {{"Gather"}, make_gather_indices_positive},
};
constexpr RewriteRow kScatterFusions[] = {
    {{"ScatterElementsUpdate"}, scatter_elements_to_scatter},
};
constexpr RewriteRow kImagePatchesToReorg[] = {
    {{"ExtractImagePatches"}, to_reorg, "ReorgYolo"},
};

}  // namespace

std::span<const RewriteRow> gather_versions() { return kGatherVersions; }
std::span<const RewriteRow> positive_gather_indices() { return kPositiveGatherIndices; }
std::span<const RewriteRow> scatter_fusions() { return kScatterFusions; }
std::span<const RewriteRow> image_patches_to_reorg() { return kImagePatchesToReorg; }

}  // namespace blobsmith::transforms
