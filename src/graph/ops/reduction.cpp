// Reductions over axes (front-end spec §15.1, §2.4).
#include <algorithm>
#include <cmath>

#include "graph/ops/numbers.hpp"
#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"
#include "graph/ops/strided.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;
constexpr AttributeSpec kReduce[] = {{"keep_dims", Flag, "false"}};

void infer_reduction(Inference& in) {
  const auto list = in.values(1);
  const bool keep = in.attrs().flag("keep_dims");
  if (!list) {
    if (!keep) in.fail("Its axes (input 1) are not a constant");
    return in.output(in.type(), Shape(in.shape().size(), kDynamic));
  }
  const std::vector<int64_t> axes = in.axes(*list, in.rank());
  Shape out;
  for (int64_t i = 0; i < in.rank(); ++i) {
    const bool reduced = std::ranges::find(axes, i) != axes.end();
    if (!reduced)
      out.push_back(in.dim(0, i));
    else if (keep)
      out.push_back(1);
  }
  in.output(in.type(), std::move(out));
}

// Compensated (Kahan) summation in the element type, as the reference folds sums and means.
template <class T>
class Sum {
 public:
  void operator+=(T x) {
    if constexpr (std::is_same_v<T, int64_t>) {
      total_ = wrapping_add(total_, x);
    } else if (std::isfinite(static_cast<double>(x)) && std::isfinite(static_cast<double>(total_))) {
      const T corrected = T(x - error_);
      const T next = T(total_ + corrected);
      error_ = T(T(next - total_) - corrected);
      total_ = next;
    } else {
      total_ = T(total_ + x);
    }
  }
  T total() const { return total_; }

 private:
  T total_ = T(0), error_ = T(0);
};

template <class T>
T divide_by_count(T total, int64_t count) {
  if constexpr (std::is_same_v<T, int64_t>)
    return count ? total / count : 0;
  else
    return T(total / T(count));
}

template <class T>
T square_root(T x) {
  if constexpr (std::is_same_v<T, int64_t>)
    return truncate(std::sqrt(static_cast<double>(x)));
  else
    return T(std::sqrt(x));
}

template <class T>
T reduce(const Node& n, std::span<const T> values) {
  const auto absolute = [](T x) { return x < T(0) ? subtract(T(0), x) : x; };
  const auto is_true = [](T x) { return x != T(0); };
  if (n.is("ReduceMax")) return *std::ranges::max_element(values);
  if (n.is("ReduceMin")) return *std::ranges::min_element(values);
  if (n.is("ReduceLogicalAnd")) return T(std::ranges::all_of(values, is_true) ? 1 : 0);
  if (n.is("ReduceLogicalOr")) return T(std::ranges::any_of(values, is_true) ? 1 : 0);
  if (n.is("ReduceProd")) {
    T product(1);
    for (T x : values) product = multiply(product, x);
    return product;
  }
  if (n.is("ReduceL1") || n.is("ReduceL2")) {
    T total(0);
    for (T x : values) total = add(total, n.is("ReduceL1") ? absolute(x) : multiply(x, x));
    return n.is("ReduceL2") ? square_root(total) : total;
  }
  Sum<T> sum;
  for (T x : values) sum += x;
  return n.is("ReduceMean") ? divide_by_count(sum.total(), static_cast<int64_t>(values.size())) : sum.total();
}

// Splits the axes of `shape` into kept and reduced ones, with the strides of each.
struct Split {
  Shape kept, reduced;
  std::vector<int64_t> kept_strides, reduced_strides;
};

Split split_axes(const Shape& shape, const std::vector<int64_t>& axes) {
  Split s;
  const std::vector<int64_t> strides = dense_strides(shape);
  for (size_t i = 0; i < shape.size(); ++i) {
    const auto a = static_cast<int64_t>(i);
    const bool reduced = std::ranges::find(axes, a) != axes.end() ||
                         std::ranges::find(axes, a - static_cast<int64_t>(shape.size())) != axes.end();
    (reduced ? s.reduced : s.kept).push_back(shape[i]);
    (reduced ? s.reduced_strides : s.kept_strides).push_back(strides[i]);
  }
  return s;
}

template <class T>
std::vector<Tensor> evaluate_as(const Node& n, Tensors inputs) {
  const Loaded<T> loaded(*inputs[0]);
  if (!loaded.is_known()) return {};
  const std::span<const T> values = loaded.values();
  const Split s = split_axes(inputs[0]->shape, inputs[1]->to_i64());
  const auto count = static_cast<size_t>(element_count(s.reduced));
  if (count == 0 && (n.is("ReduceMax") || n.is("ReduceMin"))) return {};
  const bool side_by_side = s.reduced_strides == dense_strides(s.reduced);
  std::vector<T> out, group(side_by_side ? 0 : count);
  for_each_position(s.kept, 0, s.kept_strides, [&](int64_t, int64_t base) {
    if (side_by_side) return out.push_back(reduce(n, values.subspan(static_cast<size_t>(base), count)));
    for_each_position(s.reduced, base, s.reduced_strides,
                      [&](int64_t i, int64_t at) { group[static_cast<size_t>(i)] = values[static_cast<size_t>(at)]; });
    out.push_back(reduce<T>(n, group));
  });
  return {store<T>(n.element_type(), n.shape(), std::move(out))};
}

std::vector<Tensor> evaluate_reduction(const Node& n, Tensors inputs) {
  std::vector<Tensor> result;
  with_working_type(inputs[0]->type, [&](auto zero) { result = evaluate_as<decltype(zero)>(n, inputs); });
  return result;
}

constexpr OpRow reduction(std::string_view type, int opset = 1) {
  return {type, 0, {opset, 7}, 2, 2, kReduce, infer_reduction, evaluate_reduction};
}

constexpr OpRow kOps[] = {
    reduction("ReduceMax"),   reduction("ReduceMin"),        reduction("ReduceMean"),
    reduction("ReduceSum"),   reduction("ReduceProd"),       reduction("ReduceL1", 4),
    reduction("ReduceL2", 4), reduction("ReduceLogicalAnd"), reduction("ReduceLogicalOr"),
};

}  // namespace

std::span<const OpRow> reduction_ops() { return kOps; }

}  // namespace blobsmith::ops
