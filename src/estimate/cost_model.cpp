#include "estimate/cost_model.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "core/table.hpp"
#include "estimate/advice.hpp"
#include "estimate/live_memory.hpp"
#include "vpu/format/convolution.hpp"
#include "vpu/format/hw_op.hpp"

namespace blobsmith {
namespace estimate {
namespace {

using namespace vpu;
using enum StageType;
using Buffers = std::vector<const BlobBuffer*>;

struct ClassRow {
  Constant constant;
  Few<StageType, 32> types;
};
constexpr std::array kClasses{
    ClassRow{Constant::Arithmetic,
             {Relu,       Sum,         Prod,        Max,     Min,      Bias,          Scale,        ScaleShift,
              Power,      Clamp,       LeakyRelu,   PRelu,   BiasRelu, BiasLeakyRelu, Squared_diff, Abs,
              Select,     Equal,       Not_equal,   Greater, Less,     Greater_equal, Less_equal,   Logical_AND,
              Logical_OR, Logical_NOT, Logical_XOR, SCRelu,  Floor,    Ceiling,       Round,        Floor_mod}},
    ClassRow{Constant::Conversion, {Convert}},
    ClassRow{Constant::Transcendental,
             {Sigmoid, Tanh, Swish, HSwish, Elu, Exp, Mish, Gelu, SoftPlus, Erf, Log, Pow, Div}},
    ClassRow{Constant::Move,
             {Permute, ReorgYolo, Concat, Gather, GatherND, GatherElements, StridedSlice, Tile, Pad, ReverseSequence,
              Broadcast, ScatterUpdate, ScatterElementsUpdate, HwFcRelayout, OneHot}},
    ClassRow{Constant::Lrn, {LRN, InnerLRN}},
    ClassRow{Constant::Normalise, {Normalize, MVN, GRN, SoftMax, RegionYolo}},
    ClassRow{Constant::Interpolate, {Interp, Resample, Upsampling}},
    ClassRow{Constant::Multiply, {Conv, Im2ColConvolution, RefConvolution, ConvND, FC, GEMM, Deconvolution, LSTMCell}},
    ClassRow{Constant::MultiplyDepthwise, {DepthConv, DepthDeconv}},
    ClassRow{Constant::PoolTap, {MaxPool, AvgPool, GlobalMaxPool, PoolND}},
    ClassRow{Constant::Reduce, {ReduceMean, ReduceSum, ReduceMax, ReduceMin, ReduceAnd}},
    ClassRow{Constant::Detection,
             {DetectionOutput, Proposal, PSROIPooling, ROIPooling, ExpDetectionOutput, StaticShapeNMS, TopK, CTCDecoder,
              CTCGreedyDecoderSeqLen, ROIFeatureExtractor, ROIAlign, ExpGenerateProposals, ExpTopKROIs}},
};

double elements(const BlobBuffer& b) {
  double n = b.desc.dims.empty() ? 0 : 1;
  for (const int64_t d : b.desc.dims) n *= static_cast<double>(d);
  return n;
}
double bytes(const BlobBuffer& b) { return elements(b) * static_cast<double>(element_size(b.desc.type)); }
bool in_ddr(const BlobBuffer& b) { return b.location != Location::CMX; }
bool is_output(const BlobBuffer& b) { return b.role.starts_with("out"); }

double size_of(const BlobBuffer& b, Dim d) {
  for (size_t i = 0; i < b.desc.dims.size(); ++i)
    if (b.desc.order.at(static_cast<int>(i)) == d) return static_cast<double>(b.desc.dims[i]);
  return 1;
}

/// Number of contiguous pieces that a buffer is scattered over.
double pieces(const BlobBuffer& b) {
  const auto element = static_cast<double>(element_size(b.desc.type));
  double run = element;
  for (size_t i = 0; i < b.desc.dims.size() && i < b.desc.strides.size(); ++i) {
    if (static_cast<double>(b.desc.strides[i]) == run)
      run *= static_cast<double>(b.desc.dims[i]);
    else if (b.desc.dims[i] != 1)
      break;
  }
  return run > 0 ? std::max(1.0, std::floor(bytes(b) / run)) : 1;
}

Buffers real_buffers(const BlobStage& s) {
  Buffers list;
  for (const BlobBuffer& b : s.buffers)
    if (!b.is_fake()) list.push_back(&b);
  return list;
}

const BlobBuffer* find_role(const Buffers& list, std::string_view role) {
  const auto it = std::ranges::find_if(list, [&](const BlobBuffer* b) { return b->role == role; });
  return it == list.end() ? nullptr : *it;
}

std::string text_of(const BlobBuffer& b) {
  const std::string dims = b.desc.dims.empty() ? "?" : shape_text({b.desc.dims.begin(), b.desc.dims.end()});
  return b.desc.order.name() + "[" + dims + "]@" + to_string(b.location);
}

// ---- hardware stages ----

constexpr std::array<double, 5> kModeCycles{0, 5, 11, 19, 31};

void add_convolution(StageWork& w, const HwOp& op, double positions, double plane, const BlobBuffer* weights) {
  const double taps = double(op.kernel_width) * op.kernel_height;
  const double channels = weights && weights->desc.dims.size() > 2 ? static_cast<double>(weights->desc.dims[2]) : 0;
  const auto mode = std::min<size_t>(static_cast<size_t>(op.mode), 4);
  if (op.type == HwOpType::ConvPool) positions *= 4;
  w.cycles += positions * std::ceil(channels / double(1 << mode)) * taps;
  w.mode_cycles += positions * kModeCycles[mode];
  w.macs += positions * channels * taps * op.out_channels;
  w.input_bytes += plane * channels * 2;
  const int64_t stored_channels = vpu::align_up(op.out_channels, 8);
  w.weight_bytes += 2 * channels * taps * static_cast<double>(stored_channels);
}

StageWork hardware_work(const HwOpParams& params, const Buffers& buffers) {
  StageWork w;
  const BlobBuffer* out = find_role(buffers, "output");
  if (!out) out = buffers.back();
  const BlobBuffer& in = *buffers.front();
  const double positions = size_of(*out, Dim::W) * size_of(*out, Dim::H),
               plane = size_of(in, Dim::W) * size_of(in, Dim::H);
  for (const HwOp& op : params.ops) {
    if (op.type == HwOpType::Conv || op.type == HwOpType::ConvPool) {
      add_convolution(w, op, positions, plane, find_role(buffers, "weights"));
    } else if (op.type == HwOpType::Pool) {
      w.pool_cycles += positions * op.kernel_width * op.kernel_height;
      w.input_bytes += plane * 16 * 2;
    } else {
      w.cycles += op.fc_inputs;
      w.macs += double(op.fc_inputs) * op.fc_outputs;
      w.weight_bytes += double(op.fc_inputs) * op.fc_outputs * 2;
    }
  }
  w.descriptors = static_cast<double>(params.ops.size());
  if (!in_ddr(in)) w.input_bytes = 0;
  w.ddr_bytes = w.weight_bytes + w.input_bytes;
  return w;
}

StageEstimate cost_of(const BlobStage& s, const Constants& k);

void hardware(StageEstimate& c, const BlobStage& s, const Buffers& buffers, const Constants& k) {
  const auto& params = dynamic_cast<const HwOpParams&>(*s.params);
  c.work = hardware_work(params, buffers);
  const StageWork& w = c.work;
  c.nce = (w.cycles + k[Constant::ModeOverhead] * w.mode_cycles + k[Constant::Pool] * w.pool_cycles) /
          k[Constant::NceClock];
  c.weights = w.weight_bytes / k[Constant::WeightRate];
  c.ddr_input = w.input_bytes / k[Constant::InputRate];
  c.ddr = std::max(0.0, c.weights + c.ddr_input - c.nce);
  c.overhead = k[Constant::HwStageTime] + w.descriptors * k[Constant::DescriptorTime];
  c.total = c.overhead + c.nce + c.ddr;
  c.bound = c.ddr == 0                ? StageEstimate::Bound::Nce
            : c.weights > c.ddr_input ? StageEstimate::Bound::Weights
                                      : StageEstimate::Bound::DdrInput;
  const HwOpType type = params.ops.empty() ? HwOpType::Conv : params.ops[0].type;
  c.kind = type == HwOpType::Conv       ? "HW conv"
           : type == HwOpType::ConvPool ? "HW conv+pool"
           : type == HwOpType::Pool     ? "HW pool"
                                        : "HW fc";
  if (!s.injected) return;
  const StageEstimate injected = cost_of(*s.injected, k);  // at the same time
  c.work.ddr_bytes += injected.work.ddr_bytes;
  c.kind += " with " + injected.kind;
  c.known = injected.known;
  if (injected.total <= c.total) return;
  c.shave = injected.total - c.total;
  c.total = injected.total;
  c.bound = StageEstimate::Bound::Injected;
}

// ---- the others ----

void copy(StageEstimate& c, const Buffers& buffers, const Constants& k) {
  const BlobBuffer &in = *buffers.front(), &out = *buffers.back();
  StageWork& w = c.work;
  w.bytes = bytes(in);
  w.ddr_ends = double(in_ddr(in)) + double(in_ddr(out));
  w.pieces = std::max(pieces(in), pieces(out));
  w.ddr_bytes = w.bytes * w.ddr_ends;
  c.overhead = k[Constant::CopyTime];
  c.ddr = w.bytes * std::max(1.0, w.ddr_ends) / k[Constant::CopyRate] + w.pieces * k[Constant::CopyPiece];
  c.total = c.overhead + c.ddr;
  c.bound = StageEstimate::Bound::Dma;
  c.kind = std::string("Copy ") + (in_ddr(in) ? "DDR" : "CMX") + ">" + (in_ddr(out) ? "DDR" : "CMX");
}

double multiplications(const BlobStage& s, const Buffers& ins, const BlobBuffer& out, const BlobBuffer& first) {
  const double weights = ins.size() > 1 ? elements(*ins[1]) : 0;
  const auto* window = dynamic_cast<const SlidingWindowParams*>(s.params.get());
  if ((s.type == DepthConv || s.type == DepthDeconv) && window)
    return elements(out) * window->kernel_x * window->kernel_y;
  if (s.type == Deconvolution) return std::floor(elements(first) * weights / std::max(1.0, size_of(first, Dim::C)));
  if (window) return size_of(out, Dim::W) * size_of(out, Dim::H) * size_of(out, Dim::N) * weights;
  if (s.type == GEMM && !first.desc.dims.empty()) return elements(out) * static_cast<double>(first.desc.dims[0]);
  return weights;
}

bool takes_indices(StageType t) {
  constexpr std::array kTypes{Gather, GatherElements, GatherND, ScatterUpdate, ScatterElementsUpdate};
  return std::ranges::find(kTypes, t) != kTypes.end();
}

double shave_elements(const BlobStage& s, Constant per, const Buffers& ins, const Buffers& outs, const Buffers& all) {
  double out = 0, largest = 0;
  for (const BlobBuffer* b : outs) out += elements(*b);
  for (const BlobBuffer* b : ins) largest = std::max(largest, elements(*b));
  if (per == Constant::Multiply || per == Constant::MultiplyDepthwise)
    return multiplications(s, ins, *outs.front(), *all.front());
  if (per == Constant::Reduce || per == Constant::Detection) return largest;
  if (takes_indices(s.type) && ins.size() > 1) out += elements(*ins[1]);  // an index is one more element to handle
  if (per != Constant::PoolTap) return out;
  const auto* window = dynamic_cast<const SlidingWindowParams*>(s.params.get());
  return window ? out * window->kernel_x * window->kernel_y : out;
}

void shave(StageEstimate& c, const BlobStage& s, const Buffers& buffers, const Constants& k) {
  Buffers all, ins, outs;
  for (const BlobBuffer* b : buffers)
    if (!b->desc.dims.empty() && !b->desc.strides.empty()) all.push_back(b);
  StageWork& w = c.work;
  const Constant per_element = class_of(s.type);
  w.element_class = constant_rows()[static_cast<size_t>(per_element)].name;
  c.kind = to_string(s.type);
  c.overhead = k[Constant::ShaveStageTime];
  c.total = c.overhead;
  c.known = per_element != Constant::Other && !all.empty();
  if (all.empty()) return;
  for (const BlobBuffer* b : all) (is_output(*b) ? outs : ins).push_back(b);
  if (outs.empty()) {
    outs.push_back(all.back());
    std::erase(ins, all.back());
  }
  w.elements = shave_elements(s, per_element, ins, outs, all);
  for (const BlobBuffer* b : all)
    if (in_ddr(*b) && !b->role.starts_with("temp")) w.ddr_bytes += bytes(*b);
  c.shave = w.elements * k[per_element] / std::max(1u, s.shaves);
  const double ddr = w.ddr_bytes / k[Constant::ShaveRate];
  c.ddr = std::max(0.0, ddr - c.shave);
  c.total = c.overhead + c.shave + c.ddr;
  c.bound = c.overhead > std::max(c.shave, ddr) ? StageEstimate::Bound::Overhead
            : c.shave > ddr                     ? StageEstimate::Bound::Shave
                                                : StageEstimate::Bound::Ddr;
}

StageEstimate cost_of(const BlobStage& s, const Constants& k) {
  StageEstimate c;
  c.type = to_string(s.type);
  c.shaves = static_cast<int>(s.shaves);
  const Buffers buffers = real_buffers(s);
  if (buffers.empty()) {
    c.kind = to_string(s.type);
    c.overhead = c.total = k[Constant::ShaveStageTime];
    c.known = false;
    return c;
  }
  if (s.type == MyriadXHwOp)
    hardware(c, s, buffers, k);
  else if (s.type == Copy)
    copy(c, buffers, k);
  else
    shave(c, s, buffers, k);
  const auto out = std::ranges::find_if(buffers, [](const BlobBuffer* b) { return is_output(*b); });
  c.input = text_of(*buffers.front());
  c.output = text_of(out == buffers.end() ? *buffers.back() : **out);
  return c;
}

// ---- the whole ----

std::vector<std::string> caveats(const Blob& blob, const Estimate& e) {
  std::vector<std::string> list;
  std::set<std::string> unknown;
  bool dynamic = false, loop = false;
  for (const StageEstimate& c : e.stages)
    if (!c.known) unknown.insert(c.kind);
  for (const BlobStage& s : blob.stages) {
    loop |= s.type == LoopStart;
    for (const BlobBuffer& b : s.buffers) dynamic |= !b.is_fake() && b.desc.is_dynamic();
  }
  for (const std::string& kind : unknown)
    list.push_back("no measured network has a " + kind + " stage: its time is a guess");
  if (dynamic) list.push_back("sizes known at run time only are not counted: the true time is longer");
  if (loop) list.push_back("the body of a loop is counted once: multiply its stages by the number of iterations");
  if (blob.header.batch_size > 1)
    list.push_back("an inference here is a batch of " + std::to_string(blob.header.batch_size));
  return list;
}

void add_up(Estimate& e, const Constants& k) {
  for (const StageEstimate& c : e.stages) {
    e.sum += c.total;
    e.nce += c.nce;
    e.ddr += c.ddr;
    e.shave += c.shave;
    e.overhead += c.overhead;
    e.ddr_bytes += c.work.ddr_bytes;
    e.macs += c.work.macs;
  }
  e.sum += k[Constant::Base];
  e.overhead += k[Constant::Base];
}

void add_memory(Estimate& e, const Blob& blob) {
  const LiveMemory live = live_memory(blob);
  for (size_t i = 0; i < e.stages.size(); ++i) {
    e.stages[i].live_cmx = live.cmx[i];
    e.stages[i].live_ddr = live.ddr[i];
    e.cmx_peak = std::max(e.cmx_peak, live.cmx[i]);
    e.ddr_peak = std::max(e.ddr_peak, live.ddr[i]);
  }
  e.constants = static_cast<double>(blob.constants.size());
}

// The slowest of the executors, DDR and the cable decides; near each other they add to each other.
void throughput(Estimate& e, const Constants& k) {
  const double own = e.sum / e.streams, ddr = e.ddr_bytes / k[Constant::DdrRate],
               usb = e.io_bytes / k[Constant::UsbRate];
  const double time = std::pow(std::pow(own, 6) + std::pow(ddr, 6) + std::pow(usb, 6), 1.0 / 6);
  e.fps = 1e6 / time;
  e.fps_low = e.fps * k[Constant::RangeLow];
  e.fps_high = e.fps * k[Constant::RangeHigh];
  e.latency = e.streams > 1 ? k[Constant::LatencyAlone] * e.sum : e.sum;
  e.loaded_latency = time * e.streams;
  if (e.io_bytes > 0) {
    e.usb3_fps = 1e6 * k[Constant::UsbRate] / e.io_bytes;
    e.usb2_fps = 1e6 * k[Constant::Usb2Rate] / e.io_bytes;
  }
  const std::array<std::pair<double, const char*>, 4> parts{
      {{e.nce, "NCE"}, {e.ddr, "DDR"}, {e.shave, "SHAVE"}, {e.overhead, "overhead"}}};
  e.bound = std::ranges::max_element(parts)->second;
  if (ddr > own) e.bound = "DDR";
  if (usb > std::max(own, ddr)) e.bound = "USB";
}

}  // namespace

Constant class_of(StageType t) {
  for (const ClassRow& row : kClasses)
    if (row.types.contains(t)) return row.constant;
  return Constant::Other;
}

int streams_for(int shaves, int slices) { return 2 * shaves <= 16 && 2 * slices <= 19 ? 2 : 1; }

Estimate estimate(const Blob& blob, const Constants& constants, int streams) {
  Estimate e;
  e.shaves = static_cast<int>(blob.header.shaves);
  e.slices = static_cast<int>(blob.header.slices);
  e.inputs = static_cast<int>(blob.inputs.size());
  e.streams = streams > 0 ? streams : streams_for(e.shaves, e.slices);
  e.io_bytes = double(blob.header.inputs_size) + double(blob.header.outputs_size);
  for (const BlobStage& s : blob.stages) {
    StageEstimate& c = e.stages.emplace_back(cost_of(s, constants));
    c.advice = advice(blob, s, c);
  }
  add_memory(e, blob);
  add_up(e, constants);
  throughput(e, constants);
  e.caveats = caveats(blob, e);
  return e;
}

}  // namespace estimate

std::vector<LayerCost> costliest_layers(const Estimate& e, size_t most) {
  std::map<std::string, size_t> place;
  std::vector<LayerCost> list;
  for (size_t i = 0; i < e.stages.size(); ++i) {
    const StageEstimate& c = e.stages[i];
    const auto [at, first] = place.try_emplace(c.layer.empty() ? "#" + std::to_string(i) : "=" + c.layer, list.size());
    if (first) list.push_back({c.layer, 0, {}});
    list[at->second].total += c.total;
    list[at->second].stages.push_back(i);
  }
  std::ranges::stable_sort(list, std::ranges::greater{}, &LayerCost::total);
  list.resize(std::min(list.size(), most));
  for (LayerCost& l : list)
    std::ranges::stable_sort(l.stages, std::ranges::greater{}, [&](size_t i) { return e.stages[i].total; });
  return list;
}

const char* to_string(StageEstimate::Bound b) {
  constexpr std::array kNames{"NCE", "weights", "DDR input", "DMA", "SHAVE", "DDR", "overhead", "injected"};
  return kNames[static_cast<size_t>(b)];
}

}  // namespace blobsmith
