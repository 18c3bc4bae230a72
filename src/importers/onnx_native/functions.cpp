#include "importers/onnx_native/functions.hpp"

#include <array>
#include <string_view>

namespace blobsmith::onnx_native {
namespace {

using onnx_file::Attribute;
using onnx_file::Node;

/// The body of one operator. Values inside are named after the node, or after the operator where the node has no name.
class Body {
 public:
  explicit Body(const Node& n) : node_(n), prefix_("Func_" + (n.name.empty() ? n.op_type + "0x" : n.name)) {}

  std::string inner(std::string_view name) const { return prefix_ + std::string(name); }
  std::string input(size_t i) const { return i < node_.inputs.size() ? node_.inputs[i] : std::string(); }
  std::string output(size_t i = 0) const { return node_.outputs.at(i); }
  const Node& call() const { return node_; }

  Node& add(std::string op_type, std::vector<std::string> inputs, std::string output) {
    Node n;
    n.op_type = std::move(op_type);
    n.inputs = std::move(inputs);
    n.outputs = {std::move(output)};
    nodes_.push_back(std::move(n));
    return nodes_.back();
  }
  std::string constant(std::string_view name, Tensor t) {
    Attribute a;
    a.kind = Attribute::Kind::Tensor;
    a.tensor = std::move(t);
    add("Constant", {}, inner(name)).attributes["value"] = std::move(a);
    return inner(name);
  }
  std::vector<Node> take() { return std::move(nodes_); }

 private:
  const Node& node_;
  std::string prefix_;
  std::vector<Node> nodes_;
};

void celu(Body& b) {
  const std::string alpha = b.constant("alpha", Tensor::of(ElementType::f32, {1}, std::vector<float>{b.call().real("alpha", 1)}));
  b.add("Div", {b.input(0), alpha}, b.inner("X_alpha"));
  b.add("Elu", {b.inner("X_alpha")}, b.inner("Elu_Result"));
  b.add("Mul", {alpha, b.inner("Elu_Result")}, b.output());
}

void or_equal(Body& b, const char* comparison) {
  b.add(comparison, {b.input(0), b.input(1)}, b.inner("O1"));
  b.add("Equal", {b.input(0), b.input(1)}, b.inner("O2"));
  b.add("Or", {b.inner("O1"), b.inner("O2")}, b.output());
}
void greater_or_equal(Body& b) { or_equal(b, "Greater"); }
void less_or_equal(Body& b) { or_equal(b, "Less"); }

struct Function {
  std::string_view op_type;
  void (*expand)(Body&);
};
constexpr std::array kFunctions{Function{"Celu", celu}, Function{"GreaterOrEqual", greater_or_equal}, Function{"LessOrEqual", less_or_equal}};

const Function* find_function(const Node& n) {
  if (!n.domain.empty() && n.domain != "ai.onnx") return nullptr;
  for (const Function& f : kFunctions)
    if (f.op_type == n.op_type && !n.outputs.empty()) return &f;
  return nullptr;
}

}  // namespace

void expand_functions(onnx_file::Model& model) {
  std::vector<Node> kept, bodies;
  for (Node& n : model.nodes) {
    if (const Function* f = find_function(n)) {
      Body body(n);
      f->expand(body);
      for (Node& inner : body.take()) bodies.push_back(std::move(inner));
    } else {
      kept.push_back(std::move(n));
    }
  }
  for (Node& n : bodies) kept.push_back(std::move(n));
  model.nodes = std::move(kept);
}

}  // namespace blobsmith::onnx_native
