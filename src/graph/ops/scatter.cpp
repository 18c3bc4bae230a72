// Writing by index: ScatterUpdate and its relatives (front-end spec §15.1).
#include <cstring>

#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"
#include "graph/ops/strided.hpp"

namespace blobsmith::ops {
namespace {

void check_types(const Inference& in) {
  if (in.type(0) != in.type(2)) in.fail_type("Element types for data and updates do not match");
}

void infer_scatter_update(Inference& in) {
  check_types(in);
  if (const auto axis = in.value(3)) {
    const int64_t a = in.axis(*axis, in.rank());
    Shape wanted(in.shape().begin(), in.shape().begin() + a);
    wanted.insert(wanted.end(), in.shape(1).begin(), in.shape(1).end());
    wanted.insert(wanted.end(), in.shape().begin() + a + 1, in.shape().end());
    if (!merge_shapes(wanted, in.shape(2)))
      in.fail("Updates of shape " + to_string(in.shape(2)) + " don't fit: " + to_string(wanted) + " expected");
  }
  infer_like_input(in);
}

void infer_scatter_elements(Inference& in) {
  check_types(in);
  if (!merge_shapes(in.shape(1), in.shape(2))) in.fail("Indices and updates must have the same shape");
  if (in.rank(1) != in.rank()) in.fail("Indices and data must have the same rank");
  if (const auto axis = in.value(3)) in.axis(*axis, in.rank());
  infer_like_input(in);
}

void infer_scatter_nd(Inference& in) {
  check_types(in);
  if (in.rank(1) < 1 || in.shape(1).back() > in.rank())
    in.fail("Last dimension of indices can be at most the rank of inputs");
  if (in.shape(1).back() != kDynamic) {
    Shape wanted(in.shape(1).begin(), in.shape(1).end() - 1);
    wanted.insert(wanted.end(), in.shape().begin() + in.shape(1).back(), in.shape().end());
    if (!merge_shapes(wanted, in.shape(2)))
      in.fail("Updates of shape " + to_string(in.shape(2)) + " don't fit: " + to_string(wanted) + " expected");
  }
  infer_like_input(in);
}

int64_t known_axis(const Tensor& axis, size_t rank) { return from_front(axis.to_i64().at(0), rank); }

// data viewed as [outer, size, inner]; update number i of `outer` goes to row indices[i].
std::vector<Tensor> evaluate_scatter_update(const Node& n, Tensors inputs) {
  if (!is_byte_sized(n.element_type())) return {};
  const Shape& s = n.shape();
  const auto rank = static_cast<int64_t>(s.size());
  const int64_t axis = known_axis(*inputs[3], s.size());
  if (axis < 0 || axis >= rank) return {};
  const int64_t outer = product(s, 0, axis), size = s[static_cast<size_t>(axis)], inner = product(s, axis + 1, rank);
  const std::vector<int64_t> indices = inputs[1]->to_i64();
  const auto count = static_cast<int64_t>(indices.size());
  if (element_count(inputs[2]->shape) != outer * count * inner) return {};
  TensorBuilder out(*inputs[0]);
  const size_t run = static_cast<size_t>(inner) * out.element_size();
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < count; ++i) {
      const int64_t row = from_front(indices[static_cast<size_t>(i)], static_cast<size_t>(size));
      if (row < 0 || row >= size) return {};
      if (run)
        std::memcpy(out.at((o * size + row) * inner),
                    inputs[2]->bytes.data() + static_cast<size_t>(o * count + i) * run, run);
    }
  return {out.take()};
}

std::vector<Tensor> evaluate_scatter_elements(const Node& n, Tensors inputs) {
  if (!is_byte_sized(n.element_type())) return {};
  const Shape& s = n.shape();
  const int64_t axis = known_axis(*inputs[3], s.size());
  if (axis < 0 || axis >= static_cast<int64_t>(s.size())) return {};
  const int64_t size = s[static_cast<size_t>(axis)];
  const std::vector<int64_t> indices = inputs[1]->to_i64(), dense = dense_strides(s);
  std::vector<int64_t> strides = dense;
  for (size_t i = 0; i < s.size(); ++i)
    if (static_cast<int64_t>(i) != axis && inputs[1]->shape[i] > s[i]) return {};
  const int64_t step = dense[static_cast<size_t>(axis)];
  strides[static_cast<size_t>(axis)] = 0;
  TensorBuilder out(*inputs[0]);
  bool in_range = true;
  for_each_position(inputs[1]->shape, 0, strides, [&](int64_t i, int64_t base) {
    const int64_t at = from_front(indices[static_cast<size_t>(i)], static_cast<size_t>(size));
    in_range = in_range && at >= 0 && at < size;
    if (in_range)
      std::memcpy(out.at(base + at * step), inputs[2]->bytes.data() + static_cast<size_t>(i) * out.element_size(),
                  out.element_size());
  });
  if (!in_range) return {};
  return {out.take()};
}

std::vector<Tensor> evaluate_scatter_nd(const Node& n, Tensors inputs) {
  if (!is_byte_sized(n.element_type()) || inputs[1]->shape.empty()) return {};
  const Shape& s = n.shape();
  const int64_t tuple = inputs[1]->shape.back();
  const std::vector<int64_t> indices = inputs[1]->to_i64(), dense = dense_strides(s);
  const int64_t inner = product(s, tuple, static_cast<int64_t>(s.size()));
  const int64_t tuples = product(inputs[1]->shape, 0, static_cast<int64_t>(inputs[1]->shape.size()) - 1);
  TensorBuilder out(*inputs[0]);
  const size_t run = static_cast<size_t>(inner) * out.element_size();
  for (int64_t i = 0; i < tuples; ++i) {
    int64_t base = 0;
    for (int64_t k = 0; k < tuple; ++k) {
      const auto axis = static_cast<size_t>(k);
      const int64_t at = from_front(indices[static_cast<size_t>(i * tuple + k)], static_cast<size_t>(s[axis]));
      if (at < 0 || at >= s[axis]) return {};
      base += at * dense[axis];
    }
    if (run) std::memcpy(out.at(base), inputs[2]->bytes.data() + static_cast<size_t>(i) * run, run);
  }
  return {out.take()};
}

constexpr OpRow kOps[] = {
    {"ScatterUpdate", 0, {3, 7}, 4, 4, {}, infer_scatter_update, evaluate_scatter_update},
    {"ScatterElementsUpdate", 0, {3, 7}, 4, 4, {}, infer_scatter_elements, evaluate_scatter_elements},
    {"ScatterNDUpdate", 0, {4, 7}, 3, 3, {}, infer_scatter_nd, evaluate_scatter_nd},
};

}  // namespace

std::span<const OpRow> scatter_ops() { return kOps; }

}  // namespace blobsmith::ops
