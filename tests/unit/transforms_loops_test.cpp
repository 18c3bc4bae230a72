// A TensorIterator as copies of its body (front-end spec §6.6).
#include "transforms_fixture.hpp"

namespace blobsmith {
namespace {

// y[t] = tanh(x[t] + h), h = y[t-1]; over axis 1 of x, forth or back.
Node* add_loop(Net& n, int64_t length, int64_t stride) {
  Graph& g = n.g;
  Node* loop = g.add("TensorIterator", {n.input({1, length, 3}), n.input({1, 1, 3}, "state")}, 0, "loop");
  loop->body = std::make_unique<Graph>();
  Graph& body = *loop->body;
  Node* x = body.parameter(ElementType::f32, {1, 1, 3}, "part");
  Node* h = body.parameter(ElementType::f32, {1, 1, 3}, "h");
  body.result(
      body.make("Tanh", {body.make("Add", {x->value(), h->value()}, {}, 0, "sum")->value()}, {}, 0, "out")->value());
  const int64_t start = stride > 0 ? 0 : -1, end = stride > 0 ? -1 : 0;
  loop->port_map.inputs = {
      {.outer = 0, .body_parameter = 0, .axis = 1, .start = start, .end = end, .stride = stride, .sliced = true},
      {.outer = 1, .body_parameter = 1}};
  loop->port_map.outputs = {
      {.outer = 0, .body_result = 0, .axis = 1, .start = start, .end = end, .stride = stride, .concatenated = true}};
  loop->port_map.back_edges = {{.body_result = 0, .body_parameter = 1}};
  g.set_outputs(loop, {{ElementType::f32, {1, length, 3}}});
  g.result(loop->value());
  return loop;
}

TEST(TransformsLoops, EveryIterationIsACopyOfTheBody) {
  Net n;
  add_loop(n, 3, 1);
  unroll_loops(n.g);
  const Types types = n.types();
  EXPECT_EQ(std::ranges::count(types, "Tanh"), 3);
  EXPECT_EQ(std::ranges::count(types, "TensorIterator"), 0);
  EXPECT_EQ(n.type_of("loop:in_split_0"), "Split");
  EXPECT_EQ(n.type_of("loop:out_concat_0"), "Concat");
}

TEST(TransformsLoops, StatesGoFromOneIterationToTheNext) {
  Net n;
  add_loop(n, 3, 1);
  unroll_loops(n.g);
  EXPECT_EQ(n.find("sum:0")->input(1).node->name, "state");
  EXPECT_EQ(n.find("sum:2")->input(1).node->name, "out:1");
  EXPECT_EQ(n.find("sum:2")->input(0).port, 2);
}

TEST(TransformsLoops, BackwardLoopsTakeTheLastSliceFirst) {
  Net n;
  add_loop(n, 3, -1);
  unroll_loops(n.g);
  EXPECT_EQ(n.find("sum:0")->input(0).port, 2);
  EXPECT_EQ(n.find("loop:out_concat_0")->input(2).node->name, "out:0");
}

}  // namespace
}  // namespace blobsmith
