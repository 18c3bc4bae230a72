#include "vpu/lowering/layer_types.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace blobsmith::vpu {
namespace {

struct TypeRow {
  std::string_view node, layer;
};
constexpr std::array kRows{TypeRow{"Parameter", "Input"},
                           TypeRow{"Constant", "Const"},
                           TypeRow{"ConvolutionIE", "Convolution"},
                           TypeRow{"DeconvolutionIE", "Deconvolution"},
                           TypeRow{"AvgPool", "Pooling"},
                           TypeRow{"MaxPool", "Pooling"},
                           TypeRow{"MatMul", "Gemm"},
                           TypeRow{"LogicalNot", "Activation"},
                           TypeRow{"PowerIE", "Power"},
                           TypeRow{"ScaleShiftIE", "ScaleShift"},
                           TypeRow{"Relu", "ReLU"},
                           TypeRow{"ReLU", "ReLU"},
                           TypeRow{"ReLUIE", "ReLU"},
                           TypeRow{"PRelu", "PReLU"},
                           TypeRow{"PReLU", "PReLU"},
                           TypeRow{"Elu", "elu"},
                           TypeRow{"Tanh", "TanH"},
                           TypeRow{"SwishIE", "Swish"},
                           TypeRow{"Softmax", "SoftMax"},
                           TypeRow{"SoftMax", "SoftMax"},
                           TypeRow{"LRN_IE", "Norm"},
                           TypeRow{"NormalizeIE", "Normalize"},
                           TypeRow{"VariadicSplit", "Split"},
                           TypeRow{"Transpose", "Permute"},
                           TypeRow{"CropIE", "Crop"},
                           TypeRow{"TileIE", "Tile"},
                           TypeRow{"PadIE", "Pad"},
                           TypeRow{"ResampleV2", "Resample"},
                           TypeRow{"ReduceLogicalAnd", "ReduceAnd"},
                           TypeRow{"ReduceLogicalOr", "ReduceOr"},
                           TypeRow{"TopKIE", "TopK"},
                           TypeRow{"OneHotIE", "OneHot"},
                           TypeRow{"LSTMCellIE", "LSTMCell"},
                           TypeRow{"GRUCellIE", "GRUCell"},
                           TypeRow{"RNNCellIE", "RNNCell"},
                           TypeRow{"LSTMSequenceIE", "LSTMSequence"},
                           TypeRow{"GRUSequenceIE", "GRUSequence"},
                           TypeRow{"RNNSequenceIE", "RNNSequence"},
                           TypeRow{"PriorBoxIE", "PriorBox"},
                           TypeRow{"PriorBoxClusteredIE", "PriorBoxClustered"},
                           TypeRow{"ProposalIE", "Proposal"},
                           TypeRow{"DeformablePSROIPooling", "PSROIPooling"},
                           TypeRow{"GatherIE", "Gather"},
                           TypeRow{"HardSigmoid_IE", "HardSigmoid"},
                           TypeRow{"NonMaxSuppressionIE", "NonMaxSuppression"},
                           TypeRow{"NonMaxSuppressionIE2", "NonMaxSuppression"},
                           TypeRow{"NonMaxSuppressionIE3", "NonMaxSuppression"},
                           TypeRow{"SeluIE", "Selu"},
                           TypeRow{"GatherTreeIE", "GatherTree"},
                           TypeRow{"StaticShapeLoop", "TensorIterator"},
                           TypeRow{"StaticShapeReshape", "StaticShapeReshape"},
                           TypeRow{"StaticShapeTopK", "StaticShapeTopK"}};

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
constexpr std::array kUnconverted{TypeRow{"Broadcast", "Tile"},
                                  TypeRow{"NormalizeL2", "NormalizeIE"},
                                  TypeRow{"Convolution", "ConvolutionIE"},
                                  TypeRow{"GroupConvolution", "ConvolutionIE"},
                                  TypeRow{"ConvolutionBackpropData", "DeconvolutionIE"},
                                  TypeRow{"GroupConvolutionBackpropData", "DeconvolutionIE"},
                                  TypeRow{"LRN", "LRN_IE"},
                                  TypeRow{"Tile", "TileIE"},
                                  TypeRow{"Pad", "PadIE"},
                                  TypeRow{"OneHot", "OneHotIE"},
                                  TypeRow{"Proposal", "ProposalIE"},
                                  TypeRow{"PriorBox", "PriorBoxIE"},
                                  TypeRow{"PriorBoxClustered", "PriorBoxClusteredIE"},
                                  TypeRow{"LSTMCell", "LSTMCellIE"},
                                  TypeRow{"LSTMSequence", "LSTMSequenceIE"},
                                  TypeRow{"Swish", "SwishIE"},
                                  TypeRow{"NonMaxSuppression", "NonMaxSuppressionIE"}};

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
