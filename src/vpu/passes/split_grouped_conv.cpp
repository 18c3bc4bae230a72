// Grouped convolutions and deconvolutions, except depthwise ones, become one stage per group (middle-end spec §3.11).
#include <algorithm>

#include "vpu/options/faults.hpp"
#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

/// Weights of group g of a deconvolution.
/// quirk: the content is laid out [group][in][out], but it is read as [in][group * out]: with 1 < groups < channels the
/// groups get each other's kernels and the network computes wrong numbers.
Bytes deconv_group_weights(const Bytes& weights, int64_t group, int64_t in, int64_t out, int64_t all_out,
                           int64_t positions, bool mixed) {
  if (!mixed) return contents::slice(weights, group * in * out * positions, in * out * positions);
  std::vector<Bytes> rows;
  for (int64_t i = 0; i < in; ++i)
    rows.push_back(contents::slice(weights, (i * all_out + group * out) * positions, out * positions));
  return contents::joined(rows);
}

class GroupSplitter {
 public:
  GroupSplitter(Program& p, Stage* s)
      : p_(p),
        stage_(s),
        groups_(s->get<StubSpec>().groups),
        in_(s->input(0)),
        weights_(s->input(1)),
        biases_(s->input(2)),
        scales_(s->input(3)),
        out_(s->output()) {
    check_part_count(*s, groups_);
    const int64_t in_channels = in_->desc.dim(Dim::C), out_channels = out_->desc.dim(Dim::C);
    if (in_channels % groups_ || out_channels % groups_)
      throw cannot_compile(*s, "channels are not divisible by the number of groups");
    group_in_ = in_channels / groups_;
    group_out_ = out_channels / groups_;
    require_const(*s, 1);
  }

  void run() {
    p_.disconnect(stage_);
    std::vector<Data*> ins, outs;
    for (int64_t g = 0; g < groups_; ++g) {
      const std::string postfix = "@group=" + part_of(g + 1, groups_);
      ins.push_back(p_.duplicate(in_, postfix, in_->desc.with_dim(Dim::C, group_in_)));
      Data* weights = group_weights(g, postfix);
      Data* biases = slice_vector(p_, biases_, postfix, g * group_out_, group_out_);
      Data* scales = slice_vector(p_, scales_, postfix, g * group_out_, group_out_);
      outs.push_back(p_.duplicate(out_, postfix, out_->desc.with_dim(Dim::C, group_out_)));
      Stage* part = p_.duplicate(stage_, postfix, {ins.back(), weights, biases, scales}, {outs.back()});
      part->change<StubSpec>([](StubSpec& stub) { stub.groups = 1; });
    }
    add_split(p_, stage_->name + "@split", stage_->layer, Dim::C, in_, ins);
    add_concat(p_, stage_->name + "@concat", stage_->layer, Dim::C, outs, out_);
    p_.remove(stage_);
  }

 private:
  Data* group_weights(int64_t g, const std::string& postfix) {
    const int64_t kx = window_of(*stage_).kernel_x, ky = window_of(*stage_).kernel_y;
    const DataDesc desc({kx, ky, group_in_, group_out_});
    const bool mixed = reproduces(p_.options, Fault::MixedGroups);
    if (stage_->is(StageType::StubDeconv) && !mixed && g == 0)
      p_.remark_not_as_intel(stage_->layer.get(), "every group of the deconvolution has its own kernels");
    if (stage_->is(StageType::StubConv)) return slice_const(p_, weights_, postfix, desc, g * desc.element_count());
    return p_.duplicate(
        weights_, postfix, desc,
        deconv_group_weights(weights_->content, g, group_in_, group_out_, group_out_ * groups_, kx * ky, mixed));
  }

  Program& p_;
  Stage* stage_;
  int64_t groups_, group_in_ = 0, group_out_ = 0;
  Data *in_, *weights_, *biases_, *scales_, *out_;
};

}  // namespace

void split_grouped_conv(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (!s->is_any(StageType::StubConv, StageType::StubDeconv)) return;
    const int64_t groups = s->get<StubSpec>().groups;
    const bool depthwise = groups == s->input(0)->desc.dim(Dim::C) && groups == s->output()->desc.dim(Dim::C);
    if (groups != 1 && !depthwise) GroupSplitter(p, s).run();
  });
}

}  // namespace blobsmith::vpu
