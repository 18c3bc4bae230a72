// The stages that take the place of a tiled convolution (hw-tiling spec §8), or of one that can't be tiled (§7.5).
#pragma once
#include <map>

#include "vpu/nce/conv_tiling_search.hpp"
#include "vpu/program/program.hpp"

namespace blobsmith::vpu::nce {

/// Constants made for one weights object: convolutions that share it share them too. The reference looks only at the
/// kind and the channel tile: what the first convolution (and its first plane tile) made serves all others.
struct HwConstants {
  Data* biases = nullptr;
  Data* scales = nullptr;
  std::map<int64_t, Data*> weights;  ///< by input channel tile
};
using HwConstantsByWeights = std::map<int, HwConstants>;  ///< by the data id of the original weights

/// `stub` is replaced. `pool_apart`: its merged pooling becomes a stage of its own.
void make_conv_stages(Program& p, Stage* stub, const ConvTiling& tiling, bool pool_apart,
                      HwConstantsByWeights& constants);

/// The stub stays, for a SHAVE to compute; what was merged into it becomes stages again.
void leave_conv_to_software(Program& p, Stage* stub);

}  // namespace blobsmith::vpu::nce
