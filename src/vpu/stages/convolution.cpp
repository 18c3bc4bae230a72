// Software convolutions, deconvolutions, fully connected layers and matrix products (stages spec §6, middle-end spec
// §3.25, §3.26, §3.29).
#include "vpu/format/convolution.hpp"

#include <limits>

#include "vpu/options/faults.hpp"
#include "vpu/program/contents.hpp"
#include "vpu/stages/rules.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

// ---- orders ----

/// The input's order, but channels never in the middle: HCW becomes CHW.
DimsOrder conv_order_of(const Stage& s) {
  const DimsOrder o = s.input(0)->desc.order;
  return o.position(Dim::C) == 1 ? channels_at(o, 2) : o;
}

void conv_order(const Stage& s, OrderRequirements& w) {
  const DimsOrder o = conv_order_of(s);
  if (o != s.input(0)->desc.order) w.inputs.at(0) = o;
  w.outputs.at(0) = o;
}

void ref_conv_order(const Stage& s, OrderRequirements& w) {
  w.inputs.at(0) = w.outputs.at(0) = channels_at(conv_order_of(s), 0);
}

void fc_order(const Stage& s, OrderRequirements& w) {
  w.inputs.at(0) = s.input(0)->desc.order.with_dim_at(Dim::C, 0);
  w.outputs.at(0) = s.output(0)->desc.order.with_dim_at(Dim::C, 0);
}

void gemm_order(const Stage& s, OrderRequirements& w) {
  for (int i = 0; i < s.input_count(); ++i)
    w.inputs.at(static_cast<size_t>(i)) = channels_at(s.input(i)->desc.order, 2);
  w.outputs.at(0) = channels_at(s.output(0)->desc.order, 2);
}

// ---- weights for the SHAVE kernels ----

using Relayout = Bytes (*)(const Bytes& weights, int64_t out, int64_t in, int64_t positions);

Bytes relaid(const Program& p, std::string_view name, Relayout relayout, const Bytes& w, int64_t out, int64_t in,
             int64_t positions) {
  return p.computed(name, w, {out, in, positions}, [&] { return relayout(w, out, in, positions); });
}

/// [position][in][out]
Bytes position_in_out(const Program& p, const Bytes& w, int64_t out, int64_t in, int64_t positions) {
  return relaid(p, "position_in_out", contents::position_in_out, w, out, in, positions);
}

/// Input 1 becomes the re-laid copy of the weights; stages with the same weights share it. Returns false when it
/// existed.
template <class MakeContent>
bool replace_weights(Program& p, Stage& s, const DataDesc& desc, MakeContent make_content) {
  Data* weights = s.input(1);
  Data* relaid = p.find_data(weights->marks.relaid_weights);
  const bool fresh = relaid == nullptr;
  if (fresh) {
    relaid = p.duplicate(weights, "@SW", desc, make_content(weights->content));
    weights->marks.relaid_weights = relaid->id();
  }
  p.replace_input(&s, 1, relaid);
  return fresh;
}

int64_t kernel_positions(const SlidingWindowParams& w) { return int64_t{w.kernel_x} * w.kernel_y; }

struct ConvSizes {
  int64_t positions, in, out;
  explicit ConvSizes(const Stage& s)
      : positions(kernel_positions(s.get<SlidingWindowParams>())),
        in(s.input(0)->desc.dim(Dim::C)),
        out(s.output(0)->desc.dim(Dim::C)) {}
};

void add_im2col_temp(Program& p, Stage& s, const ConvSizes& n) {
  const DataDesc& out = s.output(0)->desc;
  const int64_t bytes = n.positions * out.dim(Dim::W) * out.dim(Dim::H) * n.in * element_size(DataType::FP16) + 64;
  if (bytes >= std::numeric_limits<int32_t>::max())
    throw cannot_compile(s.name, to_string(s.type),
                         "the im2col buffer of " + std::to_string(bytes) + " bytes is too large");
  p.add_temp(&s, bytes);
}

void finalize_conv(Program& p, Stage& s) {
  const ConvSizes n(s);
  const bool minor = channel_minor(s.input(0));
  const auto& form = s.get<ShaveConvSpec>();
  const bool im2col = minor && !form.spatial && !form.conv1x1 && !form.conv3x3;
  const bool fresh = replace_weights(p, s, DataDesc({n.positions, n.in, n.out}), [&](const Bytes& w) {
    if (minor && form.spatial) return position_in_out(p, w, n.out, n.in, n.positions);
    if (form.conv1x1) return w;
    return im2col ? relaid(p, "out_position_in", contents::out_position_in, w, n.out, n.in, n.positions)
                  : relaid(p, "position_out_in", contents::position_out_in, w, n.out, n.in, n.positions);
  });
  if (im2col && (fresh || !reproduces(p.options, Fault::MissingBuffer)))
    add_im2col_temp(p, s, n);  // quirk: the second stage with the same weights gets no buffer
  if (!minor && s.is(StageType::Im2ColConvolution)) s.type = StageType::Conv;
}

void finalize_depth_conv(Program& p, Stage& s) {
  const ConvSizes n(s);
  replace_weights(p, s, DataDesc({n.positions, 1, n.out}),
                  [&](const Bytes& w) { return position_in_out(p, w, n.out, 1, n.positions); });
}

void finalize_deconv(Program& p, Stage& s) {
  const ConvSizes n(s);
  replace_weights(p, s, DataDesc({n.positions, n.in, n.out}), [&](const Bytes& w) {
    return contents::position_out_in(contents::deconv_as_conv(w, n.in, n.out, n.positions), n.out, n.in, n.positions);
  });
}

void finalize_depth_deconv(Program& p, Stage& s) {
  const ConvSizes n(s);
  replace_weights(p, s, DataDesc({n.positions, 1, n.out}), [&](const Bytes& w) {
    const Bytes flipped = contents::reversed_rows(w, n.positions);
    return channel_minor(s.input(0)) ? contents::position_in_out(flipped, n.out, 1, n.positions) : flipped;
  });
}

void finalize_fc(Program& p, Stage& s) {
  const DataDesc desc = s.input(1)->desc;
  replace_weights(p, s, desc, [&](const Bytes& w) {
    return position_in_out(p, w, desc.dim(Dim::C), desc.dim(Dim::H), desc.dim(Dim::W));
  });
}

constexpr const char* kConvTypes = "FP16 FP16 -> FP16";

constexpr StageRow kDefs[] = {
    {.type = StageType::Conv,
     .order = conv_order,
     .strides = compact_first,
     .batch = split_batch,
     .finalize_layout = finalize_conv,
     .types = kConvTypes},
    {.type = StageType::Im2ColConvolution,
     .order = conv_order,
     .strides = compact_first,
     .batch = split_batch,
     .finalize_layout = finalize_conv,
     .types = kConvTypes},
    {.type = StageType::DepthConv,
     .order = conv_order,
     .batch = split_batch,
     .finalize_layout = finalize_depth_conv,
     .types = kConvTypes},
    {.type = StageType::RefConvolution,
     .order = ref_conv_order,
     .strides = compact_first,
     .batch = split_batch,
     .types = "FP16 FP16* -> FP16"},
    {.type = StageType::Deconvolution,
     .order = conv_order,
     .strides = compact_first,
     .batch = split_batch,
     .finalize_layout = finalize_deconv,
     .types = kConvTypes},
    {.type = StageType::DepthDeconv,
     .order = conv_order,
     .strides = compact_if_channel_minor,
     .batch = split_batch,
     .finalize_layout = finalize_depth_deconv,
     .types = kConvTypes},
    {.type = StageType::FC,
     .order = fc_order,
     .strides = compact_first,
     .batch = split_batch,
     .finalize_layout = finalize_fc,
     .types = kConvTypes},
    {.type = StageType::ConvND, .order = output_of_planes, .strides = compact_first, .types = "FP16 FP16 FP16 -> FP16"},
    {.type = StageType::GEMM, .order = gemm_order, .types = "FP16 FP16* -> FP16"},
};

}  // namespace

std::span<const StageRow> convolution_defs() { return kDefs; }

}  // namespace blobsmith::vpu
