#include "importers/onnx/refusals.hpp"

#include <algorithm>

namespace blobsmith::onnx_import {
namespace {

constexpr std::string_view kTexts = "it works on texts, which the chip does not have: do it on the host",
                           kSequences = "lists of tensors have no place in a blob: export the model without them",
                           kOptional = "values that may be absent have no place in a blob",
                           kRandom = "the chip makes no random numbers: make them on the host, as an input",
                           kTraining = "it trains a model: export the model for inference",
                           kMachineLearning = "models of ai.onnx.ml are for the host's processor";

constexpr Refusal kOperators[] = {
    {"Adagrad", kTraining},
    {"Adam", kTraining},
    {"Bernoulli", kRandom},
    {"BitCast", "the chip does not read the bits of one type as another"},
    {"CategoryMapper", kTexts},
    {"CausalConvWithState", "not yet supported"},
    {"ConcatFromSequence", kSequences},
    {"Det", "not yet supported: write it out for the sizes at hand"},
    {"FlexAttention", "not yet supported: export the model with Attention"},
    {"Gradient", kTraining},
    {"GraphCall", kTraining},
    {"ImageDecoder", "decode pictures on the host"},
    {"LabelEncoder", kMachineLearning},
    {"LinearAttention", "not yet supported"},
    {"Momentum", kTraining},
    {"Multinomial", kRandom},
    {"Optional", kOptional},
    {"OptionalGetElement", kOptional},
    {"OptionalHasElement", kOptional},
    {"RandomNormal", kRandom},
    {"RandomNormalLike", kRandom},
    {"RandomUniform", kRandom},
    {"RandomUniformLike", kRandom},
    {"RegexFullMatch", kTexts},
    {"SVMClassifier", kMachineLearning},
    {"SequenceAt", kSequences},
    {"SequenceConstruct", kSequences},
    {"SequenceEmpty", kSequences},
    {"SequenceErase", kSequences},
    {"SequenceInsert", kSequences},
    {"SequenceLength", kSequences},
    {"SequenceMap", kSequences},
    {"SplitToSequence", kSequences},
    {"StringConcat", kTexts},
    {"StringNormalizer", kTexts},
    {"StringSplit", kTexts},
    {"TfIdfVectorizer", kTexts},
    {"TreeEnsemble", kMachineLearning},
    {"Unique", "the size of its result depends on the values: do it on the host"},
};

constexpr Refusal kForms[] = {
    {"BitShift", "integers of 64 bits are computed as of 32"},
    {"BitwiseAnd", "not of UINT64"},
    {"BitwiseOr", "not of UINT64"},
    {"BitwiseXor", "not of UINT64"},
    {"Cast", "no BFLOAT16, 8-bit floats or complex numbers"},
    {"CastLike", "no BFLOAT16, 8-bit floats or complex numbers"},
    {"Col2Im", "planes only"},
    {"Compress", "a constant condition"},
    {"ConstantOfShape", "a shape that constants and static shapes decide"},
    {"ConvInteger", "constant weights; sums below 65504, or scaled right behind"},
    {"DFT", "an inverse transform of both sides only"},
    {"Dropout", "not in training, where it is random"},
    {"If", "a condition that constants and static shapes decide"},
    {"LSTM", "forms without a loop on the chip: up to 512 steps"},
    {"LinearClassifier", "a score for every class"},
    {"Loop", "a number of turns that constants and static shapes decide"},
    {"MatMulInteger", "beyond 2^20 products: sums below 65504, or scaled right behind"},
    {"NonMaxSuppression", "the number of boxes a constant"},
    {"OneHot", "constant depth and values"},
    {"QuantizeLinear", "to 8 bits, by scales of a tensor or an axis; to 16 bits, unrounded, by one scale"},
    {"Pad", "pads that constants and static shapes decide"},
    {"Range", "bounds that constants and static shapes decide"},
    {"Scan", "since opset 9; all turns are spelled out"},
    {"Scatter", "reductions: constant indices"},
    {"ScatterElements", "reductions: constant indices"},
    {"ScatterND", "reductions: constant indices"},
    {"SVMRegressor", "not of one class"},
    {"Slice", "starts, ends and steps that constants and static shapes decide"},
    {"TensorScatter", "constant positions"},
    {"Tile", "repeats that constants and static shapes decide"},
    {"TreeEnsembleClassifier", "one kind of condition in a tree; sums of leaves; up to 20000 nodes"},
    {"TreeEnsembleRegressor", "one kind of condition in a tree; sums and averages; up to 20000 nodes"},
    {"TopK", "of integers: up to 4 million comparisons"},
};

std::string_view find(std::span<const Refusal> rows, std::string_view op_type) {
  const auto it = std::ranges::find(rows, op_type, &Refusal::op_type);
  return it == rows.end() ? std::string_view() : it->why;
}

}  // namespace

std::span<const Refusal> refused_operators() { return kOperators; }
std::span<const Refusal> refused_forms() { return kForms; }
std::string_view why_refused(std::string_view op_type) { return find(kOperators, op_type); }
std::string_view nearest_form(std::string_view op_type) {
  const std::string_view form = find(kForms, op_type);
  return form.empty() ? find(kOperators, op_type) : form;
}

}  // namespace blobsmith::onnx_import
