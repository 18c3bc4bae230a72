#include "vpu/lowering/layer_types.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "core/table.hpp"

namespace blobsmith::vpu {
namespace {

struct LayerTypeRow {
  std::string_view node, layer;
};
constexpr std::array kRows{LayerTypeRow{"Parameter", "Input"},
                           LayerTypeRow{"Constant", "Const"},
                           LayerTypeRow{"ConvolutionIE", "Convolution"},
                           LayerTypeRow{"DeconvolutionIE", "Deconvolution"},
                           LayerTypeRow{"AvgPool", "Pooling"},
                           LayerTypeRow{"MaxPool", "Pooling"},
                           LayerTypeRow{"MatMul", "Gemm"},
                           LayerTypeRow{"LogicalNot", "Activation"},
                           LayerTypeRow{"PowerIE", "Power"},
                           LayerTypeRow{"ScaleShiftIE", "ScaleShift"},
                           LayerTypeRow{"Relu", "ReLU"},
                           LayerTypeRow{"ReLU", "ReLU"},
                           LayerTypeRow{"ReLUIE", "ReLU"},
                           LayerTypeRow{"PRelu", "PReLU"},
                           LayerTypeRow{"PReLU", "PReLU"},
                           LayerTypeRow{"Elu", "elu"},
                           LayerTypeRow{"Tanh", "TanH"},
                           LayerTypeRow{"SwishIE", "Swish"},
                           LayerTypeRow{"Softmax", "SoftMax"},
                           LayerTypeRow{"SoftMax", "SoftMax"},
                           LayerTypeRow{"LRN_IE", "Norm"},
                           LayerTypeRow{"NormalizeIE", "Normalize"},
                           LayerTypeRow{"VariadicSplit", "Split"},
                           LayerTypeRow{"Transpose", "Permute"},
                           LayerTypeRow{"CropIE", "Crop"},
                           LayerTypeRow{"TileIE", "Tile"},
                           LayerTypeRow{"PadIE", "Pad"},
                           LayerTypeRow{"ResampleV2", "Resample"},
                           LayerTypeRow{"ReduceLogicalAnd", "ReduceAnd"},
                           LayerTypeRow{"ReduceLogicalOr", "ReduceOr"},
                           LayerTypeRow{"TopKIE", "TopK"},
                           LayerTypeRow{"OneHotIE", "OneHot"},
                           LayerTypeRow{"LSTMCellIE", "LSTMCell"},
                           LayerTypeRow{"GRUCellIE", "GRUCell"},
                           LayerTypeRow{"RNNCellIE", "RNNCell"},
                           LayerTypeRow{"LSTMSequenceIE", "LSTMSequence"},
                           LayerTypeRow{"GRUSequenceIE", "GRUSequence"},
                           LayerTypeRow{"RNNSequenceIE", "RNNSequence"},
                           LayerTypeRow{"PriorBoxIE", "PriorBox"},
                           LayerTypeRow{"PriorBoxClusteredIE", "PriorBoxClustered"},
                           LayerTypeRow{"ProposalIE", "Proposal"},
                           LayerTypeRow{"DeformablePSROIPooling", "PSROIPooling"},
                           LayerTypeRow{"GatherIE", "Gather"},
                           LayerTypeRow{"HardSigmoid_IE", "HardSigmoid"},
                           LayerTypeRow{"NonMaxSuppressionIE", "NonMaxSuppression"},
                           LayerTypeRow{"NonMaxSuppressionIE2", "NonMaxSuppression"},
                           LayerTypeRow{"NonMaxSuppressionIE3", "NonMaxSuppression"},
                           LayerTypeRow{"SeluIE", "Selu"},
                           LayerTypeRow{"GatherTreeIE", "GatherTree"},
                           LayerTypeRow{"StaticShapeLoop", "TensorIterator"},
                           LayerTypeRow{"StaticShapeReshape", "StaticShapeReshape"},
                           LayerTypeRow{"StaticShapeTopK", "StaticShapeTopK"}};

struct EltwiseRow {
  std::string_view node, operation;
};
constexpr std::array kEltwise{EltwiseRow{"Add", "sum"},
                              EltwiseRow{"Multiply", "prod"},
                              EltwiseRow{"Subtract", "sub"},
                              EltwiseRow{"Divide", "div"},
                              EltwiseRow{"Power", "pow"},
                              EltwiseRow{"Maximum", "max"},
                              EltwiseRow{"Minimum", "min"},
                              EltwiseRow{"Equal", "equal"},
                              EltwiseRow{"NotEqual", "not_equal"},
                              EltwiseRow{"Greater", "greater"},
                              EltwiseRow{"GreaterEqual", "greater_equal"},
                              EltwiseRow{"Less", "less"},
                              EltwiseRow{"LessEqual", "less_equal"},
                              EltwiseRow{"LogicalAnd", "logical_and"},
                              EltwiseRow{"LogicalOr", "logical_or"},
                              EltwiseRow{"LogicalXor", "logical_xor"},
                              EltwiseRow{"FloorMod", "floor_mod"},
                              EltwiseRow{"SquaredDifference", "squared_diff"}};

struct InternalRow {
  std::string_view node;
  int first;
};
constexpr std::array kInternal{InternalRow{"ConvolutionIE", 1},
                               InternalRow{"FullyConnected", 1},
                               InternalRow{"BinaryConvolution", 1},
                               InternalRow{"DeconvolutionIE", 1},
                               InternalRow{"DeformableConvolution", 1},
                               InternalRow{"Elu", 1},
                               InternalRow{"NormalizeIE", 1},
                               InternalRow{"PRelu", 1},
                               InternalRow{"PReLU", 1},
                               InternalRow{"Split", 1},
                               InternalRow{"VariadicSplit", 1},
                               InternalRow{"ScaleShiftIE", 1},
                               InternalRow{"Transpose", 1},
                               InternalRow{"GRUCellIE", 2},
                               InternalRow{"RNNCellIE", 2},
                               InternalRow{"GRUSequenceIE", 2},
                               InternalRow{"RNNSequenceIE", 2},
                               InternalRow{"LSTMSequenceIE", 3},
                               InternalRow{"LSTMCellIE", 3}};

// An operation of these types that is still there has a form that no rewrite takes.
constexpr std::array kUnconverted{LayerTypeRow{"Broadcast", "Tile"},
                                  LayerTypeRow{"NormalizeL2", "NormalizeIE"},
                                  LayerTypeRow{"Convolution", "ConvolutionIE"},
                                  LayerTypeRow{"GroupConvolution", "ConvolutionIE"},
                                  LayerTypeRow{"ConvolutionBackpropData", "DeconvolutionIE"},
                                  LayerTypeRow{"GroupConvolutionBackpropData", "DeconvolutionIE"},
                                  LayerTypeRow{"LRN", "LRN_IE"},
                                  LayerTypeRow{"Tile", "TileIE"},
                                  LayerTypeRow{"Pad", "PadIE"},
                                  LayerTypeRow{"OneHot", "OneHotIE"},
                                  LayerTypeRow{"Proposal", "ProposalIE"},
                                  LayerTypeRow{"PriorBox", "PriorBoxIE"},
                                  LayerTypeRow{"PriorBoxClustered", "PriorBoxClusteredIE"},
                                  LayerTypeRow{"LSTMCell", "LSTMCellIE"},
                                  LayerTypeRow{"LSTMSequence", "LSTMSequenceIE"},
                                  LayerTypeRow{"Swish", "SwishIE"},
                                  LayerTypeRow{"NonMaxSuppression", "NonMaxSuppressionIE"}};

}  // namespace

std::string_view eltwise_operation(const Node& n) {
  if (const auto* row = find_row(kEltwise, n.type, &EltwiseRow::node)) return row->operation;
  if (n.is("Eltwise")) return n.attrs.text("operation");
  return {};
}

std::string_view layer_type(const Node& n) {
  if (!eltwise_operation(n).empty()) return "Eltwise";
  const auto* row = find_row(kRows, n.type, &LayerTypeRow::node);
  return row ? row->layer : std::string_view(n.type);
}

std::string_view wanted_conversion(const Node& n) {
  const auto* row = find_row(kUnconverted, n.type, &LayerTypeRow::node);
  return row ? row->layer : std::string_view{};
}

int first_internal_port(const Node& n) {
  const auto* row = find_row(kInternal, n.type, &InternalRow::node);
  return row ? row->first : std::numeric_limits<int>::max();
}

bool takes_shape_constant(std::string_view layer_type) {
  constexpr std::array<std::string_view, 5> kTypes{"Reshape", "Resample", "Interp", "Squeeze", "Unsqueeze"};
  return std::ranges::find(kTypes, layer_type) != kTypes.end();
}

}  // namespace blobsmith::vpu
