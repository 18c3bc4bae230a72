// Deconvolutions that did not become convolutions become SHAVE stages (middle-end spec §3.26).
#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

void adapt_deconv(Program& p, Stage* stub) {
  const Window w = window_of(*stub);
  const int64_t groups = stub->get<StubSpec>().groups;
  Data *in = stub->input(0), *weights = stub->input(1), *biases = stub->input(2), *scales = stub->input(3),
       *out = stub->output();
  const bool depthwise = groups == in->desc.dim(Dim::C) && groups == out->desc.dim(Dim::C);
  if (groups != 1 && !depthwise) throw cannot_compile(*stub, "grouped deconvolution that is not depthwise");
  p.disconnect(stub);
  DeconvParams params;
  params.set_window(w);
  p.add_stage(stub->name, groups == 1 ? StageType::Deconvolution : StageType::DepthDeconv, stub->layer, {in, weights},
              {out})
      ->set(params);
  add_bias_and_scale_before(p, stub->name, stub->layer, biases, scales, out);
  p.remove(stub);
}

}  // namespace

void sw_deconv_adaptation(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (s->is(StageType::StubDeconv)) adapt_deconv(p, s);
  });
}

}  // namespace blobsmith::vpu
