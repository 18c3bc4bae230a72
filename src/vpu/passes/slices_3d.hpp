// Common to the passes that take 3-D convolutions and poolings apart along the depth (middle-end spec §3.6, §3.7).
#pragma once
#include <map>
#include <vector>

#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {

/// Output side: data {W,H,C,N} per output depth, reshaped to {W,H,1,C,N} and concatenated into `whole`.
std::vector<Data*> concat_depth(Program& p, const Stage& stage, Data* whole);

/// Input side: data {W,H,C,N} per used input depth, made when needed, later cut out of the whole.
class DepthSlices {
 public:
  DepthSlices(Program& p, Data* whole) : p_(p), whole_(whole) {}
  Data* at(int64_t depth);
  /// Reshape and Split stages that produce the slices made so far.
  void connect(const Stage& stage);

 private:
  Program& p_;
  Data* whole_;
  std::map<int64_t, Data*> slices_;
};

/// The plane of a 3-D tensor, without D.
DataDesc plane_desc(const DataDesc& desc);
/// Input depths that output depth `d` reads: kernel depth and input depth.
struct DepthTap {
  int64_t kernel, input;
};
std::vector<DepthTap> depth_taps(int64_t d, int64_t kernel, int64_t stride, int64_t pad_begin, int64_t dilation,
                                 int64_t input_depth);

/// Entries X, Y, Z of a list, which must have three.
std::vector<int64_t> xyz(const Stage& s, std::string_view name, const std::vector<int32_t>& list);
/// True for FP16, NCDHW input and output.
bool is_fp16_3d(const Stage& s);

}  // namespace blobsmith::vpu
