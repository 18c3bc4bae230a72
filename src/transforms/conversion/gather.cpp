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

bool gather_8_to_7(Rewriter& rw, Node* n) {
  return n->version == 8 && rw.replace(n, rw.make_like(n, "Gather", n->inputs(), n->attrs, 7));
}

bool gather_7_to_1(Rewriter& rw, Node* n) {
  if (n->version != 7 || n->attrs.integer("batch_dims", 0) != 0) return false;
  return rw.replace(n, rw.make_like(n, "Gather", n->inputs(), {}, 1));
}

// Neighbours in a list that take elements of the same list take them at once.
bool join_gathers(Rewriter& rw, Node* n) {
  if (n->shape().size() != 1) return false;
  std::vector<Value> parts = n->inputs();
  const size_t before = parts.size();
  for (size_t i = 0; i + 1 < parts.size();) {
    Node *first = producer(parts[i], "Gather"), *second = producer(parts[i + 1], "Gather");
    const auto is_list = [](const Node& gather) {
      return gather.input(0).shape().size() == 1 && gather.input(1).shape().size() == 1;
    };
    if (!first || !second || first->version != second->version || first->input(0) != second->input(0) ||
        !is_list(*first) || !is_list(*second)) {
      ++i;
      continue;
    }
    const Value indices =
        rw.folded(rw.make("Concat", {first->input(1), second->input(1)}, attributes({{"axis", int64_t{0}}})));
    const Value axis = rw.index(0);
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i));
    parts[i] = rw.visit(rw.make("Gather", {first->input(0), indices, axis}, first->attrs, first->version))->value();
  }
  if (parts.size() == 1) return rw.eliminate(n->value(), parts[0]);
  if (parts.size() == before) return false;
  return rw.replace(n, rw.make("Concat", parts, n->attrs));
}

bool skip_gather_of_all(Rewriter& rw, Node* n) {
  constexpr int64_t kMostIndices = 10;
  const Tensor* indices = constant_of(n->input(1));
  if (!indices || !single_value(n->input(2)) || n->input(0).shape() != n->shape()) return false;
  const std::vector<int64_t> list = indices->to_i64();
  if (static_cast<int64_t>(list.size()) > kMostIndices) return false;
  for (size_t i = 0; i < list.size(); ++i)
    if (list[i] != static_cast<int64_t>(i)) return false;
  return rw.eliminate(n->value(), n->input(0));
}

// A Transpose of x[0], which a Reshape reads, takes x itself where x has one item.
bool skip_gather_before_transpose(Rewriter& rw, Node* n) {
  Node* transpose = producer(n->input(0), "Transpose");
  Node* gather = transpose ? producer(transpose->input(0), "Gather") : nullptr;
  const Tensor *pattern = constant_of(n->input(1)), *order = transpose ? constant_of(transpose->input(1)) : nullptr;
  if (!gather || !pattern || !order || gather->input(0).shape().empty() || gather->input(0).shape()[0] != 1)
    return false;
  const auto is_zero = [](Value v) { return constant_of(v) && element_count(v.shape()) == 1 && is_single(v, 0); };
  if (!is_zero(gather->input(1)) || !is_zero(gather->input(2)) || std::ranges::count(pattern->to_i64(), 0) > 0)
    return false;
  std::vector<int64_t> whole{0};
  for (int64_t o : order->to_i64()) whole.push_back(o + 1);
  if (whole.size() != gather->input(0).shape().size()) return false;
  rw.replace(transpose, rw.transpose(gather->input(0), whole));
  return false;
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
  return rw.replace(n, rw.make_like(n, "ReorgYolo", n->inputs(), attributes({{"stride", sizes[0]}})));
}

constexpr RewriteRow kNewestGathers[] = {
    {{"Gather"}, gather_8_to_7},
};
constexpr RewriteRow kGatherVersions[] = {
    {{"Gather"}, gather_7_to_1},
};
constexpr RewriteRow kJoinedGathers[] = {
    {{"Concat"}, join_gathers},
};
constexpr RewriteRow kGathersOfAll[] = {
    {{"Gather"}, skip_gather_of_all},
};
constexpr RewriteRow kGathersBeforeTransposes[] = {
    {{"Reshape"}, skip_gather_before_transpose},
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

std::span<const RewriteRow> newest_gathers() { return kNewestGathers; }
std::span<const RewriteRow> gather_versions() { return kGatherVersions; }
std::span<const RewriteRow> joined_gathers() { return kJoinedGathers; }
std::span<const RewriteRow> gathers_of_all() { return kGathersOfAll; }
std::span<const RewriteRow> gathers_before_transposes() { return kGathersBeforeTransposes; }
std::span<const RewriteRow> positive_gather_indices() { return kPositiveGatherIndices; }
std::span<const RewriteRow> scatter_fusions() { return kScatterFusions; }
std::span<const RewriteRow> image_patches_to_reorg() { return kImagePatchesToReorg; }

}  // namespace blobsmith::transforms
