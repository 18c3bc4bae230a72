// Functions of TensorFlow that a functional model of Keras 2 calls (TFOpLambda): most of them are operations of Keras
// under another name.
#include <algorithm>

#include "importers/keras/arguments.hpp"

namespace blobsmith::keras_import {
namespace {

struct FunctionRow {
  std::string_view function, class_name;
};

constexpr FunctionRow kLike[] = {
    {"math.add", "Add"},
    {"__operators__.add", "Add"},
    {"math.subtract", "Subtract"},
    {"math.multiply", "Multiply"},
    {"math.truediv", "TrueDivide"},
    {"math.divide", "TrueDivide"},
    {"math.maximum", "Maximum"},
    {"math.minimum", "Minimum"},
    {"math.pow", "Power"},
    {"math.mod", "Mod"},
    {"math.floormod", "Mod"},
    {"math.floordiv", "FloorDivide"},
    {"math.squared_difference", "SquaredDifference"},
    {"math.atan2", "Arctan2"},
    {"math.equal", "Equal"},
    {"math.not_equal", "NotEqual"},
    {"math.greater", "Greater"},
    {"math.greater_equal", "GreaterEqual"},
    {"math.less", "Less"},
    {"math.less_equal", "LessEqual"},
    {"math.logical_and", "LogicalAnd"},
    {"math.logical_or", "LogicalOr"},
    {"math.logical_not", "LogicalNot"},
    {"math.abs", "Abs"},
    {"math.negative", "Negative"},
    {"math.square", "Square"},
    {"math.sqrt", "Sqrt"},
    {"math.rsqrt", "Rsqrt"},
    {"math.reciprocal", "Reciprocal"},
    {"math.exp", "Exp"},
    {"math.expm1", "Expm1"},
    {"math.log", "Log"},
    {"math.log1p", "Log1p"},
    {"math.erf", "Erf"},
    {"math.floor", "Floor"},
    {"math.ceil", "Ceil"},
    {"math.round", "Round"},
    {"math.sign", "Sign"},
    {"math.sin", "Sin"},
    {"math.cos", "Cos"},
    {"math.tan", "Tan"},
    {"math.atan", "Arctan"},
    {"math.sigmoid", "Sigmoid"},
    {"math.tanh", "Tanh"},
    {"math.softplus", "Softplus"},
    {"math.log_sigmoid", "LogSigmoid"},
    {"nn.sigmoid", "Sigmoid"},
    {"nn.tanh", "Tanh"},
    {"nn.relu", "Relu"},
    {"nn.relu6", "Relu6"},
    {"nn.leaky_relu", "LeakyRelu"},
    {"nn.elu", "Elu"},
    {"nn.selu", "Selu"},
    {"nn.silu", "Silu"},
    {"nn.swish", "Silu"},
    {"nn.gelu", "Gelu"},
    {"nn.softplus", "Softplus"},
    {"nn.softsign", "Softsign"},
    {"nn.log_softmax", "LogSoftmax"},
    {"nn.l2_normalize", "Normalize"},
    {"math.l2_normalize", "Normalize"},
    {"linalg.l2_normalize", "Normalize"},
    {"math.reduce_mean", "Mean"},
    {"math.reduce_sum", "Sum"},
    {"math.reduce_max", "Max"},
    {"math.reduce_min", "Min"},
    {"math.reduce_prod", "Prod"},
    {"math.reduce_variance", "Var"},
    {"math.reduce_std", "Std"},
    {"math.reduce_any", "Any"},
    {"math.reduce_all", "All"},
    {"math.reduce_logsumexp", "Logsumexp"},
    {"math.argmax", "Argmax"},
    {"math.argmin", "Argmin"},
    {"math.cumsum", "Cumsum"},
    {"math.top_k", "TopK"},
    {"nn.top_k", "TopK"},
    {"clip_by_value", "Clip"},
    {"linalg.matmul", "Matmul"},
    {"matmul", "Matmul"},
    {"einsum", "Einsum"},
    {"where", "Where"},
    {"cast", "Cast"},
    {"identity", "Positive"},
    {"stop_gradient", "StopGradient"},
    {"zeros_like", "ZerosLike"},
    {"ones_like", "OnesLike"},
    {"transpose", "Transpose"},
    {"expand_dims", "ExpandDims"},
    {"squeeze", "Squeeze"},
    {"stack", "Stack"},
    {"unstack", "Unstack"},
    {"tile", "Tile"},
    {"repeat", "Repeat"},
    {"gather", "Take"},
    {"reverse", "Flip"},
    {"roll", "Roll"},
    {"broadcast_to", "BroadcastTo"},
    {"slice", "Slice"},
    {"pad", "Pad"},
    {"one_hot", "OneHot"},
    {"image.resize", "Resize"},
    {"image.rgb_to_grayscale", "RGBToGrayscale"},
    {"compat.v1.shape", "shape"},
    {"compat.v1.transpose", "Transpose"},
    {"compat.v1.squeeze", "Squeeze"},
    {"compat.v1.gather", "Take"},
    {"compat.v1.pad", "Pad"},
    {"compat.v1.where", "Where"},
};

std::vector<Value> function(Layer& l) {
  const std::string name = l.text("function");
  const std::string_view class_name = class_of_function(name, name);
  for (const auto rows : {array_functions(), operation_functions()})
    if (const auto row = std::ranges::find(rows, class_name, &LayerRow::class_name); row != rows.end())
      return row->convert(l);
  const LayerRow* row = class_name == name ? nullptr : find_layer(class_name);
  if (!row) l.refuse("the function '" + name + "' of TensorFlow is not supported in a Keras file");
  return row->convert(l);
}

constexpr LayerRow kOperators[] = {
    {"TFOpLambda", "", function},
};

}  // namespace

std::string_view class_of_function(std::string_view function, std::string_view otherwise) {
  const auto row = std::ranges::find(kLike, function, &FunctionRow::function);
  return row == std::end(kLike) ? otherwise : row->class_name;
}

std::span<const LayerRow> function_layers() { return kOperators; }

}  // namespace blobsmith::keras_import
