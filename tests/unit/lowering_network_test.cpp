// The layer network: names, weights that are no layers, order (front-end spec §6, §7).
#include "lowering_fixture.hpp"
#include "vpu/lowering/network.hpp"

using namespace blobsmith;
using namespace blobsmith::vpu;

namespace {

std::vector<std::string> sorted_names(const Network& n) {
  std::vector<std::string> r;
  for (const NetworkLayer* l : n.sorted()) r.push_back(l->name);
  return r;
}

}  // namespace

TEST(Network, VisitsSiblingsByNameAndPutsTheLastVisitedFirst) {
  Graph g;
  Node* x = g.parameter(ElementType::f32, {1, 4, 2, 2}, "x");
  Node* a = op(g, "Relu", {x->value()}, "a");
  Node* b = op(g, "Sigmoid", {x->value()}, "b");
  g.result(op(g, "Add", {a->value(), b->value()}, "sum")->value());
  EXPECT_EQ(sorted_names(Network(g)), (Names{"x", "b", "a", "sum"}));
}

TEST(Network, ConstantsAreRootsByName) {
  Graph g;
  Node* x = g.parameter(ElementType::f32, {1, 4, 2, 2}, "m");
  Node* early = floats(g, {1}, "a");
  Node* late = floats(g, {1}, "z");
  Node* first = op(g, "Add", {x->value(), late->value()}, "first");
  g.result(op(g, "Multiply", {first->value(), early->value()}, "second")->value());
  EXPECT_EQ(sorted_names(Network(g)), (Names{"z", "m", "first", "a", "second"}));
}

TEST(Network, WeightsAreNoLayers) {
  Graph g;
  Node* x = g.parameter(ElementType::f32, {1, 4, 2, 2}, "x");
  Node* w = floats(g, {4, 4, 1, 1}, "w");
  g.result(op(g, "ConvolutionIE", {x->value(), w->value()}, "conv")->value());
  const Network n(g);
  EXPECT_EQ(sorted_names(n), (Names{"x", "conv"}));
  EXPECT_EQ(n.sorted()[1]->inputs.size(), 1u);
  EXPECT_EQ(n.sorted()[1]->type, "Convolution");
}

TEST(Network, WeightsThatAnotherLayerReadsAreAConstLayer) {
  Graph g;
  Node* x = g.parameter(ElementType::f32, {1, 4, 2, 2}, "x");
  Node* w = floats(g, {4, 4, 1, 1}, "w");
  g.result(op(g, "ConvolutionIE", {x->value(), w->value()}, "conv")->value());
  g.result(op(g, "Relu", {w->value()}, "relu", {4, 4, 1, 1})->value());
  const Network n(g);
  EXPECT_EQ(sorted_names(n), (Names{"x", "conv", "w", "relu"}));  // no edge from w to conv
}

TEST(Network, ShapesOfReshapesVanishAndThoseOfInterpolateStay) {
  Graph g;
  Node* x = g.parameter(ElementType::f32, {1, 4, 2, 2}, "x");
  Node* pattern = g.constant(Tensor::i64({1, 16}), "pattern");
  Node* sizes = g.constant(Tensor::i64({4, 4}), "sizes");
  Node* flat = op(g, "Reshape", {x->value(), pattern->value()}, "flat", {1, 16});
  Node* big = op(g, "Interpolate", {x->value(), sizes->value()}, "big", {1, 4, 4, 4});
  g.result(flat->value());
  g.result(big->value());
  EXPECT_EQ(sorted_names(Network(g)), (Names{"x", "flat", "sizes", "big"}));
}

TEST(Network, DuplicateNamesGetANumber) {
  Graph g;
  Node* x = g.parameter(ElementType::f32, {1, 4, 2, 2}, "x");
  Node* first = op(g, "Relu", {x->value()}, "same");
  g.result(op(g, "Sigmoid", {first->value()}, "same")->value());
  EXPECT_EQ(sorted_names(Network(g)), (Names{"x", "same/1", "same"}));
}

TEST(Network, TwoOutputsOfOneNameAreRefused) {
  Graph g;
  Node* x = g.parameter(ElementType::f32, {1, 4, 2, 2}, "x");
  g.result(op(g, "Relu", {x->value()}, "same")->value());
  g.result(op(g, "Sigmoid", {x->value()}, "same")->value());
  EXPECT_THROW(Network{g}, Error);
}

TEST(Network, ManyOutputsAreNumbered) {
  Graph g;
  Node* x = g.parameter(ElementType::f32, {1, 4, 2, 2}, "x");
  Node* axis = g.constant(Tensor::scalar_i64(1), "axis");
  Node* split = op_of_several(g, "Split", {x->value(), axis->value()}, "split", {{1, 2, 2, 2}, {1, 2, 2, 2}});
  g.result(split->value(1));
  g.result(split->value(0));
  const Network n(g);
  ASSERT_EQ(n.outputs().size(), 2u);
  EXPECT_EQ(n.data_name(n.outputs()[0]), "split.0");
  EXPECT_EQ(n.data_name(n.outputs()[1]), "split.1");
}

TEST(Network, DynamicAndEmptyShapesAreErrors) {
  Graph dynamic;
  dynamic.result(
      op(dynamic, "Relu", {dynamic.parameter(ElementType::f32, {1, kDynamic}, "x")->value()}, "relu", {1, kDynamic})
          ->value());
  EXPECT_THROW(Network{dynamic}, Error);
  Graph empty;
  empty.result(op(empty, "Relu", {empty.parameter(ElementType::f32, {1, 4}, "x")->value()}, "relu", {1, 0})->value());
  EXPECT_THROW(Network{empty}, Error);
}
