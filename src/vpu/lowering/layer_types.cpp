#include "vpu/lowering/layer_types.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace blobsmith::vpu {
namespace {

struct Row {
  std::string_view node, layer;
};
constexpr std::array kRows{Row{"Parameter", "Input"},
                           Row{"Constant", "Const"},
                           Row{"ConvolutionIE", "Convolution"},
                           Row{"DeconvolutionIE", "Deconvolution"},
                           Row{"AvgPool", "Pooling"},
                           Row{"MaxPool", "Pooling"},
                           Row{"MatMul", "Gemm"},
                           Row{"LogicalNot", "Activation"},
                           Row{"PowerIE", "Power"},
                           Row{"ScaleShiftIE", "ScaleShift"},
                           Row{"Relu", "ReLU"},
                           Row{"ReLU", "ReLU"},
                           Row{"ReLUIE", "ReLU"},
                           Row{"PRelu", "PReLU"},
                           Row{"PReLU", "PReLU"},
                           Row{"Elu", "elu"},
                           Row{"Tanh", "TanH"},
                           Row{"SwishIE", "Swish"},
                           Row{"Softmax", "SoftMax"},
                           Row{"SoftMax", "SoftMax"},
                           Row{"LRN_IE", "Norm"},
                           Row{"NormalizeIE", "Normalize"},
                           Row{"VariadicSplit", "Split"},
                           Row{"Transpose", "Permute"},
                           Row{"CropIE", "Crop"},
                           Row{"TileIE", "Tile"},
                           Row{"PadIE", "Pad"},
                           Row{"ResampleV2", "Resample"},
                           Row{"ReduceLogicalAnd", "ReduceAnd"},
                           Row{"ReduceLogicalOr", "ReduceOr"},
                           Row{"TopKIE", "TopK"},
                           Row{"OneHotIE", "OneHot"},
                           Row{"LSTMCellIE", "LSTMCell"},
                           Row{"GRUCellIE", "GRUCell"},
                           Row{"RNNCellIE", "RNNCell"},
                           Row{"LSTMSequenceIE", "LSTMSequence"},
                           Row{"GRUSequenceIE", "GRUSequence"},
                           Row{"RNNSequenceIE", "RNNSequence"},
                           Row{"PriorBoxIE", "PriorBox"},
                           Row{"PriorBoxClusteredIE", "PriorBoxClustered"},
                           Row{"ProposalIE", "Proposal"},
                           Row{"DeformablePSROIPooling", "PSROIPooling"},
                           Row{"GatherIE", "Gather"},
                           Row{"HardSigmoid_IE", "HardSigmoid"},
                           Row{"NonMaxSuppressionIE", "NonMaxSuppression"},
                           Row{"NonMaxSuppressionIE2", "NonMaxSuppression"},
                           Row{"NonMaxSuppressionIE3", "NonMaxSuppression"},
                           Row{"SeluIE", "Selu"},
                           Row{"GatherTreeIE", "GatherTree"},
                           Row{"StaticShapeLoop", "TensorIterator"},
                           Row{"StaticShapeReshape", "StaticShapeReshape"},
                           Row{"StaticShapeTopK", "StaticShapeTopK"}};

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
constexpr std::array kUnconverted{Row{"Broadcast", "Tile"},
                                  Row{"NormalizeL2", "NormalizeIE"},
                                  Row{"Convolution", "ConvolutionIE"},
                                  Row{"GroupConvolution", "ConvolutionIE"},
                                  Row{"ConvolutionBackpropData", "DeconvolutionIE"},
                                  Row{"GroupConvolutionBackpropData", "DeconvolutionIE"},
                                  Row{"LRN", "LRN_IE"},
                                  Row{"Tile", "TileIE"},
                                  Row{"Pad", "PadIE"},
                                  Row{"OneHot", "OneHotIE"},
                                  Row{"Proposal", "ProposalIE"},
                                  Row{"PriorBox", "PriorBoxIE"},
                                  Row{"PriorBoxClustered", "PriorBoxClusteredIE"},
                                  Row{"LSTMCell", "LSTMCellIE"},
                                  Row{"LSTMSequence", "LSTMSequenceIE"},
                                  Row{"Swish", "SwishIE"},
                                  Row{"NonMaxSuppression", "NonMaxSuppressionIE"}};

template <class Rows>
const auto* find_row(const Rows& rows, std::string_view node) {
  const auto it = std::ranges::find_if(rows, [&](const auto& r) { return r.node == node; });
  return it == rows.end() ? nullptr : &*it;
}

}  // namespace

std::string_view eltwise_operation(const Node& n) {
  if (const auto* row = find_row(kEltwise, n.type)) return row->operation;
  if (n.is("Eltwise")) return n.attrs.text("operation");
  return {};
}

std::string_view layer_type(const Node& n) {
  if (!eltwise_operation(n).empty()) return "Eltwise";
  const auto* row = find_row(kRows, n.type);
  return row ? row->layer : std::string_view(n.type);
}

std::string_view wanted_conversion(const Node& n) {
  const auto* row = find_row(kUnconverted, n.type);
  return row ? row->layer : std::string_view{};
}

int first_internal_port(const Node& n) {
  const auto* row = find_row(kInternal, n.type);
  return row ? row->first : std::numeric_limits<int>::max();
}

bool takes_shape_constant(std::string_view layer_type) {
  constexpr std::array<std::string_view, 5> kTypes{"Reshape", "Resample", "Interp", "Squeeze", "Unsqueeze"};
  return std::ranges::find(kTypes, layer_type) != kTypes.end();
}

}  // namespace blobsmith::vpu
