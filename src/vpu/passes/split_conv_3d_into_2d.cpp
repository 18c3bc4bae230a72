// A 3-D convolution becomes 2-D convolutions of its planes and sums over the depth of the kernel (middle-end spec
// §3.6).
#include "vpu/passes/passes.hpp"
#include "vpu/passes/slices_3d.hpp"

namespace blobsmith::vpu {
namespace {

/// Plane k of every 3-D kernel: the weights are laid out [out][in][depth][y][x].
Bytes kernel_plane(const Bytes& weights, int64_t kernels, int64_t depth, int64_t plane, int64_t k) {
  std::vector<Bytes> parts;
  for (int64_t i = 0; i < kernels; ++i) parts.push_back(contents::slice(weights, (i * depth + k) * plane, plane));
  return contents::joined(parts);
}

class Conv3dSplitter {
 public:
  Conv3dSplitter(Program& p, Stage* conv)
      : p_(p),
        conv_(conv),
        in_(conv->input(0)),
        weights_(conv->input(1)),
        biases_(conv->input(2)),
        out_(conv->output()),
        slices_(p, in_) {
    require_const(*conv, 1);
    const auto& spec = conv->get<ConvNDSpec>();
    const std::vector<int64_t> begin = xyz(*conv, "pads_begin", spec.pads_begin),
                               end = xyz(*conv, "pads_end", spec.pads_end),
                               strides = xyz(*conv, "strides", spec.strides),
                               dilations = xyz(*conv, "dilations", spec.dilations);
    const DataDesc& w = weights_->desc;
    stub_.groups = spec.groups;
    stub_.try_hw = spec.try_hw;
    stub_.window = {w.dim(Dim::W), w.dim(Dim::H), strides[0], strides[1],   begin[0],
                    end[0],        begin[1],      end[1],     dilations[0], dilations[1]};
    kernel_depth_ = w.dim(Dim::D);
    check_part_count(*conv, out_->desc.dim(Dim::D) * kernel_depth_);
    planes_.resize(static_cast<size_t>(kernel_depth_), nullptr);
    for (int64_t d = 0; d < out_->desc.dim(Dim::D); ++d) {
      taps_.push_back(depth_taps(d, kernel_depth_, strides[2], begin[2], dilations[2], in_->desc.dim(Dim::D)));
      if (taps_.back().empty()) throw cannot_compile(*conv, "a plane of the output lies wholly in the padding");
    }
  }

  void run() {
    p_.disconnect(conv_);
    Data* pre_biased = p_.duplicate(out_, "@pre_biased");
    add_bias(p_, conv_->name + "@bias", conv_->layer, pre_biased, biases_, out_);
    const std::vector<Data*> flat = concat_depth(p_, *conv_, pre_biased);
    std::vector<std::vector<Data*>> conv_outputs;
    for (size_t d = 0; d < flat.size(); ++d) conv_outputs.push_back(add_sums(flat[d], d));
    for (size_t d = 0; d < flat.size(); ++d)
      for (size_t i = 0; i < taps_[d].size(); ++i) add_conv_2d(taps_[d][i], conv_outputs[d][i], d);
    slices_.connect(*conv_);
    p_.remove(conv_);
  }

 private:
  /// Data for the 2-D convolutions of output plane `flat`, and the sums over them.
  std::vector<Data*> add_sums(Data* flat, size_t d) {
    std::vector<Data*> parts;
    Data* total = nullptr;
    for (const DepthTap& tap : taps_[d]) {
      const std::string postfix = "@kernel_depth=" + part_of(tap.kernel + 1, kernel_depth_);
      parts.push_back(p_.duplicate(flat, postfix));
      Data* sum = p_.duplicate(flat, postfix + "@sum");
      if (!total) {
        total = parts.back();
        continue;
      }
      add_sum(p_, conv_->name + "@sum" + depths(d, tap), conv_->layer, total, parts.back(), sum);
      total = sum;
    }
    add_copy(p_, conv_->name + "@copy", conv_->layer, total, flat, "splitConv3DInto2D");
    return parts;
  }

  void add_conv_2d(const DepthTap& tap, Data* out, size_t d) {
    Data* in = slices_.at(tap.input);
    Data* weights = plane(tap.kernel);
    Data* no_biases = p_.add_fake();
    Data* no_scales = p_.add_fake();
    Stage* s = add_convolution(p_, conv_->name + "@conv2d" + depths(d, tap), conv_->layer, in, weights, no_biases,
                               no_scales, out);
    s->set(stub_);
  }

  Data* plane(int64_t k) {
    Data*& r = planes_.at(static_cast<size_t>(k));
    if (!r) {
      const DataDesc desc = plane_desc(weights_->desc);
      r = p_.duplicate(weights_, "@kernel_depth=" + part_of(k + 1, kernel_depth_), desc,
                       kernel_plane(weights_->content, desc.dim(Dim::C) * desc.dim(Dim::N), kernel_depth_,
                                    desc.dim(Dim::W) * desc.dim(Dim::H), k));
    }
    return r;
  }

  std::string depths(size_t d, const DepthTap& tap) const {
    return "(d=" + part_of(static_cast<int64_t>(d) + 1, out_->desc.dim(Dim::D)) +
           ",k=" + part_of(tap.kernel + 1, kernel_depth_) + ")";
  }

  Program& p_;
  Stage* conv_;
  Data *in_, *weights_, *biases_, *out_;
  StubSpec stub_;  // of every plane
  int64_t kernel_depth_ = 1;
  std::vector<std::vector<DepthTap>> taps_;  // per output depth
  std::vector<Data*> planes_;                // weights per kernel depth
  DepthSlices slices_;
};

}  // namespace

void split_conv_3d_into_2d(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (s->is(StageType::ConvND) && s->input(1)->desc.rank() == 5 && is_fp16_3d(*s)) Conv3dSplitter(p, s).run();
  });
}

}  // namespace blobsmith::vpu
