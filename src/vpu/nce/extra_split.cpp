// hwExtraSplit: hardware stages of one descriptor are halved, those of more than eight are cut into groups of eight
// (hw-tiling spec §11; off by default).
#include <algorithm>

#include "vpu/nce/hw_stage.hpp"
#include "vpu/nce/passes.hpp"
#include "vpu/nce/restrictions.hpp"
#include "vpu/nce/tiles.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

constexpr int64_t kDescriptorsPerGroup = 8;

/// A range of a pooling's channels.
struct ChannelGroup {
  int64_t first, channels, descriptors, channels_per_descriptor;
};

/// The reference gives the weights of a part the size of the whole, and gives up.
[[noreturn]] void fail_on_convolution(const Stage& s) {
  throw cannot_compile(s, "duplicateData error: while duplicating " + s.input(1)->name +
                              " Const data got different desc and content byte sizes");
}

/// True when some mode can compute half of the output channels in one descriptor.
bool conv_can_be_halved(const Stage& s, const HwStage& h) {
  const DataDesc& in = s.input(0)->desc;
  const int64_t channels = in.dim(Dim::C), half = align_up(s.output()->desc.dim(Dim::C) / 2, nce::kOutputChannelGroup);
  return std::ranges::any_of(nce::kModes, [&](HwOpMode m) {
    return half <= nce::output_channels(m) && channels % nce::input_lanes(m) == 0 &&
           nce::conv_allowed(in.dim(Dim::W), in.dim(Dim::H), channels, half, h.kernel_x, h.kernel_y, h.stride, m);
  });
}

/// Every batch item becomes a chain of its own: Split, a stage per group, Concat; one more Concat joins the items.
void split_pool(Program& p, Stage* s, const std::vector<ChannelGroup>& groups, const char* kind) {
  const auto description = s->get<HwStage>();
  const std::vector<Data*> inputs = s->inputs();
  Data *input = inputs[0], *output = s->output();
  const int64_t batch = output->desc.dim(Dim::N, 1);
  p.disconnect(s);
  std::vector<Data*> items;
  for (int64_t n = 0; n < batch; ++n) {
    std::vector<Data*> ins, outs;
    std::vector<DimValues> offsets;
    for (size_t i = 0; i < groups.size(); ++i) {
      const ChannelGroup& g = groups[i];
      const std::string suffix = "@" + std::string(kind) + "=" + nce::two_digit_part(i, groups.size());
      const DimValues sizes{{Dim::C, g.channels}, {Dim::N, 1}};
      // quirk: the part of the input bears the output's name.
      ins.push_back(p.duplicate(output, suffix, nce::resized(input->desc, sizes)));
      outs.push_back(p.duplicate(output, suffix, nce::resized(output->desc, sizes)));
      offsets.push_back({{Dim::C, g.first}, {Dim::N, n}});
      Stage* part = p.duplicate(s, suffix, {ins.back(), inputs[1], inputs[2], inputs[3]}, {outs.back()});
      HwStage h = description;
      h.tiling.descriptors = g.descriptors;
      h.tiling.channels_per_descriptor = g.channels_per_descriptor;
      part->set(h);
    }
    add_split(p, s->name + "@dim-split", s->layer, offsets, input, ins);
    items.push_back(p.duplicate(output, "@dim-concat", output->desc.with_dim(Dim::N, 1)));
    add_concat(p, s->name + "@dim-concat", s->layer, Dim::C, outs, items.back());
  }
  add_concat(p, s->name + "@concat-output", s->layer, Dim::N, items, output);
  p.remove(s);
}

void halve(Program& p, Stage* s) {
  const auto& h = s->get<HwStage>();
  if (h.tiling.descriptors != 1) return;
  if (h.is_conv()) {
    if (h.tiling.last_channels > nce::kOutputChannelGroup && conv_can_be_halved(*s, h)) fail_on_convolution(*s);
    return;
  }
  const int64_t channels = s->output()->desc.dim(Dim::C);
  if (channels <= 1) return;
  const int64_t half = ceil_div(channels, 2), rest = channels - half;
  split_pool(p, s, {{0, half, 1, half}, {half, rest, 1, rest}}, "extra_sok");
}

void cut_into_groups(Program& p, Stage* s) {
  const auto& h = s->get<HwStage>();
  if (h.tiling.descriptors <= kDescriptorsPerGroup) return;
  if (h.is_conv()) fail_on_convolution(*s);
  const DataDesc& out = s->output()->desc;
  const int64_t per_item = h.tiling.descriptors / out.dim(Dim::N, 1), count = ceil_div(per_item, kDescriptorsPerGroup);
  std::vector<ChannelGroup> groups;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t first_descriptor = i * kDescriptorsPerGroup,
                  descriptors = std::min(kDescriptorsPerGroup, per_item - first_descriptor);
    const int64_t first = first_descriptor * h.tiling.channels_per_descriptor;
    const int64_t channels = i + 1 < count ? descriptors * h.tiling.channels_per_descriptor : out.dim(Dim::C) - first;
    groups.push_back({first, channels, descriptors, h.tiling.channels_per_descriptor});
  }
  split_pool(p, s, groups, "extra_split");
}

}  // namespace

void hw_extra_split(Program& p) {
  for (auto* sweep : {halve, cut_into_groups})
    p.for_each_stage([&](Stage* s) {
      if (s->is(StageType::MyriadXHwOp)) sweep(p, s);
    });
}

}  // namespace blobsmith::vpu
