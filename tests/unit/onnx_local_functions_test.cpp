// Functions that a model brings with it, put in place of their calls.
#include <gtest/gtest.h>

#include "importers/onnx/local_functions.hpp"

namespace blobsmith::onnx_file {
namespace {

Node node(std::string op, std::vector<std::string> inputs, std::vector<std::string> outputs, std::string domain = "",
          std::string name = "") {
  Node n;
  n.op_type = std::move(op);
  n.name = std::move(name);
  n.domain = std::move(domain);
  n.inputs = std::move(inputs);
  n.outputs = std::move(outputs);
  return n;
}

Attribute real(float v) {
  Attribute a;
  a.kind = Attribute::Kind::Real;
  a.real = v;
  return a;
}

Attribute parameter(std::string name) {
  Attribute a;
  a.stands_for = std::move(name);
  return a;
}

/// f(a, optional b) -> r: t = Elu(a; alpha of the call), r = Sum(t, b)
Function function() {
  Function f;
  f.domain = "own";
  f.name = "F";
  f.inputs = {"a", "b"};
  f.outputs = {"r"};
  f.nodes = {node("Elu", {"a"}, {"t"}), node("Sum", {"t", "b"}, {"r"})};
  f.nodes[0].attributes["alpha"] = parameter("slope");
  return f;
}

TEST(LocalFunctions, CallsBecomeTheirNodes) {
  Model m;
  m.opset = 17;
  m.nodes = {node("F", {"x", "y"}, {"z"}, "own", "first"), node("F", {"z"}, {"w"}, "own", "first")};
  m.nodes[0].attributes["slope"] = real(2);
  inline_functions(m, {function()});
  ASSERT_EQ(m.nodes.size(), 4u);
  EXPECT_EQ(m.nodes[0].op_type, "Elu");
  EXPECT_EQ(m.nodes[0].inputs, std::vector<std::string>{"x"});
  EXPECT_EQ(m.nodes[0].real("alpha", 1), 2);
  EXPECT_EQ(m.nodes[1].inputs, (std::vector<std::string>{"first/t", "y"}));
  EXPECT_EQ(m.nodes[1].outputs, std::vector<std::string>{"z"});
  EXPECT_NE(m.nodes[2].outputs, m.nodes[0].outputs);  // two calls don't meet
  EXPECT_EQ(m.nodes[3].inputs[1], "");                // left out
  EXPECT_EQ(m.nodes[2].find("alpha"), nullptr);       // neither given nor a default
  EXPECT_EQ(m.nodes[3].outputs, std::vector<std::string>{"w"});
}

TEST(LocalFunctions, DefaultsStandWhereTheCallIsSilentAndFunctionsCallOthers) {
  Function outer;
  outer.domain = "own";
  outer.name = "G";
  outer.inputs = {"p"};
  outer.outputs = {"q"};
  outer.nodes = {node("F", {"p", "p"}, {"q"}, "own", "inner")};
  Function inner = function();
  inner.defaults["slope"] = real(3);
  Model m;
  m.nodes = {node("G", {"x"}, {"y"}, "own", "outer")};
  inline_functions(m, {outer, inner});
  ASSERT_EQ(m.nodes.size(), 2u);
  EXPECT_EQ(m.nodes[0].real("alpha", 1), 3);
  EXPECT_EQ(m.nodes[0].outputs, std::vector<std::string>{"outer/inner/t"});
  EXPECT_EQ(m.nodes[1].outputs, std::vector<std::string>{"y"});
}

TEST(LocalFunctions, BodiesOfBranchesSeeTheNamesOfTheCall) {
  auto body = std::make_shared<Model>();
  body->nodes = {node("Neg", {"a"}, {"n"})};
  body->outputs.emplace_back().name = "n";
  Function f = function();
  Attribute branch;
  branch.kind = Attribute::Kind::Graph;
  branch.graph = body;
  f.nodes = {node("If", {"b"}, {"r"})};
  f.nodes[0].attributes["then_branch"] = branch;
  Model m;
  m.nodes = {node("F", {"x", "y"}, {"z"}, "own", "call")};
  inline_functions(m, {f});
  ASSERT_EQ(m.nodes.size(), 1u);
  const Model& then = *m.nodes[0].find("then_branch")->graph;
  EXPECT_EQ(then.nodes[0].inputs, std::vector<std::string>{"x"});
  EXPECT_EQ(then.nodes[0].outputs, std::vector<std::string>{"call/n"});
  EXPECT_EQ(then.outputs[0].name, "call/n");
}

TEST(LocalFunctions, WhatCantEndOrIsForAnotherOpsetIsRefused) {
  Function f = function();
  f.nodes = {node("F", {"a"}, {"r"}, "own")};
  Model m;
  m.opset = 17;
  m.nodes = {node("F", {"x"}, {"y"}, "own")};
  Model recursive = m;
  EXPECT_THROW(inline_functions(recursive, {f}), Error);
  Function older = function();
  older.opset = 11;
  EXPECT_THROW(inline_functions(m, {older}), Error);
  // Each of 30 functions calls the one before it eight times.
  std::vector<Function> bomb{function()};
  for (int i = 0; i < 30; ++i) {
    Function next = function();
    next.name = "B" + std::to_string(i);
    const std::string before = bomb.back().name;
    next.nodes.clear();
    for (int k = 0; k < 8; ++k) next.nodes.push_back(node(before, {"a"}, {"r" + std::to_string(k)}, "own"));
    bomb.push_back(next);
  }
  Model big;
  big.nodes = {node("B29", {"x"}, {"y"}, "own")};
  EXPECT_THROW(inline_functions(big, bomb), Error);
}

}  // namespace
}  // namespace blobsmith::onnx_file
