// FullyConnected and Gemm (front-end spec §9).
#include "vpu/lowering/parsers/layer.hpp"

namespace blobsmith::vpu {
namespace {

void parse_fully_connected(LayerContext& c) {
  c.expect_ports(1, 1);
  const Tensor& weights = c.constant(1, "Layer " + c.name() + " has no weights");
  c.require(weights.shape.size() == 2, "weights of rank " + std::to_string(weights.shape.size()));
  const DataDesc& in = c.in()->desc;
  const DataDesc& out = c.out()->desc;
  const int64_t out_size = weights.shape[0];
  c.check(out_size * out.dim(Dim::N, 1) == out.element_count(),
          "layer->_out_num * output->desc().dim(Dim::N, 1) == output->desc().totalDimSize()");

  Data* biases = c.has_constant(2) ? nullptr : c.program.add_fake();
  Data* weights_data =
      c.add_weights("@weights@fc", {in.dim(Dim::W, 1) * in.dim(Dim::H, 1), in.dim(Dim::C), out_size}, weights);
  if (!biases) biases = c.add_weights("@biases@fc", {out_size}, c.constant(2, "the biases are not constant"));
  Data* scales = c.program.add_fake();
  Stage* s = c.add_stage(StageType::StubFullyConnected, {c.in(), weights_data, biases, scales}, {c.out()});
  const bool flat = out.dim(Dim::W, 1) == 1 && out.dim(Dim::H, 1) == 1;
  StubSpec spec;
  spec.try_hw = c.options.hw_acceleration && !c.options.hw_disabled(c.name()) && flat && out.element_count() != 1;
  s->set(spec);
}

void parse_gemm(LayerContext& c) {
  c.check(c.inputs.size() == 2 || c.inputs.size() == 3, "inputs.size() == 2 || inputs.size() == 3");
  c.expect_ports(c.inputs.size(), 1);
  const char* const kOrdinals[] = {"first", "second", "third"};
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const Data& d = *c.inputs[i];
    if (d.desc.rank() >= 2 && d.desc.rank() <= 4) continue;
    c.fail("Processing layer " + c.name() + " with type " + c.layer.type + " failed: " + kOrdinals[i] + " inputs' (" +
           d.name + " with usage " + to_string(d.usage) +
           ") dimensions number should be in range [2, 4], but it actually has " + std::to_string(d.desc.rank()));
  }
  add_gemm(c.program, c.name(), c.origin, 1.0, 1.0, c.attrs().flag("transpose_a"), c.attrs().flag("transpose_b"),
           c.inputs, c.out());
}

constexpr ParserRow kRows[] = {
    {"FullyConnected", parse_fully_connected},
    {"Gemm", parse_gemm},
};

}  // namespace

std::span<const ParserRow> fully_connected_parsers() { return kRows; }

}  // namespace blobsmith::vpu
