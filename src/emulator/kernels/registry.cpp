// Stage type -> kernel. Missing: Custom (115) and MTCNN (69), whose work is machine code or whole blobs inside the blob.
#include <array>
#include <utility>

#include "emulator/kernels/kernels.hpp"

namespace blobsmith::emulator {
namespace {

using enum vpu::StageType;

constexpr std::pair<vpu::StageType, Kernel> kKernels[] = {
    {MyriadXHwOp, run_hardware},
    {None, run_none}, {Copy, run_copy}, {Convert, run_convert}, {Permute, run_permute}, {Pad, run_pad}, {Tile, run_tile}, {Concat, run_concat}, {Broadcast, run_broadcast},
    {StridedSlice, run_strided_slice}, {Upsampling, run_upsampling}, {HwFcRelayout, run_hw_fc_relayout},
    {Gather, run_gather}, {GatherND, run_gather_nd}, {GatherElements, run_gather_elements}, {ScatterUpdate, run_scatter_update}, {ScatterElementsUpdate, run_scatter_elements},
    {ReverseSequence, run_reverse_sequence}, {OneHot, run_one_hot}, {NonZero, run_non_zero}, {OutShapeOfReshape, run_out_shape_of_reshape},
    {Relu, run_unary}, {LeakyRelu, run_unary}, {Sigmoid, run_unary}, {Tanh, run_unary}, {Elu, run_unary}, {Power, run_unary}, {Clamp, run_unary}, {Log, run_unary}, {Exp, run_unary},
    {Floor, run_unary}, {Ceiling, run_unary}, {Round, run_unary}, {Erf, run_unary}, {Mish, run_unary}, {Gelu, run_unary}, {SoftPlus, run_unary}, {Swish, run_unary}, {HSwish, run_unary},
    {Bias, run_channel_op}, {Scale, run_channel_op}, {ScaleShift, run_channel_op}, {PRelu, run_channel_op}, {BiasRelu, run_channel_op}, {BiasLeakyRelu, run_channel_op}, {SCRelu, run_screlu},
    {Sum, run_eltwise}, {Prod, run_eltwise}, {Max, run_eltwise}, {Div, run_eltwise}, {Min, run_eltwise}, {Squared_diff, run_eltwise}, {Equal, run_eltwise}, {Not_equal, run_eltwise},
    {Greater, run_eltwise}, {Greater_equal, run_eltwise}, {Less, run_eltwise}, {Less_equal, run_eltwise}, {Logical_NOT, run_eltwise}, {Logical_AND, run_eltwise}, {Logical_OR, run_eltwise},
    {Logical_XOR, run_eltwise}, {Pow, run_eltwise}, {Floor_mod, run_eltwise}, {Select, run_eltwise}, {Abs, run_eltwise},
    {Conv, run_software_convolution}, {Im2ColConvolution, run_software_convolution}, {RefConvolution, run_software_convolution}, {DepthConv, run_depth_convolution},
    {Deconvolution, run_deconvolution}, {DepthDeconv, run_deconvolution}, {ConvND, run_convolution_nd},
    {MaxPool, run_software_pool}, {AvgPool, run_software_pool}, {GlobalMaxPool, run_software_pool}, {PoolND, run_pool_nd}, {FC, run_fully_connected}, {GEMM, run_gemm},
    {SoftMax, run_softmax}, {LRN, run_lrn}, {InnerLRN, run_lrn}, {Normalize, run_normalize}, {GRN, run_grn}, {MVN, run_mvn}, {Interp, run_interp}, {Resample, run_resample},
    {ReduceAnd, run_reduce}, {ReduceMin, run_reduce}, {ReduceMax, run_reduce}, {ReduceSum, run_reduce}, {ReduceMean, run_reduce}, {TopK, run_top_k}, {LSTMCell, run_lstm},
    {DetectionOutput, run_detection_output}, {StaticShapeNMS, run_static_shape_nms}, {Proposal, run_proposal}, {ExpGenerateProposals, run_generate_proposals},
    {ExpDetectionOutput, run_exp_detection_output}, {ExpTopKROIs, run_exp_top_k_rois}, {ExpPriorGridGenerator, run_prior_grid_generator}, {ROIPooling, run_roi_pooling},
    {PSROIPooling, run_psroi_pooling}, {ROIAlign, run_roi_align}, {ROIFeatureExtractor, run_roi_feature_extractor}, {RegionYolo, run_region_yolo}, {ReorgYolo, run_reorg_yolo},
    {CTCDecoder, run_ctc_decoder}, {CTCGreedyDecoderSeqLen, run_ctc_greedy_decoder_seq_len},
};

}  // namespace

Kernel find_kernel(StageType type) {
  for (const auto& [t, kernel] : kKernels)
    if (t == type) return kernel;
  return nullptr;
}

}  // namespace blobsmith::emulator
