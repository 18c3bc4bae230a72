// A fully connected stage becomes a convolution whose kernel covers its whole input, reshaped to k x k x c; a batch
// inside the network is spread over the width and height of the convolution (middle-end spec §3.13).
#include <bit>

#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

/// The side of the kernel: the largest that leaves a power of two of channels, else the largest that divides.
int64_t kernel_side(int64_t size) {
  for (int64_t k = 8; k >= 1; --k)
    if (size % (k * k) == 0 && std::has_single_bit(static_cast<uint64_t>(size / (k * k)))) return k;
  for (int64_t k = 8; k > 1; --k)
    if (size % (k * k) == 0) return k;
  return 1;
}

struct BatchSteps {
  int64_t w = 1, h = 1;
};

BatchSteps batch_steps(int64_t batch) {
  for (int64_t div : {100, 50, 20, 10})
    if (batch >= div && batch % div == 0) return {div, batch / div};
  return {};
}

class FcReplacer {
 public:
  FcReplacer(Program& p, Stage* fc) : p_(p), fc_(fc), in_(fc->input(0)), out_(fc->output()) {
    batch_ = in_->desc.dim(Dim::N);
    const int64_t size = in_->desc.element_count() / batch_;
    k_ = kernel_side(size);
    channels_ = size / (k_ * k_);
    out_channels_ = out_->desc.dim(Dim::C);
    steps_ = batch_steps(batch_);
  }

  void run() {
    Data *weights = fc_->input(1), *biases = fc_->input(2), *scales = fc_->input(3);
    require_const(*fc_, 1);
    p_.disconnect(fc_);
    const bool plain = steps_.w == 1 && steps_.h == 1;
    Data* conv_in = plain ? reshaped_input({k_, k_, channels_, batch_}) : merged_input();
    Data* conv_out = plain ? reshaped_output({1, 1, out_channels_, batch_}) : merged_output();
    Data* conv_weights = p_.duplicate(weights, "@fc-to-conv", DataDesc({k_, k_, channels_, out_channels_}));
    Stage* conv = p_.add_stage(fc_->name + "@fc-to-conv", StageType::StubConv, fc_->layer,
                               {conv_in, conv_weights, biases, scales}, {conv_out});
    conv->params = fc_->params;
    conv->change<StubSpec>([&](StubSpec& stub) {
      stub.window = {.kernel_x = k_, .kernel_y = k_, .stride_x = k_, .stride_y = k_};
      stub.try_hw = true;
    });
    p_.remove(fc_);
  }

 private:
  Data* reshaped_input(const std::vector<int64_t>& dims) {
    Data* d = p_.duplicate(in_, "@reshape", DataDesc(dims));
    add_reshape(p_, d->name, fc_->layer, in_, d);
    return d;
  }
  Data* reshaped_output(const std::vector<int64_t>& dims) {
    Data* d = p_.duplicate(out_, "@reshape", DataDesc(dims));
    add_reshape(p_, d->name, fc_->layer, d, out_);
    return d;
  }

  static DimValues mapping(Dim w, Dim h, Dim c, Dim n, Dim d) {
    const auto number = [](Dim dim) { return static_cast<int64_t>(dim); };
    return {{Dim::W, number(w)}, {Dim::H, number(h)}, {Dim::C, number(c)}, {Dim::N, number(n)}, {Dim::D, number(d)}};
  }

  Data* merged_input() {
    Data* apart = reshaped_input({k_, k_, channels_, steps_.w, steps_.h});
    Data* permuted = p_.duplicate(in_, "@permute-batch", DataDesc({k_, steps_.w, k_, steps_.h, channels_}));
    add_permute(p_, permuted->name, fc_->layer, apart, permuted, mapping(Dim::W, Dim::C, Dim::N, Dim::D, Dim::H));
    Data* merged = p_.duplicate(in_, "@merge-batch", DataDesc({k_ * steps_.w, k_ * steps_.h, channels_, 1}));
    add_reshape(p_, merged->name, fc_->layer, permuted, merged);
    return merged;
  }

  Data* merged_output() {
    Data* apart = reshaped_output({1, 1, out_channels_, steps_.w, steps_.h});
    Data* permuted = p_.duplicate(out_, "@permute-batch", DataDesc({1, steps_.w, 1, steps_.h, out_channels_}));
    add_permute(p_, permuted->name, fc_->layer, permuted, apart, mapping(Dim::W, Dim::D, Dim::H, Dim::C, Dim::N));
    Data* merged = p_.duplicate(out_, "@merge-batch", DataDesc({steps_.w, steps_.h, out_channels_, 1}));
    add_reshape(p_, merged->name, fc_->layer, merged, permuted);
    return merged;
  }

  Program& p_;
  Stage* fc_;
  Data *in_, *out_;
  int64_t batch_ = 1, k_ = 1, channels_ = 1, out_channels_ = 1;
  BatchSteps steps_;
};

}  // namespace

void replace_fc_by_conv(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (!s->is(StageType::StubFullyConnected) || !tries_hw(*s)) return;
    const int rank = s->input(0)->desc.rank();
    if (rank == 2 || rank == 4) FcReplacer(p, s).run();
  });
}

}  // namespace blobsmith::vpu
