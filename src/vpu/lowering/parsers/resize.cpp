// Interp, Resample, Interpolate (front-end spec §9; numbers of the modes: stages spec §8).
#include "vpu/format/resize.hpp"

#include <algorithm>
#include <array>

#include "core/table.hpp"
#include "vpu/lowering/parsers/layer.hpp"

namespace blobsmith::vpu {
namespace {

struct ChoiceRow {
  std::string_view text;
  int number;
};
constexpr std::array kCoordinateModes{ChoiceRow{"half_pixel", 0}, ChoiceRow{"pytorch_half_pixel", 1},
                                      ChoiceRow{"asymmetric", 2}, ChoiceRow{"tf_half_pixel_for_nn", 3},
                                      ChoiceRow{"align_corners", 4}};
constexpr std::array kNearestModes{ChoiceRow{"round_prefer_floor", 0}, ChoiceRow{"round_prefer_ceil", 1},
                                   ChoiceRow{"floor", 2}, ChoiceRow{"ceil", 3}, ChoiceRow{"simple", 4}};
constexpr int kHalfPixel = 0, kAlignCorners = 4, kRoundPreferFloor = 0, kRoundPreferCeil = 1, kLinear = 1,
              kLinearOnnx = 3;

template <class Choices>
int number_of(const Choices& choices, std::string_view text, int fallback) {
  const ChoiceRow* row = find_row(choices, text, &ChoiceRow::text);
  return row ? row->number : fallback;
}

bool is_linear(std::string_view mode) { return mode == "linear" || mode == "linear_onnx"; }

void add_interp(LayerContext& c, bool align_corners, std::string_view mode, int coordinate_mode) {
  Stage* s = c.add_stage(StageType::Interp);
  InterpParams p;
  p.align_corners = align_corners;
  p.mode = mode == "linear_onnx" ? kLinearOnnx : kLinear;
  p.coordinate_mode = coordinate_mode;
  s->set(p);
}

void add_resample(LayerContext& c, bool antialias, double factor, int coordinate_mode, int nearest_mode) {
  Stage* s = c.add_stage(StageType::Resample);
  ResampleParams p;
  p.antialias = antialias;
  p.factor = factor;
  p.type = 0;
  p.coordinate_mode = coordinate_mode;
  p.nearest_mode = nearest_mode;
  s->set(p);
}

// quirk: of opset 1, whose coordinates are plain multiples or those of align_corners.
void parse_interp(LayerContext& c) {
  c.expect_ports(1, 1);
  const std::string mode = c.text("mode", "linear");
  c.require(is_linear(mode), "Interp do not support mode '" + mode + "'");
  c.require(!c.attrs().flag("antialias"), "Interp do not support antialias");
  add_interp(c, c.attrs().flag("align_corners"), mode, kHalfPixel);
}

// quirk: cubic and area interpolation of opset1 arrive here and are executed as nearest.
void parse_resample(LayerContext& c) {
  c.expect_ports(1, 1);
  add_resample(c, c.attrs().flag("antialias"), static_cast<double>(c.attrs().integer("factor", 0)), kHalfPixel,
               kRoundPreferCeil);
}

// quirk: antialias of the linear modes is not looked at.
void parse_interpolate(LayerContext& c) {
  c.check(!c.inputs.empty(), "!inputs.empty()");
  c.expect_ports(c.inputs.size(), 1);
  const DataDesc &in = c.in()->desc, &out = c.out()->desc;
  const auto is_zero = [](int64_t p) { return p == 0; };
  for (std::string_view pads : {"pads_begin", "pads_end"})
    c.require(std::ranges::all_of(c.attrs().get_or<std::vector<int64_t>>(pads, {}), is_zero),
              "Current Interpolate does not support paddings");
  c.require(in.dim(Dim::N, 1) == out.dim(Dim::N, 1), "incompatible: input batch=" + std::to_string(in.dim(Dim::N, 1)) +
                                                         ", output batch=" + std::to_string(out.dim(Dim::N, 1)));
  c.require(in.rank() == 3 || in.rank() == 4,
            "Current Interpolate supports (N)HWC, (N)CHW data orders only, actual " + in.order.name());
  c.require(in.dim(Dim::C) == out.dim(Dim::C), "Current Interpolate does not support resize by channels");

  const std::string mode = c.text("mode");
  const int coordinate_mode = number_of(kCoordinateModes, c.text("coordinate_transformation_mode"), kHalfPixel);
  const int nearest_mode = number_of(kNearestModes, c.text("nearest_mode"), kRoundPreferFloor);
  if (mode == "nearest")
    add_resample(c, c.attrs().flag("antialias"), -1.0, coordinate_mode, nearest_mode);
  else if (is_linear(mode))
    add_interp(c, coordinate_mode == kAlignCorners, mode, coordinate_mode);
  else
    c.fail("Current Interpolate supports 'nearest' and 'linear' modes only, actual " + mode);
}

constexpr ParserRow kRows[] = {
    {"Interp", parse_interp},
    {"Resample", parse_resample},
    {"Interpolate", parse_interpolate},
};

}  // namespace

std::span<const ParserRow> resize_parsers() { return kRows; }

}  // namespace blobsmith::vpu
