// Reduce* and TopK (execution spec §6).
#include "vpu/format/reduction.hpp"

#include "emulator/kernels/shared.hpp"

namespace blobsmith::emulator {
namespace {

using enum vpu::StageType;

/// Combines the elements that fall together; `place[i]` is where element i goes.
template <class T>
std::vector<T> combine(vpu::StageType type, const std::vector<T>& values, const std::vector<int64_t>& place,
                       int64_t results, int64_t each) {
  std::vector<T> r(static_cast<size_t>(results));
  const auto fold = [&](auto f) {
    std::vector<bool> seen(r.size());
    for (size_t i = 0; i < values.size(); ++i) {
      const auto at = static_cast<size_t>(place[i]);
      r[at] = seen[at] ? f(r[at], values[i]) : values[i];
      seen[at] = true;
    }
  };
  switch (type) {
    case ReduceMin: fold([](T a, T b) { return std::min(a, b); }); break;
    case ReduceMax: fold([](T a, T b) { return std::max(a, b); }); break;
    case ReduceAnd:
      std::fill(r.begin(), r.end(), T(1));
      for (size_t i = 0; i < values.size(); ++i)
        if (values[i] == 0) r[static_cast<size_t>(place[i])] = 0;
      break;
    default:
      for (size_t i = 0; i < values.size(); ++i) r[static_cast<size_t>(place[i])] += values[i];
  }
  if (type == ReduceMean)
    for (T& v : r) v = static_cast<T>(v / static_cast<T>(std::max<int64_t>(each, 1)));
  return r;
}

/// Where each element of a compact tensor goes: a walk over it with the strides of the result.
std::vector<int64_t> places(const Grid& g, const Sizes& kept) {
  std::vector<int64_t> place(static_cast<size_t>(g.count()));
  Sizes strides{}, at{};
  int64_t stride = 1, to = 0;
  for (int k = g.rank; k-- > 0;) {
    const auto a = static_cast<size_t>(k);
    strides[a] = kept[a] == 1 ? 0 : stride;
    stride *= kept[a];
  }
  for (size_t i = 0; i < place.size();) {
    const auto inner = static_cast<size_t>(g.rank - 1);
    for (int64_t x = 0; x < g.dims[inner]; ++x) place[i++] = to + x * strides[inner];
    for (int k = g.rank - 1; k-- > 0;) {
      const auto a = static_cast<size_t>(k);
      to += strides[a];
      if (++at[a] < g.dims[a]) break;
      to -= strides[a] * g.dims[a];
      at[a] = 0;
    }
  }
  return place;
}

/// True when what falls together lies together.
bool reduces_innermost(const Grid& g, const Sizes& kept) {
  int axis = g.rank;
  while (axis > 0 && kept[static_cast<size_t>(axis - 1)] == 1) --axis;
  return std::equal(g.dims.begin(), g.dims.begin() + axis, kept.begin());
}

/// Sums (or means) of `each` neighbours.
std::vector<float> add_neighbours(vpu::StageType type, const std::vector<float>& values, int64_t results,
                                  int64_t each) {
  std::vector<float> r;
  for (int64_t i = 0; i < results; ++i) {
    const float sum = sum_in_lanes<float>(values.data() + i * each, each, [](float v) { return v; });
    r.push_back(type == ReduceMean ? sum / static_cast<float>(std::max<int64_t>(each, 1)) : sum);
  }
  return r;
}

/// The reduced tensor with its dropped axes, in the memory order of the input: `out` is in framework order and may lack
/// them.
Grid with_dropped_axes(StageRun& s, const View& in, const Sizes& kept, const Grid& out) {
  const Grid g = memory_order(in);
  Grid r{out.data, out.type, g.rank, kept};
  // Axes in framework order, as positions of g.
  View positions = in;
  for (int k = 0; k < in.rank; ++k) positions.strides[static_cast<size_t>(k)] = in.rank - 1 - k;
  const Grid order = framework_order(positions);
  int next = 0;
  const auto skip_ones = [&] {
    while (next < out.rank && out.dims[static_cast<size_t>(next)] == 1) ++next;
  };
  for (int k = 0; k < order.rank; ++k) {
    const auto axis = static_cast<size_t>(order.strides[static_cast<size_t>(k)]);
    if (kept[axis] == 1) continue;
    skip_ones();
    s.check(next < out.rank && out.dims[static_cast<size_t>(next)] == kept[axis],
            "an output of another shape than reduced");
    r.strides[axis] = out.strides[static_cast<size_t>(next++)];
  }
  skip_ones();
  s.check(next == out.rank, "an output of another shape than reduced");
  return r;
}

/// Part of the results, from the elements that fall together there.
void reduce_part(vpu::StageType type, const Grid& from, const Sizes& kept, const Grid& to) {
  const int64_t results = to.count(), each = results > 0 ? from.count() / results : 0;
  if (from.type == DataType::S32)
    return write(to, combine(type, read_integers(from), places(from, kept), results, each));
  const std::vector<float> values = read_floats(from);
  const bool adds = type == ReduceSum || type == ReduceMean;
  write(to, adds && reduces_innermost(from, kept) ? add_neighbours(type, values, results, each)
                                                  : combine(type, values, places(from, kept), results, each));
}

// The axes are memory positions of in0.
void run_reduce(StageRun& s) {
  const View in = s.in(0);
  const Grid g = memory_order(in);
  Sizes kept = g.dims;
  unsigned reduced = 0;
  for (int64_t position : read_integers(memory_order(s.in(2)))) {
    s.check(position >= 0 && position < g.rank, "an axis outside its tensor");
    const int axis = g.rank - 1 - static_cast<int>(position);
    kept[static_cast<size_t>(axis)] = 1;
    reduced |= axis_bit(axis);
  }
  const Grid out = with_dropped_axes(s, in, kept, framework_order(s.out(1)));
  for_each_part(s.pool(), g, reduced, 4, [&](const PartRange& range) {
    const Grid to = part_of(out, range, reduced);
    reduce_part(s.type(), part_of(g, range, reduced), to.dims, to);
  });
}

// Buffers: data, k, [values], [indices]. Equal values: the lower index first.
void run_top_k(StageRun& s) {
  const auto& p = s.params<vpu::TopKParams>();
  const Grid in = memory_order(s.in(0));
  s.check(p.axis >= 0 && p.axis < in.rank && (p.values_present || p.indices_present), "an axis outside its tensor");
  const int axis = in.rank - 1 - p.axis;
  const Grid values = p.values_present ? memory_order(s.out(2)) : Grid{},
             indices = p.indices_present ? memory_order(s.out(p.values_present ? 3 : 2)) : Grid{};
  const Grid& shape = p.values_present ? values : indices;
  s.check(shape.rank == in.rank, "an output of another rank");
  const int64_t size = in.dims[static_cast<size_t>(axis)], k = shape.dims[static_cast<size_t>(axis)];
  Sizes expected = in.dims;
  expected[static_cast<size_t>(axis)] = k;
  s.check(shape.dims == expected && (!p.values_present || !p.indices_present || indices.dims == expected),
          "an output of an unexpected size");
  if (k > size)
    s.cannot_run("it gives " + std::to_string(k) + " of " + std::to_string(size) +
                 " elements, and what a device gives beyond them is not known");
  for_each_part(s.pool(), in, axis_bit(axis), 16, [&](const PartRange& range) {
    const Grid part = part_of(in, range, axis_bit(axis));
    const std::vector<float> x = read_floats(part);
    const int64_t outer = product(part.dims, 0, axis), inner = product(part.dims, axis + 1, in.rank);
    std::vector<float> best(static_cast<size_t>(outer * k * inner)), keys(static_cast<size_t>(size));
    std::vector<int64_t> where(best.size());
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i) {
        for (int64_t j = 0; j < size; ++j)
          keys[static_cast<size_t>(j)] =
              x[static_cast<size_t>((o * size + j) * inner + i)] * (p.mode == 0 ? 1.0f : -1.0f);
        std::vector<int64_t> order = by_falling_score(keys);
        order.resize(static_cast<size_t>(k));
        constexpr int kByIndex = 2;
        if (p.sort == kByIndex) std::sort(order.begin(), order.end());
        for (int64_t j = 0; j < k; ++j) {
          const int64_t from = order[static_cast<size_t>(j)];
          best[static_cast<size_t>((o * k + j) * inner + i)] = x[static_cast<size_t>((o * size + from) * inner + i)];
          where[static_cast<size_t>((o * k + j) * inner + i)] = from;
        }
      }
    if (p.values_present) write(part_of(values, range, axis_bit(axis)), best);
    if (p.indices_present) write(part_of(indices, range, axis_bit(axis)), where);
  });
}

constexpr KernelRow kRows[] = {
    {StageType::ReduceAnd, run_reduce}, {StageType::ReduceMin, run_reduce},  {StageType::ReduceMax, run_reduce},
    {StageType::ReduceSum, run_reduce}, {StageType::ReduceMean, run_reduce}, {StageType::TopK, run_top_k},
};

}  // namespace

std::span<const KernelRow> reduction_kernels() { return kRows; }

}  // namespace blobsmith::emulator
