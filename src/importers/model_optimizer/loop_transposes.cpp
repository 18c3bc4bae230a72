// Transposes around a loop over the first axis, whose data has the batch first: the loop goes over the second axis
// instead (of Model Optimizer's rewrites of the middle phase).
//
//   Transpose(1,0,2) -> loop over axis 0 -> Transpose(1,0,2)  ->  loop over axis 1
#include <algorithm>

#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::model_optimizer {
namespace {

bool swaps_first_axes(const Node* n) {
  const Tensor* order = n->is("Transpose") ? transforms::constant_of(n->input(1)) : nullptr;
  return order && order->to_i64() == std::vector<int64_t>{1, 0, 2};
}

/// The Squeeze or Unsqueeze of axis 0 between a sliced port of the body and the cell.
Node* step_axis(Value v, const char* type) {
  Node* n = v.node;
  const Tensor* axes = n->is(type) ? transforms::constant_of(n->input(1)) : nullptr;
  return axes && axes->to_i64() == std::vector<int64_t>{0} ? n : nullptr;
}

void set_axis(Graph& body, Node* n) {
  body.set_input(n, 1, body.constant(Tensor::i64({1}), n->name + "/axis")->value());
}

}  // namespace

bool move_transposes_into_loop(Rewriter& rw, Node* n) {
  PortMap& map = n->port_map;
  if (!n->body || map.inputs.empty() || map.outputs.empty()) return false;
  PortMap::Input& in = map.inputs[0];
  PortMap::Output& out = map.outputs[0];
  if (!in.sliced || in.axis != 0 || !out.concatenated || out.axis != 0) return false;
  Node* before = n->input(in.outer).node;
  const std::vector<NodeUse> after = n->output(out.outer).uses;
  if (!swaps_first_axes(before) || after.empty() ||
      !std::ranges::all_of(after, [](const NodeUse& u) { return swaps_first_axes(u.node); }))
    return false;
  Graph& body = *n->body;
  Node* x = body.parameters()[static_cast<size_t>(in.body_parameter)];
  Node* result = body.results()[static_cast<size_t>(out.body_result)];
  if (x->output().uses.size() != 1) return false;
  Node* squeeze = step_axis({x->output().uses[0].node, 0}, "Squeeze");
  Node* unsqueeze = step_axis(result->input(0), "Unsqueeze");
  if (!squeeze || !unsqueeze) return false;
  const Shape& s = x->shape();
  body.set_outputs(x, {{x->element_type(), {s[1], s[0], s[2]}}});
  set_axis(body, squeeze);
  set_axis(body, unsqueeze);
  in.axis = out.axis = 1;
  rw.set_input(n, in.outer, before->input(0));
  infer_all(body);
  infer(rw.graph(), n);
  for (const NodeUse& use : after) rw.redirect(use.node->value(), n->value(out.outer));
  return true;
}

}  // namespace blobsmith::model_optimizer
