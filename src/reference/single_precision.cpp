// All floating types of a graph as FP32. Values of constants stay what they were.
#include <utility>

#include "reference/executor.hpp"

namespace blobsmith::reference {
namespace {

bool becomes_single(ElementType t) { return t == ElementType::f16 || t == ElementType::bf16 || t == ElementType::f64; }

Tensor single(const Tensor& t) {
  return Tensor::of(ElementType::f32, t.shape, Tensor{t.type, t.shape, t.bytes.aligned(8)}.to_f32());
}

void convert(Graph& g, Node* n) {
  if (n->body) to_single_precision(*n->body);
  for (const char* name : {"destination_type", "output_type", "element_type"})
    if (const auto type = parse_element_type(n->attrs.text(name, "")); type && becomes_single(*type))
      n->attrs.set(name, "f32");
  if (n->is_constant()) {
    if (becomes_single(n->constant.type))
      n->constant = single(n->constant);
    else
      n->constant.bytes = n->constant.bytes.aligned(8);
  } else if (!n->constant.bytes.empty()) {
    n->constant = single(n->constant);  // a mean image
  }
  std::vector<std::pair<ElementType, Shape>> outputs;
  for (int i = 0; i < n->output_count(); ++i)
    outputs.emplace_back(becomes_single(n->element_type(i)) ? ElementType::f32 : n->element_type(i), n->shape(i));
  g.set_outputs(n, std::move(outputs));
}

}  // namespace

Tensor converted(const Tensor& t, ElementType type) {
  Graph g;
  Node* n = g.make("Convert", {g.constant(t)->value()}, [&] {
    Attributes a;
    a.set("destination_type", std::string(to_string(type)));
    return a;
  }());
  const Tensor* input = &t;
  std::vector<Tensor> out = evaluate(*n, {&input, 1});
  if (out.empty()) throw Error(ErrorCode::TypeMismatch, "numbers can't become " + std::string(to_string(type)));
  return std::move(out[0]);
}

Tensor input_tensor(const Node& p, std::span<const float> values) {
  if (std::cmp_not_equal(element_count(p.shape()), values.size()))
    throw Error(ErrorCode::ShapeMismatch, "input \"" + p.name + "\" takes " + std::to_string(element_count(p.shape())) +
                                              " values, not " + std::to_string(values.size()));
  const Tensor floats = Tensor::of(ElementType::f32, p.shape(), std::vector<float>(values.begin(), values.end()));
  return is_float(p.element_type()) ? floats : converted(floats, p.element_type());
}

std::string value_name(const Node& n, int port) {
  if (n.output_count() == 1) return n.name;
  const std::string& own = n.output(port).name;
  return own.empty() ? n.name + "." + std::to_string(port) : own;
}

void to_single_precision(Graph& graph) {
  for (Node* n : graph.all()) convert(graph, n);
}

}  // namespace blobsmith::reference
