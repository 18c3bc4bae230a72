#include "estimate/constants.hpp"

#include <algorithm>
#include <string>

#include "core/error.hpp"
#include "core/table.hpp"

namespace blobsmith::estimate {
namespace {

using enum Constant;

// Source of every value: least squares on the measured speeds of 76 networks in data/fps.csv (docs/performance.md),
// unless the range says otherwise.
// clang-format off
constexpr std::array<ConstantRow, static_cast<size_t>(kCount)> kRows{{
    {NceClock, "f_nce", 700.0, "cycles/us", "nominal; free fit 669-716", "one NCE; 256 multiply-adds a cycle"},
    {ModeOverhead, "mode_k", 2.02, "", "1.90-2.06", "mode overhead over 0, 5, 11, 19, 31 cycles per position"},
    {Pool, "pool_k", 0.780, "cycles", "0.77-0.84", "per window tap and position of a pooling descriptor (16 channels)"},
    {WeightRate, "w_bw", 5697.0, "bytes/us", "5431-6821", "coefficients from DDR to an NCE"},
    {InputRate, "ind_bw", 1384.0, "bytes/us", "1243-1635", "hardware input in DDR; each descriptor reads it"},
    {DescriptorTime, "d_ovh", 0.717, "us", "0.66-0.88", "per hardware descriptor"},
    {HwStageTime, "h_ovh", 4.19, "us", "3.9-5.0", "per hardware stage"},
    {ShaveStageTime, "s_ovh", 46.3, "us", "42-58", "per SHAVE stage"},
    {CopyTime, "m_ovh", 13.6, "us", "12-27", "per Copy stage"},
    {CopyRate, "dma_bw", 2824.0, "bytes/us", "2350-3770", "Copy; from DDR to DDR the bytes count twice"},
    {CopyPiece, "dma_run", 0.00752, "us", "0.0069-0.0089", "Copy: per contiguous piece"},
    {ShaveRate, "sw_bw", 4878.0, "bytes/us", "3996-5266", "DDR traffic of a SHAVE stage"},
    {Base, "base", 2310.0, "us", "2101-2488", "per inference: start, transfers"},
    {DdrRate, "ddr_tot", 11064.0, "bytes/us", "8874-12030", "all DDR traffic together"},
    {UsbRate, "usb", 350.0, "bytes/us", "assumed", "inputs and outputs over USB 3"},
    {Usb2Rate, "usb2", 35.0, "bytes/us", "assumed: high speed without its protocol", "inputs and outputs over USB 2"},
    {LatencyAlone, "latency_alone", 0.88, "", "0.82-0.97, nine networks", "lone inference over the sum of stages"},
    {RangeLow, "range_low", 0.87, "", "5 % of families left out", "measured over estimated"},
    {RangeHigh, "range_high", 1.16, "", "95 % of families left out", "measured over estimated"},
    {Arithmetic, "elt", 0.00149, "us*shave", "0.0011-0.0017", "Relu, Sum, Prod, Max, ScaleShift, Bias, Clamp"},
    {Conversion, "cvt", 0.00495, "us*shave", "0.0046-0.0060", "Convert between U8, FP32 and FP16"},
    {Transcendental, "exp", 0.00729, "us*shave", "0.0060-0.0077", "Sigmoid, Tanh, Swish, HSwish, Elu, Exp, Div"},
    {Move, "perm", 0.00166, "us*shave", "0.0013-0.0021", "Permute, Pad, Concat, Tile, Gather, StridedSlice"},
    {Lrn, "lrn", 0.0153, "us*shave", "0.014-0.016", "LRN"},
    {Normalise, "norm", 0.0250, "us*shave", "0.022-0.043", "SoftMax, Normalize, MVN, GRN, RegionYolo"},
    {Interpolate, "interp", 0.0177, "us*shave", "0.012-0.020", "Interp, Resample, Upsampling"},
    {Reduce, "reduce", 0.00740, "us*shave", "0.005-0.011", "Reduce: per input element"},
    {Multiply, "swmac", 0.000610, "us*shave", "0.00058-0.00066", "convolution, FC, GEMM on SHAVEs: per multiply-add"},
    {MultiplyDepthwise, "swdw", 0.00226, "us*shave", "0.0017-0.0027", "depthwise on SHAVEs: per multiply-add"},
    {PoolTap, "swpool", 0.00097, "us*shave", "0.0009-0.002", "pooling on SHAVEs: per window tap"},
    {Detection, "det", 0.0194, "us*shave", "0.017-0.021", "detection, NMS, TopK: per input element"},
    {Other, "other", 0.02, "us*shave", "assumed", "any other stage"},
}};
// clang-format on

}  // namespace

const std::array<ConstantRow, static_cast<size_t>(Constant::kCount)>& constant_rows() { return kRows; }

Constants::Constants() {
  for (const ConstantRow& row : kRows) values_[static_cast<size_t>(row.id)] = row.value;
}

void Constants::set(std::string_view name, double value) {
  const ConstantRow* row = find_row(kRows, name, &ConstantRow::name);
  if (!row || !(value > 0))
    throw Error(ErrorCode::BadOptionValue,
                "\"" + std::string(name) + "\" = " + std::to_string(value) + " is not a constant of the cost model");
  values_[static_cast<size_t>(row->id)] = value;
}

}  // namespace blobsmith::estimate
