#include "transforms/pre_post_process.hpp"

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

#include "graph/layer_name.hpp"
#include "graph/numbering.hpp"
#include "graph/tensor_names.hpp"
#include "transforms/pipeline.hpp"

namespace blobsmith {
namespace {

Error bad_layout(const std::string& layout, const std::string& why) {
  return Error(ErrorCode::BadOptionValue, "\"" + layout + "\" is not a valid layout: " + why);
}

/// "nhwc" or "[N,H,W,C]" as one letter per dimension.
std::string letters(const std::string& layout) {
  std::string r;
  for (const char c : layout)
    if (c != '[' && c != ']' && c != ',' && c != ' ')
      r += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (const char c : r) {
    if (!std::isalpha(static_cast<unsigned char>(c))) throw bad_layout(layout, "dimensions are letters, as in NCHW");
    if (std::ranges::count(r, c) > 1) throw bad_layout(layout, "a dimension stands there twice");
  }
  return r;
}

/// For each dimension of `to`, where `from` has it.
std::vector<int64_t> permutation(const std::string& from, const std::string& to) {
  std::vector<int64_t> order;
  for (const char dim : to) {
    const size_t at = from.find(dim);
    if (at == std::string::npos || from.size() != to.size())
      throw bad_layout(from, "it has other dimensions than " + to);
    order.push_back(static_cast<int64_t>(at));
  }
  return order;
}

/// How the user's dimensions become the network's; empty where nothing moves.
std::vector<int64_t> to_model(const TensorForm& form, size_t rank) {
  for (const std::string* layout : {&form.layout, &form.model_layout})
    if (!layout->empty() && letters(*layout).size() != rank)
      throw bad_layout(*layout, "the tensor has " + std::to_string(rank) + " dimensions");
  if (form.layout.empty() || form.model_layout.empty()) return {};
  const std::string user = letters(form.layout), model = letters(form.model_layout);
  return user == model ? std::vector<int64_t>{} : permutation(user, model);
}

std::vector<int64_t> inverse(const std::vector<int64_t>& order) {
  std::vector<int64_t> r(order.size());
  for (size_t i = 0; i < order.size(); ++i) r[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
  return r;
}

Shape permuted(const Shape& shape, const std::vector<int64_t>& order) {
  Shape r;
  for (const int64_t i : order) r.push_back(shape[static_cast<size_t>(i)]);
  return r;
}

Value converted(Graph& graph, Value v, ElementType type) {
  if (v.type() == type) return v;
  Attributes attrs;
  attrs.set("destination_type", std::string(to_string(type)));
  return graph.make("Convert", {v}, std::move(attrs))->value();
}

Value transposed(Graph& graph, Value v, const std::vector<int64_t>& order) {
  if (order.empty()) return v;
  return graph.make("Transpose", {v, graph.constant(Tensor::i64(order))->value()})->value();
}

TensorForm with_layout_of_file(TensorForm form, const Node& parameter) {
  if (!form.layout.empty() && form.model_layout.empty()) form.model_layout = parameter.attrs.text(kModelLayout, "");
  return form;
}

void form_input(Graph& graph, Node* p, const TensorForm& told) {
  const TensorForm form = with_layout_of_file(told, *p);
  numbering::skip(graph, 1);  // the reference makes the Parameter anew
  const ElementType model_type = p->element_type();
  const std::vector<int64_t> order = to_model(form, p->shape().size());
  const std::vector<NodeUse> uses = p->output().uses;
  Shape shape = p->shape();
  for (const std::vector<int64_t>* moved : {&order, &form.order})
    if (!moved->empty()) shape = permuted(shape, inverse(*moved));
  graph.set_outputs(p, {{form.type.value_or(model_type), std::move(shape)}});
  const Value ordered = transposed(graph, p->value(), form.order);
  const Value v = transposed(graph, converted(graph, ordered, model_type), order);
  if (v == p->value()) return;
  for (const NodeUse& use : uses) graph.set_input(use.node, use.port, v);
}

/// Whether two layouts are told apart, one that is not stated included.
bool moves_layout(const TensorForm& form) {
  return !form.layout.empty() && (form.model_layout.empty() || letters(form.layout) != letters(form.model_layout));
}

/// quirk: a layout that the user states and the network does not moves nothing, but still takes the name away.
/// `named`: how many outputs of the same node have taken its name, and its automatic one, before.
void form_output(Graph& graph, Node* r, const TensorForm& form, int& named) {
  const Value from = r->input(0);
  const std::vector<int64_t> order = to_model(form, from.shape().size());
  const Value ordered = transposed(graph, from, form.order);
  const Value v = transposed(graph, converted(graph, ordered, form.type.value_or(from.type())), inverse(order));
  if (!(v == from) || moves_layout(form)) {
    const std::string automatic =
        r->attrs.text(kAutomaticName, from.node->type + "_" + std::to_string(from.node->id()));
    from.node->attrs.set(kLayerName, layer_name(*from.node));
    std::string name = std::exchange(from.node->name, automatic);
    if (named++ > 1) name = layer_name(*from.node) + "." + std::to_string(from.port);  // 2022.1 refuses such networks
    if (v == from) return numbering::skip(graph, 1);
    v.node->output().tensor_names = std::exchange(from.node->output(from.port).tensor_names, {});
    v.node->output().name_buckets = std::exchange(from.node->output(from.port).name_buckets, 0);
    v.node->source = from.node->source;
    r->attrs.set(kAutomaticName, std::exchange(v.node->name, std::move(name)));
    graph.set_input(r, 0, v);
    infer(graph, r);
  }
  numbering::skip(graph, 1);  // and every Result
}

ElementType first_interface_input(ElementType t) { return t == ElementType::f16 ? ElementType::f32 : t; }

ElementType first_interface_output(ElementType t) {
  switch (t) {
    case ElementType::i64:
    case ElementType::u64:
    case ElementType::i32:
    case ElementType::u32: return ElementType::i32;
    default: return ElementType::f32;
  }
}

}  // namespace

void pre_post_process(Graph& graph, const std::vector<TensorForm>& inputs, const std::vector<TensorForm>& outputs) {
  for (size_t i = 0; i < inputs.size(); ++i) form_input(graph, graph.parameters().at(i), inputs[i]);
  std::map<const Node*, int> named;
  for (size_t i = 0; i < outputs.size(); ++i) {
    Node* r = graph.results().at(i);
    form_output(graph, r, outputs[i], named[r->input(0).node]);
  }
}

void show_first_interface_types(Graph& graph) {
  std::vector<TensorForm> inputs, outputs;
  for (Node* p : graph.parameters()) inputs.push_back({first_interface_input(p->element_type()), {}, {}});
  for (const Node* r : graph.results()) outputs.push_back({first_interface_output(r->input(0).type()), {}, {}});
  for (const Node* r : graph.results()) add_tensor_name(r->input(0).node->output(r->input(0).port), output_name(*r));
  for (Node* p : graph.parameters()) add_tensor_name(p->output(), p->name);
  pre_post_process(graph, inputs, outputs);
}

}  // namespace blobsmith
