#include "vpu/program/edits.hpp"

#include <algorithm>

namespace blobsmith::vpu {

Stage* single_next(const Stage& s, std::initializer_list<StageType> types) {
  if (s.output_count() != 1 || !is_intermediate(s.output())) return nullptr;
  Stage* next = s.output()->single_consumer();
  return next && std::ranges::find(types, next->type) != types.end() ? next : nullptr;
}

void absorb(Program& p, Stage* s, Stage* next) {
  Data* out = next->output();
  p.remove(next);
  p.replace_output(s, 0, out);
}

namespace {
Layer address(const Stage& s) { return s.layer ? *s.layer : Layer{s.name, to_string(s.type), {}, {}, 0}; }
}  // namespace

Error not_yet_supported(const Stage& s, std::string_view what) {
  const Layer l = address(s);
  return std::move(blobsmith::not_yet_supported(l.name, l.type, what).from(l.source));
}

Error cannot_compile(const Stage& s, std::string_view what) {
  const Layer l = address(s);
  return std::move(blobsmith::cannot_compile(l.name, l.type, what).from(l.source));
}

void check_part_count(const Stage& s, int64_t parts) {
  constexpr int64_t kMaxParts = 1 << 16;
  if (parts > kMaxParts) throw cannot_compile(s, "it would become " + std::to_string(parts) + " stages");
}

Data* slice_const(Program& p, Data* d, const std::string& postfix, const DataDesc& desc, int64_t start) {
  if (is_fake(d)) return d;
  return p.duplicate(d, postfix, desc, contents::slice(d->content, start, desc.element_count()));
}

Data* slice_vector(Program& p, Data* d, const std::string& postfix, int64_t start, int64_t count) {
  return slice_const(p, d, postfix, DataDesc({count}), start);
}

const Data* require_const(const Stage& s, int port) {
  const Data* d = s.input(port);
  if (!is_const(d)) throw cannot_compile(s, "input " + std::to_string(port) + " must be a constant");
  if (d->desc.type != DataType::FP16) throw cannot_compile(s, "input " + std::to_string(port) + " must be FP16");
  return d;
}

}  // namespace blobsmith::vpu
