// The stages that take the place of a tiled pooling (hw-tiling spec §9). The batch is cut as the channels of a
// convolution are: the engine sees batch x channels planes.
#include "vpu/nce/pool_stages.hpp"

#include "vpu/nce/hw_stage.hpp"
#include "vpu/nce/stub.hpp"
#include "vpu/nce/tiles.hpp"

namespace blobsmith::vpu::nce {
namespace {

class PoolBuilder {
 public:
  PoolBuilder(Program& p, const Stage& stub, const PoolTiling& tiling)
      : p_(p),
        tiling_(tiling),
        name_(stub.name),
        layer_(stub.layer),
        geometry_(pool_geometry_of(stub)),
        input_(stub.input(kData)),
        output_(stub.output()) {
    stage_.op = HwOpType::Pool;
    stage_.pool_type = stub.is(StageType::StubMaxPool) ? HwPoolType::Max : HwPoolType::Average;
    stage_.kernel_x = geometry_.plane.kernel_x;
    stage_.kernel_y = geometry_.plane.kernel_y;
    stage_.stride = geometry_.plane.stride;
    stage_.relu = stub.get<StubSpec>().post.relu;
    stage_.tiling.mode = kPoolMode;
    stage_.tiling.channels_per_descriptor = kPoolChannelsPerDescriptor;
    stage_.tiling.descriptors = ceil_div(geometry_.channels * tiling.tile_batch, kPoolChannelsPerDescriptor);
  }

  void build() {
    for (size_t row = 0; row < tiling_.rows.size(); ++row)
      for (size_t column = 0; column < tiling_.columns.size(); ++column)
        for (int64_t b = 0; b < tiling_.batch_tiles; ++b) make_tile(row, column, b);
    if (!input_tiles_.empty()) input_tiles_.split(p_, name_, layer_, input_);
    if (!output_tiles_.empty()) output_tiles_.concat(p_, name_, layer_, output_);
  }

 private:
  bool is_whole() const { return tiling_.rows.size() == 1 && tiling_.columns.size() == 1 && tiling_.batch_tiles == 1; }

  void make_tile(size_t row_index, size_t column_index, int64_t b) {
    const AxisTile& row = tiling_.rows[row_index];
    const AxisTile& column = tiling_.columns[column_index];
    const std::string suffix = tile_suffix("soh", row_index, tiling_.rows.size()) +
                               tile_suffix("sow", column_index, tiling_.columns.size()) +
                               tile_suffix("soc", static_cast<size_t>(b), static_cast<size_t>(tiling_.batch_tiles));
    const std::string stage_name = name_ + suffix;
    const int64_t start = b * tiling_.tile_batch;
    Data *in = input_, *out = output_;
    if (!is_whole()) {
      in = p_.duplicate(
          input_, suffix,
          resized(input_->desc,
                  {{Dim::W, column.input_with_junk}, {Dim::H, row.input_with_junk}, {Dim::N, tiling_.tile_batch}}));
      input_tiles_.add(in, {{Dim::W, column.input_start}, {Dim::H, row.input_start}, {Dim::N, start}});
    }
    in = aligned_input(p_, stage_name, layer_, in, column, "HWPoolTiler::input");
    if (!is_whole()) {
      out = p_.duplicate(
          output_, suffix,
          resized(output_->desc,
                  {{Dim::W, column.output_length()}, {Dim::H, row.output_length()}, {Dim::N, tiling_.tile_batch}}));
      output_tiles_.add(out, {{Dim::W, column.output_start}, {Dim::H, row.output_start}, {Dim::N, start}});
    }
    out = aligned_output(p_, stage_name, layer_, out, column, "HWPoolTiler::output");
    out = output_with_junk(p_, stage_name, layer_, out, row, column);
    Data *weights = p_.add_fake(), *biases = p_.add_fake(), *scales = p_.add_fake();
    Stage* s = p_.add_stage(stage_name, StageType::MyriadXHwOp, layer_, {in, weights, biases, scales}, {out});
    stage_.pad = padding(row, column);
    s->set(stage_);
  }

  /// At the end of the plane the pads are the stub's, elsewhere what the window lacks: that may be negative.
  Padding padding(const AxisTile& row, const AxisTile& column) const {
    const PlaneGeometry& g = geometry_.plane;
    const auto missing = [&](const AxisTile& t, int64_t kernel, int64_t before) {
      return (t.output_with_junk - 1) * g.stride + kernel - t.input_with_junk - before;
    };
    Padding pad = g.pad;
    if (column.input_end < g.in.w) pad.right = missing(column, g.kernel_x, g.pad.left);
    if (row.input_end < g.in.h) pad.bottom = missing(row, g.kernel_y, g.pad.top);
    return pad;
  }

  Program& p_;
  const PoolTiling& tiling_;
  const std::string& name_;
  const LayerPtr& layer_;
  PoolGeometry geometry_;
  Data *input_, *output_;
  HwStage stage_;  // of every tile, but for the padding
  TileList input_tiles_, output_tiles_;
};

}  // namespace

void make_pool_stages(Program& p, Stage* stub, const PoolTiling& tiling) {
  PoolBuilder builder(p, *stub, tiling);
  p.disconnect(stub);
  builder.build();
  p.remove(stub);
}

void leave_pool_to_software(Program& p, Stage* stub) {
  stub->change<StubSpec>([](StubSpec& spec) { spec.try_hw = false; });
  if (!stub->get<StubSpec>().post.relu) return;
  Data* output = stub->output();
  Data* pooled = p.add_data(stub->name, output->desc);
  pooled->marks = output->marks;
  p.replace_output(stub, 0, pooled);
  add_relu(p, stub->name + "@ReLU", stub->layer, 0.0, pooled, output);
}

}  // namespace blobsmith::vpu::nce
