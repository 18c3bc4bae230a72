// A bidirectional LSTMSequence is two of one direction each (front-end spec §5.3 no. 14).
//
// Its states [batch, 2, hidden] and its weights [2, 4·hidden, …] hold both directions: a Split in halves gives each
// sequence its own, both read all of X and the lengths. Of the outputs, [batch, 2, length, hidden] and the last states
// [batch, 2, hidden], each is a Concat of both along axis 1.
#include "transforms/conversion/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

// LSTMSequence inputs: X, H, C, lengths, W, R, B; states are split along axis 1, weights along axis 0.
constexpr std::array kInputs{0, 1, 2, 3, 4, 5, 6};
constexpr int kSequenceInputs = static_cast<int>(kInputs.size());

bool is_shared(int input) { return input == 0 || input == 3; }
bool is_state(int input) { return input == 1 || input == 2; }

bool split_bidirectional_sequence(Rewriter& rw, Node* n) {
  if (n->attrs.text("direction", "forward") != "bidirectional" || n->input_count() != kSequenceInputs) return false;
  const Value axis_0 = rw.index(0), axis_1 = rw.index(1);
  std::vector<Value> forward, reverse;
  for (int i : kInputs) {
    if (is_shared(i)) {
      forward.push_back(n->input(i));
      reverse.push_back(n->input(i));
      continue;
    }
    Node* halves = rw.make("Split", {n->input(i), is_state(i) ? axis_1 : axis_0}, attributes({{"num_splits", 2}}));
    forward.push_back(halves->value(0));
    reverse.push_back(halves->value(1));
  }
  const auto one_way = [&](const std::vector<Value>& inputs, const char* direction) {
    Attributes attrs = n->attrs;
    attrs.set("direction", direction);
    return rw.make(n->type, inputs, attrs, n->version);
  };
  Node* first = one_way(forward, "forward");
  Node* second = one_way(reverse, "reverse");
  std::vector<Node*> joined;
  for (int i = 0; i < n->output_count(); ++i) {
    joined.push_back(rw.make("Concat", {first->value(i), second->value(i)}, attributes({{"axis", 1}})));
    joined.back()->name = n->name + "." + std::to_string(i);
  }
  for (int i = 0; i < n->output_count(); ++i) rw.redirect(n->value(i), joined[static_cast<size_t>(i)]->value());
  return true;
}

constexpr RewriteRow kBidirectionalSequences[] = {
    {{"LSTMSequence"}, split_bidirectional_sequence},
};

}  // namespace

std::span<const RewriteRow> bidirectional_sequences() { return kBidirectionalSequences; }

}  // namespace blobsmith::transforms
