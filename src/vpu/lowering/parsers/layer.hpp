// What a layer parser works with: one layer of the network, its data, and the program to add stages to.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "vpu/lowering/lowering.hpp"
#include "vpu/program/builders.hpp"

namespace blobsmith::vpu {

class LayerContext {
 public:
  LayerContext(Lowering& l, const NetworkLayer& n);

  Lowering& lowering;
  Program& program;
  const CompileOptions& options;
  const NetworkLayer& layer;
  LayerPtr origin;
  std::vector<Data*> inputs;
  std::vector<Data*> outputs;  ///< null where nothing reads the value

  const Node& node() const { return *layer.node; }
  const Attributes& attrs() const { return layer.node->attrs; }
  const std::string& name() const { return layer.name; }
  /// Input 0 and output 0, for layers that have one of each.
  Data* in() const { return inputs.at(0); }
  Data* out() const { return outputs.at(0); }
  std::vector<Data*> used_outputs() const;

  [[noreturn]] void fail(std::string_view what) const { throw cannot_compile(name(), layer.type, what); }
  void require(bool condition, std::string_view what) const {
    if (!condition) fail(what);
  }
  /// The reference's plain assertion.
  void check(bool condition, std::string_view text) const {
    if (!condition) fail("AssertionFailed: " + std::string(text));
  }
  /// Fails unless the layer has so many inputs and outputs, all of them used.
  void expect_ports(size_t input_count, size_t output_count) const;

  /// Attributes as the layer holds them: real numbers through text, strings in lower case.
  double real(std::string_view attribute, double fallback) const;
  double real(std::string_view attribute) const;
  std::string text(std::string_view attribute, std::string_view fallback = "") const;

  /// A constant that the node reads at a port; fails with `what` when it is none.
  const Tensor& constant(int port, std::string_view what) const;
  bool has_constant(int port) const { return port < node().input_count() && node().input(port).node->is_constant(); }
  /// The integers of a constant input.
  std::vector<int64_t> integers(int port, std::string_view what) const { return constant(port, what).to_i64(); }
  /// The same, of exactly one number.
  int64_t integer(int port, std::string_view what) const;
  void require_rank(const Data* d, int min, int max) const;

  /// FP16 constant `<layer><postfix>`.
  Data* add_weights(std::string_view postfix, const std::vector<int64_t>& innermost_first, const Tensor& t);

  Stage* add_stage(StageType type, std::vector<Data*> ins, std::vector<Data*> outs) {
    return program.add_stage(name(), type, origin, std::move(ins), std::move(outs));
  }
  Stage* add_stage(StageType type) { return add_stage(type, {in()}, {out()}); }

  /// Framework axis of a tensor as a dimension.
  Dim axis_dim(const Data* d, int64_t axis) const;
};

using LayerParser = void (*)(LayerContext&);
/// By type in any letter case; null when the type can't be lowered.
LayerParser find_parser(std::string_view layer_type);
/// All layer types that can be lowered.
std::vector<std::string_view> parsed_layer_types();

// One function per layer family; each adds the layer's stages (front-end spec §9).
void parse_convolution(LayerContext&);
void parse_deconvolution(LayerContext&);
void parse_pooling(LayerContext&);
void parse_fully_connected(LayerContext&);
void parse_relu(LayerContext&);
void parse_prelu(LayerContext&);
void parse_clamp(LayerContext&);
void parse_elu(LayerContext&);
void parse_swish(LayerContext&);
void parse_round(LayerContext&);
void parse_unary(LayerContext&);
void parse_activation(LayerContext&);
void parse_power(LayerContext&);
void parse_scale_shift(LayerContext&);
void parse_eltwise(LayerContext&);
void parse_select(LayerContext&);
void parse_concat(LayerContext&);
void parse_split(LayerContext&);
void parse_reshape(LayerContext&);
void parse_crop(LayerContext&);
void parse_strided_slice(LayerContext&);
void parse_tile(LayerContext&);
void parse_permute(LayerContext&);
void parse_pad(LayerContext&);
void parse_convert(LayerContext&);
void parse_gather(LayerContext&);
void parse_gather_nd(LayerContext&);
void parse_gather_elements(LayerContext&);
void parse_scatter_update(LayerContext&);
void parse_scatter_elements_update(LayerContext&);
void parse_reverse_sequence(LayerContext&);
void parse_one_hot(LayerContext&);
void parse_softmax(LayerContext&);
void parse_lrn(LayerContext&);
void parse_normalize(LayerContext&);
void parse_mvn(LayerContext&);
void parse_grn(LayerContext&);
void parse_gemm(LayerContext&);
void parse_reduce(LayerContext&);
void parse_topk(LayerContext&);
void parse_interp(LayerContext&);
void parse_resample(LayerContext&);
void parse_interpolate(LayerContext&);
void parse_region_yolo(LayerContext&);
void parse_reorg_yolo(LayerContext&);
void parse_prior_box(LayerContext&);
void parse_detection_output(LayerContext&);
void parse_proposal(LayerContext&);
void parse_roi_pooling(LayerContext&);
void parse_psroi_pooling(LayerContext&);
void parse_roi_align(LayerContext&);
void parse_ctc_decoder(LayerContext&);
void parse_ctc_decoder_seq_len(LayerContext&);
void parse_exp_detection_output(LayerContext&);
void parse_exp_generate_proposals(LayerContext&);
void parse_exp_topk_rois(LayerContext&);
void parse_roi_feature_extractor(LayerContext&);
void parse_lstm_cell(LayerContext&);
void parse_lstm_sequence(LayerContext&);
void parse_tensor_iterator(LayerContext&);
void parse_non_zero(LayerContext&);
void parse_static_shape_nms(LayerContext&);
void parse_broadcast(LayerContext&);
void parse_out_shape_of_reshape(LayerContext&);
void parse_dynamic_shape_resolver(LayerContext&);

}  // namespace blobsmith::vpu
