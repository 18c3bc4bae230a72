// Rewrites of layers that the reference compiler computes otherwise than the model says: what becomes of which.
#include <cmath>
#include <numeric>

#include "transforms/faults/avoid_faults.hpp"
#include "transforms/faults/rewrites.hpp"
#include "transforms/rewriter/rewrite.hpp"
#include "transforms_fixture.hpp"

namespace blobsmith {
namespace {

using transforms::attributes;

/// What a network of one such layer consists of after all rewrites that avoid faults, before the legacy conversion.
Types avoided(Net& n, Value y) {
  n.g.result(y);
  const std::string name = y.node->name;
  const auto list = avoid_faults(n.g);
  for (const Remark& f : list) EXPECT_EQ(f.layer, name);
  const Types types = n.types();
  EXPECT_NE(n.find(name), nullptr) << "the name stays";
  return types;
}

TEST(Avoidance, SlopesOfThreeAxesGetAFourth) {
  Net n;
  EXPECT_EQ(avoided(n, n.op("PRelu", {n.input({1, 6, 10}), n.counted({6})}, "y")),
            (Types{"Reshape", "Reshape", "PRelu", "Reshape"}));
  const Node* y = n.find("y");
  EXPECT_EQ(y->shape(), (Shape{1, 6, 10}));
  EXPECT_EQ(y->input(0).shape(), (Shape{1, 6, 1, 10}));
}

TEST(Avoidance, SlopesOfOtherAxesThanTheChannelsAreSpelledOut) {
  const auto types = [](Shape data, Shape slopes) {
    Net n;
    Types t = avoided(n, n.op("PRelu", {n.input(std::move(data)), n.counted(std::move(slopes))}, "y"));
    std::ranges::sort(t);
    return t;
  };
  const Types sorted{"Add", "Clamp", "Multiply", "Relu", "Reshape"};
  EXPECT_EQ(types({1, 4, 5, 6}, {4, 5, 6}), sorted);
  EXPECT_EQ(types({1, 4, 5, 6}, {1, 1, 6}), sorted);
}

TEST(Avoidance, SlopesOfChannelsStay) {
  for (const Shape& slopes : {Shape{4}, Shape{4, 1, 1}, Shape{1, 4, 1, 1}}) {
    Net n;
    EXPECT_EQ(avoided(n, n.op("PRelu", {n.input({1, 4, 5, 6}), n.counted(slopes)}, "y")), Types{"PRelu"});
  }
  Net same;
  EXPECT_EQ(avoided(same, same.op("PRelu", {same.input({1, 4, 6}), same.reals({4}, 0.5)}, "y")), Types{"PRelu"})
      << "one slope for all is a ReLU";
}

Attributes lrn(double bias) { return attributes({{"alpha", 1e-3}, {"beta", 0.75}, {"bias", bias}, {"size", 3}}); }

TEST(Avoidance, ResponsesOfThreeAxesGetAFourth) {
  Net channels;
  EXPECT_EQ(avoided(channels, channels.op("LRN", {channels.input({1, 6, 10}), channels.ints({1})}, "y", lrn(1))),
            (Types{"Reshape", "LRN", "Reshape"}));
  EXPECT_DOUBLE_EQ(channels.find("y")->input(0).node->attrs.real("alpha"), 1e-3);
  Net width;
  avoided(width, width.op("LRN", {width.input({1, 6, 10}), width.ints({2})}, "y", lrn(1)));
  EXPECT_DOUBLE_EQ(width.find("y")->input(0).node->attrs.real("alpha"), 3e-3)
      << "the chip divides by the size of a plane of 3x3";
  Net grn;
  EXPECT_EQ(avoided(grn, grn.op("GRN", {grn.input({1, 6, 10})}, "y", attributes({{"bias", 1e-3}}))),
            (Types{"Reshape", "GRN", "Reshape"}));
}

TEST(Avoidance, TheFractionOfKBecomesAFactor) {
  Net n;
  EXPECT_EQ(avoided(n, n.op("LRN", {n.input({1, 6, 4, 10}), n.ints({1})}, "y", lrn(1.5))), (Types{"LRN", "Multiply"}));
  const Node* y = n.find("y");
  EXPECT_DOUBLE_EQ(y->input(0).node->attrs.real("bias"), 2);
  EXPECT_DOUBLE_EQ(y->input(0).node->attrs.real("alpha"), 1e-3 * 2 / 1.5);
  EXPECT_FLOAT_EQ(y->input(1).node->constant.to_f32()[0], std::pow(2.0F / 1.5F, 0.75F));
  Net whole;
  EXPECT_EQ(avoided(whole, whole.op("LRN", {whole.input({1, 6, 4, 10}), whole.ints({1})}, "y", lrn(2))), Types{"LRN"});
}

TEST(Avoidance, NumbersBecomeBooleansByComparison) {
  Net n;
  EXPECT_EQ(avoided(n, n.op("Convert", {n.input({1, 6})}, "y", attributes({{"destination_type", "boolean"}}))),
            (Types{"Equal", "LogicalNot"}));
  Net integers;
  EXPECT_EQ(avoided(integers, integers.op("Convert", {integers.input({1, 6}, "x", ElementType::i32)}, "y",
                                          attributes({{"destination_type", "boolean"}}))),
            Types{"Convert"});
}

TEST(Avoidance, PatchesBesideEachOtherAreBlocks) {
  const auto types = [](int64_t stride) {
    Net n;
    return avoided(n, n.op("ExtractImagePatches", {n.input({1, 8, 8, 12})}, "y",
                           attributes({{"sizes", std::vector<int64_t>{2, 2}},
                                       {"strides", std::vector<int64_t>{stride, stride}},
                                       {"rates", std::vector<int64_t>{1, 1}},
                                       {"auto_pad", "valid"}})));
  };
  EXPECT_EQ(types(2), Types{"SpaceToDepth"});
  EXPECT_EQ(types(1), Types{"ExtractImagePatches"});
}

TEST(Avoidance, PadsOfAnInterpolationComeBeforeIt) {
  Net n;
  const Value sizes = n.ints({16, 20}), axes = n.ints({2, 3});
  EXPECT_EQ(avoided(n, n.op("Interpolate", {n.input({1, 4, 8, 10}), sizes, n.reals({2}, 2), axes}, "y",
                            attributes({{"mode", "nearest"},
                                        {"shape_calculation_mode", "sizes"},
                                        {"pads_begin", std::vector<int64_t>{0, 0, 1}}}),
                            4)),
            (Types{"Pad", "Interpolate"}));
  EXPECT_EQ(n.find("y")->input(0).shape(), (Shape{1, 4, 9, 10}));
  EXPECT_EQ(n.find("y")->shape(), (Shape{1, 4, 16, 20}));
}

Attributes norm(double eps, const char* mode) { return attributes({{"eps", eps}, {"eps_mode", mode}}); }

TEST(Avoidance, TheLeastNormIsSquared) {
  Net n;
  const Value x = n.input({1, 8, 4, 4}),
              sum = n.op("ReduceSum", {n.op("Power", {x, n.reals({}, 2)}, "square"), n.ints({1})}, "sum",
                         with("keep_dims", true));
  EXPECT_EQ(
      avoided(n, n.op("Divide", {x, n.op("Maximum", {n.op("Sqrt", {sum}, "root"), n.reals({}, 0.001)}, "least")}, "y")),
      Types{"NormalizeL2"});
  EXPECT_NEAR(n.find("y")->attrs.real("eps"), 1e-6, 1e-12);
}

TEST(Avoidance, LeastSumsThatMatterAreSpelledOut) {
  Net large, small, added, lost;
  EXPECT_EQ(
      avoided(large, large.op("NormalizeL2", {large.input({1, 8, 4, 4}), large.ints({1})}, "y", norm(0.01, "max"))),
      (Types{"Multiply", "ReduceSum", "Maximum", "Sqrt", "Divide"}));
  EXPECT_EQ(
      avoided(small, small.op("NormalizeL2", {small.input({1, 8, 4, 4}), small.ints({1})}, "y", norm(1e-6, "max"))),
      Types{"NormalizeL2"});
  EXPECT_EQ(
      avoided(added, added.op("NormalizeL2", {added.input({1, 8, 4, 4}), added.ints({1})}, "y", norm(0.01, "add"))),
      Types{"NormalizeL2"});
  EXPECT_EQ(avoided(lost, lost.op("NormalizeL2", {lost.input({1, 8, 4, 4}), lost.ints({1})}, "y", norm(1e-12, "add"))),
            Types{"NormalizeL2"});
  EXPECT_DOUBLE_EQ(lost.find("y")->attrs.real("eps"), 1e-8) << "the blob has eight decimals for it";
}

TEST(Avoidance, InterpolationsWithoutAStageAreTwoConvolutions) {
  const auto resized = [](Net& n, std::vector<int64_t> sizes, const char* mode, bool antialias) {
    return avoided(
        n, n.op("Interpolate", {n.input({1, 3, 8, 10}), n.ints(std::move(sizes)), n.reals({2}, 1), n.ints({2, 3})}, "y",
                attributes({{"mode", mode}, {"shape_calculation_mode", "sizes"}, {"antialias", antialias}}), 4));
  };
  const Types two{"Transpose", "Convolution", "Transpose", "Convolution", "Transpose"},
      one{"Transpose", "Convolution", "Transpose"};
  Net cubic, columns, antialias, larger, linear;
  EXPECT_EQ(resized(cubic, {16, 20}, "cubic", false), two);
  EXPECT_EQ(resized(columns, {8, 20}, "cubic", false), one);
  EXPECT_EQ(resized(antialias, {4, 5}, "linear", true), two);
  EXPECT_EQ(resized(larger, {16, 20}, "linear", true), Types{"Interpolate"}) << "antialias is for images that shrink";
  EXPECT_EQ(resized(linear, {4, 5}, "linear", false), Types{"Interpolate"});
  const Node* convolution = columns.find("y")->input(0).node;
  EXPECT_EQ(convolution->input(1).shape(), (Shape{20, 10, 1, 1}));
  const std::vector<float> weights = convolution->input(1).node->constant.to_f32();
  for (size_t row = 0; row < 20; ++row)
    EXPECT_NEAR(std::accumulate(weights.begin() + static_cast<ptrdiff_t>(row * 10),
                                weights.begin() + static_cast<ptrdiff_t>(row * 10 + 10), 0.0),
                1, 1e-6);
}

TEST(Avoidance, AxesAreDroppedWhereMasksSay) {
  Net n;
  const auto list = [](std::vector<int64_t> v) { return v; };
  avoided(n, n.op("StridedSlice", {n.input({4, 8, 10}), n.ints({2, 3, 0}), n.ints({3, 4, 10}), n.ints({1, 1, 1})}, "y",
                  attributes({{"begin_mask", list({1, 0, 0})},
                              {"shrink_axis_mask", list({1, 1, 0})},
                              {"end_mask", list({0, 0, 0})},
                              {"new_axis_mask", list({0, 0, 0})},
                              {"ellipsis_mask", list({0, 0, 0})}})));
  EXPECT_EQ(n.find("y")->input(1).node->constant.to_i64(), (std::vector<int64_t>{0, 3, 0}));
}

Attributes moments(double eps, const char* mode = "inside_sqrt") {
  return attributes({{"eps", eps}, {"eps_mode", mode}, {"normalize_variance", true}});
}

TEST(Avoidance, EpsInsideTheRootIsTwoMoreValuesPerRow) {
  Net n;
  EXPECT_EQ(avoided(n, n.op("MVN", {n.input({1, 7, 64}), n.ints({2})}, "y", moments(1e-3), 6)),
            (Types{"MVN", "Concat", "MVN", "StridedSlice", "Multiply"}));
  const Node* y = n.find("y");
  EXPECT_FLOAT_EQ(y->input(1).node->constant.to_f32()[0], std::sqrt(64.0F / 66.0F));
  const Node* normalized = y->input(0).node->input(0).node;
  EXPECT_TRUE(normalized->attrs.flag("normalize_variance"));
  const Node* rows = normalized->input(0).node;
  EXPECT_EQ(rows->shape(), (Shape{1, 7, 66}));
  EXPECT_FALSE(rows->input(0).node->attrs.flag("normalize_variance"));
  const std::vector<float> beside = rows->input(1).node->constant.to_f32();
  ASSERT_EQ(beside.size(), 14U);
  EXPECT_FLOAT_EQ(beside[0], std::sqrt(64e-3F / 2)) << "2d²/W = eps";
  EXPECT_FLOAT_EQ(beside[1], -beside[0]);
}

TEST(Avoidance, MomentsThatTheChipComputesRightStay) {
  Net outside, tiny;
  EXPECT_EQ(avoided(outside, outside.op("MVN", {outside.input({1, 7, 64}), outside.ints({2})}, "y",
                                        moments(1e-3, "outside_sqrt"), 6)),
            Types{"MVN"});
  EXPECT_EQ(avoided(tiny, tiny.op("MVN", {tiny.input({1, 7, 64}), tiny.ints({2})}, "y", moments(1e-12), 6)),
            Types{"MVN"})
      << "inside or outside, this eps only keeps from 0/0";
  EXPECT_DOUBLE_EQ(tiny.find("y")->attrs.real("eps"), 1e-8);
}

TEST(Avoidance, MomentsOverOtherAxesAreMoved) {
  const auto types = [](Shape shape, std::vector<int64_t> axes) {
    Net n;
    Types t = avoided(
        n, n.op("MVN", {n.input(std::move(shape)), n.ints(std::move(axes))}, "y", moments(1e-3, "outside_sqrt"), 6));
    return t;
  };
  EXPECT_EQ(types({7, 64}, {1}), (Types{"Reshape", "MVN", "Reshape"}));
  EXPECT_EQ(types({1, 8, 4, 4}, {1}), (Types{"Transpose", "Reshape", "MVN", "Reshape", "Transpose"}));
  EXPECT_EQ(types({1, 8, 4, 4}, {2, 3}), Types{"MVN"});
}

TEST(Avoidance, MomentsThatAreSpelledOutAreFoundToo) {
  Net n;
  const Value x = n.input({1, 7, 64}), mean = n.op("ReduceMean", {x, n.ints({2})}, "mean", with("keep_dims", true)),
              centered = n.op("Subtract", {x, mean}, "centered");
  const Value variance = n.op("ReduceMean", {n.op("Power", {centered, n.reals({}, 2)}, "squares"), n.ints({2})},
                              "variance", with("keep_dims", true));
  const Value y =
      n.op("Divide", {centered, n.op("Sqrt", {n.op("Add", {variance, n.reals({}, 1e-3)}, "guarded")}, "root")}, "y");
  EXPECT_TRUE(transforms::mistakes_eps(*y.node));
  EXPECT_EQ(avoided(n, y), (Types{"MVN", "Concat", "MVN", "StridedSlice", "Multiply"}));
}

Value gathered(Net& n, std::vector<int64_t> order, Shape indices) {
  const Value some = n.op(
      "Gather",
      {n.input({8, 12, 10}), n.g.constant(Tensor::of(ElementType::i64, {1, 3}, std::vector<int64_t>{1, 0, 2}))->value(),
       n.g.constant(Tensor::scalar_i64(0))->value()},
      "gather", {}, 1);
  const Value turned =
      n.op("Transpose", {n.op("Squeeze", {some, n.ints({0})}, "squeeze"), n.ints(std::move(order))}, "turn");
  return n.op("GatherElements", {turned, n.input(std::move(indices), "i", ElementType::i32)}, "y",
              with("axis", int64_t{0}), 6);
}

TEST(Avoidance, GathersStayApartUnlessTheTransposeIsItsOwnInverse) {
  const auto merges = [](std::vector<int64_t> order, Shape indices) {
    Net n;
    n.g.result(gathered(n, std::move(order), std::move(indices)));
    const size_t avoided = avoid_faults(n.g).size();
    convert_to_legacy(n.g);
    const Types t = n.types();
    const bool merged = std::ranges::count(t, "ExpGatherElements") == 1;
    EXPECT_EQ(avoided, merged ? 0U : 1U);
    return merged;
  };
  EXPECT_TRUE(merges({1, 0, 2}, {12, 3, 10}));
  EXPECT_FALSE(merges({1, 2, 0}, {12, 10, 3}));
}

Value cell(Net& n, const Attributes& more, bool sequence, std::vector<int64_t> lengths = {}) {
  Attributes a = more;
  a.set("hidden_size", int64_t{3});
  if (!sequence)
    return n.op("LSTMCell",
                {n.input({1, 2}), n.counted({1, 3}), n.counted({1, 3}), n.counted({12, 2}), n.counted({12, 3}),
                 n.counted({12})},
                "y", a, 4);
  a.set("direction", std::string("forward"));
  return n.op("LSTMSequence",
              {n.input({1, 4, 2}), n.counted({1, 1, 3}), n.counted({1, 1, 3}), n.ints(std::move(lengths)),
               n.counted({1, 12, 2}), n.counted({1, 12, 3}), n.counted({1, 12})},
              "y", a, 5);
}

int64_t count(Net& n, Value y, std::string_view type) {
  n.g.result(y);
  avoid_faults(n.g);
  EXPECT_NE(n.find(n.find("y") ? "y" : "y.0"), nullptr);
  return std::ranges::count(n.types(), type);
}

TEST(Avoidance, SpecialCellsBecomeOperations) {
  Net usual, clipped, relu, unknown;
  EXPECT_EQ(count(usual, cell(usual, {}, false), "LSTMCell"), 1);
  EXPECT_EQ(count(clipped, cell(clipped, with("clip", 0.5), false), "Clamp"), 2);
  EXPECT_EQ(count(relu, cell(relu, with("activations", Types{"relu", "sigmoid", "tanh"}), false), "Relu"), 3);
  EXPECT_EQ(count(unknown, cell(unknown, with("activations", Types{"softsign", "tanh", "tanh"}), false), "LSTMCell"), 1)
      << "stays, and is told";
  EXPECT_FALSE(transforms::is_special_cell_of_known_functions(*unknown.find("y")));
}

TEST(Avoidance, SequencesOfSpecialCellsGoStepByStep) {
  Net n;
  EXPECT_EQ(count(n, cell(n, with("clip", 0.5), true, {4}), "Split"), 4);
}

TEST(Avoidance, SequencesEndWhereTheirLengthsSay) {
  Net shorter, whole;
  EXPECT_EQ(count(shorter, cell(shorter, {}, true, {3}), "Pad"), 1);
  EXPECT_EQ(count(whole, cell(whole, {}, true, {4}), "Pad"), 0);
}

TEST(Avoidance, LayersInBodiesOfLoopsAreRewrittenToo) {
  Net n;
  Node* loop = n.g.add("TensorIterator", {n.input({1, 4, 6})}, 0, "loop");
  loop->body = std::make_unique<Graph>();
  Node* x = loop->body->parameter(ElementType::f32, {1, 4, 6}, "x");
  loop->body->result(loop->body->make("GRN", {x->value()}, with("bias", 1e-3), 0, "inside")->value());
  n.g.set_outputs(loop, {{ElementType::f32, {1, 4, 6}}});
  n.g.result(loop->value());
  const auto list = avoid_faults(n.g);
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].layer, "inside");
}

}  // namespace
}  // namespace blobsmith
