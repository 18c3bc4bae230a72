// LSTMCell and LSTMSequence with their weights as one matrix, and without the axis of directions (front-end spec
// §5.6). LSTMCellIE reads X, H, C, WR, B; LSTMSequenceIE reads X, H, C, lengths, WR, B.
#include "transforms/conversion/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

bool lstm_cell_to_legacy(Rewriter& rw, Node* n) {
  if (n->input_count() < 6) return false;
  Node* weights = rw.make("Concat", {n->input(3), n->input(4)}, attributes({{"axis", 1}}));
  return rw.replace(n, rw.make_like(n, "LSTMCellIE",
                                    {n->input(0), n->input(1), n->input(2), weights->value(), n->input(5)}, n->attrs));
}

bool has_order(const Node& transpose, const std::vector<int64_t>& order) {
  const Tensor* t = constant_of(transpose.input(1));
  return t && t->to_i64() == order;
}

// The Transpose behind output 0 when the sequence stands between two that put the time first; nullptr otherwise.
Node* transpose_after(const Node& n) {
  const auto& uses = n.output(0).uses;
  Node* before = producer(n.input(0), "Transpose");
  if (!before || uses.size() != 1 || !uses[0].node->is("Transpose")) return nullptr;
  return has_order(*before, {1, 0, 2}) && has_order(*uses[0].node, {2, 1, 0, 3}) ? uses[0].node : nullptr;
}

Value squeeze(Rewriter& rw, Value v, Value axis) { return rw.make("Squeeze", {v, axis})->value(); }

bool lstm_sequence_to_legacy(Rewriter& rw, Node* n) {
  if (n->version != 5 || n->attrs.text("direction", "forward") == "bidirectional" || n->input_count() != 7)
    return false;
  Node* after = transpose_after(*n);
  const bool time_first = after != nullptr;
  const Value x = time_first ? n->input(0).node->input(0) : n->input(0);
  const Value axis_1 = rw.indices({1});
  const Value h = squeeze(rw, n->input(1), axis_1), c = squeeze(rw, n->input(2), axis_1);
  Node* weights = rw.make("Concat", {n->input(4), n->input(5)}, attributes({{"axis", 2}}));
  const Value axis_0 = rw.indices({0});
  const Value wr = squeeze(rw, weights->value(), axis_0), b = squeeze(rw, n->input(6), axis_0);

  Graph& g = rw.graph();
  Node* sequence = rw.add("LSTMSequenceIE", {x, h, c, n->input(3), wr, b});
  sequence->attrs = n->attrs;
  sequence->attrs.set("axis", time_first ? 0 : 1);
  Shape y = (time_first ? after : n)->shape();  // with the axis of directions at 1
  y.erase(y.begin() + 1);
  g.set_outputs(sequence, {{n->element_type(), y}, {n->element_type(), h.shape()}, {n->element_type(), c.shape()}});

  const Value axis = rw.indices({1});
  std::vector<Node*> outputs;
  for (int i = 0; i < 3; ++i) {
    outputs.push_back(rw.make("Unsqueeze", {sequence->value(i), axis}));
    outputs.back()->name = n->name + "." + std::to_string(i);
  }
  if (time_first) rw.redirect(after->value(), outputs[0]->value());
  for (int i = time_first ? 1 : 0; i < 3; ++i) rw.redirect(n->value(i), outputs[static_cast<size_t>(i)]->value());
  return true;
}

constexpr RewriteRow kSequencesToLegacy[] = {
    {{"LSTMCell"}, lstm_cell_to_legacy},
    {{"LSTMSequence"}, lstm_sequence_to_legacy},
};

}  // namespace

std::span<const RewriteRow> sequences_to_legacy() { return kSequencesToLegacy; }

}  // namespace blobsmith::transforms
