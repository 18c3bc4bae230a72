// The stages that take the place of a tiled convolution (hw-tiling spec §8). The order in which data and stages are
// made decides their ids, hence the order of the blob.
#include "vpu/nce/conv_stages.hpp"

#include <algorithm>

#include "vpu/nce/hw_stage.hpp"
#include "vpu/nce/stub.hpp"
#include "vpu/nce/tiles.hpp"
#include "vpu/nce/weights_layout.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu::nce {
namespace {

/// The pooling that was merged into `stub`, as a stub of its own.
void add_merged_pool(Program& p, const Stage& stub, Data* in, Data* out) {
  StubSpec spec;
  spec.window = stub.get<StubSpec>().post.pool_window;
  spec.try_hw = true;
  p.add_stage(stub.name + "@Pool", StageType::StubMaxPool, stub.layer, {in}, {out})->set(spec);
}

Data* add_conv_output(Program& p, const std::string& name, const DataDesc& desc, const Data* final_output) {
  Data* d = p.add_data(name, desc);
  d->marks = final_output->marks;
  return d;
}

class ConvBuilder {
 public:
  ConvBuilder(Program& p, const Stage& stub, const ConvTiling& tiling, HwConstantsByWeights& constants)
      : p_(p),
        stub_(stub),
        tiling_(tiling),
        name_(stub.name),
        layer_(stub.layer),
        post_(stub.get<StubSpec>().post),
        window_(window_of(stub)),
        weights_(stub.input(kWeights)),
        biases_(stub.input(kBiases)),
        scales_(stub.input(kScales)),
        constants_(constants[weights_->id()]) {
    require_const(stub, kWeights);
    for (int port : {kBiases, kScales})
      if (!is_fake(stub.input(port))) require_const(stub, port);
  }

  void build(Data* input, Data* output, bool pool_apart) {
    with_pool_ = post_.pool && !pool_apart;
    input_ = extended_input(input);
    output_ = output;
    make_biases_and_scales();
    for (size_t row = 0; row < tiling_.rows.size(); ++row)
      for (size_t column = 0; column < tiling_.columns.size(); ++column) make_plane_tile(row, column);
    if (!input_tiles_.empty()) input_tiles_.split(p_, name_, layer_, input_);
    if (!output_tiles_.empty()) output_tiles_.concat(p_, name_, layer_, output_);
  }

 private:
  struct PlaneTile {
    const AxisTile& row;
    const AxisTile& column;
    const OutputChannelTiling& mode;
    std::string suffix;
    Data* output;  ///< without junk
  };

  bool splits_plane() const { return tiling_.plane_tiles() > 1; }
  bool splits_channels() const { return tiling_.channel_tiles > 1; }

  Data* extended_input(Data* input) {
    int64_t widest = 0;
    for (const OutputChannelTiling& m : tiling_.modes) widest = std::max(widest, m.extended_in_channels);
    const int64_t total = (tiling_.channel_tiles - 1) * tiling_.tile_channels + widest;
    if (total <= input->desc.dim(Dim::C)) return input;
    Data* extended = p_.duplicate(input, "@extended", input->desc.with_dim(Dim::C, total));
    add_expand(p_, name_ + "@expand-input", layer_, input, extended);
    return extended;
  }

  void make_biases_and_scales() {
    int64_t channels = 0;
    for (const OutputChannelTiling& m : tiling_.modes) channels = std::max(channels, m.extended_out_channels);
    const DataDesc desc({channels});
    const bool has_biases = !is_fake(biases_), has_scales = !is_fake(scales_);
    if (!constants_.biases)
      constants_.biases = has_biases ? p_.duplicate(biases_, "@HW", desc, padded_with_zeros(biases_->content, channels))
                                     : p_.add_fake();
    if (constants_.scales) return;
    // A leaky ReLU works on sums that are scaled by its slope; summed over channel tiles it is a stage of its own.
    const bool scaled_by_relu = !splits_channels() && post_.relu_scale != 1.0f;
    if (has_scales) {
      constants_.scales = p_.duplicate(scales_, "@HW", desc, padded_with_zeros(scales_->content, channels));
      if (scaled_by_relu)
        constants_.scales = p_.duplicate(constants_.scales, "@HW", desc,
                                         contents::scaled(constants_.scales->content, post_.relu_scale));
    } else {
      constants_.scales = scaled_by_relu
                              ? p_.add_const(name_ + "@scales", desc, contents::replicated(post_.relu_scale, channels))
                              : p_.add_fake();
    }
  }

  void make_plane_tile(size_t row, size_t column) {
    PlaneTile t{tiling_.rows[row], tiling_.columns[column], tiling_.mode(row, column),
                tile_suffix("soh", row, tiling_.rows.size()) + tile_suffix("sow", column, tiling_.columns.size()),
                output_};
    if (splits_plane()) {
      t.output =
          p_.duplicate(output_, t.suffix,
                       resized(output_->desc, {{Dim::W, t.column.output_length()}, {Dim::H, t.row.output_length()}}));
      output_tiles_.add(t.output, {{Dim::W, t.column.output_start}, {Dim::H, t.row.output_start}});
    }
    t.output = aligned_output(p_, name_ + t.suffix, layer_, t.output, t.column, "HWConvTiler::output");
    Data* sum = nullptr;
    for (int64_t c = 0; c < tiling_.channel_tiles; ++c) make_channel_tile(t, c, sum);
  }

  /// `sum`: what the channel tiles so far add up to.
  void make_channel_tile(const PlaneTile& t, int64_t c, Data*& sum) {
    const std::string channel_suffix =
        tile_suffix("soc", static_cast<size_t>(c), static_cast<size_t>(tiling_.channel_tiles));
    const std::string stage_name = name_ + t.suffix + channel_suffix;
    Data* in = input_;
    if (splits_plane() || splits_channels()) {
      const DimValues sizes{
          {Dim::W, t.column.input_with_junk}, {Dim::H, t.row.input_with_junk}, {Dim::C, t.mode.extended_in_channels}};
      in = p_.duplicate(input_, t.suffix + channel_suffix, resized(input_->desc, sizes));
      input_tiles_.add(
          in, {{Dim::W, t.column.input_start}, {Dim::H, t.row.input_start}, {Dim::C, c * tiling_.tile_channels}});
    }
    in = aligned_input(p_, stage_name, layer_, in, t.column, "HWConvTiler::input");
    Data* out = splits_channels() ? partial_output(t, c, channel_suffix, stage_name, sum) : t.output;
    out = output_with_junk(p_, stage_name, layer_, out, t.row, t.column);
    Data* weights = weights_of(t, c, channel_suffix);
    Data* biases = c == 0 ? constants_.biases : p_.add_fake();
    Stage* s =
        p_.add_stage(stage_name, StageType::MyriadXHwOp, layer_, {in, weights, biases, constants_.scales}, {out});
    s->set(description(t, *in, *out));
  }

  /// The output of one channel tile, and the stages that add it to the sum; after the last one the activations.
  Data* partial_output(const PlaneTile& t, int64_t c, const std::string& channel_suffix, const std::string& stage_name,
                       Data*& sum) {
    const bool last = c == tiling_.channel_tiles - 1;
    Data* partial = p_.duplicate(t.output, channel_suffix + "@partial");
    if (c == 0) {
      sum = partial;
    } else {
      Data* accumulated =
          !last || post_.relu || post_.clamp ? p_.duplicate(t.output, channel_suffix + "@accum") : t.output;
      add_sum(p_, stage_name + "@accum", layer_, sum, partial, accumulated);
      sum = accumulated;
    }
    if (last && post_.relu) add_relu(p_, stage_name + "@ReLU", layer_, post_.negative_slope, sum, t.output);
    if (last && post_.clamp) add_clamp(p_, stage_name + "@Clamp", layer_, 0.0, post_.clamp_max, sum, t.output);
    return partial;
  }

  Data* weights_of(const PlaneTile& t, int64_t c, const std::string& channel_suffix) {
    Data*& made = constants_.weights[c];
    if (made) return made;  // quirk: also when this plane tile's mode wants other extended channels
    const DataDesc& source = weights_->desc;
    const int64_t positions = window_.kernel_x * window_.kernel_y;
    const WeightsShape shape{source.dim(Dim::N), source.dim(Dim::C), positions};
    const int64_t first = c * tiling_.tile_channels, count = tiling_.tile_channels,
                  extended_in = t.mode.extended_in_channels, extended_out = t.mode.extended_out_channels;
    Bytes content =
        p_.computed("hw_weights", weights_->content,
                    {shape.out_channels, shape.in_channels, positions, first, count, extended_in, extended_out},
                    [&] { return hw_weights(weights_->content, shape, first, count, extended_in, extended_out); });
    const DataDesc desc({kOutputChannelGroup, positions, t.mode.extended_in_channels,
                         t.mode.extended_out_channels / kOutputChannelGroup});
    made = p_.duplicate(weights_, "@HW" + channel_suffix, desc, std::move(content));
    return made;
  }

  HwStage description(const PlaneTile& t, const Data& in, const Data& out) const {
    HwStage h;
    h.op = with_pool_ ? HwOpType::ConvPool : HwOpType::Conv;
    h.kernel_x = window_.kernel_x;
    h.kernel_y = window_.kernel_y;
    h.stride = window_.stride_x;
    const int64_t grow = with_pool_ ? 2 : 1;
    const PlaneSize in_size{in.desc.dim(Dim::W), in.desc.dim(Dim::H)},
        out_size{out.desc.dim(Dim::W) * grow, out.desc.dim(Dim::H) * grow};
    h.pad = required_padding(in_size, out_size, h.kernel_x, h.kernel_y, h.stride, window_.pad_left, window_.pad_top);
    h.tiling = t.mode;
    if (with_pool_) {
      h.pool_kernel_x = post_.pool_window.kernel_x;
      h.pool_kernel_y = post_.pool_window.kernel_y;
    }
    h.partial = splits_channels();
    h.relu = post_.relu && !h.partial;
    h.clamp = post_.clamp && !h.partial;
    h.a0 = post_.a0;
    h.a1 = post_.a1;
    h.negative_slope = post_.negative_slope;
    h.clamp_max = post_.clamp_max;
    h.scale_factor = stub_.get<StubSpec>().scale_factor;
    return h;
  }

  Program& p_;
  const Stage& stub_;
  const ConvTiling& tiling_;
  const std::string& name_;
  const LayerPtr& layer_;
  PostOps post_;
  Window window_;
  Data *weights_, *biases_, *scales_;
  HwConstants& constants_;
  bool with_pool_ = false;
  Data *input_ = nullptr, *output_ = nullptr;
  TileList input_tiles_, output_tiles_;
};

}  // namespace

void make_conv_stages(Program& p, Stage* stub, const ConvTiling& tiling, bool pool_apart,
                      HwConstantsByWeights& constants) {
  Data* input = stub->input(kData);
  Data* output = stub->output();
  const DataDesc conv_desc = conv_output_desc(*stub);
  ConvBuilder builder(p, *stub, tiling, constants);
  p.disconnect(stub);
  if (pool_apart) {
    Data* conv_output = add_conv_output(p, stub->name, conv_desc, output);
    add_merged_pool(p, *stub, conv_output, output);
    output = conv_output;
  }
  builder.build(input, output, pool_apart);
  p.remove(stub);
}

void leave_conv_to_software(Program& p, Stage* stub) {
  stub->change<StubSpec>([](StubSpec& spec) { spec.try_hw = false; });
  const PostOps post = stub->get<StubSpec>().post;
  if (!post.any()) return;
  const DataDesc desc = conv_output_desc(*stub);
  Data* output = stub->output();
  // A tile of a split convolution still has the description of the whole output. The reference makes the intermediate
  // output that large and then reads past the end of the weights: what its blob holds there is chance.
  if (desc.dim(Dim::C) != output->desc.dim(Dim::C))
    throw cannot_compile(*stub,
                         "a part of this split convolution does not fit into the CMX memory for tiles, and software "
                         "can't compute it alone");
  Data* current = add_conv_output(p, stub->name, desc, output);
  p.replace_output(stub, 0, current);
  const auto next_output = [&](const char* postfix) {
    return post.pool ? add_conv_output(p, stub->name + postfix, desc, output) : output;
  };
  if (post.relu) {
    Data* next = next_output("@ReLU");
    add_relu(p, stub->name + "@ReLU", stub->layer, post.negative_slope, current, next);
    current = next;
  }
  if (post.clamp) {
    Data* next = next_output("@Clamp");
    add_clamp(p, stub->name + "@Clamp", stub->layer, 0.0, post.clamp_max, current, next);
    current = next;
  }
  if (post.pool) add_merged_pool(p, *stub, current, output);
}

}  // namespace blobsmith::vpu::nce
