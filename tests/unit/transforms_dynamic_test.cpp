// Shapes that depend on the data: the largest shape, and a graph that computes the real one (front-end spec §5.7).
#include "transforms_fixture.hpp"

namespace blobsmith {
namespace {

// What computes the real shape of an output: a resolver's second input.
Node* real_shape(const Net& n, const std::string& name) {
  const Node* resolver = n.find(name);
  EXPECT_EQ(resolver->type, "DynamicShapeResolver");
  return resolver->input(1).node;
}

Value non_zero(Net& n, Shape shape) {
  return n.op("NonZero", {n.input(std::move(shape))}, "nz", with("output_type", "i64"), 0);
}

TEST(TransformsDynamic, NonZeroHasRoomForEveryElement) {
  Net n;
  n.convert({non_zero(n, {2, 3})});
  EXPECT_EQ(n.find("nz")->shape(), (Shape{2, 6}));
  EXPECT_EQ(real_shape(n, "nz")->type, "StaticShapeNonZero");
}

TEST(TransformsDynamic, ElementwiseOperationsKeepTheRealShape) {
  Net n;
  const Value nz = non_zero(n, {2, 3});
  n.convert({n.op("Relu", {n.op("Convert", {nz}, "real", with("destination_type", "f32"))}, "y")});
  EXPECT_EQ(real_shape(n, "y")->type, "StaticShapeNonZero");
}

TEST(TransformsDynamic, ReshapesComputeTheirShapeOnTheDevice) {
  Net n;
  const Value pattern = n.ints({-1}), nz = non_zero(n, {2, 3});
  n.convert({n.op("Reshape", {nz, pattern}, "flat", with("special_zero", false))});
  EXPECT_EQ(n.find("flat")->shape(), Shape{12});
  EXPECT_EQ(real_shape(n, "flat")->type, "OutShapeOfReshape");
}

TEST(TransformsDynamic, OperationsWithoutARuleAreRefusedByName) {
  Net n;
  const Value nz = non_zero(n, {2, 3});
  n.g.result(n.op("Tanh", {n.op("Convert", {nz}, "real", with("destination_type", "f32"))}, "y"));
  try {
    convert_to_legacy(n.g);
    FAIL() << "a Tanh of unknown shape went through";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::UnsupportedLayer);
    EXPECT_EQ(e.layer(), "y");
  }
}

TEST(TransformsDynamic, LoopsThatHandOnAValueAreRefusedByPort) {
  Net n;
  Node* loop = n.g.add("Loop", {n.ints({4}), n.ints({1}), n.input({1, 3})}, 0, "loop");
  loop->body = std::make_unique<Graph>();
  Node* h = loop->body->parameter(ElementType::f32, {1, 3}, "h");
  loop->body->result(h->value());
  loop->port_map.inputs = {{.outer = 2, .body_parameter = 0}};
  loop->port_map.outputs = {{.outer = 0, .body_result = 0}};
  loop->port_map.back_edges = {{.body_result = 0, .body_parameter = 0}};
  n.g.set_outputs(loop, {{ElementType::f32, {1, 3}}});
  n.g.result(loop->value());
  try {
    convert_to_legacy(n.g);
    FAIL() << "a loop with a state went through";
  } catch (const Error& e) {
    EXPECT_EQ(e.layer(), "loop");
    EXPECT_NE(std::string(e.what()).find("at index 2"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace blobsmith
