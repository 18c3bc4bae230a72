// Bias and the ReLU behind it become one stage (middle-end spec §3.31).
#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {

void merge_relu_and_bias(Program& p) {
  p.for_each_stage([&](Stage* bias) {
    if (!bias->is(StageType::Bias)) return;
    Stage* relu = single_next(*bias, {StageType::Relu, StageType::LeakyRelu});
    if (!relu) return;
    Data *in = bias->input(0), *biases = bias->input(1), *out = relu->output();
    const std::string name = relu->name;
    const LayerPtr layer = relu->layer;
    const float slope = relu->get<ReluParams>().negative_slope;
    p.remove(bias);
    p.remove(relu);
    add_relu(p, name, layer, slope, in, out, biases);
  });
}

}  // namespace blobsmith::vpu
