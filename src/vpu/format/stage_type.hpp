// The numeric stage types of a MyriadX blob (stages spec §1). Negative ones shape the data and never reach a blob.
#pragma once
#include <cstdint>
#include <optional>

namespace blobsmith::vpu {

// name, id
// clang-format off
#define BLOBSMITH_STAGE_TYPES(X) \
  X(StubConv, -99999) \
  X(StubMaxPool, -99998) \
  X(StubAvgPool, -99997) \
  X(StubFullyConnected, -99996) \
  X(StubDeconv, -99995) \
  X(StubPriorBox, -99994) \
  X(StubPriorBoxClustered, -99993) \
  X(StubConcat, -99992) \
  X(Split, -99991) \
  X(Reshape, -99990) \
  X(Expand, -99989) \
  X(Crop, -99988) \
  X(Empty, -1) \
  X(Conv, 0) \
  X(MaxPool, 1) \
  X(AvgPool, 2) \
  X(SoftMax, 3) \
  X(FC, 4) \
  X(None, 5) \
  X(Relu, 6) \
  X(DepthConv, 8) \
  X(Bias, 9) \
  X(PRelu, 10) \
  X(LRN, 11) \
  X(Sum, 12) \
  X(Prod, 13) \
  X(Max, 14) \
  X(Scale, 15) \
  X(InnerLRN, 18) \
  X(Copy, 19) \
  X(Sigmoid, 20) \
  X(Tanh, 21) \
  X(Deconvolution, 22) \
  X(Elu, 23) \
  X(Power, 26) \
  X(Tile, 28) \
  X(RegionYolo, 29) \
  X(ReorgYolo, 30) \
  X(Permute, 34) \
  X(Normalize, 35) \
  X(DetectionOutput, 37) \
  X(MyriadXHwOp, 38) \
  X(CTCDecoder, 43) \
  X(LeakyRelu, 44) \
  X(BiasRelu, 45) \
  X(BiasLeakyRelu, 46) \
  X(ScaleShift, 47) \
  X(Im2ColConvolution, 49) \
  X(HwFcRelayout, 56) \
  X(Clamp, 57) \
  X(RefConvolution, 58) \
  X(GlobalAvgPool, 59) \
  X(GlobalMaxPool, 60) \
  X(GRN, 61) \
  X(MVN, 62) \
  X(DepthDeconv, 63) \
  X(Proposal, 64) \
  X(ROIPooling, 65) \
  X(PSROIPooling, 66) \
  X(Interp, 67) \
  X(MTCNN, 69) \
  X(LSTMCell, 70) \
  X(Pad, 71) \
  X(Resample, 72) \
  X(Upsampling, 73) \
  X(Div, 75) \
  X(Min, 76) \
  X(Squared_diff, 77) \
  X(Equal, 78) \
  X(Not_equal, 79) \
  X(Greater, 80) \
  X(Greater_equal, 81) \
  X(Less, 82) \
  X(Less_equal, 83) \
  X(Logical_NOT, 84) \
  X(Logical_AND, 85) \
  X(Logical_OR, 86) \
  X(Logical_XOR, 87) \
  X(Pow, 88) \
  X(Floor_mod, 89) \
  X(Select, 90) \
  X(GEMM, 91) \
  X(Log, 92) \
  X(ReduceAnd, 93) \
  X(ReverseSequence, 94) \
  X(Gather, 100) \
  X(Exp, 101) \
  X(Floor, 102) \
  X(ScatterUpdate, 103) \
  X(TopK, 104) \
  X(ReduceMin, 105) \
  X(ExpDetectionOutput, 106) \
  X(ROIFeatureExtractor, 108) \
  X(SCRelu, 109) \
  X(Erf, 110) \
  X(Convert, 111) \
  X(ReduceMax, 112) \
  X(ReduceSum, 113) \
  X(ReduceMean, 114) \
  X(Custom, 115) \
  X(ConvND, 116) \
  X(OneHot, 117) \
  X(PoolND, 118) \
  X(LoopStart, 119) \
  X(LoopEnd, 120) \
  X(ExpPriorGridGenerator, 121) \
  X(NonZero, 122) \
  X(ROIAlign, 123) \
  X(ExpGenerateProposals, 124) \
  X(ExpTopKROIs, 125) \
  X(ScatterElementsUpdate, 126) \
  X(OutShapeOfReshape, 127) \
  X(Concat, 128) \
  X(Broadcast, 129) \
  X(StaticShapeNMS, 130) \
  X(Mish, 131) \
  X(Gelu, 132) \
  X(StridedSlice, 133) \
  X(SoftPlus, 134) \
  X(Swish, 135) \
  X(GatherND, 136) \
  X(HSwish, 137) \
  X(Ceiling, 138) \
  X(GatherElements, 139) \
  X(Round, 140) \
  X(CTCGreedyDecoderSeqLen, 141) \
  X(Abs, 142)
// clang-format on

enum class StageType : int32_t {
#define X(name, id) name = id,
  BLOBSMITH_STAGE_TYPES(X)
#undef X
};

const char* to_string(StageType t);
std::optional<StageType> stage_type_from_id(int32_t id);

enum class StageCategory { Special, HW, DMA, SHAVE };
StageCategory category(StageType t);

/// How many SHAVE processors a stage asks for, weakest to strongest.
enum class ShaveRequirement { NotNeeded, OnlyOne, TwoOrOne, CanBeLimited, NeedMax };

}  // namespace blobsmith::vpu
