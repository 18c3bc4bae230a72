// Operations that only move values: blocks between space and batch, reversed sequences, patches, gathers (opset 1..7).
#include <algorithm>
#include <cstring>

#include "compute/yolo.hpp"
#include "graph/ops/shape_math.hpp"
#include "graph/ops/slice_plan.hpp"
#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

using ops::dense_strides;
using ops::TensorBuilder;

int64_t offset_of(const std::vector<int64_t>& begin, const Shape& shape) {
  const std::vector<int64_t> strides = dense_strides(shape);
  int64_t at = 0;
  for (size_t i = 0; i < begin.size(); ++i) at += begin[i] * strides[i];
  return at;
}

void require_whole_batch(const Call& c) {
  c.require(c.integers(1)[0] == 1 && c.integers(2)[0] == 0 && c.integers(3)[0] == 0,
            "not yet supported: blocks, pads or crops of the batch itself");
}

/// [N, H/b*b, ...] -> [b..., N, H/b, ...]
Outputs run_space_to_batch(const Call& c) {
  require_whole_batch(c);
  const std::vector<int64_t> block = c.integers(1), begin = c.integers(2), end = c.integers(3);
  Shape padded = c.shape();
  for (size_t i = 0; i < padded.size(); ++i) padded[i] += begin[i] + end[i];
  TensorBuilder wide(c.input(0).type, padded);
  wide.scatter_strided(c.input(0), offset_of(begin, padded), dense_strides(padded));
  Shape split;
  std::vector<size_t> blocks, rest;
  for (size_t i = 0; i < padded.size(); ++i) {
    rest.push_back(split.size());
    split.push_back(padded[i] / block[i]);
    blocks.push_back(split.size());
    split.push_back(block[i]);
  }
  blocks.insert(blocks.end(), rest.begin(), rest.end());
  return {ops::permuted(wide.take(), split, blocks, c.out_shape())};
}

Outputs run_batch_to_space(const Call& c) {
  require_whole_batch(c);
  const std::vector<int64_t> block = c.integers(1), begin = c.integers(2);
  const size_t rank = c.shape().size();
  Shape split(block), wide = c.shape();
  split.insert(split.end(), wide.begin(), wide.end());
  for (size_t i = 0; i < rank; ++i) {
    split[rank] /= block[i];  // what remains of the batch
    wide[0] /= block[i];
    wide[i] *= block[i];
  }
  std::vector<size_t> order;
  for (size_t i = 0; i < rank; ++i) order.insert(order.end(), {rank + i, i});
  return {ops::gather_strided(ops::permuted(c.input(0), split, order, wide), c.out_shape(), offset_of(begin, wide),
                              dense_strides(wide))};
}

Outputs run_reorg_yolo(const Call& c) {
  const int64_t s = c.attrs().integer("stride"), channels = c.dim(0, 1);
  c.require(compute::can_be_reorganised(channels, c.dim(0, 2), c.dim(0, 3), s), "its stride is too large");
  const int64_t height = c.dim(0, 2), width = c.dim(0, 3);
  std::vector<float> y;
  for (int64_t i = 0; i < c.dim(0, 0) * channels * height; ++i) {
    const int64_t channel = i / height % channels, item = i / (channels * height);
    const float* from = c.floats(0).data() + item * channels * height * width +
                        compute::reorganised_row(channels, height, width, s, channel, i % height);
    for (int64_t x = 0; x < width; ++x) y.push_back(from[x * s]);
  }
  return {float_tensor(c.out_shape(), std::move(y))};
}

Outputs run_reverse_sequence(const Call& c) {
  const Shape& shape = c.shape();
  const std::vector<int64_t> lengths = c.integers(1), strides = dense_strides(shape);
  const auto batch = static_cast<size_t>(ops::from_front(c.attrs().integer("batch_axis"), shape.size())),
             time = static_cast<size_t>(ops::from_front(c.attrs().integer("seq_axis"), shape.size()));
  TensorBuilder out(c.input(0));
  for (int64_t i = 0; i < element_count(shape); ++i) {
    const int64_t t = i / strides[time] % shape[time],
                  length = lengths[static_cast<size_t>(i / strides[batch] % shape[batch])];
    c.require(length >= 0 && length <= shape[time], "a length beyond the sequence");
    if (t < length)
      std::memcpy(
          out.at(i),
          c.input(0).bytes.data() + static_cast<size_t>(i + (length - 1 - 2 * t) * strides[time]) * out.element_size(),
          out.element_size());
  }
  return {out.take()};
}

Outputs run_gather_elements(const Call& c) {
  const Shape &data = c.shape(0), &shape = c.out_shape();
  const auto axis = static_cast<size_t>(ops::from_front(c.attrs().integer("axis"), data.size()));
  const std::vector<int64_t> indices = c.integers(1), dense = dense_strides(data);
  std::vector<int64_t> strides = dense;
  strides[axis] = 0;
  TensorBuilder out(c.input(0).type, shape);
  ops::for_each_position(shape, 0, strides, [&](int64_t i, int64_t base) {
    const int64_t index = ops::from_front(indices[static_cast<size_t>(i)], static_cast<size_t>(data[axis]));
    c.require(index >= 0 && index < data[axis], "an index out of range");
    std::memcpy(out.at(i),
                c.input(0).bytes.data() + static_cast<size_t>(base + index * dense[axis]) * out.element_size(),
                out.element_size());
  });
  return {out.take()};
}

Outputs run_gather_nd(const Call& c) {
  const Shape &data = c.shape(0), &index_shape = c.shape(1);
  const auto batch = ops::from_front(c.attrs().integer("batch_dims"), index_shape.size());
  const int64_t tuple = index_shape.back(), rank = static_cast<int64_t>(data.size());
  const std::vector<int64_t> indices = c.integers(1), dense = dense_strides(data);
  const int64_t items = ops::product(data, 0, batch), each = ops::product(data, batch, rank),
                run = ops::product(data, batch + tuple, rank);
  const int64_t count = tuple == 0 ? 0 : static_cast<int64_t>(indices.size()) / tuple,
                per_item = items ? count / items : 0;
  TensorBuilder out(c.input(0).type, c.out_shape());
  for (int64_t k = 0; k < count; ++k) {
    int64_t at = k / per_item * each;
    for (int64_t i = 0; i < tuple; ++i) {
      const auto axis = static_cast<size_t>(batch + i);
      const int64_t index =
          ops::from_front(indices[static_cast<size_t>(k * tuple + i)], static_cast<size_t>(data[axis]));
      c.require(index >= 0 && index < data[axis], "an index out of range");
      at += index * dense[axis];
    }
    if (run)
      std::memcpy(out.at(k * run), c.input(0).bytes.data() + static_cast<size_t>(at) * out.element_size(),
                  static_cast<size_t>(run) * out.element_size());
  }
  return {out.take()};
}

/// What runs over the end of an axis comes in at its begin.
Outputs run_roll(const Call& c) {
  const Shape& shape = c.shape();
  const std::vector<int64_t> shifts = c.integers(1), axes = c.integers(2), strides = dense_strides(shape);
  c.require(shifts.size() == 1 || shifts.size() == axes.size(), "not one shift per axis");
  std::vector<int64_t> by(shape.size(), 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<size_t>(ops::from_front(axes[i], shape.size()));
    c.require(axis < shape.size(), "an axis out of range");
    if (shape[axis])
      by[axis] = (by[axis] + shifts[shifts.size() == 1 ? 0 : i] % shape[axis] + shape[axis]) % shape[axis];
  }
  TensorBuilder out(c.input(0).type, shape);
  for (int64_t i = 0; i < element_count(shape); ++i) {
    int64_t to = 0;
    for (size_t axis = 0; axis < shape.size(); ++axis)
      to += (i / strides[axis] + by[axis]) % shape[axis] * strides[axis];
    std::memcpy(out.at(to), c.input(0).bytes.data() + static_cast<size_t>(i) * out.element_size(), out.element_size());
  }
  return {out.take()};
}

/// Windows become channels: [N][row of the window][column][C] over the places of the windows; zeros outside.
Outputs run_image_patches(const Call& c) {
  const auto &sizes = c.attrs().integers("sizes"), &steps = c.attrs().integers("strides"),
             &rates = c.attrs().integers("rates");
  const std::string pads = c.attrs().text("auto_pad");
  const int64_t channels = c.dim(0, 1), patch = sizes[0] * sizes[1] * channels;
  const Shape &in = c.shape(), &out = c.out_shape();
  const auto begin = [&](size_t axis) {
    const int64_t reach = sizes[axis] + (sizes[axis] - 1) * (rates[axis] - 1),
                  total = std::max<int64_t>((out[axis + 2] - 1) * steps[axis] + reach - in[axis + 2], 0);
    return pads == "valid" ? 0 : pads == "same_upper" ? total / 2 : (total + 1) / 2;
  };
  const int64_t top = begin(0), left = begin(1);
  TensorBuilder y(c.input(0).type, out);
  for (int64_t i = 0; i < element_count(out); ++i) {
    const int64_t k = i / (out[2] * out[3]) % patch, item = i / (out[2] * out[3] * patch);
    const int64_t row = i / out[3] % out[2] * steps[0] - top + k / channels / sizes[1] * rates[0],
                  column = i % out[3] * steps[1] - left + k / channels % sizes[1] * rates[1];
    if (row < 0 || row >= in[2] || column < 0 || column >= in[3]) continue;
    const int64_t from = ((item * channels + k % channels) * in[2] + row) * in[3] + column;
    std::memcpy(y.at(i), c.input(0).bytes.data() + static_cast<size_t>(from) * y.element_size(), y.element_size());
  }
  return {y.take()};
}

/// Sequences of a beam search, followed from their last step to the first: steps and parents [time][batch][beam], the
/// longest sequence of each item, the token that ends one and fills the rest.
Outputs run_gather_tree(const Call& c) {
  const std::vector<double> steps = c.reals(0), ends = c.reals(3);
  const std::vector<int64_t> parents = c.integers(1), lengths = c.integers(2);
  c.require(c.shape().size() == 3, "steps of another rank than 3");
  const int64_t time = c.dim(0, 0), batch = c.dim(0, 1), beams = c.dim(0, 2);
  c.require(c.shape(1) == c.shape(0) && std::cmp_equal(lengths.size(), batch) && ends.size() == 1,
            "inputs that don't fit");
  std::vector<double> y(steps.size(), ends[0]);
  for (int64_t k = 0; k < batch * beams; ++k) {
    const int64_t length = std::clamp<int64_t>(lengths[static_cast<size_t>(k / beams)], 0, time);
    int64_t beam = k % beams;
    for (int64_t t = length; t-- > 0;) {
      c.require(beam >= 0 && beam < beams, "an index out of range");
      const auto from = static_cast<size_t>((t * batch + k / beams) * beams + beam);
      y[static_cast<size_t>(t * batch * beams + k)] = steps[from];
      beam = parents[from];
    }
    bool ended = false;
    for (int64_t t = 0; t < length; ++t) {
      double& v = y[static_cast<size_t>(t * batch * beams + k)];
      if (ended) v = ends[0];
      ended |= v == ends[0];
    }
  }
  return {number_tensor(c.input(0).type, c.out_shape(), y)};
}

/// begin_mask counts on axes that are dropped too; not so in graph/ops, which folds as the reference compiler does.
Outputs run_strided_slice(const Call& c) {
  const std::vector<int64_t> begin =
      ops::begins_as_masked(c.attrs(), c.integers(1), c.input_count() > 3 ? c.integers(3) : std::vector<int64_t>());
  const Tensor masked = integer_tensor(ElementType::i64, c.shape(1), begin);
  std::vector<const Tensor*> inputs(c.inputs().begin(), c.inputs().end());
  inputs[1] = &masked;
  return evaluate(c.node(), inputs);
}

constexpr OperationRow kOperations[] = {
    {"StridedSlice", kAnyVersion, run_strided_slice},
    {"SpaceToBatch", kAnyVersion, run_space_to_batch},
    {"BatchToSpace", kAnyVersion, run_batch_to_space},
    {"ReorgYolo", kAnyVersion, run_reorg_yolo},
    {"ReverseSequence", kAnyVersion, run_reverse_sequence},
    {"GatherElements", kAnyVersion, run_gather_elements},
    {"GatherND", kAnyVersion, run_gather_nd},
    {"Roll", kAnyVersion, run_roll},
    {"ExtractImagePatches", kAnyVersion, run_image_patches},
    {"GatherTree", kAnyVersion, run_gather_tree},
};

}  // namespace

std::span<const OperationRow> rearrange_operations() { return kOperations; }

}  // namespace blobsmith::reference
