#include "vpu/format/account.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "vpu/format/container.hpp"

namespace blobsmith::vpu {
namespace {

using Kind = ByteAccount::Kind;

class Accountant {
 public:
  explicit Accountant(const Blob& blob) : blob_(blob) {}

  ByteAccount run() {
    sections();
    flags();
    collect_regions();
    fill_gaps();
    return std::move(account_);
  }

 private:
  static size_t aligned(size_t v) { return (v + kBlobAlignment - 1) / kBlobAlignment * kBlobAlignment; }
  bool all_zero(size_t begin, size_t end) const {
    const uint8_t* p = blob_.file.data();
    return std::all_of(p + begin, p + end, [](uint8_t b) { return b == 0; });
  }

  void sections() {
    const BlobHeader& h = blob_.header;
    const size_t const_end = h.file_size;
    account_.sections = {{"headers", 0, kElfHeaderBytes + kBlobHeaderBytes, h.input_info_offset},
                         {"input info", h.input_info_offset, blob_.inputs_end, h.output_info_offset},
                         {"output info", h.output_info_offset, blob_.outputs_end, h.stage_section_offset},
                         {"stages", h.stage_section_offset, blob_.stages_end, h.const_section_offset}};
    for (const auto& s : account_.sections) {
      if (aligned(s.end) != s.padded_end)
        account_.problems.push_back("section '" + s.name + "' ends at " + std::to_string(s.end) +
                                    ", the next begins at " + std::to_string(s.padded_end));
      (all_zero(s.end, s.padded_end) ? account_.padding : account_.unexplained) += s.padded_end - s.end;
    }
    account_.sections.push_back({"const", h.const_section_offset, const_end, const_end});
    if (!blob_.network_info) account_.unexplained += blob_.file.size() - const_end;
    if (blob_.network_info) {
      const size_t end = blob_.network_info->file_offset + blob_.network_info->file_size;
      account_.sections.push_back({"network info", blob_.network_info->file_offset, end, blob_.file.size()});
      (all_zero(end, blob_.file.size()) ? account_.padding : account_.unexplained) += blob_.file.size() - end;
    }
    for (const auto* list : {&blob_.inputs, &blob_.outputs})
      for (const BlobIo& io : *list) names(io);
  }

  void names(const BlobIo& io) {
    constexpr size_t kNameAt = 12;
    const size_t length = io.name.size(), room = (length + 1 + kNameAlignment - 1) / kNameAlignment * kNameAlignment;
    const size_t stored = io.file_size - kNameAt - 7 * 4, begin = io.file_offset + kNameAt + length;
    if (stored != room || !all_zero(begin, io.file_offset + kNameAt + stored))
      account_.problems.push_back("the name of '" + io.name + "' is padded in an unusual way");
  }

  void flags() {
    bool hw = false, shave = false, dma = false;
    for (const BlobStage& s : blob_.stages) {
      hw |= category(s.type) == StageCategory::HW;
      dma |= category(s.type) == StageCategory::DMA;
      shave |= category(s.type) == StageCategory::SHAVE;
    }
    const BlobHeader& h = blob_.header;
    if (h.has_hw_stage != hw || h.has_shave_stage != shave || h.has_dma_stage != dma)
      account_.problems.push_back("the header's flags of hw, SHAVE and DMA stages don't match the stages");
  }

  // ---- the const section ----
  void shape(const BlobTensorDesc& d) {
    if (blob_.header.has_inline_shapes()) return;
    const size_t bytes = size_t{4} * static_cast<size_t>(d.rank());
    if (!d.is_dynamic()) add(Kind::Dims, d.dims_offset, bytes);
    add(Kind::Strides, d.strides_offset, bytes);
  }

  ByteAccount::Region& add(Kind kind, size_t begin, size_t bytes) {
    ByteAccount::Region& r = regions_[{begin, kind}];
    r.kind = kind;
    r.begin = begin;
    r.end = std::max(r.end, begin + bytes);
    return r;
  }

  void stage(const BlobStage& s, const std::string& name) {
    for (const BlobBuffer& b : s.buffers) {
      shape(b.desc);
      if (b.location != Location::Blob || b.desc.is_dynamic()) continue;
      const int64_t extent = tensor_extent(b.desc.type, b.desc.dims, b.desc.strides).value_or(0);
      add(Kind::Constant, b.offset, static_cast<size_t>(extent)).users.push_back(name + ":" + b.role);
    }
    if (s.injected) stage(*s.injected, name + "i");
  }

  void collect_regions() {
    for (const auto* list : {&blob_.inputs, &blob_.outputs})
      for (const BlobIo& io : *list) shape(io.desc);
    for (size_t i = 0; i < blob_.stages.size(); ++i) stage(blob_.stages[i], std::to_string(i));
  }

  void push(Kind kind, size_t begin, size_t end, std::vector<std::string> users = {}) {
    if (begin >= end) return;
    auto& list = account_.constants;
    const bool joins = !list.empty() && list.back().kind == kind && list.back().end == begin && kind != Kind::Constant;
    if (joins)
      list.back().end = end;
    else
      list.push_back({kind, begin, end, std::move(users)});
    if (kind == Kind::Padding) account_.padding += end - begin;
    if (kind == Kind::UnmentionedConstant) account_.unmentioned_constants += end - begin;
    if (kind == Kind::UnmentionedShapes) account_.unmentioned_shapes += end - begin;
    if (kind == Kind::Unexplained) account_.unexplained += end - begin;
  }

  void fill_gaps() {
    size_t first_shape = blob_.constants.size(), at = 0;
    for (const auto& [key, r] : regions_)
      if (r.kind != Kind::Constant) first_shape = std::min(first_shape, r.begin);
    for (auto& [key, r] : regions_) {
      if (r.begin > at) gap(at, r.begin, first_shape);
      push(r.kind, std::max(r.begin, at), std::max(r.end, at), r.users);
      at = std::max(at, r.end);
    }
    gap(at, blob_.constants.size(), first_shape);
  }

  void gap(size_t begin, size_t end, size_t first_shape) {
    const size_t base = blob_.header.const_section_offset, size = blob_.constants.size();
    if (begin < first_shape) {  // among the constants
      const size_t filled = std::min(aligned(begin), end);
      push(all_zero(base + begin, base + filled) ? Kind::Padding : Kind::Unexplained, begin, filled);
      push(Kind::UnmentionedConstant, filled, end);
      return;
    }
    size_t words_end = end;
    if (end == size)
      while (words_end > begin && all_zero(base + words_end - 1, base + words_end)) --words_end;
    words_end = std::min(end, begin + (words_end - begin + 3) / 4 * 4);
    push(Kind::UnmentionedShapes, begin, words_end);
    push(end - words_end < kBlobAlignment ? Kind::Padding : Kind::Unexplained, words_end, end);
  }

  const Blob& blob_;
  ByteAccount account_;
  std::map<std::pair<size_t, Kind>, ByteAccount::Region> regions_;  // by place
};

}  // namespace

ByteAccount account_bytes(const Blob& blob) { return Accountant(blob).run(); }

const char* to_string(ByteAccount::Kind k) {
  switch (k) {
    case Kind::Constant: return "constant";
    case Kind::Dims: return "dims";
    case Kind::Strides: return "strides";
    case Kind::UnmentionedConstant: return "unmentioned constant";
    case Kind::UnmentionedShapes: return "unmentioned shapes";
    case Kind::Padding: return "padding";
    case Kind::Unexplained: return "unexplained";
  }
  return "?";
}

}  // namespace blobsmith::vpu
