#include "vpu/format/stage_format.hpp"

#include <algorithm>
#include <charconv>
#include <span>

#include "core/error.hpp"
#include "vpu/format/convolution.hpp"
#include "vpu/format/custom.hpp"
#include "vpu/format/data_movement.hpp"
#include "vpu/format/detection.hpp"
#include "vpu/format/eltwise.hpp"
#include "vpu/format/hw_op.hpp"
#include "vpu/format/indexing.hpp"
#include "vpu/format/normalization.hpp"
#include "vpu/format/pooling.hpp"
#include "vpu/format/post_op.hpp"
#include "vpu/format/recurrent.hpp"
#include "vpu/format/reduction.hpp"
#include "vpu/format/resize.hpp"
#include "vpu/format/roi.hpp"

namespace blobsmith::vpu {
namespace {

/// Sorted by type; those without a row of their own are added.
std::vector<StageFormat> build_table() {
  const std::span<const StageFormat> families[] = {
      kConvolutionFormats, kCustomFormats,    kDataMovementFormats,  kDetectionFormats, kEltwiseFormats,
      kHwOpFormats,        kIndexingFormats,  kNormalizationFormats, kPoolingFormats,   kPostOpFormats,
      kRecurrentFormats,   kReductionFormats, kResizeFormats,        kRoiFormats};
  std::vector<StageFormat> table;
  for (auto rows : families) table.insert(table.end(), rows.begin(), rows.end());
  const size_t given = table.size();
  const auto add = [&](StageType t) {
    const auto end = table.begin() + static_cast<std::ptrdiff_t>(given);
    if (std::ranges::find(table.begin(), end, t, &StageFormat::type) == end) table.push_back({t});
  };
#define X(name, id) add(StageType::name);
  BLOBSMITH_STAGE_TYPES(X)
#undef X
  std::ranges::sort(table, {}, &StageFormat::type);
  return table;
}

}  // namespace

const StageFormat& stage_format(StageType t) {
  static const std::vector<StageFormat> table = build_table();
  const auto it = std::ranges::lower_bound(table, t, {}, &StageFormat::type);
  ensure(it != table.end() && it->type == t, "no format of stage type " + std::to_string(static_cast<int>(t)));
  return *it;
}

std::unique_ptr<StageParams> make_params(StageType t) {
  const auto make = stage_format(t).make_params;
  return make ? make() : std::make_unique<StageParams>();
}

std::vector<BufferOrderWord> parse_buffer_order(std::string_view order) {
  std::vector<BufferOrderWord> r;
  while (!order.empty()) {
    const size_t n = std::min(order.find(' '), order.size());
    const std::string_view word = order.substr(0, n);
    const size_t digits = word.find_first_of("0123456789*");
    int index = -1;
    std::from_chars(word.data() + digits, word.data() + word.size(), index);
    r.push_back({word.substr(0, digits), index});
    order.remove_prefix(std::min(n + 1, order.size()));
  }
  return r;
}

bool names(const std::vector<BufferOrderWord>& order, std::string_view kind, int index) {
  return std::ranges::any_of(order, [&](const BufferOrderWord& w) { return w.kind == kind && w.index == index; });
}

std::string buffer_role(StageType t, const StageParams& params, int k, int count) {
  const StageFormat& f = stage_format(t);
  if (f.role) return f.role(params, k, count);
  const std::vector<BufferOrderWord> order = parse_buffer_order(f.buffer_order);
  int stretch = count - static_cast<int>(std::ranges::count_if(order, [](const BufferOrderWord& w) {
                  return w.index >= 0;
                }));  // data that the star stands for
  for (const BufferOrderWord& w : order) {
    if (w.index >= 0) {
      if (k-- == 0) return std::string(w.kind) + std::to_string(w.index);
      continue;
    }
    for (int i = 0; stretch > 0; ++i) {
      if (names(order, w.kind, i)) continue;
      --stretch;
      if (k-- == 0) return std::string(w.kind) + std::to_string(i);
    }
  }
  return "";
}

}  // namespace blobsmith::vpu
