// SoftMax, Norm (LRN), Normalize, MVN, GRN (front-end spec §9).
#include <algorithm>

#include "core/float16.hpp"
#include "vpu/lowering/attribute_text.hpp"
#include "vpu/lowering/parsers/layer.hpp"

namespace blobsmith::vpu {
namespace {

void parse_softmax(LayerContext& c) {
  c.expect_ports(1, 1);
  SoftMaxSpec spec;
  spec.dim = c.axis_dim(c.in(), c.attrs().integer("axis", 1));
  c.add_stage(StageType::SoftMax)->set(spec);
}

// quirk: the stage takes the first of three axes for the channels; so does GRN.
void parse_lrn(LayerContext& c) {
  c.expect_ports(1, 1);
  const bool across = c.text("region", "across") == "across";
  Stage* s = c.add_stage(across ? StageType::LRN : StageType::InnerLRN);
  const auto half = [](double v) { return blobsmith::quirks::float_to_half(static_cast<float>(v)); };
  LrnParams p;
  p.size = c.attrs().integer("size");
  p.k = half(static_cast<int32_t>(quirks::attribute_unsigned(c.attrs().real("bias", 1.0))));
  p.alpha = half(c.real("alpha"));
  p.beta = half(c.real("beta"));
  s->set(p);
}

void parse_normalize(LayerContext& c) {
  c.expect_ports(1, 1);
  const Tensor& scales = c.constant(1, "Missing weights for " + c.name() + " layer");
  Data* scales_data = c.add_weights("@scales", {element_count(scales.shape)}, scales);
  Stage* s = c.add_stage(StageType::Normalize, {c.in(), scales_data}, {c.out()});
  NormalizeParams p;
  p.across_spatial = c.attrs().flag("across_spatial");
  p.channel_shared = c.attrs().flag("channel_shared");
  p.eps = c.real("eps", 0.0);
  s->set(p);
}

// quirk: eps_mode of MVN is not looked at: inside_sqrt is executed as outside_sqrt.
void parse_mvn(LayerContext& c) {
  c.require(c.inputs.size() == 2,
            std::to_string(c.inputs.size()) + " inputs provided to " + c.name() + " layer, but 2 expected.");
  c.expect_ports(2, 1);
  const int64_t rank = c.in()->desc.rank();
  c.require(rank == 3 || rank == 4,
            std::to_string(rank) + " input rank provided to " + c.name() + " layer, but only 3D and 4D supported.");
  std::vector<Dim> axes;
  for (int64_t a : c.integers(1, "the axes of layer " + c.name() + " must be constant"))
    axes.push_back(c.axis_dim(c.in(), a));
  const auto has = [&](Dim d) { return std::ranges::find(axes, d) != axes.end(); };
  c.require(has(Dim::W) && !has(Dim::N), "Unsupported combination of indices in layer \"" + c.name() +
                                             "\". Only across channel, width and full batch supported.");
  Stage* s = c.add_stage(StageType::MVN, c.inputs, {c.out()});
  MvnParams p;
  p.normalize = c.attrs().flag("normalize_variance", true);
  p.across_channels = has(Dim::C);
  p.across_width = !has(Dim::H);
  p.eps = c.real("eps", 0.0);
  s->set(p);
}

void parse_grn(LayerContext& c) {
  c.expect_ports(1, 1);
  GrnParams p;
  p.bias = c.real("bias", 0.0);
  c.add_stage(StageType::GRN)->set(p);
}

constexpr ParserRow kRows[] = {
    {"SoftMax", parse_softmax}, {"Norm", parse_lrn}, {"Normalize", parse_normalize},
    {"MVN", parse_mvn},         {"GRN", parse_grn},
};

}  // namespace

std::span<const ParserRow> normalization_parsers() { return kRows; }

}  // namespace blobsmith::vpu
