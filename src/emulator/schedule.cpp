#include "emulator/schedule.hpp"

#include <algorithm>
#include <optional>

#include "emulator/kernels/hardware.hpp"

namespace blobsmith::emulator {

using vpu::BlobBuffer;
using vpu::BlobStage;
using vpu::Dim;
using vpu::HwOp;
using vpu::HwOpType;

namespace {

constexpr size_t kMostTogether = 256;

/// The operation of a stage that is a convolution whose result has one element per channel; nothing for others.
std::optional<HwOp> single_element_convolution(const BlobStage& s) {
  if (s.type != vpu::StageType::MyriadXHwOp || s.injected) return {};
  const auto* p = dynamic_cast<const vpu::HwOpParams*>(s.params.get());
  if (!p || p->ops.empty()) return {};
  size_t next = 0;
  const HwOp op = merged_operation(p->ops, next);
  if (op.type != HwOpType::Conv || op.with_pad || next != p->ops.size()) return {};
  const auto plain = [&](int32_t k) -> const BlobBuffer* {
    if (k < 0 || k >= static_cast<int32_t>(s.buffers.size())) return nullptr;
    const BlobBuffer& b = s.buffers[static_cast<size_t>(k)];
    return (b.location == vpu::Location::BSS || b.location == vpu::Location::CMX) && !b.desc.is_dynamic() ? &b
                                                                                                          : nullptr;
  };
  const BlobBuffer *in = plain(op.input_index), *out = plain(op.output_index);
  const auto size = [](const BlobBuffer& b, Dim d) {
    return b.desc.order.position(d) < 0 ? 1 : b.desc.dims[static_cast<size_t>(b.desc.order.position(d))];
  };
  if (!in || !out || size(*in, Dim::N) != 1 || size(*out, Dim::N) != 1 || size(*out, Dim::H) != 1 ||
      size(*out, Dim::W) != 1)
    return {};
  return op;
}

bool same_layout(const BlobBuffer& a, const BlobBuffer& b) {
  return a.desc.type == b.desc.type && a.desc.order == b.desc.order && a.desc.dims == b.desc.dims &&
         a.desc.strides == b.desc.strides;
}

bool same_constant(const BlobStage& a, const BlobStage& b, int32_t k) {
  if (k < 0) return true;
  if (k >= static_cast<int32_t>(a.buffers.size())) return false;
  const BlobBuffer &x = a.buffers[static_cast<size_t>(k)], &y = b.buffers[static_cast<size_t>(k)];
  return x.location == vpu::Location::Blob && y.location == x.location && x.offset == y.offset && same_layout(x, y);
}

int64_t end_of(const BlobBuffer& b) {
  return int64_t{b.offset} + vpu::tensor_extent(b.desc.type, b.desc.dims, b.desc.strides).value_or(INT32_MAX);
}

bool overlap(const BlobBuffer& a, const BlobBuffer& b) {
  if (a.location != b.location) return false;
  if (a.location != vpu::Location::BSS && a.location != vpu::Location::CMX)
    return a.io.index == b.io.index;  // as a whole
  return a.offset < end_of(b) && b.offset < end_of(a);
}

/// How many stages from the first on can be joined; 1: it stands alone.
size_t stages_to_join(std::span<const BlobStage> stages) {
  const std::optional<HwOp> op = single_element_convolution(stages[0]);
  if (!op) return 1;
  const BlobStage& first = stages[0];
  const auto input = static_cast<size_t>(op->input_index), output = static_cast<size_t>(op->output_index);
  const auto joins = [&](size_t n) {
    const BlobStage& s = stages[n];
    if (single_element_convolution(s) != op || s.buffers.size() != first.buffers.size()) return false;
    if (!same_layout(s.buffers[input], first.buffers[input]) || !same_layout(s.buffers[output], first.buffers[output]))
      return false;
    if (!same_constant(first, s, op->weights_index) || !same_constant(first, s, op->biases_index) ||
        !same_constant(first, s, op->scales_index))
      return false;
    return std::none_of(stages.begin(), stages.begin() + static_cast<std::ptrdiff_t>(n),
                        [&](const BlobStage& before) { return overlap(before.buffers[output], s.buffers[input]); });
  };
  size_t n = 1;
  while (n < std::min(stages.size(), kMostTogether) && joins(n)) ++n;
  return n;
}

// ---- side by side ----

struct Accesses {
  std::vector<const BlobBuffer*> read, written;
};

/// What a small hardware stage reads and writes, but for constants; nothing for other stages.
std::optional<Accesses> small_hardware_stage(const BlobStage& s) {
  constexpr int64_t kSmall = 512 << 10;
  if (s.type != vpu::StageType::MyriadXHwOp || s.injected) return {};
  const auto* p = dynamic_cast<const vpu::HwOpParams*>(s.params.get());
  if (!p) return {};
  Accesses a;
  int64_t bytes = 0;
  for (size_t k = 0; k < s.buffers.size(); ++k) {
    const BlobBuffer& b = s.buffers[k];
    if (b.is_fake() || b.location == vpu::Location::Blob) continue;
    if (b.desc.is_dynamic()) return {};
    bytes += end_of(b) - b.offset;
    const bool is_output = std::any_of(p->ops.begin(), p->ops.end(),
                                       [&](const HwOp& op) { return op.output_index == static_cast<int32_t>(k); });
    (is_output ? a.written : a.read).push_back(&b);
  }
  if (bytes > kSmall) return {};
  return a;
}

bool overlap(const std::vector<const BlobBuffer*>& a, const std::vector<const BlobBuffer*>& b) {
  return std::any_of(a.begin(), a.end(), [&](const BlobBuffer* x) {
    return std::any_of(b.begin(), b.end(), [&](const BlobBuffer* y) { return overlap(*x, *y); });
  });
}

/// How many stages from the first on can run side by side. Those that read the same are better one after the other:
/// each alone keeps all threads busy, with an input that is prepared once.
size_t stages_side_by_side(std::span<const BlobStage> stages) {
  std::vector<Accesses> group;
  for (const BlobStage& s : stages.first(std::min(stages.size(), kMostTogether))) {
    const std::optional<Accesses> a = small_hardware_stage(s);
    const auto meets = [&](const Accesses& b) {
      return overlap(a->read, b.read) || overlap(a->read, b.written) || overlap(a->written, b.read) ||
             overlap(a->written, b.written);
    };
    if (!a || std::any_of(group.begin(), group.end(), meets)) break;
    group.push_back(*a);
  }
  return std::max<size_t>(group.size(), 1);
}

}  // namespace

std::vector<StageGroup> group_stages(std::span<const BlobStage> stages) {
  using enum StageGroup::Kind;
  std::vector<StageGroup> groups;
  for (size_t k = 0; k < stages.size(); k += groups.back().count) {
    StageGroup g{Single, k, stages_to_join(stages.subspan(k))};
    if (g.count > 1) {
      g.kind = Joined;
    } else {
      g.count = stages_side_by_side(stages.subspan(k));
      if (g.count > 1) g.kind = SideBySide;
    }
    groups.push_back(g);
  }
  return groups;
}

}  // namespace blobsmith::emulator
