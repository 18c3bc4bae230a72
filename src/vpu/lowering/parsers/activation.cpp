// Element-wise layers of one input (front-end spec §9).
#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "vpu/lowering/attribute_text.hpp"
#include "vpu/lowering/parsers/layer.hpp"
#include "vpu/program/contents.hpp"

namespace blobsmith::vpu {
namespace {

void parse_relu(LayerContext& c) {
  c.expect_ports(1, 1);
  add_relu(c.program, c.name(), c.origin, c.node().is("ReLUIE") ? c.real("negative_slope", 0) : 0.0, c.in(), c.out());
}

void parse_prelu(LayerContext& c) {
  c.expect_ports(1, 1);
  const Tensor& slopes = c.constant(1, "[VPU] PReLU doesn't have weights");
  const int64_t channels = c.out()->desc.dim(Dim::C);
  const int64_t count = element_count(slopes.shape);
  // quirk: slopes beyond the channels are ignored, and the channels are the first of three axes. Fewer than channels
  // would be read from beyond their end.
  c.require(count == 1 || count >= channels,
            "PReLU has " + std::to_string(count) + " weights for " + std::to_string(channels) + " channels");
  Bytes content = constant_content(slopes);
  content = count == 1 ? contents::repeated(content, channels)
                       : content.slice(0, static_cast<size_t>(channels) * sizeof(Half));
  Data* weights = c.program.add_const(c.name() + "@weights", DataDesc({channels}), std::move(content));
  c.add_stage(StageType::PRelu, {c.in(), weights}, {c.out()});
}

void parse_clamp(LayerContext& c) {
  c.expect_ports(1, 1);
  add_clamp(c.program, c.name(), c.origin, c.real("min"), c.real("max"), c.in(), c.out());
}

void parse_elu(LayerContext& c) {
  c.expect_ports(1, 1);
  EluParams p;
  p.alpha = c.real("alpha", 1.0);
  c.add_stage(StageType::Elu)->set(p);
}

void parse_swish(LayerContext& c) {
  c.expect_ports(1, 1);
  SwishParams p;
  p.beta = c.real("alpha", 1.0);
  c.add_stage(StageType::Swish)->set(p);
}

void parse_round(LayerContext& c) {
  c.expect_ports(1, 1);
  const std::string mode = c.text("mode", "half_to_even");
  c.require(mode == "half_to_even" || mode == "half_away_from_zero", "Round mode " + mode + " is not supported");
  RoundParams p;
  p.mode = mode == "half_to_even" ? 0 : 1;
  c.add_stage(StageType::Round)->set(p);
}

void parse_unary(LayerContext& c) {
  struct Row {
    std::string_view layer;
    StageType stage;
  };
  constexpr std::array kRows{
      Row{"Sigmoid", StageType::Sigmoid}, Row{"TanH", StageType::Tanh},    Row{"Exp", StageType::Exp},
      Row{"Log", StageType::Log},         Row{"Erf", StageType::Erf},      Row{"Floor", StageType::Floor},
      Row{"Ceiling", StageType::Ceiling}, Row{"Mish", StageType::Mish},    Row{"SoftPlus", StageType::SoftPlus},
      Row{"Gelu", StageType::Gelu},       Row{"HSwish", StageType::HSwish}};
  c.expect_ports(1, 1);
  const auto it = std::ranges::find_if(kRows, [&](const Row& r) { return same_caseless(r.layer, c.layer.type); });
  ensure(it != kRows.end(), "no stage for layer type " + c.layer.type);
  c.add_stage(it->stage);
}

void parse_power(LayerContext& c) {
  c.expect_ports(1, 1);
  const double scale = quirks::attribute_power_scale(c.attrs().real("scale", 1.0));
  add_power(c.program, c.name(), c.origin, scale, c.real("power", 1.0), c.real("shift", 0.0), c.in(), c.out());
}

void parse_scale_shift(LayerContext& c) {
  c.expect_ports(1, 1);
  const Tensor& scales = c.constant(1, "Layer " + c.name() + " has no weights");
  Data* scales_data = c.add_weights("@weights", {element_count(scales.shape)}, scales);
  if (!c.has_constant(2)) {
    add_scale(c.program, c.name(), c.origin, c.in(), scales_data, c.out());
    return;
  }
  const Tensor& biases = c.constant(2, "the biases are not constant");
  Data* biases_data = c.add_weights("@biases", {element_count(biases.shape)}, biases);
  c.add_stage(StageType::ScaleShift, {c.in(), scales_data, biases_data}, {c.out()});
}

constexpr ParserRow kRows[] = {
    {"ReLU", parse_relu},
    {"PReLU", parse_prelu},
    {"Clamp", parse_clamp},
    {"ELU", parse_elu},
    {"Swish", parse_swish},
    {"Round", parse_round},
    {"Sigmoid", parse_unary},
    {"TanH", parse_unary},
    {"Exp", parse_unary},
    {"Log", parse_unary},
    {"Erf", parse_unary},
    {"Floor", parse_unary},
    {"Ceiling", parse_unary},
    {"Mish", parse_unary},
    {"SoftPlus", parse_unary},
    {"Gelu", parse_unary},
    {"HSwish", parse_unary},
    {"Power", parse_power},
    {"ScaleShift", parse_scale_shift},
};

}  // namespace

std::span<const ParserRow> activation_parsers() { return kRows; }

}  // namespace blobsmith::vpu
