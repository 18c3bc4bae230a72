// Reading by index: Gather and its relatives (front-end spec §15.1).
#include <algorithm>
#include <cstring>

#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"
#include "graph/ops/strided.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;
constexpr AttributeSpec kGather7[] = {{"batch_dims", Integer, "0"}};
constexpr AttributeSpec kGatherND[] = {{"batch_dims", Integer, "0"}};
constexpr AttributeSpec kGatherElements[] = {{"axis", Integer, kMandatory}};

int64_t batch_dims(const Inference& in) {
  const int64_t b = in.attrs().integer("batch_dims", 0);
  const int64_t n = b < 0 ? b + in.rank(1) : b;
  if (n < 0 || n > in.rank(1) || n > in.rank(0))
    in.fail("Attribute batch_dims must not be larger than the ranks of data and indices");
  for (int64_t i = 0; i < n; ++i)
    if (!merge_dims(in.dim(0, i), in.dim(1, i)))
      in.fail("data and indices must have equal or intersecting sizes until batch_dims");
  return n;
}

void infer_gather(Inference& in) {
  const auto axis_value = in.value(2);
  if (!axis_value) in.fail("Its axis (input 2) is not a constant");
  const int64_t axis = in.axis(*axis_value, in.rank()), batch = batch_dims(in);
  in.require(batch <= axis, "The batch_dims must not exceed the axis");
  Shape out(in.shape().begin(), in.shape().begin() + axis);
  out.insert(out.end(), in.shape(1).begin() + batch, in.shape(1).end());
  out.insert(out.end(), in.shape().begin() + axis + 1, in.shape().end());
  in.output(in.type(), std::move(out));
}

// Views data as [batch, outer, size, inner] and indices as [batch, count].
std::vector<Tensor> evaluate_gather(const Node& n, Tensors inputs) {
  if (!is_byte_sized(n.element_type())) return {};
  const Tensor& data = *inputs[0];
  const auto rank = static_cast<int64_t>(data.shape.size()), index_rank = static_cast<int64_t>(inputs[1]->shape.size());
  const int64_t axis = from_front(inputs[2]->to_i64().at(0), data.shape.size()),
                batch = from_front(n.attrs.integer("batch_dims", 0), inputs[1]->shape.size());
  const std::vector<int64_t> indices = inputs[1]->to_i64();
  const int64_t batches = product(data.shape, 0, batch), outer = product(data.shape, batch, axis),
                size = data.shape[static_cast<size_t>(axis)], inner = product(data.shape, axis + 1, rank);
  const int64_t count = product(inputs[1]->shape, batch, index_rank);
  TensorBuilder out(n.element_type(), n.shape());
  const size_t run = static_cast<size_t>(inner) * out.element_size();
  int64_t to = 0;
  for (int64_t b = 0; b < batches; ++b)
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < count; ++i, to += inner) {
        const int64_t index = from_front(indices[static_cast<size_t>(b * count + i)], static_cast<size_t>(size));
        if (index < 0 || index >= size) return {};
        if (run)
          std::memcpy(out.at(to), data.bytes.data() + static_cast<size_t>((b * outer + o) * size + index) * run, run);
      }
  return {out.take()};
}

void infer_gather_nd(Inference& in) {
  const int64_t batch = batch_dims(in);
  if (in.rank(1) < 1 || in.shape(1).back() < 0) in.fail("Indices rank must be at least 1");
  const int64_t tuple = in.shape(1).back();
  if (batch + tuple > in.rank() || batch >= in.rank(1))
    in.fail("Dimension of tuples with indices must not exceed rank of data tensor excluding batch dimensions");
  Shape out;
  // quirk: the batch axes are flattened into one (GatherND of opset 5).
  if (batch > 0) out.push_back(product(in.shape(1), 0, batch));
  out.insert(out.end(), in.shape(1).begin() + batch, in.shape(1).end() - 1);
  out.insert(out.end(), in.shape().begin() + batch + tuple, in.shape().end());
  in.output(in.type(), std::move(out));
}

void infer_gather_elements(Inference& in) {
  const int64_t axis = in.axis(in.attrs().integer("axis"), in.rank());
  if (in.rank(1) != in.rank()) in.fail("data and indices rank must be equal");
  for (int64_t i = 0; i < in.rank(); ++i)
    if (i != axis && !merge_dims(in.dim(0, i), in.dim(1, i)))
      in.fail("data " + to_string(in.shape(0)) + " and indices " + to_string(in.shape(1)) +
              " must have equal shapes except on the axis");
  in.output(in.type(), in.shape(1));
}

// data, indices in what a Gather of rows would give, rows.
void infer_both_gathers(Inference& in) { in.output(in.type(), in.shape(1)); }

constexpr OpRow kOps[] = {
    {"Gather", 1, {1, 6}, 3, 3, {}, infer_gather, evaluate_gather},
    {"Gather", 7, {7, 7}, 3, 3, kGather7, infer_gather, evaluate_gather},
    {"Gather", 8, {}, 3, 3, kGather7, infer_gather, evaluate_gather},
    {"GatherND", 0, {5, 7}, 2, 2, kGatherND, infer_gather_nd},
    {"GatherElements", 0, {6, 7}, 2, 2, kGatherElements, infer_gather_elements},
    {"ExpGatherElements", 0, {}, 3, 3, kGatherElements, infer_both_gathers},
    {"GatherTree", 0, {1, 7}, 4, 4, {}, infer_like_input},
};

}  // namespace

std::span<const OpRow> gather_ops() { return kOps; }

}  // namespace blobsmith::ops
