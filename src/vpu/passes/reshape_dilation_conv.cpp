// A dilated convolution becomes ordinary ones over the sub-grids of its input (middle-end spec §3.15).
#include <algorithm>

#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

constexpr int64_t kAlignment = 8;      ///< FP16 elements of a 16-byte row
constexpr float kMaxExtension = 1.8f;  ///< how much the padding of the input may cost

DimValues moved(Dim w, Dim h, Dim c, Dim n) {
  const auto number = [](Dim d) { return static_cast<int64_t>(d); };
  return {{Dim::W, number(w)}, {Dim::H, number(h)}, {Dim::C, number(c)}, {Dim::N, number(n)}};
}

/// Everything about one axis that does not depend on the other.
struct Axis {
  int64_t dilation = 1, in = 1, extended = 1;
  int64_t steps = 1;   ///< sub-tensors along the axis
  int64_t stride = 1;  ///< of the ordinary convolutions
};

Axis make_axis(int64_t dilation, int64_t stride, int64_t in, int64_t alignment) {
  Axis a{dilation, in, ceil_div(in, dilation * alignment) * dilation * alignment, 1, 1};
  a.steps = std::max<int64_t>(dilation / stride, 1);
  a.stride = dilation / stride > 1 ? 1 : stride / dilation;
  return a;
}

float extension_of(const Axis& x, const Axis& y) {
  return std::max(static_cast<float>(x.extended) / static_cast<float>(x.in),
                  static_cast<float>(y.extended) / static_cast<float>(y.in));
}

bool is_reshapable(const Stage& s, const Window& w, const Axis& x, const Axis& y) {
  const auto multiples = [](int64_t a, int64_t b) { return std::max(a, b) % std::min(a, b) == 0; };
  const DataDesc& in = s.input(0)->desc;
  return s.get<StubSpec>().groups == 1 && w.pad_left % w.dilation_x == 0 && w.pad_top % w.dilation_y == 0 &&
         multiples(w.dilation_x, w.stride_x) && multiples(w.dilation_y, w.stride_y) && in.dim(Dim::N, 1) == 1 &&
         in.order == orders::NCHW && s.output()->desc.order == orders::NCHW && extension_of(x, y) < kMaxExtension;
}

class DilationReshaper {
 public:
  DilationReshaper(Program& p, Stage* conv, const Axis& x, const Axis& y)
      : p_(p),
        conv_(conv),
        in_(conv->input(0)),
        out_(conv->output()),
        ports_(conv->inputs()),
        w_(window_of(*conv)),
        x_(x),
        y_(y) {
    in_c_ = in_->desc.dim(Dim::C);
    out_c_ = out_->desc.dim(Dim::C);
    new_window_ = {w_.kernel_x,
                   w_.kernel_y,
                   x.stride,
                   y.stride,
                   w_.pad_left / x.dilation,
                   w_.pad_right / x.dilation,
                   w_.pad_top / y.dilation,
                   w_.pad_bottom / y.dilation,
                   1,
                   1};
    sub_w_ = x.extended / x.dilation;
    sub_h_ = y.extended / y.dilation;
    size_outputs();
  }

  void run() {
    check_part_count(*conv_, x_.steps * y_.steps);
    p_.disconnect(conv_);
    Data* grids = gather_grids(extended_input());
    make_parts();
    add_split(p_, conv_->name + "@split", conv_->layer, split_offsets_, grids, part_ins_);
    for (size_t i = 0; i < part_ins_.size(); ++i) add_part_conv(i);
    scatter_grids();
    p_.remove(conv_);
  }

 private:
  /// Outputs of the sub-convolutions: real (as concatenated) and rounded (as computed).
  void size_outputs() {
    tensors_w_ =
        ((x_.extended + w_.pad_left + w_.pad_right - x_.dilation * (w_.kernel_x - 1) - 1 + w_.stride_x) / w_.stride_x) /
        x_.steps;
    tensors_h_ =
        (y_.extended + w_.pad_top + w_.pad_bottom - y_.dilation * (w_.kernel_y - 1) - 1 + w_.stride_y) / w_.stride_y;
    Window& n = new_window_;
    real_w_ = (sub_w_ + n.pad_left + n.pad_right - n.kernel_x) / n.stride_x + 1;
    real_h_ = (sub_h_ + n.pad_top + n.pad_bottom - n.kernel_y) / n.stride_y + 1;
    if (real_w_ != tensors_w_) {
      real_w_ = tensors_w_;
      n.pad_right = (real_w_ - 1) * n.stride_x + n.kernel_x - n.pad_left - sub_w_;
    }
    if (real_h_ != tensors_h_ / y_.steps) {
      real_h_ = tensors_h_ / y_.steps;
      n.pad_bottom = (tensors_h_ - 1) * n.stride_y + n.kernel_y - n.pad_top - sub_h_;
    }
    rounded_w_ = align_up(real_w_, kAlignment);
    if (rounded_w_ != real_w_) n.pad_right = (rounded_w_ - 1) * n.stride_x + n.kernel_x - n.pad_left - sub_w_;
  }

  Data* make(const Data* like, const std::string& postfix, const std::vector<int64_t>& dims) {
    return p_.duplicate(like, postfix, DataDesc(dims));
  }

  Data* extended_input() {
    if (x_.extended == x_.in && y_.extended == y_.in) return in_;
    Data* d = make(in_, "@extended", {x_.extended, y_.extended, in_c_, in_->desc.dim(Dim::N)});
    const DimValues none{{Dim::W, 0}, {Dim::H, 0}, {Dim::C, 0}, {Dim::N, 0}};
    DimValues end = none;
    end.set(Dim::W, x_.extended - x_.in);
    end.set(Dim::H, y_.extended - y_.in);
    add_pad(p_, conv_->name + "@pad", conv_->layer, in_, d, PadMode::Constant, 0.0f, none, end);
    return d;
  }

  Data* gather_grids(Data* extended) {
    Data* apart = make(in_, "@reshape", {x_.dilation, sub_w_, y_.extended, in_c_});
    add_reshape(p_, conv_->name + "@reshape-in", conv_->layer, extended, apart);
    Data* permuted = make(in_, "@permute", {sub_w_, y_.extended, in_c_, x_.dilation});
    add_permute(p_, conv_->name + "@permute-in", conv_->layer, apart, permuted, moved(Dim::H, Dim::C, Dim::N, Dim::W));
    Data* grids = make(in_, "@grids", {sub_w_ * y_.dilation, sub_h_, in_c_, x_.dilation});
    add_reshape(p_, conv_->name + "@reshape-grids", conv_->layer, permuted, grids);
    return grids;
  }

  void make_parts() {
    for (int64_t x = 0; x < x_.dilation; x += x_.dilation / x_.steps) {
      for (int64_t y = 0; y < y_.dilation; y += y_.dilation / y_.steps) {
        const std::string postfix = "@grid(" + std::to_string(x) + "," + std::to_string(y) + ")";
        part_ins_.push_back(make(in_, postfix, {sub_w_, sub_h_, in_c_, 1}));
        split_offsets_.push_back(DimValues{{Dim::W, y * sub_w_}, {Dim::N, x}});
        part_outs_.push_back(make(out_, postfix, {real_w_, real_h_, out_c_, 1}));
        concat_offsets_.push_back(
            DimValues{{Dim::W, (y * y_.steps / y_.dilation) * real_w_}, {Dim::N, x * x_.steps / x_.dilation}});
      }
    }
  }

  void add_part_conv(size_t i) {
    const std::string name =
        conv_->name + "@part=" + part_of(static_cast<int64_t>(i) + 1, static_cast<int64_t>(part_ins_.size()));
    Data* computed = make(out_, "@conv", {rounded_w_, real_h_, out_c_, 1});
    Stage* s = add_convolution(p_, name, conv_->layer, part_ins_[i], ports_[1], ports_[2], ports_[3], computed);
    StubSpec stub;
    stub.window = new_window_;
    stub.try_hw = true;
    stub.scale_factor = conv_->get<StubSpec>().scale_factor;
    s->set(stub);
    if (rounded_w_ != real_w_)
      add_crop(p_, name + "@crop", conv_->layer, computed, part_outs_[i]);
    else
      part_outs_[i] = computed;
  }

  void scatter_grids() {
    const int64_t w = real_w_, h = tensors_h_ / y_.steps;
    Data* joined = make(out_, "@grids", {tensors_w_ * y_.steps, h, out_c_, x_.steps});
    add_concat(p_, conv_->name + "@concat", conv_->layer, concat_offsets_, part_outs_, joined);
    Data* tensors = make(out_, "@tensors", {w, tensors_h_, out_c_, x_.steps});
    add_reshape(p_, conv_->name + "@reshape-tensors", conv_->layer, joined, tensors);
    Data* permuted = make(out_, "@permute", {x_.steps, w, tensors_h_, out_c_});
    add_permute(p_, conv_->name + "@permute-out", conv_->layer, tensors, permuted,
                moved(Dim::N, Dim::W, Dim::H, Dim::C));
    if (x_.extended == x_.in && y_.extended == y_.in) {
      add_reshape(p_, conv_->name + "@reshape-out", conv_->layer, permuted, out_);
      return;
    }
    Data* whole = make(out_, "@extended", {x_.steps * w, tensors_h_, out_c_, 1});
    add_reshape(p_, conv_->name + "@reshape-out", conv_->layer, permuted, whole);
    add_crop(p_, conv_->name + "@crop", conv_->layer, whole, out_);
  }

  Program& p_;
  Stage* conv_;
  Data *in_, *out_;
  std::vector<Data*> ports_;
  Window w_, new_window_;
  Axis x_, y_;
  int64_t in_c_ = 1, out_c_ = 1, sub_w_ = 1, sub_h_ = 1;
  int64_t tensors_w_ = 1, tensors_h_ = 1, real_w_ = 1, real_h_ = 1, rounded_w_ = 1;
  std::vector<Data*> part_ins_, part_outs_;
  std::vector<DimValues> split_offsets_, concat_offsets_;
};

}  // namespace

void reshape_dilation_conv(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (!s->is(StageType::StubConv) || !tries_hw(*s)) return;
    const Window w = window_of(*s);
    if (!w.dilated()) return;
    const Axis x = make_axis(w.dilation_x, w.stride_x, s->input(0)->desc.dim(Dim::W), kAlignment),
               y = make_axis(w.dilation_y, w.stride_y, s->input(0)->desc.dim(Dim::H), 1);
    if (is_reshapable(*s, w, x, y))
      DilationReshaper(p, s, x, y).run();
    else
      s->change<StubSpec>([](StubSpec& stub) { stub.try_hw = false; });
  });
}

}  // namespace blobsmith::vpu
