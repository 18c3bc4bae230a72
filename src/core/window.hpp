// A window that slides along one axis: convolutions, their transposes and poolings have one for each spatial axis.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace blobsmith {

/// Output i reads the input at i * stride - pad_begin + k * dilation, for k in 0..kernel-1.
struct AxisWindow {
  int64_t kernel = 1, stride = 1, pad_begin = 0, pad_end = 0;
  int64_t dilation = 1;  ///< of poolings always 1

  /// From the first element that the kernel reads to the last.
  int64_t reach() const { return (kernel - 1) * dilation + 1; }
  /// pad_begin and pad_end together make up `total`; the odd element goes to one of them.
  void set_pads(int64_t total, bool odd_at_end) {
    pad_begin = odd_at_end ? total / 2 : total - total / 2;
    pad_end = total - pad_begin;
  }
};
/// One for each spatial axis.
using Windows = std::vector<AxisWindow>;

/// One number of every axis: column(w, &AxisWindow::stride).
inline std::vector<int64_t> column(const Windows& w, int64_t AxisWindow::* member) {
  std::vector<int64_t> list;
  for (const AxisWindow& axis : w) list.push_back(axis.*member);
  return list;
}
inline void set_column(Windows& w, int64_t AxisWindow::* member, const std::vector<int64_t>& values) {
  for (size_t i = 0; i < w.size() && i < values.size(); ++i) w[i].*member = values[i];
}

}  // namespace blobsmith
