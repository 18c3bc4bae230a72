// A 1x1 convolution may be run in another width, which the network suggests as "alt_width" (middle-end spec §3.16).
#include <algorithm>
#include <charconv>

#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

int64_t alternative_width(const Stage& s) {
  if (!s.layer || s.layer->alt_width.empty()) return 0;
  const std::string& text = s.layer->alt_width;
  int64_t w = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), w);
  return error == std::errc{} && end == text.data() + text.size() && w > 0 ? w : 0;
}

void reshape(Program& p, Stage* conv, int64_t w) {
  Data *in = conv->input(0), *out = conv->output();
  const int64_t area = in->desc.dim(Dim::W) * in->desc.dim(Dim::H);
  if (area % w != 0) throw cannot_compile(*conv, "alt_width does not divide the size of the input");
  const auto reshaped = [&](const Data* d) { return d->desc.with_dim(Dim::W, w).with_dim(Dim::H, area / w); };
  Data* new_in = p.duplicate(in, "@reshape", reshaped(in));
  Data* new_out = p.duplicate(out, "@reshape", reshaped(out));
  p.replace_input(conv, 0, new_in);
  p.replace_output(conv, 0, new_out);
  add_reshape(p, conv->name + "@copy-reinterpret-input-data", nullptr, in, new_in);
  add_reshape(p, conv->name + "@copy-reinterpret-output-data", nullptr, new_out, out);
}

}  // namespace

void reshape_before_conv_tiling(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (!s->is(StageType::StubConv) || !tries_hw(*s)) return;
    const Window w = window_of(*s);
    if (w.kernel_x != 1 || w.kernel_y != 1 || s->input(0)->desc.order != orders::NCHW ||
        s->output()->desc.order != orders::NCHW)
      return;
    if (const int64_t width = alternative_width(*s)) reshape(p, s, width);
  });
}

}  // namespace blobsmith::vpu
