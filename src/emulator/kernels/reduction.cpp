// Reduce* and TopK (execution spec §6).
#include "vpu/stages/reduction.hpp"

#include <numeric>

#include "emulator/kernels/kernels.hpp"

namespace blobsmith::emulator {
namespace {

using enum vpu::StageType;

/// Combines the elements that fall together; `place[i]` is where element i goes.
template <class T>
std::vector<T> combine(vpu::StageType type, const std::vector<T>& values, const std::vector<int64_t>& place, int64_t results, int64_t each) {
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
std::vector<float> add_neighbours(StageRun& s, const std::vector<float>& values, int64_t results, int64_t each) {
  std::vector<float> r(static_cast<size_t>(results));
  s.pool().run(results, [&](int64_t i) {
    const float sum = sum_in_lanes<float>(values.data() + i * each, each, [](float v) { return v; });
    r[static_cast<size_t>(i)] = s.type() == ReduceMean ? sum / static_cast<float>(std::max<int64_t>(each, 1)) : sum;
  }, results * each);
  return r;
}

/// The reduced tensor, with the sizes 1 kept, back in framework order.
template <class T>
std::vector<T> in_framework_order(const std::vector<T>& values, const Sizes& dims, const View& in) {
  std::vector<int64_t> index(values.size());
  std::iota(index.begin(), index.end(), 0);
  std::vector<int32_t> numbers(index.begin(), index.end());
  View v;
  v.data = reinterpret_cast<uint8_t*>(numbers.data());
  v.type = DataType::S32;
  v.order = in.order;
  v.rank = in.rank;
  int64_t stride = 4;
  for (int k = 0; k < in.rank; ++k) {
    const auto axis = static_cast<size_t>(in.rank - 1 - k);
    v.dims[static_cast<size_t>(k)] = dims[axis];
    v.strides[static_cast<size_t>(k)] = stride;
    stride *= dims[axis];
  }
  std::vector<T> out;
  for (int64_t i : read_integers(framework_order(v))) out.push_back(values[static_cast<size_t>(i)]);
  return out;
}

}  // namespace

// The axes are memory positions of in0.
void run_reduce(StageRun& s) {
  const View in = s.in(0);
  const Grid g = memory_order(in), out = framework_order(s.out(1));
  Sizes kept = g.dims;
  for (int64_t position : read_integers(memory_order(s.in(2)))) {
    s.check(position >= 0 && position < g.rank, "an axis outside its tensor");
    kept[static_cast<size_t>(g.rank - 1 - position)] = 1;
  }
  const int64_t results = product(kept, 0, g.rank), count = g.count();
  const int64_t each = results > 0 ? count / results : 0;
  if (g.type == DataType::S32) return write(out, in_framework_order(combine(s.type(), read_integers(g), places(g, kept), results, each), kept, in));
  const bool adds = s.type() == ReduceSum || s.type() == ReduceMean;
  const std::vector<float> values = read_floats(g);
  if (adds && reduces_innermost(g, kept)) return write(out, in_framework_order(add_neighbours(s, values, results, each), kept, in));
  write(out, in_framework_order(combine(s.type(), values, places(g, kept), results, each), kept, in));
}

// Buffers: data, k, [values], [indices]. Equal values: the lower index first.
void run_top_k(StageRun& s) {
  const auto& p = s.params<vpu::TopKParams>();
  const Grid in = memory_order(s.in(0));
  s.check(p.axis >= 0 && p.axis < in.rank && (p.values_present || p.indices_present), "an axis outside its tensor");
  const int axis = in.rank - 1 - p.axis;
  const Grid values = p.values_present ? memory_order(s.out(2)) : Grid{}, indices = p.indices_present ? memory_order(s.out(p.values_present ? 3 : 2)) : Grid{};
  const Grid& shape = p.values_present ? values : indices;
  const std::vector<float> x = read_floats(in);
  const int64_t outer = product(in.dims, 0, axis), size = in.dims[static_cast<size_t>(axis)], inner = product(in.dims, axis + 1, in.rank);
  s.check(shape.rank == in.rank, "an output of another rank");
  const int64_t k = shape.dims[static_cast<size_t>(axis)];
  s.check(shape.count() == outer * k * inner, "an output of an unexpected size");
  if (k > size) s.cannot_run("it gives " + std::to_string(k) + " of " + std::to_string(size) + " elements, and what a device gives beyond them is not known");
  std::vector<float> best(static_cast<size_t>(shape.count()));
  std::vector<int64_t> where(best.size());
  s.pool().run(outer, [&](int64_t o) {
    std::vector<float> keys(static_cast<size_t>(size));
    for (int64_t i = 0; i < inner; ++i) {
      for (int64_t j = 0; j < size; ++j) keys[static_cast<size_t>(j)] = x[static_cast<size_t>((o * size + j) * inner + i)] * (p.mode == 0 ? 1.0f : -1.0f);
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
  });
  if (p.values_present) write(values, best);
  if (p.indices_present) write(indices, where);
}

}  // namespace blobsmith::emulator
