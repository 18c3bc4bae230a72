// Recurrent cells and sequences, opset and legacy forms (front-end spec §15.1, §5.6).
#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;
constexpr std::string_view kDirections = "forward|reverse|bidirectional";
constexpr AttributeSpec kLstmCell[] = {{"hidden_size", Integer, kMandatory},
                                       {"activations", Texts, "sigmoid,tanh,tanh"},
                                       {"activations_alpha", Reals, ""},
                                       {"activations_beta", Reals, ""},
                                       {"clip", Real, "0"},
                                       {"input_forget", Flag, kOptional},
                                       {"weights_format", Text, kOptional}};
constexpr AttributeSpec kGruCell[] = {{"hidden_size", Integer, kMandatory},
                                      {"activations", Texts, "sigmoid,tanh"},
                                      {"activations_alpha", Reals, ""},
                                      {"activations_beta", Reals, ""},
                                      {"clip", Real, "0"},
                                      {"linear_before_reset", Flag, "false"}};
constexpr AttributeSpec kRnnCell[] = {{"hidden_size", Integer, kMandatory},
                                      {"activations", Texts, "tanh"},
                                      {"activations_alpha", Reals, ""},
                                      {"activations_beta", Reals, ""},
                                      {"clip", Real, "0"}};
constexpr AttributeSpec kLstmSequence[] = {{"hidden_size", Integer, kMandatory},
                                           {"activations", Texts, "sigmoid,tanh,tanh"},
                                           {"activations_alpha", Reals, ""},
                                           {"activations_beta", Reals, ""},
                                           {"clip", Real, "0"},
                                           {"direction", Choice, "forward", kDirections},
                                           {"input_forget", Flag, kOptional},
                                           {"weights_format", Text, kOptional},
                                           {"seq_axis", Integer, kOptional}};
constexpr AttributeSpec kGruSequence[] = {{"hidden_size", Integer, kMandatory},
                                          {"activations", Texts, "sigmoid,tanh"},
                                          {"activations_alpha", Reals, ""},
                                          {"activations_beta", Reals, ""},
                                          {"clip", Real, "0"},
                                          {"direction", Choice, "forward", kDirections},
                                          {"linear_before_reset", Flag, "false"},
                                          {"seq_axis", Integer, kOptional}};
constexpr AttributeSpec kRnnSequence[] = {{"hidden_size", Integer, kMandatory},
                                          {"activations", Texts, "tanh"},
                                          {"activations_alpha", Reals, ""},
                                          {"activations_beta", Reals, ""},
                                          {"clip", Real, "0"},
                                          {"direction", Choice, "forward", kDirections},
                                          {"seq_axis", Integer, kOptional}};

int64_t hidden_size(const Inference& in) {
  const int64_t h = in.attrs().integer("hidden_size");
  in.require(h > 0, "The hidden size must be positive");
  return h;
}

int states_of(const Node& n) { return n.type.starts_with("LSTM") ? 2 : 1; }
int gates_of(const Node& n) { return n.type.starts_with("LSTM") ? 4 : n.type.starts_with("GRU") ? 3 : 1; }

// X[batch, input], states[batch, hidden], W[gates·hidden, input], R[gates·hidden, hidden].
void infer_cell(Inference& in) {
  const int64_t hidden = hidden_size(in), gates = gates_of(in.node()) * hidden;
  const int states = states_of(in.node());
  if (in.rank(0) != 2) in.fail("The input must be a matrix [batch, input size]");
  for (int i = 1; i <= states; ++i)
    if (!merge_shapes(in.shape(i), {in.dim(0, 0), hidden}))
      in.fail("Parameter batch_size or hidden_size not matched for the initial states");
  if (!merge_shapes(in.shape(states + 1), {gates, in.dim(0, 1)}))
    in.fail("Parameter hidden_size mismatched in W input");
  if (!merge_shapes(in.shape(states + 2), {gates, hidden})) in.fail("Parameter hidden_size mismatched in R input");
  for (int i = 0; i < states; ++i) in.output(in.type(), {in.dim(0, 0), hidden});
}

// X[batch, time, input], states[batch, directions, hidden], lengths[batch], W[directions, gates·hidden, input], R, B.
void infer_sequence(Inference& in) {
  const int64_t hidden = hidden_size(in), gates = gates_of(in.node()) * hidden;
  const int states = states_of(in.node());
  const int64_t directions = in.attrs().text("direction") == "bidirectional" ? 2 : 1;
  if (in.rank(0) != 3) in.fail("The input must have 3 dimensions: [batch, sequence length, input size]");
  for (int i = 1; i <= states; ++i)
    if (!merge_shapes(in.shape(i), {in.dim(0, 0), directions, hidden}))
      in.fail("Parameter batch_size, num_directions or hidden_size not matched for the initial states");
  if (!merge_shapes(in.shape(states + 2), {directions, gates, in.dim(0, 2)}))
    in.fail("Parameter num_directions or hidden_size mismatched in W input");
  if (!merge_shapes(in.shape(states + 3), {directions, gates, hidden}))
    in.fail("Parameter num_directions or hidden_size mismatched in R input");
  in.output(in.type(), {in.dim(0, 0), directions, in.dim(0, 1), hidden});
  for (int i = 0; i < states; ++i) in.output(in.type(), {in.dim(0, 0), directions, hidden});
}

// X, states, concatenated weights [gates·hidden, input + hidden], biases.
void infer_cell_ie(Inference& in) {
  const int64_t hidden = hidden_size(in);
  if (in.rank(0) != 2) in.fail("The input must be a matrix [batch, input size]");
  for (int i = 0; i < states_of(in.node()); ++i) in.output(in.type(), {in.dim(0, 0), hidden});
}

// As the cell, with a time axis in X and Y: axis 1, or axis 0 where seq_axis says so.
void infer_sequence_ie(Inference& in) {
  const int64_t hidden = hidden_size(in), time_axis = in.attrs().integer("seq_axis", 1);
  if (in.rank(0) != 3 || time_axis < 0 || time_axis > 1)
    in.fail("The input must have 3 dimensions, the first or second of which is the time");
  in.output(in.type(), {in.dim(0, 0), in.dim(0, 1), hidden});
  for (int i = 0; i < states_of(in.node()); ++i) in.output(in.type(), {in.dim(0, 1 - time_axis), hidden});
}

constexpr OpRow kOps[] = {
    {"LSTMCell", 0, {1, 3}, 5, 7, kLstmCell, infer_cell},
    {"LSTMCell", 4, {4, 7}, 5, 6, kLstmCell, infer_cell},
    {"GRUCell", 0, {3, 7}, 4, 5, kGruCell, infer_cell},
    {"RNNCell", 0, {1, 7}, 4, 5, kRnnCell, infer_cell},
    {"LSTMSequence", 0, {1, 3}, 7, 8, kLstmSequence, infer_sequence},
    {"LSTMSequence", 5, {5, 7}, 7, 7, kLstmSequence, infer_sequence},
    {"GRUSequence", 0, {5, 7}, 6, 6, kGruSequence, infer_sequence},
    {"RNNSequence", 0, {5, 7}, 6, 6, kRnnSequence, infer_sequence},
    {"LSTMCellIE", 0, {}, 4, 6, kLstmCell, infer_cell_ie},
    {"GRUCellIE", 0, {}, 3, 5, kGruCell, infer_cell_ie},
    {"RNNCellIE", 0, {}, 3, 5, kRnnCell, infer_cell_ie},
    {"LSTMSequenceIE", 0, {}, 4, 7, kLstmSequence, infer_sequence_ie},
    {"GRUSequenceIE", 0, {}, 3, 6, kGruSequence, infer_sequence_ie},
    {"RNNSequenceIE", 0, {}, 3, 6, kRnnSequence, infer_sequence_ie},
};

}  // namespace

std::span<const OpRow> recurrent_ops() { return kOps; }

}  // namespace blobsmith::ops
