// Weights far from 1 are multiplied by a power of two, which a scale behind the convolution takes back, so that FP16
// products of the convolution engine do not underflow (middle-end spec §3.8).
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "core/text.hpp"
#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

constexpr int kNoExponent = -15;  ///< of zero and of subnormal numbers
constexpr double kSmallScale = 0.1;

bool reads_network_input(const Stage& s) {
  const Data* in = s.input(0);
  if (in->usage == DataUsage::Input) return true;
  const Stage* producer = in->producer_stage();
  return producer && producer->is(StageType::Convert) && producer->input(0)->usage == DataUsage::Input;
}

/// quirk: a negative scale counts as small.
bool scales_down(const Stage& s) {
  constexpr auto kSmall = static_cast<float>(kSmallScale);
  if (s.is(StageType::Power)) return s.get<PowerParams>().scale < kSmall;
  if (s.is(StageType::Convert)) return s.get<ConvertParams>().scale < kSmall;
  if (!s.is(StageType::ScaleShift) || !is_const(s.input(1)) || s.input(1)->desc.type != DataType::FP16) return false;
  const Bytes scales = s.input(1)->content.aligned(alignof(Half));
  return std::ranges::any_of(scales.as<Half>(), [](Half h) { return half_to_float(h) < kSmall; });
}

/// Values may grow unless the network begins by scaling its input down.
bool values_grow(Program& p) {
  if (!p.options.check_preprocessing_inside_model) return false;
  return std::ranges::none_of(p.stages(), [](const Stage* s) {
    return s->is_any(StageType::Power, StageType::Convert, StageType::ScaleShift) && reads_network_input(*s) &&
           scales_down(*s);
  });
}

struct Exponents {
  int32_t max = kNoExponent;
  int32_t mean = kNoExponent;  ///< truncated toward zero, without zeros
};

/// Biased exponents of a few weights. A loop of fixed length over 16-bit numbers, which compilers turn into vector
/// instructions.
struct ExponentBlock {
  static constexpr size_t kSize = 1024;
  uint16_t sum = 0, count = 0, max = 0;  ///< kSize * 31 fits

  explicit ExponentBlock(const Half* weights) {
    for (size_t i = 0; i < kSize; ++i) {
      const auto e = static_cast<uint16_t>((weights[i] >> 10) & 31);
      sum = static_cast<uint16_t>(sum + e);
      count = static_cast<uint16_t>(count + (e != 0));
      max = std::max(max, e);
    }
  }
};

Exponents exponents_of(const Bytes& weights) {
  const Bytes bytes = weights.aligned(alignof(Half));
  const std::span<const Half> all = bytes.as<Half>();
  int64_t sum = 0, count = 0, max = 0;
  std::array<Half, ExponentBlock::kSize> last{};  // zeros do not count
  for (size_t i = 0; i < all.size(); i += ExponentBlock::kSize) {
    const bool whole = all.size() - i >= ExponentBlock::kSize;
    if (!whole) std::ranges::copy(all.subspan(i), last.begin());
    const ExponentBlock block(whole ? all.data() + i : last.data());
    sum += block.sum;
    count += block.count;
    max = std::max<int64_t>(max, block.max);
  }
  Exponents r;
  constexpr int kBias = 15;
  r.max = static_cast<int32_t>(max) - kBias;
  if (count) r.mean = static_cast<int32_t>(static_cast<double>(sum - kBias * count) / static_cast<double>(count));
  return r;
}

Exponents exponents_of(const Program& p, const Data& weights) {
  const Bytes content = p.computed("exponents", weights.content, {}, [&] {
    const Exponents e = exponents_of(weights.content);
    return contents::int32s({e.max, e.mean});
  });
  const auto numbers = content.as<int32_t>();
  return {numbers[0], numbers[1]};
}

bool is_layer_type(const Stage& s, std::string_view type) { return s.layer && same_caseless(s.layer->type, type); }

/// Chooses the exponents of all layers; what the first layer decides holds for the later ones.
class ShiftChooser {
 public:
  explicit ShiftChooser(Program& p) : program_(p), growing_(values_grow(p)) {}

  float factor(const Stage& s) {
    if (s.layer && s.layer->vpu_scale != 0.0f) return s.layer->vpu_scale;
    const Data& weights = *require_const(s, 1);
    const Exponents e = exponents_of(program_, weights);
    int shift = std::min(-e.mean, 15 - e.max);
    if (first_ && shift < 4 && growing_ && weights.desc.dim(Dim::C) > 1) normal_ = 5;
    if (first_ && shift > 10) shift -= 8;
    if (is_layer_type(s, "convolution") || is_layer_type(s, "deconvolution"))
      shift = std::min(shift, 8);
    else if (is_layer_type(s, "fullyconnected"))
      shift = std::min(shift, 9);
    shift -= normal_;
    first_ = false;
    return shift >= 1 ? std::ldexp(1.0f, shift) : 1.0f;
  }

 private:
  const Program& program_;
  bool growing_;
  bool first_ = true;
  int normal_ = 0;
};

Data* scale_const(Program& p, Data* d, float factor) {
  Bytes content = p.computed("scaled", d->content, {std::bit_cast<int32_t>(factor)},
                             [&] { return contents::scaled(d->content, factor); });
  Data* r = p.duplicate(d, "@scaled", {}, std::move(content));
  p.leave_memory(d->content);
  return r;
}

void apply(Program& p, Stage* s, float factor) {
  if (is_const(s->input(1))) p.replace_input(s, 1, scale_const(p, s->input(1), factor));
  if (!is_fake(s->input(2))) {
    require_const(*s, 2);
    p.replace_input(s, 2, scale_const(p, s->input(2), factor));
  }
  const int64_t channels = s->output()->desc.dim(Dim::C);
  p.replace_input(
      s, 3, p.add_const(s->name + "@scales", DataDesc({channels}), contents::replicated(1.0f / factor, channels)));
  s->change<StubSpec>([&](StubSpec& stub) { stub.scale_factor = factor; });
}

}  // namespace

void analyze_weightable_layers(Program& p) {
  ShiftChooser chooser(p);
  for (Stage* s : std::vector<Stage*>(p.stages())) {
    if (!s->is_any(StageType::StubConv, StageType::StubFullyConnected, StageType::StubDeconv) || !tries_hw(*s))
      continue;
    const float factor = chooser.factor(*s);
    if (factor != 1.0f) apply(p, s, factor);
  }
}

}  // namespace blobsmith::vpu
