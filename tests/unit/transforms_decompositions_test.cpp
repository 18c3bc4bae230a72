#include "transforms_fixture.hpp"

namespace blobsmith {
namespace {

TEST(TransformsDecompositions, SubtractAddsTheNegative) {
  Net n;
  n.g.next_id = 100;
  const Value a = n.input({1, 2, 3, 4}, "a"), b = n.input({1, 2, 3, 4}, "b");
  n.convert({n.op("Subtract", {a, b}, "y")});
  EXPECT_EQ(n.types(), (Types{"PowerIE", "Add"}));
  EXPECT_EQ(n.find("y")->input(1).node->attrs.real("scale"), -1.0);
  // Constant(-1) took the number before the Multiply; the Power keeps its name.
  EXPECT_EQ(n.find("y")->input(1).node->name, "Multiply_105");
}

TEST(TransformsDecompositions, DivisionByAConstantIsAMultiplication) {
  const Net n = converted("x = Parameter {1,2,3,4}  y = Divide(x, 4.0)  return y");
  EXPECT_EQ(n.types(), Types{"PowerIE"});
  EXPECT_EQ(n.find("y")->attrs.real("scale"), 0.25);
}

TEST(TransformsDecompositions, MeanOverSpatialAxesIsOnePooling) {
  const Net n = converted("x = Parameter {1,8,5,7}  y = ReduceMean(x, [2,3], keep_dims=true)  return y");
  EXPECT_EQ(n.types(), Types{"AvgPool"});
  EXPECT_EQ(n.find("y")->attrs.integers("kernel"), (std::vector<int64_t>{5, 7}));
}

TEST(TransformsDecompositions, SumIsAPoolingTimesTheCountBetweenReshapes) {
  const Net n = converted("x = Parameter {2,8,5}  y = ReduceSum(x, [1,2], keep_dims=false)  return y");
  EXPECT_EQ(n.types(), (Types{"Reshape", "AvgPool", "PowerIE", "Reshape"}));
  EXPECT_EQ(n.find("y/reshape_begin")->shape(), (Shape{2, 1, 40, 1}));
  EXPECT_EQ(n.find("y/mul")->attrs.real("scale"), 40.0);
  EXPECT_EQ(n.find("y")->shape(), Shape{2});
}

TEST(TransformsDecompositions, AxesThatAreNotNeighboursStayAReduction) {
  EXPECT_EQ(converted("x = Parameter {1,8,5,7}  y = ReduceMax(x, [1,3], keep_dims=true)  return y").types(),
            Types{"ReduceMax"});
}

TEST(TransformsDecompositions, DepthToSpaceIsThreeSteps) {
  const Net n = converted("x = Parameter {1,8,3,3}  y = DepthToSpace(x, mode=blocks_first, block_size=2)  return y");
  EXPECT_EQ(n.types(), (Types{"Reshape", "Transpose", "Reshape"}));
  EXPECT_EQ(n.find("y")->shape(), (Shape{1, 2, 6, 6}));
  EXPECT_EQ(n.find("y")->input(0).node->shape(), (Shape{1, 2, 3, 2, 3, 2}));
}

TEST(TransformsDecompositions, BroadcastIsTiledFromTheLastAxis) {
  const Net n = converted("x = Parameter {1,8,1,1}  y = Broadcast@3(x, [1,8,4,5], mode=numpy)  return y");
  EXPECT_EQ(n.types(), (Types{"TileIE", "TileIE"}));
  EXPECT_EQ(n.find("y:")->attrs.integer("axis"), 3);
  EXPECT_EQ(n.find("y")->attrs.integer("axis"), 2);
  EXPECT_EQ(n.find("y")->attrs.integer("tiles"), 4);
}

TEST(TransformsDecompositions, BidirectionalSequenceIsTwo) {
  const Net n = converted(R"(
    x = Parameter {1,5,3}
    state = {1,2,4} of 0
    s = LSTMSequence@5(x, state, state, [5], {2,16,3} of 1, {2,16,4} of 1, {2,16} of 0, hidden_size=4,
                       direction=bidirectional)
    return s, s.1, s.2
  )");
  const Types types = n.types();
  EXPECT_EQ(std::ranges::count(types, "LSTMSequenceIE"), 2);
  EXPECT_EQ(std::ranges::count(types, "Concat"), 3);
  EXPECT_NE(n.find("s.0"), nullptr);
}

Types einsum_types(const char* equation, std::vector<Shape> shapes) {
  Net n;
  std::vector<Value> inputs;
  for (size_t i = 0; i < shapes.size(); ++i) inputs.push_back(n.input(shapes[i], "x" + std::to_string(i)));
  n.convert({n.op("Einsum", inputs, "y", with("equation", equation), 7)});
  return n.types();
}

TEST(TransformsDecompositions, EinsumOfMatricesIsOneMatMul) {
  EXPECT_EQ(einsum_types("ab,bc->ac", {{3, 8}, {8, 5}}), Types{"MatMul"});
  EXPECT_EQ(einsum_types("bhid,bhjd->bhij", {{1, 2, 5, 8}, {1, 2, 6, 8}}), Types{"MatMul"});
}

TEST(TransformsDecompositions, EinsumWithoutSumsMultiplies) {
  EXPECT_EQ(einsum_types("ij->ji", {{3, 8}}), Types{"Transpose"});
  EXPECT_EQ(einsum_types("i,j->ij", {{4}, {5}}), (Types{"Unsqueeze", "Unsqueeze", "Multiply"}));
}

TEST(TransformsDecompositions, EinsumGroupsAxesForMatMul) {
  EXPECT_EQ(einsum_types("bhwc,hkc->bhwk", {{1, 4, 6, 8}, {4, 5, 8}}),
            (Types{"Transpose", "Reshape", "Reshape", "MatMul", "Reshape", "Transpose"}));
}

}  // namespace
}  // namespace blobsmith
