// A 3-D pooling becomes 2-D poolings of the input's planes and sums or maxima over the depth (middle-end spec §3.7).
#include <algorithm>

#include "vpu/passes/passes.hpp"
#include "vpu/passes/slices_3d.hpp"

namespace blobsmith::vpu {
namespace {

constexpr int32_t kMethodMax = 1, kMethodAverage = 2;

class Pool3dSplitter {
 public:
  Pool3dSplitter(Program& p, Stage* pool)
      : p_(p),
        pool_(pool),
        in_(pool->input(0)),
        out_(pool->output()),
        average_(pool->get<PoolNDSpec>().method == kMethodAverage),
        slices_(p, in_) {
    const auto& spec = pool->get<PoolNDSpec>();
    const std::vector<int64_t> kernel = xyz(*pool, "kernel_shape", spec.kernel),
                               begin = xyz(*pool, "pads_begin", spec.pads_begin),
                               end = xyz(*pool, "pads_end", spec.pads_end),
                               strides = xyz(*pool, "strides", spec.strides);
    stub_.exclude_pad = spec.exclude_pad != 0;
    stub_.try_hw = spec.try_hw;
    stub_.window = {kernel[0], kernel[1], strides[0], strides[1], begin[0], end[0], begin[1], end[1], 1, 1};
    kernel_depth_ = kernel[2];
    in_depth_ = in_->desc.dim(Dim::D);
    check_part_count(*pool, std::max(in_depth_, out_->desc.dim(Dim::D) * kernel_depth_));
    pooled_.resize(static_cast<size_t>(in_depth_), nullptr);
    for (int64_t d = 0; d < out_->desc.dim(Dim::D); ++d) {
      taps_.push_back(depth_taps(d, kernel_depth_, strides[2], begin[2], 1, in_depth_));
      if (taps_.back().empty()) throw cannot_compile(*pool, "a plane of the output lies wholly in the padding");
    }
  }

  void run() {
    p_.disconnect(pool_);
    Data* base = out_;
    if (average_ && kernel_depth_ > 1) base = add_scale_before(out_);
    const std::vector<Data*> flat = concat_depth(p_, *pool_, base);
    for (size_t d = 0; d < flat.size(); ++d) combine_planes(flat[d], d);
    for (int64_t i = 0; i < in_depth_; ++i)
      if (Data* out = pooled_[static_cast<size_t>(i)]) add_pool_2d(i, out);
    slices_.connect(*pool_);
    p_.remove(pool_);
  }

 private:
  Data* add_scale_before(Data* out) {
    const int64_t channels = out->desc.dim(Dim::C);
    Data* scales = p_.add_const(pool_->name + "@scales", DataDesc({channels}),
                                contents::replicated(1.0f / static_cast<float>(kernel_depth_), channels));
    Data* before = p_.duplicate(out, "@pre_scaled");
    add_scale(p_, pool_->name + "@scale", pool_->layer, before, scales, out);
    return before;
  }

  void combine_planes(Data* flat, size_t d) {
    Data* total = nullptr;
    for (const DepthTap& tap : taps_[d]) {
      Data*& pooled = pooled_.at(static_cast<size_t>(tap.input));
      if (!pooled) pooled = p_.duplicate(flat, "@sub_pool=" + part_of(tap.input + 1, in_depth_));
      const std::string depths = "(d=" + part_of(static_cast<int64_t>(d) + 1, out_->desc.dim(Dim::D)) +
                                 ",k=" + part_of(tap.kernel + 1, kernel_depth_) + ")";
      Data* temp = p_.duplicate(pooled, "@temp" + depths);
      if (!total) {
        total = pooled;
        continue;
      }
      if (average_)
        add_sum(p_, pool_->name + "@sum" + depths, pool_->layer, total, pooled, temp);
      else
        add_max(p_, pool_->name + "@max" + depths, pool_->layer, total, pooled, temp);
      total = temp;
    }
    add_copy(p_, pool_->name + "@copy", pool_->layer, total, flat, "splitPool3DInto2D");
  }

  void add_pool_2d(int64_t i, Data* out) {
    Stage* s = add_pooling(p_, pool_->name + "@pool2d(d=" + part_of(i + 1, in_depth_) + ")", pool_->layer,
                           average_ ? StageType::StubAvgPool : StageType::StubMaxPool, slices_.at(i), out);
    s->set(stub_);
  }

  Program& p_;
  Stage* pool_;
  Data *in_, *out_;
  bool average_;
  StubSpec stub_;  // of every plane
  int64_t kernel_depth_ = 1, in_depth_ = 1;
  std::vector<std::vector<DepthTap>> taps_;  // per output depth
  std::vector<Data*> pooled_;                // per input depth, shared between output depths
  DepthSlices slices_;
};

bool is_splittable(const Stage& s) {
  if (!s.is(StageType::PoolND) || !is_fp16_3d(s)) return false;
  const auto& spec = s.get<PoolNDSpec>();
  if (spec.kernel.size() != 3) return false;
  if (spec.method == kMethodMax) return true;
  return spec.method == kMethodAverage && (!spec.exclude_pad || (xyz(s, "pads_begin", spec.pads_begin)[2] == 0 &&
                                                                 xyz(s, "pads_end", spec.pads_end)[2] == 0));
}

}  // namespace

void split_pool_3d_into_2d(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (is_splittable(*s)) Pool3dSplitter(p, s).run();
  });
}

}  // namespace blobsmith::vpu
