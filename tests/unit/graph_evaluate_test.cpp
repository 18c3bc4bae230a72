// Constant folding (front-end spec §2.4).
#include <cmath>

#include "core/float16.hpp"
#include "graph/ops/known_value.hpp"
#include "graph/ops/numbers.hpp"
#include "graph_fixture.hpp"

namespace blobsmith {
namespace {

class Evaluate : public GraphTest {
 protected:
  Value halves(std::vector<double> v) {
    return g.constant(Tensor::reals(ElementType::f16, {static_cast<int64_t>(v.size())}, v))->value();
  }
  Value i32(Shape s, std::vector<int32_t> v) {
    return g.constant(Tensor::of(ElementType::i32, std::move(s), std::move(v)))->value();
  }
};
using Reals = std::vector<float>;

TEST_F(Evaluate, HalvesRoundToNearestEvenAfterEachOperation) {
  EXPECT_EQ(fold("Add", {halves({2048, 2050}), halves({1, 1})}).to_f32(), (Reals{2048, 2052}));
  EXPECT_EQ(fold("Multiply", {halves({65504}), halves({2})}).to_f32(), (Reals{INFINITY}));
}

TEST_F(Evaluate, SmallHalvesDoubleWhenTheirMantissaCarries) {
  const float small = std::ldexp(1.0F - std::ldexp(1.0F, -14), -18);
  EXPECT_EQ(half_to_float(quirks::fold_to_half(small)), std::ldexp(1.0F, -17));
  EXPECT_EQ(half_to_float(quirks::fold_to_half(std::ldexp(1.0F - std::ldexp(1.0F, -10), -18))), std::ldexp(1.0F, -18));
  EXPECT_EQ(half_to_float(quirks::fold_to_half(std::ldexp(small, 8))), std::ldexp(1.0F, -10));
}

TEST_F(Evaluate, WhatTheReferenceDoesNotFoldIsNotFolded) {
  Node* n = make("SquaredDifference", {reals({1}, {3}), reals({1}, {1})});
  const Tensor *a = &n->input(0).node->constant, *b = &n->input(1).node->constant;
  EXPECT_TRUE(evaluate(*n, std::vector{a, b}).empty());
}

TEST_F(Evaluate, IntegersWrapInTheirOwnWidth) {
  EXPECT_EQ(fold("Add", {i32({1}, {INT32_MAX}), i32({1}, {1})}).to_i64(), (List{INT32_MIN}));
  EXPECT_EQ(fold("Multiply", {integers({int64_t{1} << 62}), integers({4})}).to_i64(), (List{0}));
}

TEST_F(Evaluate, IntegerDivisionFloorsUnlessToldOtherwise) {
  EXPECT_EQ(fold("Divide", {integers({-7, 7}), integers({2, 2})}).to_i64(), (List{-4, 3}));
  EXPECT_EQ(fold("Divide", {integers({-7, 7}), integers({2, 2})}, attributes({{"m_pythondiv", false}})).to_i64(),
            (List{-3, 3}));
  Node* by_zero = make("Divide", {integers({1}), integers({0})});
  const Tensor *a = &by_zero->input(0).node->constant, *b = &by_zero->input(1).node->constant;
  EXPECT_TRUE(evaluate(*by_zero, std::vector{a, b}).empty());
}

TEST_F(Evaluate, ArithmeticBroadcasts) {
  EXPECT_EQ(fold("Subtract", {reals({2, 1}, {10, 20}), reals({3}, {1, 2, 3})}).to_f32(), (Reals{9, 8, 7, 19, 18, 17}));
}

TEST_F(Evaluate, ComparisonAndLogic) {
  const Tensor t = fold("Greater", {reals({3}, {1, 2, 3}), reals({}, {2})});
  EXPECT_EQ(t.type, ElementType::boolean);
  EXPECT_EQ(t.to_i64(), (List{0, 0, 1}));
  const Value flags = g.constant(t)->value();
  EXPECT_EQ(fold("LogicalNot", {flags}).to_i64(), (List{1, 1, 0}));
  EXPECT_EQ(fold("Select", {flags, reals({3}, {1, 2, 3}), reals({1}, {9})}).to_f32(), (Reals{9, 9, 3}));
}

TEST_F(Evaluate, ConversionsTruncateAndSaturate) {
  EXPECT_EQ(fold("Convert", {reals({3}, {-1.9F, 2.9F, 300})}, attributes({{"destination_type", std::string("i32")}}))
                .to_i64(),
            (List{-1, 2, 300}));
  EXPECT_EQ(
      fold("Convert", {reals({2}, {0, 0.5F})}, attributes({{"destination_type", std::string("boolean")}})).to_i64(),
      (List{0, 1}));
  EXPECT_EQ(fold("Convert", {integers({2049})}, attributes({{"destination_type", std::string("f16")}})).to_f32(),
            (Reals{2048}));
}

TEST_F(Evaluate, Activations) {
  EXPECT_EQ(fold("Relu", {reals({2}, {-1, 2})}).to_f32(), (Reals{0, 2}));
  EXPECT_EQ(fold("Clamp", {reals({3}, {-1, 2, 9})}, attributes({{"min", 0.0}, {"max", 6.0}})).to_f32(),
            (Reals{0, 2, 6}));
  EXPECT_EQ(fold("Round", {reals({3}, {0.5F, 1.5F, -2.5F})}).to_f32(), (Reals{0, 2, -2}));
  EXPECT_FLOAT_EQ(fold("Sigmoid", {reals({1}, {0})}).to_f32()[0], 0.5F);
  EXPECT_TRUE(std::signbit(fold("Negative", {reals({1}, {0})}).to_f32()[0]));
}

TEST_F(Evaluate, MovementKeepsBytes) {
  const Value x = i32({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(fold("Transpose", {x, integers({1, 0})}).to_i64(), (List{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(fold("Concat", {x, x}, attributes({{"axis", int64_t{1}}})).to_i64(),
            (List{1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}));
  EXPECT_EQ(fold("Tile", {x, integers({2, 1, 2})}).to_i64().size(), 24U);
  EXPECT_EQ(fold("Tile", {i32({2}, {1, 2}), integers({2})}).to_i64(), (List{1, 2, 1, 2}));
  EXPECT_EQ(fold("Broadcast", {i32({2, 1}, {1, 2}), integers({2, 2})}, {}, 3).to_i64(), (List{1, 1, 2, 2}));
  EXPECT_EQ(fold(make("VariadicSplit", {x, scalar(1), integers({1, 2})}), 1).to_i64(), (List{2, 3, 5, 6}));
}

TEST_F(Evaluate, SlicesGoBackwardsToo) {
  EXPECT_EQ(
      fold("StridedSlice", {i32({2, 3}, {1, 2, 3, 4, 5, 6}), integers({0, -1}), integers({2, -4}), integers({1, -2})})
          .to_i64(),
      (List{3, 1, 6, 4}));
}

TEST_F(Evaluate, PadModes) {
  const auto pad = [&](const char* mode) {
    return fold("Pad", {i32({3}, {1, 2, 3}), integers({2}), integers({1})},
                attributes({{"pad_mode", std::string(mode)}}))
        .to_i64();
  };
  EXPECT_EQ(pad("constant"), (List{0, 0, 1, 2, 3, 0}));
  EXPECT_EQ(pad("edge"), (List{1, 1, 1, 2, 3, 3}));
  EXPECT_EQ(pad("reflect"), (List{3, 2, 1, 2, 3, 2}));
  EXPECT_EQ(pad("symmetric"), (List{2, 1, 1, 2, 3, 3}));
}

TEST_F(Evaluate, GatherAndScatter) {
  const Value x = i32({3, 2}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(fold("Gather", {x, integers({2, -3}), scalar(0)}, {}, 1).to_i64(), (List{5, 6, 1, 2}));
  EXPECT_EQ(fold("ScatterUpdate", {x, integers({1}), i32({1, 2}, {8, 9}), scalar(0)}).to_i64(),
            (List{1, 2, 8, 9, 5, 6}));
  EXPECT_EQ(fold("ScatterElementsUpdate", {x, i32({1, 2}, {2, 0}), i32({1, 2}, {8, 9}), scalar(0)}).to_i64(),
            (List{1, 9, 3, 4, 8, 6}));
  EXPECT_EQ(fold("ScatterNDUpdate", {x, i32({2, 2}, {0, 1, 2, 0}), i32({2}, {8, 9})}).to_i64(),
            (List{1, 8, 3, 4, 9, 6}));
  Node* outside = make("Gather", {x, integers({3}), scalar(0)}, {}, 1);
  const Tensor *a = &outside->input(0).node->constant, *b = &outside->input(1).node->constant,
               *c = &outside->input(2).node->constant;
  EXPECT_TRUE(evaluate(*outside, std::vector{a, b, c}).empty());
}

TEST_F(Evaluate, Reductions) {
  const Value x = reals({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(fold("ReduceMean", {x, integers({1})}).to_f32(), (Reals{2, 5}));
  EXPECT_EQ(fold("ReduceProd", {integers({2, 3, 4}), integers({0})}).to_i64(), (List{24}));
  EXPECT_EQ(fold("ReduceL2", {reals({2}, {3, 4}), integers({0})}).to_f32(), (Reals{5}));
  EXPECT_EQ(fold("ReduceMax", {x, integers({0})}, attributes({{"keep_dims", true}})).to_f32(), (Reals{4, 5, 6}));
}

TEST_F(Evaluate, SumsAreCompensated) {
  std::vector<float> v(10001, 1e-4F);
  v[0] = 1e4F;
  EXPECT_EQ(fold("ReduceSum", {reals({10001}, v), integers({0})}).to_f32()[0], 10001.0F);
}

TEST_F(Evaluate, MatMulWithTransposesAndBatches) {
  const Value a = reals({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(fold("MatMul", {a, a}).to_f32(), (Reals{7, 10, 15, 22}));
  EXPECT_EQ(fold("MatMul", {a, a}, attributes({{"transpose_a", true}})).to_f32(), (Reals{10, 14, 14, 20}));
  EXPECT_EQ(fold("MatMul", {reals({2, 1, 2}, {1, 2, 3, 4}), reals({2}, {1, 1})}).to_f32(), (Reals{3, 7}));
}

TEST_F(Evaluate, SoftmaxSumsToOne) {
  EXPECT_EQ(fold("Softmax", {reals({1, 2}, {3, 3})}).to_f32(), (Reals{0.5F, 0.5F}));
}

TEST_F(Evaluate, TopKAndOneHot) {
  Node* top = make("TopK", {i32({4}, {3, 9, 1, 9}), scalar(2)},
                   attributes({{"axis", int64_t{0}}, {"mode", std::string("max")}, {"sort", std::string("value")}}), 3);
  EXPECT_EQ(fold(top, 0).to_i64(), (List{9, 9}));
  EXPECT_EQ(fold(top, 1).to_i64(), (List{1, 3}));
  EXPECT_EQ(
      fold("OneHot", {integers({1, 5}), scalar(3), scalar(7), scalar(0)}, attributes({{"axis", int64_t{-1}}})).to_i64(),
      (List{0, 7, 0, 0, 0, 0}));
}

TEST_F(Evaluate, RangesAndShapes) {
  EXPECT_EQ(
      fold("Range", {scalar(5), scalar(0), scalar(-2)}, attributes({{"output_type", std::string("i64")}}), 4).to_i64(),
      (List{5, 3, 1}));
  const Value shape = make("ShapeOf", {input({2, 3})}, {}, 3)->value();
  EXPECT_EQ(known_value(shape)->to_i64(), (List{2, 3}));
  EXPECT_FALSE(known_value(input({2, 3})));
}

TEST_F(Evaluate, DepthToSpaceModes) {
  const Value x = i32({1, 4, 1, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  const auto run = [&](const char* mode) {
    return fold("DepthToSpace", {x}, attributes({{"mode", std::string(mode)}, {"block_size", int64_t{2}}})).to_i64();
  };
  EXPECT_EQ(run("blocks_first"), (List{0, 2, 1, 3, 4, 6, 5, 7}));
  const Value y = i32({1, 8, 1, 1}, {0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(fold("DepthToSpace", {y}, attributes({{"mode", std::string("depth_first")}, {"block_size", int64_t{2}}}))
                .to_i64(),
            (List{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(fold("DepthToSpace", {y}, attributes({{"mode", std::string("blocks_first")}, {"block_size", int64_t{2}}}))
                .to_i64(),
            (List{0, 2, 4, 6, 1, 3, 5, 7}));
  const Value z = i32({1, 1, 2, 4}, {0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(fold("SpaceToDepth", {z}, attributes({{"mode", std::string("blocks_first")}, {"block_size", int64_t{2}}}))
                .to_i64(),
            (List{0, 2, 1, 3, 4, 6, 5, 7}));
}

TEST_F(Evaluate, NearestInterpolation) {
  const Attributes a = attributes({{"mode", std::string("nearest")},
                                   {"shape_calculation_mode", std::string("sizes")},
                                   {"coordinate_transformation_mode", std::string("asymmetric")},
                                   {"nearest_mode", std::string("floor")}});
  EXPECT_EQ(
      fold("Interpolate", {i32({1, 2}, {1, 2}), integers({1, 4}), reals({2}, {1, 2}), integers({0, 1})}, a, 4).to_i64(),
      (List{1, 1, 2, 2}));
}

TEST_F(Evaluate, PriorBoxesThenVariances) {
  const Attributes a = attributes({{"min_size", std::vector<double>{8}},
                                   {"variance", std::vector<double>{0.1, 0.2, 0.3, 0.4}},
                                   {"offset", 0.5},
                                   {"step", 16.0}});
  const Tensor t = fold("PriorBox", {integers({1, 2}), integers({16, 32})}, a);
  EXPECT_EQ(t.to_f32(), (Reals{0.125F, 0.25F, 0.375F, 0.75F, 0.625F, 0.25F, 0.875F, 0.75F, 0.1F, 0.2F, 0.3F, 0.4F, 0.1F,
                               0.2F, 0.3F, 0.4F}));
}

TEST_F(Evaluate, OnlyTheseTypesHoldRealConstants) {
  const std::vector<double> one{1.0};
  EXPECT_EQ(Tensor::reals(ElementType::f16, {1}, one).to_f32(), (Reals{1}));
  for (const ElementType type : {ElementType::bf16, ElementType::i32}) {
    try {
      Tensor::reals(type, {1}, one);
      ADD_FAILURE() << to_string(type);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::TypeMismatch);
    }
  }
}

TEST_F(Evaluate, NoNumberIsZeroAsAnInteger) {
  EXPECT_EQ(Tensor::reals(ElementType::f32, {2}, std::vector<double>{std::nan(""), 1e30}).to_i64(),
            (List{0, INT64_MAX}));
}

}  // namespace
}  // namespace blobsmith
