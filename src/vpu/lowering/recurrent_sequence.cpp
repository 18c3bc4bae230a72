// Loops over one recurrent cell become sequence layers (front-end spec §6.6).
#include <algorithm>

#include "vpu/lowering/layer_types.hpp"
#include "vpu/lowering/network.hpp"

namespace blobsmith::vpu {
namespace {

struct Body {
  const Node *squeeze = nullptr, *cell = nullptr, *unsqueeze = nullptr;
  int states = 0;  ///< 2 for LSTM, 1 for GRU and RNN
};

std::string sequence_type(std::string_view cell_type) {
  if (cell_type == "LSTMCell") return "LSTMSequence";
  if (cell_type == "GRUCell") return "GRUSequence";
  return cell_type == "RNNCell" ? "RNNSequence" : "";
}

bool is_reshape(const Node& n) { return n.is("Reshape") || n.is("Squeeze") || n.is("Unsqueeze"); }

/// Reshape, cell, Reshape and nothing else; a null cell otherwise.
Body find_body(const Graph& g) {
  std::vector<const Node*> layers;
  for (const Node* n : g.ordered())
    if (!n->is("Parameter") && !n->is("Result") && !n->is_constant()) layers.push_back(n);
  if (layers.size() != 3) return {};
  Body b;
  for (const Node* n : layers)
    if (!sequence_type(layer_type(*n)).empty()) b.cell = n;
  if (!b.cell || b.cell->input_count() < 2) return {};
  b.squeeze = b.cell->input(0).node;
  for (const Node* n : layers)
    if (n != b.cell && n != b.squeeze) b.unsqueeze = n;
  if (!b.unsqueeze || !is_reshape(*b.squeeze) || !is_reshape(*b.unsqueeze) ||
      b.unsqueeze->input(0) != Value{const_cast<Node*>(b.cell), 0})
    return {};
  b.states = layer_type(*b.cell) == "LSTMCell" ? 2 : 1;
  if (b.cell->output_count() < b.states || b.cell->input_count() <= b.states) return {};
  return b;
}

int parameter_index(const Graph& g, Value v) {
  const auto& p = g.parameters();
  const auto it = std::ranges::find(p, v.node);
  return it == p.end() ? -1 : static_cast<int>(it - p.begin());
}

int result_index(const Graph& g, Value v) {
  const auto& r = g.results();
  const auto it = std::ranges::find_if(r, [&](const Node* n) { return n->input(0) == v; });
  return it == r.end() ? -1 : static_cast<int>(it - r.begin());
}

const PortMap::Input* input_of(const PortMap& m, int body_parameter) {
  const auto it = std::ranges::find(m.inputs, body_parameter, &PortMap::Input::body_parameter);
  return it == m.inputs.end() ? nullptr : &*it;
}

const PortMap::Output* output_of(const PortMap& m, int body_result) {
  const auto it = std::ranges::find(m.outputs, body_result, &PortMap::Output::body_result);
  return it == m.outputs.end() ? nullptr : &*it;
}

bool has_back_edge(const PortMap& m, int body_result, int body_parameter) {
  return std::ranges::any_of(m.back_edges, [&](const PortMap::BackEdge& e) {
    return e.body_result == body_result && e.body_parameter == body_parameter;
  });
}

/// One step at a time over the whole axis 0 or 1, forth or back.
template <class Port>
bool full_range(const Port& p) {
  const bool forth = p.stride == 1 && p.start == 0 && p.end == -1, back = p.stride == -1 && p.start == -1 && p.end == 0;
  return p.part_size == 1 && (p.axis == 0 || p.axis == 1) && (forth || back);
}

}  // namespace

std::optional<NetworkLayer> as_recurrent_sequence(const NetworkLayer& loop) {
  const Node& n = *loop.node;
  if (!n.is("TensorIterator") || !n.body) return {};
  const Graph& g = *n.body;
  const PortMap& m = n.port_map;
  const Body b = find_body(g);
  if (!b.cell) return {};
  Node* cell = const_cast<Node*>(b.cell);
  const PortMap::Input* data_in = input_of(m, parameter_index(g, b.squeeze->input(0)));
  const PortMap::Output* data_out = output_of(m, result_index(g, {const_cast<Node*>(b.unsqueeze), 0}));
  if (!data_in || !data_out || !data_in->sliced || !data_out->concatenated) return {};
  if (!full_range(*data_in) || !full_range(*data_out) || data_in->axis != data_out->axis ||
      data_in->stride != data_out->stride)
    return {};
  const auto outside = [&](int input, int output) {
    return input < 0 || input >= n.input_count() || output < 0 || static_cast<size_t>(output) >= loop.outputs.size();
  };
  if (outside(data_in->outer, data_out->outer)) return {};
  const auto states = static_cast<size_t>(b.states);
  if (m.inputs.size() != states + 1 || m.back_edges.size() != states ||
      (m.outputs.size() != states + 1 && m.outputs.size() != 1))
    return {};

  NetworkLayer r{cell,
                 cell->name + "_sequence",
                 sequence_type(layer_type(*cell)),
                 {n.input(data_in->outer)},
                 {},
                 SequenceRule{data_in->axis, data_in->stride == 1}};
  r.outputs.push_back(loop.outputs[static_cast<size_t>(data_out->outer)]);
  for (int i = 0; i < b.states; ++i) {
    const int parameter = parameter_index(g, cell->input(i + 1)), result = result_index(g, {cell, i});
    const PortMap::Input* in = input_of(m, parameter);
    if (!in || in->sliced || outside(in->outer, 0) || !has_back_edge(m, result, parameter)) return {};
    r.inputs.push_back(n.input(in->outer));
    if (m.outputs.size() == 1) continue;
    const PortMap::Output* out = output_of(m, result);
    if (!out || out->concatenated || outside(0, out->outer)) return {};
    r.outputs.push_back(loop.outputs[static_cast<size_t>(out->outer)]);
  }
  return r;
}

}  // namespace blobsmith::vpu
