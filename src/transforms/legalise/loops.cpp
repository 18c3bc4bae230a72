// A loop over an LSTM cell becomes one stage where all of its outputs are read, or the sequence of hidden states alone.
// The last hidden state is the last of the sequence; what nothing reads otherwise is added to the cell state, times
// zero.
#include <algorithm>

#include "transforms/legalise/terms.hpp"

namespace blobsmith::legalise_rows {
namespace {

struct Outputs {
  int sequence = -1, hidden = -1, cell = -1;
  int64_t axis = 0;
  bool reverse = false;
};

/// The ports of a loop whose body is an LSTM cell and its Reshapes.
std::optional<Outputs> lstm_outputs(const Node& n) {
  if (!n.is("TensorIterator") || !n.body || n.port_map.outputs.size() != 3 || n.output_count() != 3)
    return std::nullopt;
  Outputs o;
  for (const PortMap::Output& p : n.port_map.outputs) {
    const Value v = n.body->results().at(static_cast<size_t>(p.body_result))->input(0);
    if (p.concatenated) {
      o.sequence = p.outer;
      o.axis = p.axis;
      o.reverse = p.stride < 0;
    } else if (v.node->is("LSTMCell")) {
      (v.port == 0 ? o.hidden : o.cell) = p.outer;
    }
  }
  for (const int port : {o.sequence, o.hidden, o.cell})
    if (port < 0 || port > 2 || !is_static(n.shape(port))) return std::nullopt;
  return o;
}

bool is_read(const Node& n, int port) { return !n.output(port).uses.empty(); }

/// The step of the sequence that the loop ends with, in the shape of the state.
Value last_step(Terms& t, const Node& n, const Outputs& o) {
  const Value sequence{const_cast<Node*>(&n), o.sequence};
  const int64_t steps = sequence.shape()[static_cast<size_t>(o.axis)], at = o.reverse ? 0 : steps - 1;
  return t.reshape(t.slice(sequence, o.axis, at, at + 1), n.shape(o.hidden));
}

}  // namespace

void read_all_of_lstms(Graph& graph) {
  Rewriter rw(graph);
  Terms t(rw);
  for (Node* n : graph.ordered()) {
    const auto o = lstm_outputs(*n);
    if (!o || (is_read(*n, o->sequence) && is_read(*n, o->hidden) && is_read(*n, o->cell))) continue;
    rw.set_origin(n->source);
    if (is_read(*n, o->cell)) {
      const std::vector<NodeUse> uses = n->output(o->cell).uses;
      const Value cell{n, o->cell}, hidden{n, o->hidden};
      const Value unread = t.multiply(t.make("Subtract", {hidden, last_step(t, *n, *o)}), 0);
      const Value all = t.add(cell, unread);
      all.node->name = n->name + "/cell";
      for (const NodeUse& u : uses) graph.set_input(u.node, u.port, all);
      continue;
    }
    if (is_read(*n, o->hidden)) {
      const std::vector<NodeUse> uses = n->output(o->hidden).uses;
      const Value last = last_step(t, *n, *o);
      for (const NodeUse& u : uses) graph.set_input(u.node, u.port, last);
    }
    if (o->sequence != 0) continue;  // its port has to be the one that is left
    std::erase_if(n->port_map.outputs, [&](const PortMap::Output& p) { return p.outer != o->sequence; });
    graph.set_outputs(n, {{n->element_type(0), n->shape(0)}});
  }
}

}  // namespace blobsmith::legalise_rows
