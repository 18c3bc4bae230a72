// Max and average pooling (front-end spec §15.1).
#include <algorithm>
#include <limits>

#include "graph/ops/numbers.hpp"
#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"
#include "graph/ops/strided.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;
constexpr std::string_view kRoundings = "floor|ceil";

constexpr AttributeSpec kMaxPool[] = {{"strides", Integers, ""},
                                      {"pads_begin", Integers, ""},
                                      {"pads_end", Integers, ""},
                                      {"kernel", Integers, kMandatory},
                                      {"rounding_type", Choice, "floor", kRoundings},
                                      {"auto_pad", Choice, "explicit", kPadModes}};
constexpr AttributeSpec kAvgPool[] = {{"kernel", Integers, kMandatory},
                                      {"strides", Integers, ""},
                                      {"pads_begin", Integers, ""},
                                      {"pads_end", Integers, ""},
                                      {"exclude-pad", Flag, "false"},
                                      {"auto_pad", Choice, "explicit", kPadModes},
                                      {"rounding_type", Choice, "floor", kRoundings}};

void infer_pooling(Inference& in) {
  if (in.rank() < 3 || in.rank() > 5) in.fail("Data must have rank 3, 4 or 5");
  if (in.attrs().text("auto_pad") == "notset") in.attrs().set("auto_pad", "explicit");
  const std::vector<int64_t> input = spatial(in.shape());
  const Windows w = read_windows(in, input, in.attrs().integers("kernel"));
  for (const AxisWindow& axis : w) in.require(axis.pad_begin >= 0 && axis.pad_end >= 0, "Pads must not be negative");
  const bool round_up = in.attrs().text("rounding_type") == "ceil";
  in.output(in.type(), concat({in.dim(0, 0), in.dim(0, 1)}, window_outputs(in, input, w, round_up)));
}

// ---- folding of MaxPool; averages are not folded by the reference ----

template <class T>
std::vector<Tensor> fold_max_pool(const Node& n, const Tensor& data) {
  const auto values = load<T>(data);
  if (!values) return {};
  const Shape &in = data.shape, &out = n.shape(), window(out.begin() + 2, out.end());
  const auto &kernel = n.attrs.integers("kernel"), &strides = n.attrs.integers("strides"),
             &pads = n.attrs.integers("pads_begin");
  const std::vector<int64_t> dense = dense_strides(in);
  const int64_t planes = in[0] * in[1], plane = product(in, 2, static_cast<int64_t>(in.size()));
  std::vector<T> result;
  const auto best_at = [&](int64_t base, int64_t cell) {
    Shape size;
    int64_t offset = base;
    for (size_t i = kernel.size(); i-- > 0; cell /= window[i]) {
      const int64_t from = cell % window[i] * strides[i] - pads[i], first = std::max<int64_t>(from, 0);
      size.insert(size.begin(), std::max<int64_t>(std::min(from + kernel[i], in[i + 2]) - first, 0));
      offset += first * dense[i + 2];
    }
    T best(std::numeric_limits<int64_t>::min());
    if constexpr (!std::is_same_v<T, int64_t>) best = T(-std::numeric_limits<float>::infinity());
    for_each_position(size, offset, std::span(dense).subspan(2), [&](int64_t, int64_t at) {
      best = std::max(best, (*values)[static_cast<size_t>(at)], [](T a, T b) { return a < b; });
    });
    return best;
  };
  for (int64_t p = 0; p < planes; ++p)
    for (int64_t cell = 0; cell < element_count(window); ++cell) result.push_back(best_at(p * plane, cell));
  return {store<T>(n.element_type(), out, result)};
}

std::vector<Tensor> evaluate_max_pool(const Node& n, Tensors inputs) {
  std::vector<Tensor> result;
  with_working_type(n.element_type(), [&](auto zero) { result = fold_max_pool<decltype(zero)>(n, *inputs[0]); });
  return result;
}

constexpr OpRow kOps[] = {
    {"MaxPool", 0, {1, 7}, 1, 1, kMaxPool, infer_pooling, evaluate_max_pool},
    {"AvgPool", 0, {1, 7}, 1, 1, kAvgPool, infer_pooling},
};

}  // namespace

std::span<const OpRow> pooling_ops() { return kOps; }

}  // namespace blobsmith::ops
