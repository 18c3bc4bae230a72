// Time of every stage of a blob on Myriad X, and of the whole (cost-model reference §2). Times in microseconds.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "estimate/constants.hpp"
#include "vpu/format/blob.hpp"

namespace blobsmith::estimate {

/// What a stage spends its time on. `Injected`: on the stage that rides on a hardware stage.
enum class Bound { Nce, Weights, DdrInput, Dma, Shave, Ddr, Overhead, Injected };
const char* to_string(Bound b);

/// Quantities that the constants multiply; zero where they don't apply.
struct Work {
  double cycles = 0, mode_cycles = 0, pool_cycles = 0;  ///< of the NCE
  double macs = 0;                                      ///< of the NCE, zeros of depthwise blocks included
  double weight_bytes = 0, input_bytes = 0;             ///< read by the NCE; input: 0 when it lies in CMX
  double descriptors = 0;
  double bytes = 0, ddr_ends = 0, pieces = 0;  ///< of a Copy
  double elements = 0;                         ///< of a SHAVE stage: elements, multiply-adds or taps
  Constant per_element = Constant::Other;
  double ddr_bytes = 0;  ///< all that moves to and from DDR
};

struct StageCost {
  vpu::StageType type = vpu::StageType::None;
  std::string kind;           ///< "HW conv", "Copy CMX>DDR", "Swish"
  std::string input, output;  ///< "NCHW[56x56x64x1]@CMX"
  int shaves = 0;
  Work work;
  double total = 0, overhead = 0, nce = 0, weights = 0, ddr_input = 0, shave = 0, ddr = 0;
  Bound bound = Bound::Overhead;
  bool known = true;  ///< false: a stage type without a class of its own, or of unknown size
};

/// What the blob as a whole takes.
struct Estimate {
  int shaves = 0, slices = 0, streams = 1;
  std::vector<StageCost> stages;
  double fps = 0, fps_low = 0, fps_high = 0;         ///< with `streams` executors; the range holds for 9 of 10 networks
  double latency = 0, loaded_latency = 0;            ///< of a lone inference; of one among `streams`
  double nce = 0, ddr = 0, shave = 0, overhead = 0;  ///< parts of the sum of all stages
  double sum = 0;                                    ///< of all stages of one inference, and its start
  double ddr_bytes = 0, io_bytes = 0, macs = 0;
  double usb3_fps = 0, usb2_fps = 0;  ///< what the cable allows
  std::string bound;                  ///< "NCE", "DDR", "SHAVE", "USB", "overhead"
  std::vector<std::string> caveats;   ///< what the estimate does not cover
};

/// Executors that fit the chip's 16 SHAVEs and 19 slices, at most two.
int streams_for(int shaves, int slices);
/// `streams` 0: as many as fit.
Estimate estimate(const vpu::Blob& blob, const Constants& constants = {}, int streams = 0);

}  // namespace blobsmith::estimate
