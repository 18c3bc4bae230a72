#include "graph/ops/shape_math.hpp"

#include <algorithm>

namespace blobsmith::ops {

std::optional<int64_t> merge_dims(int64_t a, int64_t b) {
  if (a == kDynamic) return b;
  if (b == kDynamic || a == b) return a;
  return std::nullopt;
}

std::optional<Shape> merge_shapes(const Shape& a, const Shape& b) {
  if (a.size() != b.size()) return std::nullopt;
  Shape r;
  for (size_t i = 0; i < a.size(); ++i) {
    const auto d = merge_dims(a[i], b[i]);
    if (!d) return std::nullopt;
    r.push_back(*d);
  }
  return r;
}

namespace {
std::optional<int64_t> broadcast_dims(int64_t a, int64_t b) {
  if (a == 1) return b;
  if (b == 1) return a;
  return merge_dims(a, b);
}

// PaddlePaddle's rule: b is laid onto a from `axis` on (its last axes by default) and never enlarges a.
std::optional<Shape> broadcast_onto(const Shape& a, const Shape& b) {
  if (b.size() > a.size()) return std::nullopt;
  const size_t start = a.size() - b.size();
  for (size_t i = 0; i < b.size(); ++i)
    if (b[i] != 1 && !merge_dims(a[start + i], b[i])) return std::nullopt;
  return a;
}
}  // namespace

std::optional<Shape> broadcast(const Shape& a, const Shape& b) {
  const size_t rank = std::max(a.size(), b.size());
  Shape r(rank);
  for (size_t i = 0; i < rank; ++i) {
    const auto dim_from_back = [&](const Shape& s) { return i < s.size() ? s[s.size() - 1 - i] : 1; };
    const auto d = broadcast_dims(dim_from_back(a), dim_from_back(b));
    if (!d) return std::nullopt;
    r[rank - 1 - i] = *d;
  }
  return r;
}

Shape elementwise_shape(const Inference& in, const Shape& a, const Shape& b) {
  const std::string mode = in.attrs().text("auto_broadcast", "numpy");
  const auto shape = mode == "none" || mode == "explicit" ? merge_shapes(a, b)
                     : mode == "pdpd"                     ? broadcast_onto(a, b)
                                                          : broadcast(a, b);
  if (!shape) in.fail("Argument shapes are inconsistent: " + to_string(a) + " and " + to_string(b));
  return *shape;
}

int64_t add_dims(int64_t a, int64_t b) { return a == kDynamic || b == kDynamic ? kDynamic : a + b; }

int64_t multiply_dims(int64_t a, int64_t b) {
  if (a == kDynamic || b == kDynamic) return kDynamic;
  int64_t r = 0;
  if (__builtin_mul_overflow(a, b, &r))
    throw Error(ErrorCode::ShapeMismatch,
                "a dimension of " + std::to_string(a) + " times " + std::to_string(b) + " elements is too large");
  return r;
}

int64_t product(const Shape& s, int64_t begin, int64_t end) {
  int64_t r = 1;
  for (int64_t i = begin; i < end; ++i) r = multiply_dims(r, s.at(static_cast<size_t>(i)));
  return r;
}

std::vector<int64_t> spatial(const Shape& s, size_t from) {
  return {s.begin() + static_cast<int64_t>(std::min(from, s.size())), s.end()};
}

Shape concat(const Shape& a, const std::vector<int64_t>& b) {
  Shape r = a;
  r.insert(r.end(), b.begin(), b.end());
  return r;
}

std::vector<int64_t> spatial_list(Inference& in, std::string_view name, size_t rank, int64_t fill) {
  if (!in.attrs().has(name) || in.attrs().integers(name).empty())
    in.attrs().set(name, std::vector<int64_t>(rank, fill));
  const std::vector<int64_t> list = in.attrs().integers(name);
  if (list.size() != rank)
    in.fail("attribute '" + std::string(name) + "' has " + std::to_string(list.size()) + " values for " +
            std::to_string(rank) + " spatial axes");
  return list;
}

namespace {
// One pad per side: the output has ceil(input / stride) elements; the odd element goes to the end for same_upper.
void pad_to_same(AxisWindow& w, int64_t input, bool upper) {
  if (input == kDynamic || w.kernel == kDynamic) return;
  w.set_pads(std::max<int64_t>((div_up(input, w.stride) - 1) * w.stride + w.reach() - input, 0), upper);
}
}  // namespace

Windows read_windows(Inference& in, const std::vector<int64_t>& input, const std::vector<int64_t>& kernel) {
  const size_t rank = input.size();
  if (kernel.size() != rank)
    in.fail("its kernel has " + std::to_string(kernel.size()) + " spatial axes, its input " + std::to_string(rank));
  Windows w(rank);
  set_column(w, &AxisWindow::kernel, kernel);
  set_column(w, &AxisWindow::stride, spatial_list(in, "strides", rank, 1));
  set_column(w, &AxisWindow::pad_begin, spatial_list(in, "pads_begin", rank, 0));
  set_column(w, &AxisWindow::pad_end, spatial_list(in, "pads_end", rank, 0));
  if (in.attrs().has("dilations")) set_column(w, &AxisWindow::dilation, spatial_list(in, "dilations", rank, 1));
  const auto positive = [](int64_t v) { return v > 0; };
  in.require(std::ranges::all_of(w, positive, &AxisWindow::stride), "Strides must be positive");
  in.require(std::ranges::all_of(w, positive, &AxisWindow::dilation), "Dilations must be positive");
  const std::string mode = in.attrs().text("auto_pad", "explicit");
  if (mode == "explicit") return w;
  for (size_t i = 0; i < rank; ++i) {
    if (mode == "valid")
      w[i].pad_begin = w[i].pad_end = 0;
    else
      pad_to_same(w[i], input[i], mode == "same_upper");
  }
  set_pad_attributes(in, w);
  return w;
}

void set_pad_attributes(Inference& in, const Windows& w) {
  in.attrs().set("pads_begin", column(w, &AxisWindow::pad_begin));
  in.attrs().set("pads_end", column(w, &AxisWindow::pad_end));
}

std::vector<int64_t> window_outputs(const Inference& in, const std::vector<int64_t>& input, const Windows& w,
                                    bool round_up) {
  std::vector<int64_t> out;
  for (size_t i = 0; i < w.size(); ++i) {
    const AxisWindow& axis = w[i];
    if (input[i] == kDynamic || axis.kernel == kDynamic) {
      out.push_back(kDynamic);
      continue;
    }
    in.require(axis.kernel > 0, "Window shape must be positive on every axis");
    const int64_t reach = axis.reach(), padded = input[i] + axis.pad_begin + axis.pad_end;
    if (reach > padded)
      in.fail("Window after dilation has dimension (dim: " + std::to_string(reach) +
              ") larger than the data shape after padding (dim: " + std::to_string(padded) + ")");
    out.push_back((round_up ? div_up(padded - reach, axis.stride) : (padded - reach) / axis.stride) + 1);
  }
  return out;
}

void infer_like_input(Inference& in) { in.output(in.type(), in.shape()); }

}  // namespace blobsmith::ops
