// Builders of the stages that passes and layer parsers make: one stage with its ports and parameters (middle-end spec
// §3.41). Ids follow the order of calls; a builder creates no data unless its comment says so.
#pragma once
#include <string>
#include <vector>

#include "vpu/program/program.hpp"
#include "vpu/program/specs.hpp"

namespace blobsmith::vpu {

using LayerPtr = std::shared_ptr<const Layer>;

// ---- data movement ----
Stage* add_copy(Program& p, std::string name, LayerPtr layer, Data* in, Data* out, std::string_view origin = "");
/// Element counts must agree.
Stage* add_reshape(Program& p, std::string name, LayerPtr layer, Data* in, Data* out);
/// StubConcat of parts that follow each other along the axis.
Stage* add_concat(Program& p, std::string name, LayerPtr layer, Dim axis, std::vector<Data*> ins, Data* out);
/// StubConcat with explicit offsets and no axis.
Stage* add_concat(Program& p, std::string name, LayerPtr layer, std::vector<DimValues> offsets, std::vector<Data*> ins,
                  Data* out);
/// Concat, a SHAVE stage for dynamic inputs.
Stage* add_dynamic_concat(Program& p, std::string name, LayerPtr layer, Dim axis, std::vector<Data*> ins, Data* out);
/// Split into parts that follow each other along the axis.
Stage* add_split(Program& p, std::string name, LayerPtr layer, Dim axis, Data* in, std::vector<Data*> outs);
/// Split where output i is absent when outs[i] is null; sizes[i] is its extent along the axis all the same.
Stage* add_split(Program& p, std::string name, LayerPtr layer, Dim axis, Data* in, std::vector<Data*> outs,
                 const std::vector<int64_t>& sizes);
/// Split with explicit offsets and no axis.
Stage* add_split(Program& p, std::string name, LayerPtr layer, std::vector<DimValues> offsets, Data* in,
                 std::vector<Data*> outs);
Stage* add_expand(Program& p, std::string name, LayerPtr layer, Data* in, Data* out, DimValues offset = {});
Stage* add_crop(Program& p, std::string name, LayerPtr layer, Data* in, Data* out, DimValues offset = {});
/// `permutation`: dimension of the output -> number of the dimension of the input.
Stage* add_permute(Program& p, std::string name, LayerPtr layer, Data* in, Data* out, DimValues permutation);
/// Permute that keeps the dimensions and changes the order to the output's.
/// Fails when the option DISABLE_REORDER is set.
Stage* add_reorder(Program& p, std::string name, LayerPtr layer, Data* in, Data* out);
Stage* add_gather(Program& p, std::string name, LayerPtr layer, Data* in, Data* indices, Data* out, Dim axis);
Stage* add_pad(Program& p, std::string name, LayerPtr layer, Data* in, Data* out, PadMode mode, float value,
               DimValues begin, DimValues end);
Stage* add_convert(Program& p, std::string name, LayerPtr layer, Data* in, Data* out, float scale = 1.0f,
                   float bias = 0.0f);

// ---- arithmetic ----
Stage* add_bias(Program& p, std::string name, LayerPtr layer, Data* in, Data* biases, Data* out);
Stage* add_scale(Program& p, std::string name, LayerPtr layer, Data* in, Data* scales, Data* out);
/// True when |slope| is below the float epsilon: Relu rather than LeakyRelu.
bool is_plain_relu(double slope);
/// Relu or LeakyRelu; with biases BiasRelu or BiasLeakyRelu.
Stage* add_relu(Program& p, std::string name, LayerPtr layer, double slope, Data* in, Data* out,
                Data* biases = nullptr);
Stage* add_clamp(Program& p, std::string name, LayerPtr layer, double min, double max, Data* in, Data* out);
Stage* add_power(Program& p, std::string name, LayerPtr layer, double scale, double power, double bias, Data* in,
                 Data* out);
// Sum, Prod, Max over {a, b, a new Fake}; the Fake is appended to the data list.
Stage* add_sum(Program& p, std::string name, LayerPtr layer, Data* a, Data* b, Data* out);
Stage* add_prod(Program& p, std::string name, LayerPtr layer, Data* a, Data* b, Data* out);
Stage* add_max(Program& p, std::string name, LayerPtr layer, Data* a, Data* b, Data* out);
/// `type` is one of the Reduce types; `axes` an S32 constant of framework axes.
Stage* add_reduce(Program& p, std::string name, LayerPtr layer, StageType type, Data* in, Data* axes, Data* out,
                  bool keep_dims);
Stage* add_gemm(Program& p, std::string name, LayerPtr layer, double alpha, double beta, bool transpose_a,
                bool transpose_b, std::vector<Data*> ins, Data* out);

// ---- convolutions, pooling, fully connected: the caller sets the parameters ----
/// StubConv with ports {in, weights, biases, scales}; absent ones are Fakes made by the caller. NCHW only.
Stage* add_convolution(Program& p, std::string name, LayerPtr layer, Data* in, Data* weights, Data* biases,
                       Data* scales, Data* out);
/// StubMaxPool or StubAvgPool. NCHW only.
Stage* add_pooling(Program& p, std::string name, LayerPtr layer, StageType type, Data* in, Data* out);
/// FC and, unless they are Fakes, Bias and Scale behind it; they create "@pre-bias" and "@pre-scaled" data.
Stage* add_sw_fully_connected(Program& p, std::string name, LayerPtr layer, Data* in, Data* weights, Data* biases,
                              Data* scales, Data* out);
/// Puts a Bias stage between the producer of `out` and `out`, then a Scale stage; nothing for Fakes (middle-end spec
/// §3.25).
void add_bias_and_scale_before(Program& p, const std::string& name, LayerPtr layer, Data* biases, Data* scales,
                               Data* out);

// ---- loops ----
Stage* add_loop_start(Program& p, std::string name, std::vector<Data*> ins, std::vector<Data*> outs);
Stage* add_loop_end(Program& p, std::string name, std::vector<Data*> ins, std::vector<Data*> outs);

}  // namespace blobsmith::vpu
