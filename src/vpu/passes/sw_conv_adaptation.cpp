// Convolutions that the engine does not take become SHAVE stages (middle-end spec §3.25).
#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

/// Which kernel of the device fits: tested in this order.
struct ConvForm {
  bool fully_connected = false, spatial = false, conv1x1 = false, conv3x3 = false;
  bool direct() const { return spatial || conv1x1 || conv3x3; }
};

bool is_1x1(const DataDesc& d) { return d.dim(Dim::W) == 1 && d.dim(Dim::H) == 1; }

ConvForm form_of(const Window& w, int64_t groups, const DataDesc& in, const DataDesc& out) {
  const int64_t ic = in.dim(Dim::C) / groups, oc = out.dim(Dim::C) / groups;
  const bool point = w.kernel_x == 1 && w.kernel_y == 1 && !w.dilated();
  ConvForm f;
  f.fully_connected = point && w.stride_x == 1 && w.stride_y == 1 && w.no_pads() && is_1x1(in) && is_1x1(out);
  f.conv1x1 = point && !f.fully_connected;
  f.conv3x3 = w.kernel_x == 3 && w.kernel_y == 3 && ic > 3 && ic * oc > 256;
  f.spatial =
      w.kernel_x % 2 == 1 && w.kernel_x > 1 && w.kernel_x < 12 && w.kernel_y != 1 && ic * oc <= 256 && groups == 1;
  return f;
}

void adapt_conv(Program& p, Stage* stub) {
  const Window w = window_of(*stub);
  const int64_t groups = stub->get<StubSpec>().groups;
  Data *in = stub->input(0), *weights = stub->input(1), *biases = stub->input(2), *scales = stub->input(3),
       *out = stub->output();
  const int64_t in_channels = in->desc.dim(Dim::C), out_channels = out->desc.dim(Dim::C);
  const ConvForm form = form_of(w, groups, in->desc, out->desc);
  const bool depthwise = groups == in_channels && groups == out_channels;
  if (groups != 1 && !depthwise) throw cannot_compile(*stub, "grouped convolution that is not depthwise");
  const std::string name = stub->name;
  const LayerPtr layer = stub->layer;
  p.remove(stub);

  if (groups == 1 && form.fully_connected) {
    Data* fc_weights =
        p.duplicate(weights, "@fc", DataDesc({in->desc.dim(Dim::W) * in->desc.dim(Dim::H), in_channels, out_channels}));
    add_sw_fully_connected(p, name, layer, in, fc_weights, biases, scales, out);
    return;
  }
  const StageType type = groups != 1     ? StageType::DepthConv
                         : form.direct() ? StageType::Conv
                                         : StageType::Im2ColConvolution;
  ShaveConvSpec spec;
  spec.set_window(w);
  spec.spatial = form.spatial;
  spec.conv1x1 = form.conv1x1;
  spec.conv3x3 = form.conv3x3;
  p.add_stage(name, type, layer, {in, weights}, {out})->set(spec);
  add_bias_and_scale_before(p, name, layer, biases, scales, out);
}

}  // namespace

void sw_conv_adaptation(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (s->is(StageType::StubConv)) adapt_conv(p, s);
  });
}

}  // namespace blobsmith::vpu
