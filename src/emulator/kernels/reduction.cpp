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
  std::vector<bool> seen(static_cast<size_t>(results));
  for (size_t i = 0; i < values.size(); ++i) {
    const auto at = static_cast<size_t>(place[i]);
    const T v = type == ReduceAnd ? T(values[i] != 0) : values[i];
    T& acc = r[at];
    if (!seen[at]) {
      acc = v;
      seen[at] = true;
    } else if (type == ReduceMin || type == ReduceAnd) {
      acc = std::min(acc, v);
    } else if (type == ReduceMax) {
      acc = std::max(acc, v);
    } else {
      acc += v;
    }
  }
  if (type == ReduceMean)
    for (T& v : r) v = static_cast<T>(v / static_cast<T>(std::max<int64_t>(each, 1)));
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
  // Where each element goes: a walk over the input with strides of the result.
  const int64_t results = product(kept, 0, g.rank), count = g.count();
  std::vector<int64_t> place(static_cast<size_t>(count));
  Sizes strides{}, at{};
  int64_t stride = 1;
  for (int k = g.rank; k-- > 0;) {
    const auto a = static_cast<size_t>(k);
    strides[a] = kept[a] == 1 ? 0 : stride;
    stride *= kept[a];
  }
  int64_t to = 0;
  for (int64_t& p : place) {
    p = to;
    for (int k = g.rank; k-- > 0;) {
      const auto a = static_cast<size_t>(k);
      to += strides[a];
      if (++at[a] < g.dims[a]) break;
      to -= strides[a] * g.dims[a];
      at[a] = 0;
    }
  }
  const int64_t each = results > 0 ? count / results : 0;
  if (g.type == DataType::S32) write(out, in_framework_order(combine(s.type(), read_integers(g), place, results, each), kept, in));
  else write(out, in_framework_order(combine(s.type(), read_floats(g), place, results, each), kept, in));
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
  s.check(k <= size && shape.count() == outer * k * inner, "an output of an unexpected size");
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
