// Stages driven by index tensors or by values that decide sizes (execution spec §3, §10).
#include "vpu/format/indexing.hpp"

#include <cstring>

#include "emulator/kernels/shared.hpp"

namespace blobsmith::emulator {
namespace {

/// An axis counted from the outside; negative ones from the inside.
int normal_axis(StageRun& s, int64_t axis, int rank) {
  if (axis < 0) axis += rank;
  s.check(axis >= 0 && axis < rank, "an axis outside its tensor");
  return static_cast<int>(axis);
}

/// An index counted from the front of an axis of `size`. The values of an input decide this, not the blob.
int64_t from_front(int64_t index, int64_t size) {
  const int64_t place = index < 0 ? index + size : index;
  if (place < 0 || place >= size)
    throw Error(ErrorCode::ShapeMismatch,
                "index " + std::to_string(index) + " lies outside an axis of " + std::to_string(size))
        .hint("random numbers are not indices: give this input real ones");
  return place;
}

/// Steps through all indices of a shape, outermost first.
class Counter {
 public:
  Counter(const Sizes& dims, int rank) : dims_(dims), rank_(rank) {}
  int64_t operator[](int axis) const { return at_[static_cast<size_t>(axis)]; }
  void next() {
    for (int k = rank_; k-- > 0;) {
      if (++at_[static_cast<size_t>(k)] < dims_[static_cast<size_t>(k)]) return;
      at_[static_cast<size_t>(k)] = 0;
    }
  }

 private:
  Sizes dims_, at_{};
  int rank_;
};

/// How many leading dimensions data and indices of a Gather have in common (batch_dims). The stage has no word for
/// them: the sizes must tell, where those of a plain Gather don't fit.
int shared_dimensions(StageRun& s, const Grid& in, const Grid& indices, const Grid& out, int axis) {
  if (out.count() == product(in.dims, 0, axis) * indices.count() * product(in.dims, axis + 1, in.rank)) return 0;
  const int shared = in.rank + indices.rank - 1 - out.rank;
  s.check(shared > 0 && shared <= axis && shared <= indices.rank &&
              std::equal(in.dims.begin(), in.dims.begin() + shared, indices.dims.begin()),
          "an output of another size than gathered");
  return shared;
}

// Index outside the axis: zeros.
void run_gather(StageRun& s) {
  const Grid in = memory_order(s.in(0)), out = memory_order(s.out(1)), index_grid = framework_order(s.in(2));
  const std::vector<int64_t> indices = read_integers(index_grid);
  const int position = s.params<vpu::GatherParams>().axis;
  s.check(position >= 0 && position < in.rank, "an axis outside its tensor");
  const int axis = in.rank - 1 - position;
  const RawTensor from(s.pool(), in);
  const int shared = shared_dimensions(s, in, index_grid, out, axis);
  const int64_t each = product(in.dims, shared, axis), outer = product(in.dims, 0, axis),
                n = product(index_grid.dims, shared, index_grid.rank);
  const int64_t size = in.dims[static_cast<size_t>(axis)], row = product(in.dims, axis + 1, in.rank) * from.element;
  s.check(outer * n * row == out.count() * from.element, "an output of another size than gathered");
  RawTensor to(from.element, out.count());
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < n; ++i) {
      const int64_t index = indices[static_cast<size_t>(o / each * n + i)];
      if (row > 0 && index >= 0 && index < size)
        std::memcpy(to.bytes.data() + (o * n + i) * row, from.bytes.data() + (o * size + index) * row,
                    static_cast<size_t>(row));
    }
  to.store(s.pool(), out);
}

void run_gather_nd(StageRun& s) {
  const Grid in = framework_order(s.in(0)), out = framework_order(s.out(1)), index_grid = framework_order(s.in(2));
  const std::vector<int64_t> indices = read_integers(index_grid);
  const int batch_dims = s.params<vpu::GatherNDParams>().batch_dims;
  s.check(batch_dims >= 0 && batch_dims < index_grid.rank && batch_dims <= in.rank,
          "more batch dimensions than there are");
  const int64_t depth = index_grid.dims[static_cast<size_t>(index_grid.rank - 1)];
  s.check(depth >= 0 && depth <= in.rank - batch_dims, "indices of more dimensions than there are");
  const RawTensor from(s.pool(), in);
  const int split = batch_dims + static_cast<int>(depth);
  const int64_t batches = product(index_grid.dims, 0, batch_dims),
                each = product(index_grid.dims, batch_dims, index_grid.rank - 1);
  const int64_t item = product(in.dims, batch_dims, in.rank), row = product(in.dims, split, in.rank) * from.element;
  s.check(batches == product(in.dims, 0, batch_dims) && batches * each * row == out.count() * from.element,
          "an output of another size than gathered");
  RawTensor to(from.element, out.count());
  for (int64_t i = 0; i < batches * each; ++i) {
    int64_t place = 0;
    for (int64_t k = 0; k < depth; ++k) {
      const int64_t size = in.dims[static_cast<size_t>(batch_dims + k)];
      place = place * size + from_front(indices[static_cast<size_t>(i * depth + k)], size);
    }
    if (row > 0)
      std::memcpy(to.bytes.data() + i * row, from.bytes.data() + i / each * item * from.element + place * row,
                  static_cast<size_t>(row));
  }
  to.store(s.pool(), out);
}

/// The number of the element at `at`, with `index` in place of its position along `axis`.
int64_t place_along(const Grid& grid, const Counter& at, int axis, int64_t index) {
  int64_t place = 0;
  for (int k = 0; k < grid.rank; ++k) {
    const int64_t size = grid.dims[static_cast<size_t>(k)];
    place = place * size + from_front(k == axis ? index : at[k], size);
  }
  return place;
}

/// The axis of `in` that the dimensions of `rows` take the place of in `indices`: not in the blob, so the sizes must
/// tell; the one of rows if it may be.
int axis_of_rows(StageRun& s, const Grid& in, const Grid& indices, const Grid& rows) {
  const auto equal = [](const Grid& a, int at_a, const Grid& b, int at_b, int n) {
    return std::equal(a.dims.begin() + at_a, a.dims.begin() + at_a + n, b.dims.begin() + at_b);
  };
  for (int axis = in.rank - 2; axis >= 0 && indices.rank == in.rank - 1 + rows.rank; --axis)
    if (equal(in, 0, indices, 0, axis) && equal(rows, 0, indices, axis, rows.rank) &&
        equal(in, axis + 1, indices, axis + rows.rank, in.rank - 2 - axis))
      return axis;
  s.cannot_run(
      "the indices have the sizes of no rows and elements of the data, and what a device takes then is not known");
}

/// A Gather of rows and a GatherElements along the last axis in one: the element at [.., rows[i, j], .., indices[.., i,
/// j, .., k]].
void gather_rows_and_elements(StageRun& s, const Grid& in, const Grid& out, const Grid& index_grid, int element_axis) {
  const Grid row_grid = framework_order(s.in(3));
  s.check(element_axis == in.rank - 1, "elements of an axis that is not the last");
  const int row_axis = axis_of_rows(s, in, index_grid, row_grid);
  const std::vector<int64_t> indices = read_integers(index_grid), rows = read_integers(row_grid);
  const RawTensor from(s.pool(), in);
  RawTensor to(from.element, index_grid.count());
  Counter at(index_grid.dims, index_grid.rank);
  for (size_t i = 0; i < indices.size(); ++i, at.next()) {
    int64_t row = 0, place = 0;
    for (int k = 0; k < row_grid.rank; ++k) row = row * row_grid.dims[static_cast<size_t>(k)] + at[row_axis + k];
    for (int k = 0; k < in.rank; ++k) {
      const int64_t wanted = k == row_axis       ? rows[static_cast<size_t>(row)]
                             : k == element_axis ? indices[i]
                                                 : at[k < row_axis ? k : k + row_grid.rank - 1];
      place = place * in.dims[static_cast<size_t>(k)] + from_front(wanted, in.dims[static_cast<size_t>(k)]);
    }
    std::memcpy(to.bytes.data() + i * static_cast<size_t>(to.element), from.bytes.data() + place * from.element,
                static_cast<size_t>(from.element));
  }
  to.store(s.pool(), out);
}

// Buffers: data, output, indices, [rows].
void run_gather_elements(StageRun& s) {
  const Grid in = framework_order(s.in(0)), out = framework_order(s.out(1)), index_grid = framework_order(s.in(2));
  const std::vector<int64_t> indices = read_integers(index_grid);
  const int axis = normal_axis(s, s.params<vpu::GatherElementsParams>().axis, in.rank);
  if (s.params<vpu::GatherElementsParams>().row_indices_mode)
    return gather_rows_and_elements(s, in, out, index_grid, axis);
  s.check(in.rank == index_grid.rank, "indices of another rank");
  const RawTensor from(s.pool(), in);
  RawTensor to(from.element, index_grid.count());
  Counter at(index_grid.dims, index_grid.rank);
  for (size_t i = 0; i < indices.size(); ++i, at.next()) {
    const int64_t place = place_along(in, at, axis, indices[i]);
    std::memcpy(to.bytes.data() + i * static_cast<size_t>(to.element), from.bytes.data() + place * to.element,
                static_cast<size_t>(to.element));
  }
  to.store(s.pool(), out);
}

void run_scatter_update(StageRun& s) {
  const Grid in = framework_order(s.in(0)), out = framework_order(s.out(1));
  const std::vector<int64_t> indices = read_integers(framework_order(s.in(2))),
                             axis_value = read_integers(memory_order(s.in(4)));
  s.check(!axis_value.empty(), "no axis");
  const int axis = normal_axis(s, axis_value[0], in.rank);
  const RawTensor updates(s.pool(), framework_order(s.in(3)));
  RawTensor to(s.pool(), in);
  const int64_t outer = product(in.dims, 0, axis), size = in.dims[static_cast<size_t>(axis)],
                row = product(in.dims, axis + 1, in.rank) * to.element;
  const auto n = static_cast<int64_t>(indices.size());
  s.check(updates.element == to.element && outer * n * row == static_cast<int64_t>(updates.bytes.size()),
          "updates of an unexpected size");
  for (int64_t o = 0; o < outer && row > 0; ++o)
    for (int64_t i = 0; i < n; ++i) {
      const int64_t index = from_front(indices[static_cast<size_t>(i)], size);
      std::memcpy(to.bytes.data() + (o * size + index) * row, updates.bytes.data() + (o * n + i) * row,
                  static_cast<size_t>(row));
    }
  to.store(s.pool(), out);
}

void run_scatter_elements(StageRun& s) {
  const Grid in = framework_order(s.in(0)), out = framework_order(s.out(1)), index_grid = framework_order(s.in(2));
  const std::vector<int64_t> indices = read_integers(index_grid), axis_value = read_integers(memory_order(s.in(4)));
  s.check(!axis_value.empty() && in.rank == index_grid.rank, "no axis, or indices of another rank");
  const int axis = normal_axis(s, axis_value[0], in.rank);
  const RawTensor updates(s.pool(), framework_order(s.in(3)));
  RawTensor to(s.pool(), in);
  s.check(updates.element == to.element && updates.bytes.size() == indices.size() * static_cast<size_t>(to.element),
          "updates of an unexpected size");
  Counter at(index_grid.dims, index_grid.rank);
  for (size_t i = 0; i < indices.size(); ++i, at.next()) {
    const int64_t place = place_along(in, at, axis, indices[i]);
    std::memcpy(to.bytes.data() + place * to.element, updates.bytes.data() + i * static_cast<size_t>(to.element),
                static_cast<size_t>(to.element));
  }
  to.store(s.pool(), out);
}

// Buffers: data, lengths, output. Axes are memory positions.
void run_reverse_sequence(StageRun& s) {
  const auto& p = s.params<vpu::ReverseSequenceParams>();
  const Grid in = memory_order(s.in(0)), out = memory_order(s.out(2));
  const std::vector<int64_t> lengths = read_integers(memory_order(s.in(1)));
  const int sequence = in.rank - 1 - p.seq_axis, batch = in.rank - 1 - p.batch_axis;
  s.check(p.seq_axis >= 0 && p.batch_axis >= 0 && sequence > -1 && batch > -1, "an axis outside its tensor");
  if (sequence == batch) s.cannot_run("sequences along the axis that counts them have no meaning");
  copy_elements(s.pool(), in, out);
  const int64_t size = in.dims[static_cast<size_t>(sequence)];
  s.check(static_cast<int64_t>(lengths.size()) >= in.dims[static_cast<size_t>(batch)], "fewer lengths than sequences");
  for (int64_t b = 0; b < in.dims[static_cast<size_t>(batch)]; ++b) {
    const int64_t length = std::clamp<int64_t>(lengths[static_cast<size_t>(b)], 0, size);
    Grid reversed = slice(slice(in, batch, b, 1), sequence, 0, length);
    if (length == 0) continue;
    auto& step = reversed.strides[static_cast<size_t>(sequence)];
    reversed.data += (length - 1) * step;
    step = -step;
    copy_elements(s.pool(), reversed, slice(slice(out, batch, b, 1), sequence, 0, length));
  }
}

void run_one_hot(StageRun& s) {
  const auto& p = s.params<vpu::OneHotParams>();
  const Grid out = framework_order(s.out(1));
  const std::vector<int64_t> values = read_integers(framework_order(s.in(0)));
  s.check(p.axis >= 0 && p.axis < out.rank, "an axis outside its tensor");
  const int axis = out.rank - 1 - p.axis;
  const int64_t inner = product(out.dims, axis + 1, out.rank), depth = out.dims[static_cast<size_t>(axis)],
                outer = product(out.dims, 0, axis);
  s.check(outer * inner == static_cast<int64_t>(values.size()), "an output of another size than its indices");
  std::vector<float> result(static_cast<size_t>(out.count()), p.off_value);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < inner; ++i) {
      const int64_t v = values[static_cast<size_t>(o * inner + i)];
      if (v >= 0 && v < depth) result[static_cast<size_t>((o * depth + v) * inner + i)] = p.on_value;
    }
  write(out, result);
}

// The indices lie as [rank][capacity]: one row per coordinate, of the nonzero elements in framework order.
void run_non_zero(StageRun& s) {
  const Grid in = framework_order(s.in(0));
  const std::vector<float> values = read_floats(in);
  const Grid indices = memory_order(s.out_at_capacity(1));
  s.check(indices.rank == 2 && indices.dims[0] >= in.rank, "no room for the indices");
  int64_t found = 0;
  Counter at(in.dims, in.rank);
  for (size_t i = 0; i < values.size(); ++i, at.next()) {
    if (values[i] == 0) continue;
    s.check(found < indices.dims[1], "no room for the indices");
    for (int k = 0; k < in.rank; ++k) {
      const int64_t v = at[k];
      write_integers(at_index(at_index(indices, 0, k), 0, found), &v);
    }
    ++found;
  }
  s.touch({1, true, false, slice(slice(indices, 0, 0, in.rank), 1, 0, found)});
  write(memory_order(s.out(2)), std::vector<int64_t>{in.rank, found});
}

// Buffers: shape of the data, wanted shape (0: as the data's when specialZero, -1: what is left), result.
void run_out_shape_of_reshape(StageRun& s) {
  const std::vector<int64_t> from = read_integers(memory_order(s.in(0)));
  std::vector<int64_t> wanted = read_integers(memory_order(s.in(1)));
  int64_t total = 1, known = 1, open = -1;
  for (int64_t v : from) s.check(v >= 0 && !__builtin_mul_overflow(total, v, &total), "a shape without sense");
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == 0 && s.params<vpu::OutShapeOfReshapeParams>().special_zero) {
      s.check(i < from.size(), "a shape without sense");
      wanted[i] = from[i];
    }
    if (wanted[i] == -1)
      open = static_cast<int64_t>(i);
    else
      s.check(wanted[i] >= 0 && !__builtin_mul_overflow(known, wanted[i], &known), "a shape without sense");
  }
  if (open >= 0) wanted[static_cast<size_t>(open)] = total / std::max<int64_t>(known, 1);
  write(memory_order(s.out(2)), wanted);
}

constexpr KernelRow kRows[] = {
    {StageType::Gather, run_gather},
    {StageType::GatherND, run_gather_nd},
    {StageType::GatherElements, run_gather_elements},
    {StageType::ScatterUpdate, run_scatter_update},
    {StageType::ScatterElementsUpdate, run_scatter_elements},
    {StageType::ReverseSequence, run_reverse_sequence},
    {StageType::OneHot, run_one_hot},
    {StageType::NonZero, run_non_zero},
    {StageType::OutShapeOfReshape, run_out_shape_of_reshape},
};

}  // namespace

std::span<const KernelRow> indexing_kernels() { return kRows; }

}  // namespace blobsmith::emulator
