// How fast a network will be on the device: the time of every stage, from a model of the chip that was fitted to
// measured speeds (docs/performance.md says how far to trust it); and those speeds. Times are in microseconds, amounts
// of data in bytes, speeds in inferences per second (FPS).
//
// Threads: calls are independent of each other; estimate_model() compiles in as many threads as there are processors.
#pragma once
#include <map>
#include <span>
#include <string>
#include <vector>

#include "blobsmith/convert.hpp"

namespace blobsmith {

/// What a stage has to do: the quantities that its time comes from. 0 where they don't apply.
struct StageWork {
  double cycles = 0, mode_cycles = 0, pool_cycles = 0;  ///< of the convolution engine (NCE)
  double macs = 0;                             ///< multiply-adds of the NCE, zeros of depthwise blocks included
  double weight_bytes = 0, input_bytes = 0;    ///< read by the NCE; input: 0 when it lies in CMX
  double descriptors = 0;                      ///< of the NCE
  double bytes = 0, ddr_ends = 0, pieces = 0;  ///< of a Copy: size, ends in DDR, contiguous pieces
  double elements = 0;                         ///< of a SHAVE stage: elements, multiply-adds or taps
  std::string element_class = "other";         ///< the constant that `elements` is multiplied with
  double ddr_bytes = 0;                        ///< all that moves to and from DDR
};

struct StageEstimate {
  /// What the stage spends its time on. Injected: on the stage that rides on a hardware stage.
  enum class Bound { Nce, Weights, DdrInput, Dma, Shave, Ddr, Overhead, Injected };

  std::string layer;          ///< of the model, that it computes (part of); empty: not known, as of a blob
  std::string type;           ///< as in StageInfo::type
  std::string kind;           ///< "HW conv", "Copy CMX>DDR", "Swish"
  std::string input, output;  ///< "NCHW[56x56x64x1]@CMX": order, sizes from the innermost dimension, memory
  int shaves = 0;
  double total = 0;  ///< overhead, nce, shave and ddr together
  double overhead = 0, nce = 0, weights = 0, ddr_input = 0, shave = 0, ddr = 0;  ///< ddr: beyond what overlaps
  Bound bound = Bound::Overhead;
  bool known = true;                  ///< false: no measured network has such a stage, or its size is not known
  double live_cmx = 0, live_ddr = 0;  ///< bytes that are still needed while it runs, without constants
  std::string advice;                 ///< what could make it faster; empty where there is nothing to say
  StageWork work;
};
/// "NCE", "weights", "DDR input", "DMA", "SHAVE", "DDR", "overhead", "injected".
const char* to_string(StageEstimate::Bound b);

struct Estimate {
  int shaves = 0, slices = 0;
  int inputs = 0;                                    ///< of the network
  int streams = 1;                                   ///< executors that run at once
  double fps = 0, fps_low = 0, fps_high = 0;         ///< of all executors; the range holds for 9 of 10 networks
  double latency = 0, loaded_latency = 0;            ///< of a lone inference; of one among `streams`
  double sum = 0;                                    ///< of all stages of one inference, and its start
  double nce = 0, ddr = 0, shave = 0, overhead = 0;  ///< parts of `sum`
  double ddr_bytes = 0, io_bytes = 0, macs = 0;      ///< per inference
  double cmx_peak = 0, ddr_peak = 0, constants = 0;  ///< most bytes live at once; bytes of constants (in DDR)
  double usb3_fps = 0, usb2_fps = 0;                 ///< what the cable allows; 0: nothing is transferred
  std::string bound;                                 ///< "NCE", "DDR", "SHAVE", "USB", "overhead"
  std::vector<std::string> caveats;                  ///< what the estimate does not cover
  std::vector<StageEstimate> stages;                 ///< in the order of the blob
};

/// What one layer of the model costs in all its stages (tiles of it, copies for it).
struct LayerCost {
  std::string layer;           ///< empty: a stage of which no layer is known; it stands alone
  double total = 0;            ///< of its stages together
  std::vector<size_t> stages;  ///< in Estimate::stages, the slowest first
};
/// The slowest layers, the slowest first.
std::vector<LayerCost> costliest_layers(const Estimate& e, size_t most = 10);

/// A published speed of a common network on Myriad X (data/fps.csv).
struct Measurement {
  std::string model, input;               ///< input: "1x3x224x224", several with commas
  double gflops = 0, mparams = 0;         ///< published, 2 per multiply-add; 0 where unknown
  std::string device, toolchain, shaves;  ///< shaves: "auto" = 7 for each of two executors
  double fps = 0;                         ///< median of the runs of one source
  std::string source;
};

/// An estimate for one number of SHAVEs, with as many slices of memory.
struct ShaveEstimate {
  int shaves = 0;
  std::string error;  ///< why the network doesn't compile with these; empty: it does
  Estimate estimate;
};

struct EstimateOptions {
  std::map<std::string, Shape> input_shapes{};
  ConversionOptions conversion{};
  CameraOptions camera{};
  std::string target = "2022.1";  ///< OpenVINO version by whose rules the model is compiled, of target_names()
  /// Constants of the model by name instead of the fitted ones, as tools/fit_cost_model.py writes them.
  std::map<std::string, double> constants{};
  Control control{};
};

struct EstimateResult {
  Estimate estimate;                       ///< with the SHAVEs of EstimateOptions::camera
  std::vector<ShaveEstimate> by_shaves{};  ///< 1 to 16
  int best_shaves = 0;                     ///< of `by_shaves`: the highest throughput; within 1 %, the fewest SHAVEs
  double gflops = 0, mparams = 0;          ///< of the model, counted as in Measurement
  std::vector<Measurement> measured{};     ///< of networks with these inputs and about this size, the nearest first
};

/// Of a model as convert() makes a blob of it. Throws as convert() does, and BadOptionValue for a constant that is
/// none.
EstimateResult estimate_model(const ModelFile& model, const EstimateOptions& options = {});
/// Of a blob. Throws Error: BadBlob, FileNotFound, BadOptionValue.
Estimate estimate_blob(const std::string& path, const std::map<std::string, double>& constants = {});
Estimate estimate_blob(std::span<const uint8_t> file, const std::map<std::string, double>& constants = {});

/// All published speeds that there are.
const std::vector<Measurement>& measured_speeds();

}  // namespace blobsmith
