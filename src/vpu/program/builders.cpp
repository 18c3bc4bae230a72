#include "vpu/program/builders.hpp"

#include <cmath>
#include <limits>

#include "vpu/program/loops.hpp"

namespace blobsmith::vpu {
namespace {

DimValues along(Dim axis, int64_t offset) { return DimValues{{axis, offset}}; }

std::vector<DimValues> running_offsets(Dim axis, const std::vector<int64_t>& sizes) {
  std::vector<DimValues> r;
  int64_t at = 0;
  for (int64_t s : sizes) {
    r.push_back(along(axis, at));
    at += s;
  }
  return r;
}

std::vector<int64_t> extents(Dim axis, const std::vector<Data*>& datas) {
  std::vector<int64_t> r;
  for (const Data* d : datas) r.push_back(d->desc.dim(axis));
  return r;
}

Stage* add_eltwise(Program& p, StageType type, std::string name, LayerPtr layer, Data* a, Data* b, Data* out) {
  Data* fake = p.add_fake();
  return p.add_stage(std::move(name), type, std::move(layer), {a, b, fake}, {out})->set(EltwiseSpec());
}

void require_nchw(const Data* d, const std::string& stage) {
  ensure(d->desc.order == orders::NCHW, "data '" + d->name + "' of stage '" + stage + "' is not NCHW");
}

/// A copy of `out` takes its place at its producer.
Data* insert_before(Program& p, Data* out, const std::string& postfix) {
  Data* before = p.duplicate(out, postfix);
  const Use producer = out->producer();
  p.replace_output(producer.stage, producer.port, before);
  return before;
}

}  // namespace

Stage* add_copy(Program& p, std::string name, LayerPtr layer, Data* in, Data* out, std::string_view origin) {
  CopySpec spec;
  spec.origin = origin;
  return p.add_stage(std::move(name), StageType::Copy, std::move(layer), {in}, {out})->set(std::move(spec));
}

Stage* add_reshape(Program& p, std::string name, LayerPtr layer, Data* in, Data* out) {
  const int64_t from = in->desc.element_count(), to = out->desc.element_count();
  if (from != to)
    throw blobsmith::cannot_compile(layer ? layer->name : name, layer ? layer->type : "Reshape",
                                    "reshape from " + std::to_string(from) + " to " + std::to_string(to) + " elements");
  return p.add_stage(std::move(name), StageType::Reshape, std::move(layer), {in}, {out});
}

Stage* add_concat(Program& p, std::string name, LayerPtr layer, Dim axis, std::vector<Data*> ins, Data* out) {
  std::vector<DimValues> offsets = running_offsets(axis, extents(axis, ins));
  Stage* s = add_concat(p, std::move(name), std::move(layer), std::move(offsets), std::move(ins), out);
  return s->change<PartsSpec>([&](PartsSpec& parts) { parts.axis = axis; });
}

Stage* add_concat(Program& p, std::string name, LayerPtr layer, std::vector<DimValues> offsets, std::vector<Data*> ins,
                  Data* out) {
  ensure(offsets.size() == ins.size(), "offsets of concat '" + name + "'");
  PartsSpec parts;
  parts.offsets = std::move(offsets);
  return p.add_stage(std::move(name), StageType::StubConcat, std::move(layer), std::move(ins), {out})
      ->set(std::move(parts));
}

Stage* add_dynamic_concat(Program& p, std::string name, LayerPtr layer, Dim axis, std::vector<Data*> ins, Data* out) {
  ConcatSpec spec;
  spec.dim = axis;
  spec.num_inputs = static_cast<uint32_t>(ins.size());
  return p.add_stage(std::move(name), StageType::Concat, std::move(layer), std::move(ins), {out})->set(spec);
}

Stage* add_split(Program& p, std::string name, LayerPtr layer, Dim axis, Data* in, std::vector<Data*> outs) {
  const std::vector<int64_t> sizes = extents(axis, outs);
  return add_split(p, std::move(name), std::move(layer), axis, in, std::move(outs), sizes);
}

Stage* add_split(Program& p, std::string name, LayerPtr layer, Dim axis, Data* in, std::vector<Data*> outs,
                 const std::vector<int64_t>& sizes) {
  ensure(sizes.size() == outs.size(), "sizes of split '" + name + "'");
  const std::vector<DimValues> all = running_offsets(axis, sizes);
  std::vector<DimValues> offsets;
  std::vector<Data*> used;
  for (size_t i = 0; i < outs.size(); ++i) {
    if (!outs[i]) continue;
    offsets.push_back(all[i]);
    used.push_back(outs[i]);
  }
  Stage* s = add_split(p, std::move(name), std::move(layer), std::move(offsets), in, std::move(used));
  return s->change<PartsSpec>([&](PartsSpec& parts) { parts.axis = axis; });
}

Stage* add_split(Program& p, std::string name, LayerPtr layer, std::vector<DimValues> offsets, Data* in,
                 std::vector<Data*> outs) {
  ensure(offsets.size() == outs.size(), "offsets of split '" + name + "'");
  PartsSpec parts;
  parts.offsets = std::move(offsets);
  return p.add_stage(std::move(name), StageType::Split, std::move(layer), {in}, std::move(outs))->set(std::move(parts));
}

Stage* add_expand(Program& p, std::string name, LayerPtr layer, Data* in, Data* out, DimValues offset) {
  OffsetSpec spec;
  spec.offset = offset;
  return p.add_stage(std::move(name), StageType::Expand, std::move(layer), {in}, {out})->set(spec);
}

Stage* add_crop(Program& p, std::string name, LayerPtr layer, Data* in, Data* out, DimValues offset) {
  OffsetSpec spec;
  spec.offset = offset;
  return p.add_stage(std::move(name), StageType::Crop, std::move(layer), {in}, {out})->set(spec);
}

Stage* add_permute(Program& p, std::string name, LayerPtr layer, Data* in, Data* out, DimValues permutation) {
  PermuteSpec spec;
  spec.permutation = permutation;
  return p.add_stage(std::move(name), StageType::Permute, std::move(layer), {in}, {out})->set(spec);
}

Stage* add_reorder(Program& p, std::string name, LayerPtr layer, Data* in, Data* out) {
  if (p.options.disable_reorder) {
    const std::string what = "Tried to add Reorder Stage " + name + ", while DISABLE_REORDER option was set";
    throw layer ? blobsmith::cannot_compile(layer->name, layer->type, what) : Error(ErrorCode::BadOptionValue, what);
  }
  DimValues identity;
  for (Dim d : out->desc.order.dims()) identity.set(d, static_cast<int64_t>(d));
  return add_permute(p, std::move(name), std::move(layer), in, out, identity)
      ->change<PermuteSpec>([&](PermuteSpec& spec) { spec.output_order = out->desc.order; });
}

Stage* add_gather(Program& p, std::string name, LayerPtr layer, Data* in, Data* indices, Data* out, Dim axis) {
  GatherSpec spec;
  spec.dim = axis;
  return p.add_stage(std::move(name), StageType::Gather, std::move(layer), {in, indices}, {out})->set(spec);
}

Stage* add_pad(Program& p, std::string name, LayerPtr layer, Data* in, Data* out, PadMode mode, float value,
               DimValues begin, DimValues end) {
  PadSpec spec;
  spec.mode = mode;
  spec.value = value;
  spec.begin = begin;
  spec.end = end;
  return p.add_stage(std::move(name), StageType::Pad, std::move(layer), {in}, {out})->set(spec);
}

Stage* add_convert(Program& p, std::string name, LayerPtr layer, Data* in, Data* out, float scale, float bias) {
  ConvertParams params;
  params.scale = scale;
  params.bias = bias;
  return p.add_stage(std::move(name), StageType::Convert, std::move(layer), {in}, {out})->set(params);
}

Stage* add_bias(Program& p, std::string name, LayerPtr layer, Data* in, Data* biases, Data* out) {
  return p.add_stage(std::move(name), StageType::Bias, std::move(layer), {in, biases}, {out});
}

Stage* add_scale(Program& p, std::string name, LayerPtr layer, Data* in, Data* scales, Data* out) {
  return p.add_stage(std::move(name), StageType::Scale, std::move(layer), {in, scales}, {out});
}

bool is_plain_relu(double slope) { return std::abs(static_cast<float>(slope)) < std::numeric_limits<float>::epsilon(); }

Stage* add_relu(Program& p, std::string name, LayerPtr layer, double slope, Data* in, Data* out, Data* biases) {
  const bool plain = is_plain_relu(slope);
  const StageType type = biases ? (plain ? StageType::BiasRelu : StageType::BiasLeakyRelu)
                                : (plain ? StageType::Relu : StageType::LeakyRelu);
  std::vector<Data*> ins{in};
  if (biases) ins.push_back(biases);
  ReluParams params;
  params.has_bias = biases != nullptr;
  params.negative_slope = static_cast<float>(slope);
  return p.add_stage(std::move(name), type, std::move(layer), std::move(ins), {out})->set(params);
}

Stage* add_clamp(Program& p, std::string name, LayerPtr layer, double min, double max, Data* in, Data* out) {
  ClampParams params;
  params.min_value = static_cast<float>(min);
  params.max_value = static_cast<float>(max);
  return p.add_stage(std::move(name), StageType::Clamp, std::move(layer), {in}, {out})->set(params);
}

Stage* add_power(Program& p, std::string name, LayerPtr layer, double scale, double power, double bias, Data* in,
                 Data* out) {
  PowerParams params;
  params.scale = static_cast<float>(scale);
  params.power = static_cast<float>(power);
  params.bias = static_cast<float>(bias);
  return p.add_stage(std::move(name), StageType::Power, std::move(layer), {in}, {out})->set(params);
}

Stage* add_sum(Program& p, std::string name, LayerPtr layer, Data* a, Data* b, Data* out) {
  return add_eltwise(p, StageType::Sum, std::move(name), std::move(layer), a, b, out);
}
Stage* add_prod(Program& p, std::string name, LayerPtr layer, Data* a, Data* b, Data* out) {
  return add_eltwise(p, StageType::Prod, std::move(name), std::move(layer), a, b, out);
}
Stage* add_max(Program& p, std::string name, LayerPtr layer, Data* a, Data* b, Data* out) {
  return add_eltwise(p, StageType::Max, std::move(name), std::move(layer), a, b, out);
}

Stage* add_reduce(Program& p, std::string name, LayerPtr layer, StageType type, Data* in, Data* axes, Data* out,
                  bool keep_dims) {
  ReduceParams params;
  params.keep_dims = keep_dims;
  return p.add_stage(std::move(name), type, std::move(layer), {in, axes}, {out})->set(params);
}

Stage* add_gemm(Program& p, std::string name, LayerPtr layer, double alpha, double beta, bool transpose_a,
                bool transpose_b, std::vector<Data*> ins, Data* out) {
  ensure(ins.size() == 2 || ins.size() == 3, "inputs of GEMM '" + name + "'");
  GemmParams params;
  params.alpha = static_cast<float>(alpha);
  params.beta = static_cast<float>(beta);
  params.has_three_inputs = ins.size() == 3;
  params.transpose_a = transpose_a;
  params.transpose_b = transpose_b;
  return p.add_stage(std::move(name), StageType::GEMM, std::move(layer), std::move(ins), {out})->set(params);
}

Stage* add_convolution(Program& p, std::string name, LayerPtr layer, Data* in, Data* weights, Data* biases,
                       Data* scales, Data* out) {
  require_nchw(in, name);
  require_nchw(out, name);
  return p.add_stage(std::move(name), StageType::StubConv, std::move(layer), {in, weights, biases, scales}, {out});
}

Stage* add_pooling(Program& p, std::string name, LayerPtr layer, StageType type, Data* in, Data* out) {
  require_nchw(in, name);
  require_nchw(out, name);
  return p.add_stage(std::move(name), type, std::move(layer), {in}, {out});
}

Stage* add_sw_fully_connected(Program& p, std::string name, LayerPtr layer, Data* in, Data* weights, Data* biases,
                              Data* scales, Data* out) {
  Stage* s = p.add_stage(name, StageType::FC, layer, {in, weights}, {out});
  add_bias_and_scale_before(p, name, layer, biases, scales, out);
  return s;
}

void add_bias_and_scale_before(Program& p, const std::string& name, LayerPtr layer, Data* biases, Data* scales,
                               Data* out) {
  if (biases->usage != DataUsage::Fake) {
    Data* before = insert_before(p, out, "@pre-bias");
    add_bias(p, name + "@biases", layer, before, biases, out);
  }
  if (scales->usage != DataUsage::Fake) {
    Data* before = insert_before(p, out, "@pre-scaled");
    add_scale(p, name + "@scales", layer, before, scales, out);
  }
}

Stage* add_loop_start(Program& p, std::string name, std::vector<Data*> ins, std::vector<Data*> outs) {
  return p.add_stage(std::move(name), StageType::LoopStart, nullptr, std::move(ins), std::move(outs))->set(LoopSpec());
}

Stage* add_loop_end(Program& p, std::string name, std::vector<Data*> ins, std::vector<Data*> outs) {
  return p.add_stage(std::move(name), StageType::LoopEnd, nullptr, std::move(ins), std::move(outs))->set(LoopSpec());
}

}  // namespace blobsmith::vpu
