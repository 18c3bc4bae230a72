// Small networks for tests of the legacy conversion.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "graph/graph.hpp"
#include "graph_text.hpp"
#include "transforms/pipeline.hpp"

namespace blobsmith {

struct Net {
  Graph g;

  Net() = default;
  /// The graph that the text says, see graph_text.hpp.
  explicit Net(std::string_view text) { GraphText(g, text).read(); }

  Value input(Shape shape, std::string name = "x", ElementType type = ElementType::f32) {
    return g.parameter(type, std::move(shape), std::move(name))->value();
  }
  Value reals(Shape shape, double v) {
    const auto n = static_cast<size_t>(element_count(shape));
    return g.constant(Tensor::reals(ElementType::f32, std::move(shape), std::vector<double>(n, v)))->value();
  }
  /// 1, 2, 3, ...
  Value counted(Shape shape) {
    std::vector<double> v(static_cast<size_t>(element_count(shape)));
    for (size_t i = 0; i < v.size(); ++i) v[i] = static_cast<double>(i + 1);
    return g.constant(Tensor::reals(ElementType::f32, std::move(shape), v))->value();
  }
  Value ints(std::vector<int64_t> v) { return g.constant(Tensor::i64(std::move(v)))->value(); }
  Value op(std::string type, std::vector<Value> inputs, std::string name, Attributes attrs = {}, int version = 0) {
    return g.make(std::move(type), std::move(inputs), std::move(attrs), version, std::move(name))->value();
  }
  Value convolution(Value x, Value weights, std::string name, const char* type = "Convolution") {
    Attributes a;
    const std::vector<int64_t> ones(x.shape().size() - 2, 1), zeros(x.shape().size() - 2, 0);
    a.set("strides", ones);
    a.set("dilations", ones);
    a.set("pads_begin", zeros);
    a.set("pads_end", zeros);
    a.set("auto_pad", "explicit");
    return op(type, {x, weights}, std::move(name), std::move(a));
  }
  void convert(std::vector<Value> outputs) {
    for (const Value& v : outputs) g.result(v);
    convert_to_legacy(g);
  }
  /// The node of this name, or nullptr.
  const Node* find(const std::string& name) const {
    const auto all = g.ordered();
    const auto it = std::ranges::find_if(all, [&](const Node* n) { return n->name == name && !n->is("Result"); });
    return it == all.end() ? nullptr : *it;
  }
  std::string type_of(const std::string& name) const {
    const Node* n = find(name);
    return n ? n->type : "(none)";
  }
  /// Types of everything but inputs, constants and results, in order.
  std::vector<std::string> types() const {
    std::vector<std::string> r;
    for (const Node* n : g.ordered())
      if (!n->is("Parameter") && !n->is("Constant") && !n->is("Result")) r.push_back(n->type);
    return r;
  }
};

using Types = std::vector<std::string>;

/// The graph that the text says, as the legacy conversion leaves it.
inline Net converted(std::string_view text) {
  Net n(text);
  convert_to_legacy(n.g);
  return n;
}

template <class T>
Attributes with(std::string_view name, T value) {
  Attributes a;
  a.set(name, std::move(value));
  return a;
}

}  // namespace blobsmith
