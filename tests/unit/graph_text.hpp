// Graphs as text, so that tests of rewrites read as what they mean:
//
//   x = Parameter {1,4,2,2}                   ; also "Parameter u8 {1,3}"
//   gate = Clamp(Add(x, 3.0), min=0, max=6)   ; operations nest; attributes as an IR spells them
//   s = Split(x, 1, num_splits=2)             ; "s.1" is its second output
//   y = Multiply(s.1, {1,4,1,1} of 0.5)
//   return y, s
//
// Constants: `2.0` a scalar real, `2` a scalar integer, `[0,2,1]` a list of integers, `{3,2,1,1} of 4` a tensor of
// equal reals, `{3,2} counted` one of 1, 2, 3, ... `MVN@6` is the type in its version 6. Windows without stated
// strides, dilations or pads have ones and zeros. A semicolon opens a comment.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"
#include "graph/ops/attribute_text.hpp"
#include "text_reader.hpp"

namespace blobsmith {

class GraphText : TextReader {
 public:
  GraphText(Graph& graph, std::string_view text) : TextReader("graph"), graph_(graph) { open(text); }

  /// Adds the nodes to the graph, with a Result for each value that is returned. Throws with the line at fault.
  void read() {
    while (more()) {
      const std::string name = word();
      if (name == "return") {
        do graph_.result(value());
        while (take(','));
      } else {
        expect('=');
        const Value v = value(name);
        values_.insert_or_assign(name, v);
      }
    }
  }

 private:
  Value value(const std::string& name = {}) {
    skip();
    const char c = peek();
    if (c == '[') return graph_.constant(Tensor::i64(ops::parse_integers(inside('[', ']'))), name)->value();
    if (c == '{') return tensor(name);
    if (starts_number()) return number(name);
    const std::string type = word();
    if (type == "Parameter") return parameter(name);
    if (peek() == '(' || peek() == '@') return operation(type, name);
    const auto known = values_.find(type);
    if (known == values_.end()) fail("nothing is called " + type);
    return take('.') ? known->second.node->value(static_cast<int>(integer())) : known->second;
  }

  Value parameter(const std::string& name) {
    skip();
    ElementType type = ElementType::f32;
    if (peek() != '{') {
      const auto stated = parse_element_type(word());
      if (!stated) fail("no such element type");
      type = *stated;
      skip();
    }
    return graph_.parameter(type, shape(), name)->value();
  }

  Value tensor(const std::string& name) {
    const Shape dims = shape();
    std::vector<double> values(static_cast<size_t>(element_count(dims)));
    const std::string kind = word();
    if (kind != "of" && kind != "counted") fail("a constant is `of` a number or `counted`");
    const double first = kind == "of" ? ops::parse_real(digits()) : 1;
    for (size_t i = 0; i < values.size(); ++i) values[i] = kind == "of" ? first : first + static_cast<double>(i);
    return graph_.constant(Tensor::reals(ElementType::f32, dims, values), name)->value();
  }

  Value number(const std::string& name) {
    const std::string s = digits();
    if (s.find_first_of(".e") == std::string::npos)
      return graph_.constant(Tensor::scalar_i64(ops::parse_integer(s)), name)->value();
    const std::vector<double> values{ops::parse_real(s)};
    return graph_.constant(Tensor::reals(ElementType::f32, {}, values), name)->value();
  }

  Value operation(const std::string& type, const std::string& name) {
    const int version = take('@') ? static_cast<int>(integer()) : 0;
    const ops::OpRow* row = ops::find_op(type, version);
    if (!row) fail("no operation is called " + type);
    std::vector<Value> inputs;
    Attributes attributes;
    expect('(');
    while (!take(')')) {
      if (names_attribute())
        read_attribute(*row, attributes);
      else
        inputs.push_back(value());
      take(',');
    }
    complete_windows(*row, inputs, attributes);
    return graph_.make(type, std::move(inputs), std::move(attributes), version, name)->value();
  }

  void read_attribute(const ops::OpRow& row, Attributes& attributes) {
    const std::string name = word();
    expect('=');
    const std::string text = attribute_text();
    const auto spec = std::ranges::find(row.attributes, std::string_view(name), &ops::AttributeSpec::name);
    if (spec == row.attributes.end()) fail(std::string(row.type) + " has no attribute " + name);
    const auto parsed = ops::parse_attribute(*spec, text);
    if (!parsed) fail("bad value of " + name);
    std::visit([&](const auto& v) { attributes.set(name, v); }, *parsed);
  }

  static void complete_windows(const ops::OpRow& row, const std::vector<Value>& inputs, Attributes& attributes) {
    if (inputs.empty() || inputs[0].shape().size() < 3) return;
    const size_t axes = inputs[0].shape().size() - 2;
    for (const ops::AttributeSpec& spec : row.attributes) {
      const bool ones = spec.name == "strides" || spec.name == "dilations";
      if ((ones || spec.name == "pads_begin" || spec.name == "pads_end") && !attributes.has(spec.name))
        attributes.set(spec.name, std::vector<int64_t>(axes, ones ? 1 : 0));
    }
  }

  Shape shape() { return ops::parse_integers(inside('{', '}')); }
  int64_t integer() { return ops::parse_integer(digits()); }

  Graph& graph_;
  std::map<std::string, Value> values_;
};

}  // namespace blobsmith
