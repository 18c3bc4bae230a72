// Stages with one input whose elements don't meet: activations, per-channel arithmetic (execution spec §4).
#include <cmath>
#include <cstring>
#include <functional>
#include <numbers>

#include "core/float16.hpp"
#include "emulator/kernels/shared.hpp"
#include "vpu/format/post_op.hpp"

namespace blobsmith::emulator {
namespace {

using enum vpu::StageType;
using Function = std::function<float(float)>;

constexpr int64_t kWorthATable = HalfTable::kNumbers;  // elements seen

float softplus(float x) { return std::log1p(std::exp(-std::abs(x))) + std::max(x, 0.0f); }
float half_away_from_zero(float x) { return x < 0 ? std::ceil(x - 0.5f) : std::floor(x + 0.5f); }

/// Functions of more than a few instructions.
Function activation(const StageRun& s) {
  switch (s.type()) {
    case Sigmoid: return sigmoid;
    case Tanh: return [](float x) { return std::tanh(x); };
    case Elu: return [alpha = s.params<vpu::EluParams>().alpha](float x) { return x >= 0 ? x : alpha * std::expm1(x); };
    case Power: return [p = s.params<vpu::PowerParams>()](float x) { return std::pow(p.bias + p.scale * x, p.power); };
    case Log: return [](float x) { return std::log(x); };
    case Exp: return [](float x) { return std::exp(x); };
    case Floor: return [](float x) { return std::floor(x); };
    case Ceiling: return [](float x) { return std::ceil(x); };
    case Round:
      if (s.params<vpu::RoundParams>().mode == 0) return [](float x) { return std::nearbyint(x); };
      return half_away_from_zero;
    case Erf: return [](float x) { return std::erf(x); };
    case Mish: return [](float x) { return x * std::tanh(softplus(x)); };
    case Gelu: return [](float x) { return 0.5f * x * (1 + std::erf(x / std::numbers::sqrt2_v<float>)); };
    case SoftPlus: return softplus;
    case Swish: return [beta = s.params<vpu::SwishParams>().beta](float x) { return x * sigmoid(beta * x); };
    case HSwish: return [](float x) { return x * std::min(std::max(x + 3, 0.0f), 6.0f) / 6; };
    default: throw internal_error("no function for this stage type");
  }
}

/// The function of a stage for every FP16 number, once as many have been asked for and while there is room; else
/// nothing. Stages with equal parameters share it.
const HalfTable* table_of(StageRun& s, const Function& f, int64_t count) {
  const vpu::BlobStage& stage = s.stage();
  const Bytes& file = s.machine().blob.file;
  std::string key = std::to_string(static_cast<int>(s.type())) + ':';
  key.append(reinterpret_cast<const char*>(file.data()) + stage.params_offset, stage.params_size);
  auto& tables = s.machine().tables;
  const auto most =
      std::max<int64_t>(1, s.machine().part_of_memory() / (HalfTable::kNumbers * static_cast<int64_t>(sizeof(Half))));
  if (static_cast<int64_t>(tables.size()) >= most && !tables.contains(key)) return nullptr;
  HalfTable& table = tables[key];
  if (table.results.empty()) {
    table.asked += count;
    if (table.asked < kWorthATable) return nullptr;
    table.results.resize(HalfTable::kNumbers);
    for (uint32_t i = 0; i < table.results.size(); ++i)
      table.results[i] = float_to_half(f(half_to_float(static_cast<Half>(i))));
  }
  return &table;
}

/// A per-channel constant as an operand beside a tensor in framework order.
Grid along_channels(StageRun& s, std::vector<float>& values, const View& tensor) {
  const Grid shape = framework_order(tensor);
  Grid g{bytes_of(values), DataType::FP32, shape.rank, shape.dims};
  const int axis = shape.rank - 1 - DimsOrder::of_rank(shape.rank).position(Dim::C);
  s.check(static_cast<int64_t>(values.size()) >= shape.dims[static_cast<size_t>(axis)],
          "fewer constants than channels");
  g.strides[static_cast<size_t>(axis)] = sizeof(float);
  return g;
}

void check_same_sizes(StageRun& s, const Grid& a, const Grid& b) {
  s.check(a.rank == b.rank && a.dims == b.dims, "input and output of different sizes");
}

void run_unary(StageRun& s) {
  const Grid from = framework_order(s.in(0)), to = framework_order(s.out(1));
  check_same_sizes(s, from, to);
  const Nest<2> nest{to.rank, to.dims, {to.strides, from.strides}, {to.data, from.data}};
  const auto map = [&](auto f) {
    map_rows(s.pool(), nest, {to.type, from.type}, [&](float* out, const auto& in, int64_t n) {
      for (int64_t i = 0; i < n; ++i) out[i] = f(in[0][i]);
    });
  };
  if (s.type() == Relu || s.type() == LeakyRelu)
    return map([slope = s.params<vpu::ReluParams>().negative_slope](float x) { return x < 0 ? slope * x : x; });
  if (s.type() == Clamp)
    return map([p = s.params<vpu::ClampParams>()](float x) { return std::min(std::max(x, p.min_value), p.max_value); });
  if (s.type() == Power && s.params<vpu::PowerParams>().power == 1)
    return map([p = s.params<vpu::PowerParams>()](float x) { return p.bias + p.scale * x; });
  const Function f = activation(s);
  const bool halves = from.type == DataType::FP16 && to.type == DataType::FP16;
  if (const HalfTable* table = halves ? table_of(s, f, to.count()) : nullptr) {
    for_each_row(s.pool(), simplified(nest),
                 [results = table->results.data()](const auto& at, const auto& step, int64_t n) {
                   const auto look_up = [&](int64_t to_step, int64_t from_step) {
                     for (int64_t i = 0; i < n; ++i) {
                       Half h;
                       std::memcpy(&h, at[1] + i * from_step, sizeof h);
                       std::memcpy(at[0] + i * to_step, &results[h], sizeof h);
                     }
                   };
                   if (step[0] == sizeof(Half) && step[1] == sizeof(Half))
                     look_up(sizeof(Half), sizeof(Half));
                   else
                     look_up(step[0], step[1]);
                 });
    return;
  }
  map(f);
}

void run_channel_op(StageRun& s) {
  const View tensor = s.in(0);
  const Grid x = framework_order(tensor), y = framework_order(s.out(1));
  check_same_sizes(s, x, y);
  std::vector<float> first = read_floats(memory_order(s.in(2))), second;
  const Grid a = along_channels(s, first, tensor);
  const auto map = [&](auto f) {
    map_rows(s.pool(), Nest<3>{y.rank, y.dims, {y.strides, x.strides, a.strides}, {y.data, x.data, a.data}},
             {y.type, x.type, DataType::FP32}, [&](float* out, const auto& in, int64_t n) {
               for (int64_t i = 0; i < n; ++i) out[i] = f(in[0][i], in[1][i]);
             });
  };
  switch (s.type()) {
    case Bias: return map([](float v, float c) { return v + c; });
    case Scale: return map([](float v, float c) { return v * c; });
    case PRelu: return map([](float v, float c) { return v < 0 ? c * v : v; });
    case BiasRelu:
    case BiasLeakyRelu:
      return map([slope = s.params<vpu::ReluParams>().negative_slope](float v, float c) {
        return v + c < 0 ? slope * (v + c) : v + c;
      });
    default: break;
  }
  second = read_floats(memory_order(s.in(3)));  // ScaleShift
  const Grid b = along_channels(s, second, tensor);
  map_rows(s.pool(),
           Nest<4>{y.rank, y.dims, {y.strides, x.strides, a.strides, b.strides}, {y.data, x.data, a.data, b.data}},
           {y.type, x.type, DataType::FP32, DataType::FP32}, [](float* out, const auto& in, int64_t n) {
             for (int64_t i = 0; i < n; ++i) out[i] = in[0][i] * in[1][i] + in[2][i];
           });
}

// relu(concat(x, -x) * scale + bias); scales and biases may be absent.
void run_screlu(StageRun& s) {
  const auto& p = s.params<vpu::ScreluParams>();
  const Grid x = memory_order(s.in(0));
  const View out = s.out(1);
  const Grid y = memory_order(out);
  s.check(x.rank == y.rank && p.axis >= 0 && p.axis < x.rank, "an axis outside its tensor");
  const int axis = x.rank - 1 - p.axis;
  const int64_t size = x.dims[static_cast<size_t>(axis)];
  const std::vector<float> scale = s.has(2) ? read_floats(memory_order(s.in(2))) : std::vector<float>{},
                           bias = s.has(3) ? read_floats(memory_order(s.in(3))) : std::vector<float>{};
  const int64_t channels = out.dim(Dim::C);
  s.check((scale.empty() || static_cast<int64_t>(scale.size()) >= channels) &&
              (bias.empty() || static_cast<int64_t>(bias.size()) >= channels),
          "fewer constants than channels");
  const int channel_position = out.order.position(Dim::C);
  s.check(channel_position >= 0, "a tensor without channels");
  const int64_t inner = product(y.dims, y.rank - channel_position, y.rank);
  std::vector<float> values(static_cast<size_t>(y.count()));
  const Grid whole = compact_grid(values.data(), DataType::FP32, y.dims, y.rank);
  const std::vector<float> source = read_floats(x);
  std::vector<float> negated(source);
  for (float& v : negated) v = -v;
  write_floats(slice(whole, axis, 0, size), source.data());
  write_floats(slice(whole, axis, size, size), negated.data());
  for (size_t i = 0; i < values.size(); ++i) {
    const auto c = static_cast<size_t>(static_cast<int64_t>(i) / inner % channels);
    float v = values[i] * (scale.empty() ? 1 : scale[c]) + (bias.empty() ? 0 : bias[c]);
    values[i] = v < 0 ? p.negative_slope * v : v;
  }
  write(y, values);
}

constexpr KernelRow kRows[] = {
    {StageType::Relu, run_unary},
    {StageType::LeakyRelu, run_unary},
    {StageType::Sigmoid, run_unary},
    {StageType::Tanh, run_unary},
    {StageType::Elu, run_unary},
    {StageType::Power, run_unary},
    {StageType::Clamp, run_unary},
    {StageType::Log, run_unary},
    {StageType::Exp, run_unary},
    {StageType::Floor, run_unary},
    {StageType::Ceiling, run_unary},
    {StageType::Round, run_unary},
    {StageType::Erf, run_unary},
    {StageType::Mish, run_unary},
    {StageType::Gelu, run_unary},
    {StageType::SoftPlus, run_unary},
    {StageType::Swish, run_unary},
    {StageType::HSwish, run_unary},
    {StageType::Bias, run_channel_op},
    {StageType::Scale, run_channel_op},
    {StageType::ScaleShift, run_channel_op},
    {StageType::PRelu, run_channel_op},
    {StageType::BiasRelu, run_channel_op},
    {StageType::BiasLeakyRelu, run_channel_op},
    {StageType::SCRelu, run_screlu},
};

}  // namespace

std::span<const KernelRow> elementwise_kernels() { return kRows; }

}  // namespace blobsmith::emulator
