// Graphs of legacy operations, node by node, for the tests of the lowering.
#pragma once
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

using Names = std::vector<std::string>;

/// A node with outputs of these shapes; nothing is inferred.
inline Node* op_of_several(Graph& g, std::string type, std::vector<Value> inputs, std::string name,
                           std::vector<Shape> shapes, ElementType t = ElementType::f32) {
  Node* n = g.add(std::move(type), std::move(inputs), 0, std::move(name));
  std::vector<std::pair<ElementType, Shape>> outputs;
  for (Shape& s : shapes) outputs.emplace_back(t, std::move(s));
  g.set_outputs(n, std::move(outputs));
  return n;
}
inline Node* op(Graph& g, std::string type, std::vector<Value> inputs, std::string name, Shape shape = {1, 4, 2, 2},
                ElementType t = ElementType::f32) {
  return op_of_several(g, std::move(type), std::move(inputs), std::move(name), {std::move(shape)}, t);
}

inline Node* floats(Graph& g, Shape shape, std::string name, double value = 0.5) {
  std::vector<double> v(static_cast<size_t>(element_count(shape)), value);
  return g.constant(Tensor::reals(ElementType::f32, std::move(shape), v), std::move(name));
}

/// "Relu:name", in the order of execution.
inline Names stage_names(Program& p) {
  Names r;
  for (const Stage* s : p.stages()) r.push_back(std::string(to_string(s->type)) + ":" + s->name);
  return r;
}

}  // namespace blobsmith::vpu
