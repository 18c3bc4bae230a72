// Layer types that can be lowered, with their parsers.
#include <algorithm>
#include <array>

#include "graph/ops/attribute_text.hpp"
#include "vpu/lowering/parsers/layer.hpp"

namespace blobsmith::vpu {
namespace {

struct Row {
  std::string_view type;
  LayerParser parser;
};
constexpr std::array kRows{
    Row{"Convolution", parse_convolution},
    Row{"Deconvolution", parse_deconvolution},
    Row{"Pooling", parse_pooling},
    Row{"FullyConnected", parse_fully_connected},
    Row{"ReLU", parse_relu},
    Row{"PReLU", parse_prelu},
    Row{"Clamp", parse_clamp},
    Row{"ELU", parse_elu},
    Row{"Swish", parse_swish},
    Row{"Round", parse_round},
    Row{"Sigmoid", parse_unary},
    Row{"TanH", parse_unary},
    Row{"Exp", parse_unary},
    Row{"Log", parse_unary},
    Row{"Erf", parse_unary},
    Row{"Floor", parse_unary},
    Row{"Ceiling", parse_unary},
    Row{"Mish", parse_unary},
    Row{"SoftPlus", parse_unary},
    Row{"Gelu", parse_unary},
    Row{"HSwish", parse_unary},
    Row{"Activation", parse_activation},
    Row{"Power", parse_power},
    Row{"ScaleShift", parse_scale_shift},
    Row{"Eltwise", parse_eltwise},
    Row{"Select", parse_select},
    Row{"Concat", parse_concat},
    Row{"Split", parse_split},
    Row{"Reshape", parse_reshape},
    Row{"Flatten", parse_reshape},
    Row{"Squeeze", parse_reshape},
    Row{"Unsqueeze", parse_reshape},
    Row{"StaticShapeReshape", parse_reshape},
    Row{"Crop", parse_crop},
    Row{"StridedSlice", parse_strided_slice},
    Row{"Tile", parse_tile},
    Row{"Permute", parse_permute},
    Row{"Pad", parse_pad},
    Row{"Convert", parse_convert},
    Row{"Gather", parse_gather},
    Row{"GatherND", parse_gather_nd},
    Row{"GatherElements", parse_gather_elements},
    Row{"ExpGatherElements", parse_gather_elements},
    Row{"ScatterUpdate", parse_scatter_update},
    Row{"ScatterElementsUpdate", parse_scatter_elements_update},
    Row{"ReverseSequence", parse_reverse_sequence},
    Row{"OneHot", parse_one_hot},
    Row{"SoftMax", parse_softmax},
    Row{"Norm", parse_lrn},
    Row{"Normalize", parse_normalize},
    Row{"MVN", parse_mvn},
    Row{"GRN", parse_grn},
    Row{"Gemm", parse_gemm},
    Row{"ReduceAnd", parse_reduce},
    Row{"ReduceMin", parse_reduce},
    Row{"ReduceMax", parse_reduce},
    Row{"ReduceSum", parse_reduce},
    Row{"ReduceMean", parse_reduce},
    Row{"TopK", parse_topk},
    Row{"StaticShapeTopK", parse_topk},
    Row{"Interp", parse_interp},
    Row{"Resample", parse_resample},
    Row{"Interpolate", parse_interpolate},
    Row{"RegionYolo", parse_region_yolo},
    Row{"ReorgYolo", parse_reorg_yolo},
    Row{"PriorBox", parse_prior_box},
    Row{"PriorBoxClustered", parse_prior_box},
    Row{"DetectionOutput", parse_detection_output},
    Row{"Proposal", parse_proposal},
    Row{"ROIPooling", parse_roi_pooling},
    Row{"PSROIPooling", parse_psroi_pooling},
    Row{"ROIAlign", parse_roi_align},
    Row{"CTCGreedyDecoder", parse_ctc_decoder},
    Row{"CTCGreedyDecoderSeqLen", parse_ctc_decoder_seq_len},
    Row{"ExperimentalDetectronDetectionOutput", parse_exp_detection_output},
    Row{"ExperimentalDetectronGenerateProposalsSingleImage", parse_exp_generate_proposals},
    Row{"ExperimentalDetectronTopKROIs", parse_exp_topk_rois},
    Row{"ExperimentalDetectronROIFeatureExtractor", parse_roi_feature_extractor},
    Row{"LSTMCell", parse_lstm_cell},
    Row{"LSTMSequence", parse_lstm_sequence},
    Row{"TensorIterator", parse_tensor_iterator},
    Row{"StaticShapeNonZero", parse_non_zero},
    Row{"StaticShapeNonMaxSuppression", parse_static_shape_nms},
    Row{"StaticShapeBroadcast", parse_broadcast},
    Row{"OutShapeOfReshape", parse_out_shape_of_reshape},
    Row{"DynamicShapeResolver", parse_dynamic_shape_resolver},
};

}  // namespace

std::vector<std::string_view> parsed_layer_types() {
  std::vector<std::string_view> types;
  for (const Row& r : kRows) types.push_back(r.type);
  return types;
}

LayerParser find_parser(std::string_view layer_type) {
  const auto it = std::ranges::find_if(kRows, [&](const Row& r) { return ops::same_caseless(r.type, layer_type); });
  return it == kRows.end() ? nullptr : it->parser;
}

}  // namespace blobsmith::vpu
