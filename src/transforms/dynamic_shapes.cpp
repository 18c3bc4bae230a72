// Outputs whose shape depends on the data get their largest shape, and a DynamicShapeResolver that ties them to a tensor
// with the real one (front-end spec §5.7). NonMaxSuppression, NonZero and elementwise operations behind them so far.
#include <algorithm>
#include <array>
#include <map>

#include "transforms/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

using Shapes = std::map<std::pair<const Node*, int>, Value>;  ///< tensor with the real shape of a resolver's output

constexpr std::array<std::string_view, 17> kKeepsShape{"Abs",  "Ceiling", "Clamp", "Convert", "Elu",     "Erf",     "Exp",      "Floor", "Log",
                                                       "Relu", "Round",   "Sigmoid", "Sqrt",  "Softmax", "Tanh", "LogicalNot", "Negative"};

bool is_dynamic(const Node& n) {
  for (int i = 0; i < n.output_count(); ++i)
    if (!is_static(n.shape(i))) return true;
  return false;
}

// `data` with the real shape `shape` takes the place of an output.
void resolve(Rewriter& rw, Shapes& shapes, Value old, Value data, Value shape, const std::string& name) {
  Node* resolver = rw.make("DynamicShapeResolver", {data, shape});
  resolver->name = name;
  shapes[{resolver, 0}] = shape;
  rw.redirect(old, resolver->value());
}

void resolve_non_max_suppression(Rewriter& rw, Shapes& shapes, Node* n) {
  std::vector<Value> inputs = n->inputs();
  if (inputs.size() < 6) inputs.push_back(rw.scalar(ElementType::f32, 0));  // soft NMS sigma
  const Attributes attrs = attributes({{"box_encoding", n->attrs.text("box_encoding", "corner")},
                                       {"sort_result_descending", n->attrs.flag("sort_result_descending", true)},
                                       {"output_type", std::string(to_string(n->element_type(0)))}});
  Node* nms = rw.make("StaticShapeNonMaxSuppression", inputs, attrs);
  for (int i = 0; i < 2; ++i) resolve(rw, shapes, n->value(i), nms->value(i), nms->value(2), n->name + "." + std::to_string(i));
  if (n->output(2).uses.empty()) return;
  const Value first = rw.indices({0}), axis = rw.indices({0});
  Node* count = rw.make("Gather", {nms->value(2), first, axis}, {}, 1);
  count->name = n->name + ".2";
  rw.redirect(n->value(2), count->value());
}

void resolve_non_zero(Rewriter& rw, Shapes& shapes, Node* n) {
  Node* non_zero = rw.make("StaticShapeNonZero", n->inputs(), attributes({{"output_type", std::string(to_string(n->element_type()))}}));
  resolve(rw, shapes, n->value(), non_zero->value(0), non_zero->value(1), n->name);
}

bool resolve_elementwise(Rewriter& rw, Shapes& shapes, Node* n) {
  if (std::ranges::find(kKeepsShape, n->type) == kKeepsShape.end()) return false;
  const auto shape = shapes.find({n->input(0).node, n->input(0).port});
  if (shape == shapes.end()) return false;
  Node* by = rw.copy(n, n->inputs());
  resolve(rw, shapes, n->value(), by->value(), shape->second, n->name);
  return true;
}

// Reads something whose shape a resolver tells, without being told how its own shape follows.
bool reads_resolver(const Shapes& shapes, const Node& n) {
  return std::ranges::any_of(n.inputs(), [&](const Value& v) { return v && shapes.contains({v.node, v.port}); });
}

Error unsupported_dynamic(const Node& n) { return not_yet_supported(n.name, n.type, "outputs whose shape depends on the data"); }

}  // namespace

bool resolve_dynamic_shapes(Graph& graph) {
  if (std::ranges::none_of(graph.all(), [](const Node* n) { return is_dynamic(*n); })) return false;
  Rewriter rw(graph);
  Shapes shapes;
  for (Node* n : graph.ordered()) {
    if (n->is("Result")) {
      graph.set_outputs(n, {{n->input(0).type(), n->input(0).shape()}});
      continue;
    }
    if (n->is("NonMaxSuppression")) resolve_non_max_suppression(rw, shapes, n);
    else if (n->is("NonZero")) resolve_non_zero(rw, shapes, n);
    else if ((is_dynamic(*n) || reads_resolver(shapes, *n)) && !resolve_elementwise(rw, shapes, n)) throw unsupported_dynamic(*n);
  }
  graph.remove_unreachable();
  return true;
}

}  // namespace blobsmith::transforms
