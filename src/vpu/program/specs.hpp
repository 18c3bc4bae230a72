// Parameters of stages while they are compiled, where they are not yet those of the blob (vpu/format): dimensions
// instead of positions in memory, and what passes put into stages. `fields` is for dumps and uses the names of the
// reference's dumps.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "vpu/format/convolution.hpp"
#include "vpu/format/data_desc.hpp"
#include "vpu/format/data_movement.hpp"
#include "vpu/format/indexing.hpp"
#include "vpu/format/normalization.hpp"
#include "vpu/format/pooling.hpp"
#include "vpu/format/post_op.hpp"
#include "vpu/format/reduction.hpp"
#include "vpu/format/window.hpp"

namespace blobsmith::vpu {

/// Parameters P of the blob with an axis, which is a dimension until the layout is known.
template <class P>
struct AlongDim : P {
  Dim dim = Dim::C;
  void fields(FieldArchive& a) override {
    P::fields(a);
    a.text("dim", to_string(dim));
  }
};
using SoftMaxSpec = AlongDim<SoftMaxParams>;
using GatherSpec = AlongDim<GatherParams>;
using ConcatSpec = AlongDim<ConcatParams>;
using TileSpec = AlongDim<TileParams>;
using TopKSpec = AlongDim<TopKParams>;
using ScreluSpec = AlongDim<ScreluParams>;

struct ReverseSequenceSpec : StageParams {
  Dim seq = Dim::C, batch = Dim::N;
  void fields(FieldArchive& a) override;
};

// ---- data movement -------------------------------------------------------------------------------------------------

/// StubConcat, Split: where the parts begin in the whole, per port.
struct PartsSpec : StageParams {
  std::vector<DimValues> offsets;
  std::optional<Dim> axis;  ///< when the parts follow each other along one
  void fields(FieldArchive& a) override;
};

/// Expand, Crop: where the smaller tensor begins in the larger one.
struct OffsetSpec : StageParams {
  DimValues offset;
  void fields(FieldArchive& a) override;
};

struct CopySpec : StageParams {
  std::string origin;     ///< the pass that made it
  bool optional = false;  ///< eliminateCopyStages may remove it
  bool spill = false;     ///< from CMX to DDR, made by the allocator
  void fields(FieldArchive& a) override;
};

struct PermuteSpec : StageParams {
  DimValues permutation;  ///< dimension of the output -> number of the dimension of the input
  std::optional<DimsOrder> output_order;
  void fields(FieldArchive& a) override;
};

enum class PadMode : uint32_t { Constant = 0, Edge = 1, Reflect = 2, Symmetric = 3 };
struct PadSpec : StageParams {
  PadMode mode = PadMode::Constant;
  float value = 0;
  DimValues begin, end;
  void fields(FieldArchive& a) override;
};

// ---- arithmetic ----------------------------------------------------------------------------------------------------

/// Numbers are floats or integers in the blob, by the type of the first input.
struct EltwiseSpec : StageParams {
  double coeff1 = 1, coeff2 = 1;
  StageType post_operation = StageType::Empty;
  double negative_slope = 0, min_value = 0, max_value = 1;
  void fields(FieldArchive& a) override;
};

// ---- convolutions, poolings, fully connected layers ----------------------------------------------------------------

/// Activations and a pooling that mergeHwStages put into a stage.
struct PostOps {
  bool relu = false, clamp = false, pool = false;
  float negative_slope = 0, relu_scale = 1, clamp_max = 6;
  uint32_t a0 = 0, a1 = 0;  ///< slopes below and above 0, as the engine wants them
  Window pool_window;

  bool any() const { return relu || clamp || pool; }
};

/// StubConv, StubDeconv, StubFullyConnected, StubMaxPool, StubAvgPool (middle-end spec §3, "attributes of the stub
/// stages").
struct StubSpec : StageParams {
  Window window;  ///< not of fully connected layers
  int64_t groups = 1;
  bool try_hw = false;       ///< meant for the convolution engine
  bool exclude_pad = false;  ///< of average poolings
  float scale_factor = 1;    ///< by which the weights have been multiplied
  PostOps post;
  std::optional<DataDesc> conv_output;  ///< the convolution's own output, before a merged pooling
  void fields(FieldArchive& a) override;
};

/// Conv, Im2ColConvolution, DepthConv: with the kernel of the device that fits.
struct ShaveConvSpec : ConvParams {
  bool spatial = false, conv1x1 = false, conv3x3 = false;
};

/// Three-dimensional, with what holds for the planes.
struct ConvNDSpec : ConvNDParams {
  bool try_hw = false;
};
struct PoolNDSpec : PoolNDParams {
  bool try_hw = false;
};

// ---- anchor boxes --------------------------------------------------------------------------------------------------

/// StubPriorBox, StubPriorBoxClustered, in pixels.
struct PriorBoxSpec : StageParams {
  std::vector<float> min_sizes, max_sizes, aspect_ratios, densities, fixed_ratios, fixed_sizes, variances;
  std::vector<float> widths, heights;  ///< of clustered ones
  float step = 0, step_w = 0, step_h = 0, offset = 0;
  bool clip = false, flip = false, scale_all_sizes = true;
};

}  // namespace blobsmith::vpu
