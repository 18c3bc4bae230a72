// Convolution and Deconvolution (front-end spec §9; attributes of the stub stages: middle-end spec §3).
#include "vpu/lowering/parsers/sliding_window.hpp"
#include "vpu/options/faults.hpp"

namespace blobsmith::vpu {
namespace {

constexpr int kMaxHwKernel = 15, kMaxHwStride = 8;

Shape kernel_of(const Tensor& weights) { return Shape(weights.shape.begin() + 2, weights.shape.end()); }

const Tensor& weights_of(const LayerContext& c) {
  return c.constant(1, "Expecting operation " + c.layer.type + " " + c.name() + " to have constant kernel");
}

void check_ranks(const LayerContext& c, std::string_view what, const Tensor& weights) {
  const size_t rank = c.node().input(0).shape().size();
  c.require(
      rank >= 3 && rank <= 5,
      std::string(what) + " supports only 3D or 4D or 5D input, but input number of dims=" + std::to_string(rank));
  c.require(c.node().shape().size() == rank, "the output has another number of dims than the input");
  c.require(weights.shape.size() == rank, "the weights have another number of dims than the input");
}

int64_t group_of(const LayerContext& c, int64_t input_channels, int64_t output_channels, std::string_view what) {
  const int64_t g = c.attrs().integer("group", 1);
  c.require(g > 0 && input_channels % g == 0 && output_channels % g == 0, what);
  return g;
}

bool hw_can_do(const LayerContext& c, const Window& w) {
  const bool kernel_fits =
      (w.kernel_x <= kMaxHwKernel && w.kernel_y <= kMaxHwKernel) || (w.kernel_x == kMaxHwKernel + 1 && w.kernel_y == 1);
  return c.options.hw_acceleration && w.stride_x == w.stride_y && (!w.dilated() || c.options.hw_dilation) &&
         kernel_fits && w.stride_x <= kMaxHwStride && !c.options.hw_disabled(c.name());
}

/// quirk: a 16x1 kernel goes to the hardware in halves, with the bias twice (see split_large_kernel_conv). Without
/// quirks it stays in software.
bool may_use_hw(LayerContext& c, const Window& w) {
  if (!hw_can_do(c, w) || c.out()->desc.rank() < 4) return false;
  if (reproduces(c.options, Fault::DoubledBias) || w.kernel_x <= kMaxHwKernel) return true;
  c.program.remark_not_as_intel(c.origin.get(), "the 16x1 kernel is not split in halves that each add the bias");
  return false;
}

/// Biases, or a Fake. The reference makes this data before the weights', which are a copy of its own.
Data* fake_without_biases(LayerContext& c) { return c.has_constant(2) ? nullptr : c.program.add_fake(); }

void parse_convolution_2d(LayerContext& c, const Tensor& weights) {
  Window w = as_window(spatial_windows(c, kernel_of(weights), PadRule::Convolution));
  unify_strides(w, c.in()->desc.dim(Dim::H, 1));
  const int64_t in_channels = c.in()->desc.dim(Dim::C), out_channels = c.out()->desc.dim(Dim::C);
  const int64_t group = group_of(c, in_channels, out_channels,
                                 "number of input and output channels must be divisible by the number of groups=" +
                                     std::to_string(c.attrs().integer("group", 1)));

  Data* biases = fake_without_biases(c);
  Data* weights_data =
      c.add_weights("@weights@conv", {w.kernel_x, w.kernel_y, in_channels / group, out_channels}, weights);
  if (!biases) biases = c.add_weights("@biases@conv", {out_channels}, c.constant(2, "the biases are not constant"));
  Data* scales = c.program.add_fake();
  Stage* s = c.add_stage(StageType::StubConv, {c.in(), weights_data, biases, scales}, {c.out()});
  StubSpec spec;
  spec.window = w;
  spec.groups = group;
  spec.try_hw = may_use_hw(c, w);
  s->set(spec);
}

void parse_convolution_3d(LayerContext& c, const Tensor& weights) {
  const Windows w = spatial_windows(c, kernel_of(weights), PadRule::Convolution);
  const int64_t in_channels = c.in()->desc.dim(Dim::C), out_channels = c.out()->desc.dim(Dim::C);
  const int64_t group = c.attrs().integer("group", 1);
  c.require(group == 1, "number of groups=" + std::to_string(group) + ", but grouped 3D convolution is not supported");
  c.require(c.has_constant(2) || !reproduces(c.options, Fault::MissingBiases),
            "number of biases must equal to number of output channels per group, but: channels per group=" +
                std::to_string(out_channels) + ", biases=1");

  const std::vector<double> zeros(static_cast<size_t>(out_channels), 0.0);
  Data* biases = c.add_weights("@biases", {out_channels},
                               c.has_constant(2) ? c.constant(2, "the biases are not constant")
                                                 : Tensor::reals(ElementType::f16, {out_channels}, zeros));
  Data* weights_data =
      c.add_weights("@weights@conv3d", {w[0].kernel, w[1].kernel, w[2].kernel, in_channels, out_channels}, weights);
  ConvNDSpec spec;
  spec.pads_begin = words(w, &AxisWindow::pad_begin);
  spec.pads_end = words(w, &AxisWindow::pad_end);
  spec.strides = words(w, &AxisWindow::stride);
  spec.dilations = words(w, &AxisWindow::dilation);
  spec.try_hw = hw_can_do(c, as_window(w));  // the planes are convolved
  c.add_stage(StageType::ConvND, {c.in(), weights_data, biases}, {c.out()})->set(spec);
}

void parse_convolution(LayerContext& c) {
  const Tensor& weights = weights_of(c);
  c.expect_ports(1, 1);
  check_ranks(c, "Convolution", weights);
  if (c.in()->desc.rank() == 5)
    parse_convolution_3d(c, weights);
  else
    parse_convolution_2d(c, weights);
}

void parse_deconvolution(LayerContext& c) {
  const Tensor& weights = weights_of(c);
  c.expect_ports(1, 1);
  check_ranks(c, "Deconvolution", weights);
  c.require(c.in()->desc.rank() == 4,
            "Deconvolution supports only 4D input, but input number of dims=" + std::to_string(c.in()->desc.rank()));
  const Window w = as_window(spatial_windows(c, kernel_of(weights), PadRule::Deconvolution));
  const int64_t in_channels = c.in()->desc.dim(Dim::C), out_channels = c.out()->desc.dim(Dim::C);
  const int64_t group = group_of(c, in_channels, out_channels, "DeconvolutionLayer has invalid group value");

  Data* biases = fake_without_biases(c);
  Data* weights_data =
      c.add_weights("@weights@deconv", {w.kernel_x, w.kernel_y, in_channels / group, out_channels}, weights);
  if (!biases) biases = c.add_weights("@biases@deconv", {out_channels}, c.constant(2, "the biases are not constant"));
  Data* scales = c.program.add_fake();
  Stage* s = c.add_stage(StageType::StubDeconv, {c.in(), weights_data, biases, scales}, {c.out()});
  StubSpec spec;
  spec.window = w;
  spec.groups = group;
  spec.try_hw = true;
  s->set(spec);
}

constexpr ParserRow kRows[] = {
    {"Convolution", parse_convolution},
    {"Deconvolution", parse_deconvolution},
};

}  // namespace

std::span<const ParserRow> convolution_parsers() { return kRows; }

}  // namespace blobsmith::vpu
