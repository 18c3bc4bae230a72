// CTC decoders, embedding sums, Fourier transforms (front-end spec §15.1). Shapes only.
#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;
constexpr AttributeSpec kGreedy[] = {{"ctc_merge_repeated", Flag, "true"}};
constexpr AttributeSpec kGreedySeqLen[] = {
    {"merge_repeated", Flag, "false"}, {"classes_index_type", Type, "i32"}, {"sequence_length_type", Type, "i32"}};
constexpr AttributeSpec kLoss[] = {
    {"preprocess_collapse_repeated", Flag, "false"}, {"ctc_merge_repeated", Flag, "true"}, {"unique", Flag, "false"}};

void infer_greedy(Inference& in) {
  if (in.rank(0) != 3 || in.rank(1) != 2) in.fail("The logits must have 3 dimensions, the sequence mask 2");
  if (!merge_dims(in.dim(0, 0), in.dim(1, 0)) || !merge_dims(in.dim(0, 1), in.dim(1, 1)))
    in.fail("The first two dimensions of input tensors must match.");
  in.output(in.type(), {in.dim(0, 1), in.dim(0, 0), 1, 1});
}

void infer_greedy_seq_len(Inference& in) {
  if (in.rank(0) != 3 || in.rank(1) != 1) in.fail("The logits must have 3 dimensions, the sequence lengths 1");
  if (!merge_dims(in.dim(0, 0), in.dim(1, 0))) in.fail("The first dimensions of input tensors must match.");
  in.output(in.type_attribute("classes_index_type"), {in.dim(0, 0), in.dim(0, 1)});
  in.output(in.type_attribute("sequence_length_type"), {in.dim(0, 0)});
}

void infer_ctc_loss(Inference& in) {
  if (in.rank(0) != 3 || in.rank(2) != 2) in.fail("Expected a 3D tensor for logits and a 2D tensor for labels");
  in.output(in.type(), {in.dim(0, 0)});
}

Shape rows_of_table(const Inference& in, int64_t rows) {
  if (in.rank(0) < 1) in.fail("The embedding table must not be a scalar");
  Shape out = in.shape();
  out[0] = rows;
  return out;
}

void infer_bag_offsets(Inference& in) {
  if (in.rank(1) != 1 || in.rank(2) != 1) in.fail("INDICES and OFFSETS must be 1D");
  in.output(in.type(), rows_of_table(in, in.dim(2, 0)));
}

void infer_bag_packed(Inference& in) {
  if (in.rank(1) != 2) in.fail("INDICES must be 2D");
  in.output(in.type(), rows_of_table(in, in.dim(1, 0)));
}

void infer_segments(Inference& in) {
  const auto count = in.value(3);
  in.output(in.type(), rows_of_table(in, count ? *count : kDynamic));
}

void infer_fourier(Inference& in) {
  if (in.rank() < 2 || !merge_dims(in.shape().back(), 2)) in.fail("The last dimension of input data must be 2.");
  Shape out = in.shape();
  if (in.input_count() > 2) {
    const std::vector<int64_t> axes = in.axes(in.constant_values(1, "axes"), in.rank() - 1),
                               sizes = in.constant_values(2, "signal size");
    if (axes.size() != sizes.size()) in.fail("Sizes of inputs 'axes' and 'signal_size' must be equal.");
    for (size_t i = 0; i < axes.size(); ++i) {
      in.require(sizes[i] >= -1, "The signal size must not be negative");
      if (sizes[i] != -1) out[static_cast<size_t>(axes[i])] = sizes[i];
    }
  }
  in.output(in.type(), std::move(out));
}

constexpr OpRow kOps[] = {
    {"CTCGreedyDecoder", 0, {1, 7}, 2, 2, kGreedy, infer_greedy},
    {"CTCGreedyDecoderSeqLen", 0, {6, 7}, 2, 3, kGreedySeqLen, infer_greedy_seq_len},
    {"CTCLoss", 0, {4, 7}, 4, 5, kLoss, infer_ctc_loss},
    {"EmbeddingBagOffsetsSum", 0, {3, 7}, 3, 5, {}, infer_bag_offsets},
    {"EmbeddingBagPackedSum", 0, {3, 7}, 2, 3, {}, infer_bag_packed},
    {"EmbeddingSegmentsSum", 0, {3, 7}, 4, 6, {}, infer_segments},
    {"DFT", 0, {7, 7}, 2, 3, {}, infer_fourier},
    {"IDFT", 0, {7, 7}, 2, 3, {}, infer_fourier},
};

}  // namespace

std::span<const OpRow> sequence_ops() { return kOps; }

}  // namespace blobsmith::ops
