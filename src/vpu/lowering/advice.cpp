#include "vpu/lowering/advice.hpp"

#include <algorithm>
#include <array>

#include "core/text.hpp"

namespace blobsmith::vpu {
namespace {

struct AdviceRow {
  std::string_view type, advice;
};
constexpr std::array kRows{
    AdviceRow{"Abs", "Abs(x) = Max(x, -x)"},
    AdviceRow{"Sign", "Sign(x) is nearly x / (Max(x, -x) + 1e-4)"},
    AdviceRow{"HardSigmoid", "HardSigmoid(x) = Clip(alpha*x + beta, 0, 1)"},
    AdviceRow{"Selu", "Selu(x) = 1.0507 * Elu(x, alpha = 1.67326)"},
    AdviceRow{"CumSum", "a sum up to each position is a MatMul with a triangular matrix of ones"},
    AdviceRow{"ScatterNDUpdate", "with constant indices, x*mask + values does the same"},
    AdviceRow{"ReduceProd", "over a short axis, split and multiply"},
    AdviceRow{"FakeQuantize",
              "the chip computes in FP16: convert spells it out where its ranges are constants, or export without "
              "quantization"},
    AdviceRow{"GRUSequence",
              "convert writes such a sequence as a loop: its weights must be constants, its length known"},
    AdviceRow{"RNNSequence",
              "convert writes such a sequence as a loop: its weights must be constants, its length known"},
    AdviceRow{"GRUCell", "convert writes it with MatMul, Sigmoid and Tanh: its weights must be constants"},
    AdviceRow{"RNNCell", "convert writes it with MatMul and Tanh: its weights must be constants"},
    AdviceRow{"EmbeddingBagPackedSum", "a Gather of the table's rows, then ReduceSum"},
    AdviceRow{"EmbeddingBagOffsetsSum", "a Gather of the table's rows, then ReduceSum of each bag"},
    AdviceRow{"EmbeddingSegmentsSum", "a Gather of the table's rows, then ReduceSum of each segment"},
    AdviceRow{"DFT", "of constant length it is a MatMul with the matrix of its cosines and sines"},
    AdviceRow{"IDFT", "of constant length it is a MatMul with the matrix of its cosines and sines"},
    AdviceRow{"GatherTree", "cut the model before this layer and do the rest on the host"},
    AdviceRow{"CTCLoss", "a loss belongs to training: leave it out of the export"},
    AdviceRow{"Reverse", "a Gather with constant indices turns an axis round"},
    AdviceRow{"Bucketize", "the sum of Greater(x, b) over the buckets b is the number of x's bucket"},
    AdviceRow{"NonMaxSuppression", "cut the model before this layer and do the rest on the host"},
    AdviceRow{"BinaryConvolution", "the chip computes in FP16: use an ordinary convolution"},
};
constexpr std::array<std::string_view, 11> kTrigonometry{"Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh",
                                                         "Cos",  "Cosh",  "Sin",  "Sinh",  "Tan"};

}  // namespace

std::string_view advice_for(std::string_view layer_type) {
  const auto row = std::ranges::find_if(kRows, [&](const AdviceRow& r) { return same_caseless(r.type, layer_type); });
  if (row != kRows.end()) return row->advice;
  const bool trigonometric =
      std::ranges::any_of(kTrigonometry, [&](std::string_view t) { return same_caseless(t, layer_type); });
  return trigonometric
             ? "where its input does not depend on the picture, compute it beforehand; otherwise use a polynomial"
             : "";
}

}  // namespace blobsmith::vpu
