// Rewrites of layers that the reference compiler computes differently from the model: what becomes of which.
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
Types avoided(Net& n, const std::string& name = "y") {
  const auto list = avoid_faults(n.g);
  for (const Remark& f : list) EXPECT_EQ(f.layer, name);
  const Types types = n.types();
  EXPECT_NE(n.find(name), nullptr) << "the name stays";
  return types;
}
Types avoided(const std::string& text) {
  Net n(text);
  return avoided(n);
}

TEST(Avoidance, SlopesOfThreeAxesGetAFourth) {
  Net n("x = Parameter {1,6,10}  y = PRelu(x, {6} counted)  return y");
  EXPECT_EQ(avoided(n), (Types{"Reshape", "Reshape", "PRelu", "Reshape"}));
  const Node* y = n.find("y");
  EXPECT_EQ(y->shape(), (Shape{1, 6, 10}));
  EXPECT_EQ(y->input(0).shape(), (Shape{1, 6, 1, 10}));
}

TEST(Avoidance, SlopesOfOtherAxesThanTheChannelsAreSpelledOut) {
  const auto types = [](const std::string& slopes) {
    Types t = avoided("x = Parameter {1,4,5,6}  y = PRelu(x, " + slopes + " counted)  return y");
    std::ranges::sort(t);
    return t;
  };
  const Types sorted{"Add", "Clamp", "Multiply", "Relu"};
  EXPECT_EQ(types("{4,5,6}"), sorted);
  EXPECT_EQ(types("{1,1,6}"), sorted);
}

TEST(Avoidance, SlopesOfChannelsStay) {
  for (const std::string slopes : {"{4}", "{4,1,1}", "{1,4,1,1}"})
    EXPECT_EQ(avoided("x = Parameter {1,4,5,6}  y = PRelu(x, " + slopes + " counted)  return y"), Types{"PRelu"});
  EXPECT_EQ(avoided("x = Parameter {1,4,6}  y = PRelu(x, {4} of 0.5)  return y"), Types{"PRelu"})
      << "one slope for all is a ReLU";
}

std::string lrn(const std::string& shape, const std::string& axis, const std::string& bias) {
  return "x = Parameter " + shape + "  y = LRN(x, " + axis + ", alpha=1e-3, beta=0.75, size=3, bias=" + bias +
         ")  return y";
}

TEST(Avoidance, ResponsesOfThreeAxesGetAFourth) {
  Net channels(lrn("{1,6,10}", "[1]", "1"));
  EXPECT_EQ(avoided(channels), (Types{"Reshape", "LRN", "Reshape"}));
  EXPECT_DOUBLE_EQ(channels.find("y")->input(0).node->attrs.real("alpha"), 1e-3);
  Net width(lrn("{1,6,10}", "[2]", "1"));
  avoided(width);
  EXPECT_DOUBLE_EQ(width.find("y")->input(0).node->attrs.real("alpha"), 3e-3)
      << "the chip divides by the size of a plane of 3x3";
  EXPECT_EQ(avoided("x = Parameter {1,6,10}  y = GRN(x, bias=1e-3)  return y"), (Types{"Reshape", "GRN", "Reshape"}));
}

TEST(Avoidance, TheFractionOfKBecomesAFactor) {
  Net n(lrn("{1,6,4,10}", "[1]", "1.5"));
  EXPECT_EQ(avoided(n), (Types{"LRN", "Multiply"}));
  const Node* y = n.find("y");
  EXPECT_DOUBLE_EQ(y->input(0).node->attrs.real("bias"), 2);
  EXPECT_DOUBLE_EQ(y->input(0).node->attrs.real("alpha"), 1e-3 * 2 / 1.5);
  EXPECT_FLOAT_EQ(y->input(1).node->constant.to_f32()[0], std::pow(2.0F / 1.5F, 0.75F));
  EXPECT_EQ(avoided(lrn("{1,6,4,10}", "[1]", "2")), Types{"LRN"});
}

TEST(Avoidance, NumbersBecomeBooleansByComparison) {
  EXPECT_EQ(avoided("x = Parameter {1,6}  y = Convert(x, destination_type=boolean)  return y"),
            (Types{"Equal", "LogicalNot"}));
  EXPECT_EQ(avoided("x = Parameter i32 {1,6}  y = Convert(x, destination_type=boolean)  return y"), Types{"Convert"});
}

TEST(Avoidance, PatchesBesideEachOtherAreBlocks) {
  const auto types = [](const std::string& strides) {
    return avoided(
        "x = Parameter {1,8,8,12}  y = ExtractImagePatches(x, sizes=[2,2], rates=[1,1], auto_pad=valid, strides=" +
        strides + ")  return y");
  };
  EXPECT_EQ(types("[2,2]"), Types{"SpaceToDepth"});
  EXPECT_EQ(types("[1,1]"), Types{"ExtractImagePatches"});
}

TEST(Avoidance, PadsOfAnInterpolationComeBeforeIt) {
  Net n(R"(
    x = Parameter {1,4,8,10}
    y = Interpolate@4(x, [16,20], {2} of 2, [2,3], mode=nearest, shape_calculation_mode=sizes, pads_begin=[0,0,1])
    return y
  )");
  EXPECT_EQ(avoided(n), (Types{"Pad", "Interpolate"}));
  EXPECT_EQ(n.find("y")->input(0).shape(), (Shape{1, 4, 9, 10}));
  EXPECT_EQ(n.find("y")->shape(), (Shape{1, 4, 16, 20}));
}

std::string norm(const std::string& eps, const std::string& mode) {
  return "x = Parameter {1,8,4,4}  y = NormalizeL2(x, [1], eps=" + eps + ", eps_mode=" + mode + ")  return y";
}

TEST(Avoidance, TheLeastNormIsSquared) {
  Net n(R"(
    x = Parameter {1,8,4,4}
    sum = ReduceSum(Power(x, 2.0), [1], keep_dims=true)
    y = Divide(x, Maximum(Sqrt(sum), 0.001))
    return y
  )");
  EXPECT_EQ(avoided(n), Types{"NormalizeL2"});
  EXPECT_NEAR(n.find("y")->attrs.real("eps"), 1e-6, 1e-12);
}

TEST(Avoidance, LeastSumsThatMatterAreSpelledOut) {
  EXPECT_EQ(avoided(norm("0.01", "max")), (Types{"Multiply", "ReduceSum", "Maximum", "Sqrt", "Divide"}));
  EXPECT_EQ(avoided(norm("1e-6", "max")), Types{"NormalizeL2"});
  EXPECT_EQ(avoided(norm("0.01", "add")), Types{"NormalizeL2"});
  Net lost(norm("1e-12", "add"));
  EXPECT_EQ(avoided(lost), Types{"NormalizeL2"});
  EXPECT_DOUBLE_EQ(lost.find("y")->attrs.real("eps"), 1e-8) << "the blob has eight decimals for it";
}

/// How the factor of an L2 norm ends up: in its layer, for all or per channel, or behind it.
std::string factor_of_norm(const std::string& behind, bool exact, const std::string& shape = "{1,8,4,4}") {
  Net n("x = Parameter " + shape + "  n = NormalizeL2(x, [1], eps=1e-3, eps_mode=add)  y = " + behind + "  return y");
  if (exact) avoid_faults(n.g);
  convert_to_legacy(n.g);
  const auto all = n.g.ordered();
  const auto norm = std::ranges::find_if(all, [](const Node* l) { return l->is("NormalizeIE"); });
  if (norm == all.end()) return "none";
  if (n.types().back() != "NormalizeIE") return "behind";
  return (*norm)->attrs.flag("channel_shared") ? "shared" : "per channel";
}

TEST(Avoidance, FactorsOfNormsAreWhatTheirShapesSay) {
  const struct {
    std::string behind, intel, exact;
    std::string shape = "{1,8,4,4}";
  } cases[] = {
      {"Multiply(n, {1} of 3)", "shared", "shared"},
      {"Multiply(n, {8,1,1} counted)", "per channel", "per channel"},
      {"Multiply(n, {1,8,1,1} counted)", "per channel", "per channel"},
      {"Multiply(n, 3.0)", "per channel", "shared"},
      {"Multiply(n, {1,1,1,1} of 3)", "per channel", "shared"},
      {"Multiply(Multiply(n, {1} of 2), {1,1,1,1} of 3)", "per channel", "shared"},
      {"Multiply(Multiply(n, {1,1,1,1} of 2), {1,8,1,1} counted)", "per channel", "per channel"},
      {"Multiply({1,1,1,1} of 3, n)", "behind", "behind"},
      {"Divide(n, {1,1,1,1} of 4)", "per channel", "shared"},
      {"Multiply(n, {4} counted)", "shared", "behind"},
      {"Multiply(n, {1,1,4,1} counted)", "per channel", "behind"},
      {"Multiply(n, {1,8,4,4} counted)", "per channel", "behind"},
      {"Multiply(n, {8} counted)", "shared", "per channel", "{4,8}"},
      {"Multiply(n, {1,8} counted)", "per channel", "per channel", "{4,8}"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(factor_of_norm(c.behind, false, c.shape), c.intel) << c.behind;
    EXPECT_EQ(factor_of_norm(c.behind, true, c.shape), c.exact) << c.behind;
    Net n("x = Parameter " + c.shape + "  n = NormalizeL2(x, [1], eps=1e-3, eps_mode=add)  y = " + c.behind +
          "  return y");
    EXPECT_EQ(avoid_faults(n.g).size(), c.intel == c.exact ? 0U : 1U) << c.behind << ": what is said";
  }
}

TEST(Avoidance, InterpolationsWithoutAStageAreTwoConvolutions) {
  const auto resized = [](const std::string& sizes, const std::string& mode, bool antialias) {
    return "x = Parameter {1,3,8,10}  y = Interpolate@4(x, " + sizes +
           ", {2} of 1, [2,3], shape_calculation_mode=sizes, mode=" + mode +
           ", antialias=" + (antialias ? "true" : "false") + ")  return y";
  };
  const Types two{"Transpose", "Convolution", "Transpose", "Convolution", "Transpose"},
      one{"Transpose", "Convolution", "Transpose"};
  EXPECT_EQ(avoided(resized("[16,20]", "cubic", false)), two);
  Net columns(resized("[8,20]", "cubic", false));
  EXPECT_EQ(avoided(columns), one);
  EXPECT_EQ(avoided(resized("[4,5]", "linear", true)), two);
  EXPECT_EQ(avoided(resized("[16,20]", "linear", true)), Types{"Interpolate"}) << "antialias is for images that shrink";
  EXPECT_EQ(avoided(resized("[4,5]", "linear", false)), Types{"Interpolate"});
  const Node* convolution = columns.find("y")->input(0).node;
  EXPECT_EQ(convolution->input(1).shape(), (Shape{20, 10, 1, 1}));
  const std::vector<float> weights = convolution->input(1).node->constant.to_f32();
  for (size_t row = 0; row < 20; ++row)
    EXPECT_NEAR(std::accumulate(weights.begin() + static_cast<ptrdiff_t>(row * 10),
                                weights.begin() + static_cast<ptrdiff_t>(row * 10 + 10), 0.0),
                1, 1e-6);

  const auto by_scales = [](const std::string& width) {
    return "x = Parameter {1,3,8," + width +
           "}  y = Interpolate@4(x, [12,7], {2} of 1.5, [2,3], shape_calculation_mode=scales, mode=linear, "
           "antialias=false)  return y";
  };
  EXPECT_EQ(avoided(by_scales("5")), two) << "7 columns out of 5 by 1.5: the chip's stage knows 7 / 5 alone";

  Net both(resized("[4,20]", "linear", true));  // rows shrink, columns grow: their triangle is half as wide
  avoid_faults(both.g);
  const Node* first = both.find("y")->input(0).node->input(0).node->input(0).node;
  ASSERT_EQ(first->input(1).shape(), (Shape{20, 10, 1, 1}));
  const std::vector<float> narrow = first->input(1).node->constant.to_f32();
  for (size_t column = 0; column < 20; ++column)
    EXPECT_EQ(std::count(narrow.begin() + static_cast<ptrdiff_t>(column * 10),
                         narrow.begin() + static_cast<ptrdiff_t>(column * 10 + 10), 1.0F),
              1)
        << column;
}

TEST(Avoidance, AxesAreDroppedWhereMasksSay) {
  Net n(R"(
    x = Parameter {4,8,10}
    y = StridedSlice(x, [2,3,0], [3,4,10], [1,1,1], begin_mask=[1,0,0], shrink_axis_mask=[1,1,0], end_mask=[0,0,0],
                     new_axis_mask=[0,0,0], ellipsis_mask=[0,0,0])
    return y
  )");
  avoided(n);
  EXPECT_EQ(n.find("y")->input(1).node->constant.to_i64(), (std::vector<int64_t>{0, 3, 0}));
}

std::string moments(const std::string& shape, const std::string& axes, const std::string& eps,
                    const std::string& mode = "inside_sqrt") {
  return "x = Parameter " + shape + "  y = MVN@6(x, " + axes + ", normalize_variance=true, eps=" + eps +
         ", eps_mode=" + mode + ")  return y";
}

TEST(Avoidance, EpsInsideTheRootIsTwoMoreValuesPerRow) {
  Net n(moments("{1,7,64}", "[2]", "1e-3"));
  EXPECT_EQ(avoided(n), (Types{"MVN", "Concat", "MVN", "StridedSlice", "Multiply"}));
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
  EXPECT_EQ(avoided(moments("{1,7,64}", "[2]", "1e-3", "outside_sqrt")), Types{"MVN"});
  Net tiny(moments("{1,7,64}", "[2]", "1e-12"));
  EXPECT_EQ(avoided(tiny), Types{"MVN"}) << "inside or outside, this eps only keeps from 0/0";
  EXPECT_DOUBLE_EQ(tiny.find("y")->attrs.real("eps"), 1e-8);
}

TEST(Avoidance, MomentsOverOtherAxesAreMoved) {
  const auto types = [](const std::string& shape, const std::string& axes) {
    return avoided(moments(shape, axes, "1e-3", "outside_sqrt"));
  };
  EXPECT_EQ(types("{7,64}", "[1]"), (Types{"Reshape", "MVN", "Reshape"}));
  EXPECT_EQ(types("{1,8,4,4}", "[1]"), (Types{"Transpose", "Reshape", "MVN", "Reshape", "Transpose"}));
  EXPECT_EQ(types("{1,8,4,4}", "[2,3]"), Types{"MVN"});
}

TEST(Avoidance, MomentsThatAreSpelledOutAreFoundToo) {
  Net n(R"(
    x = Parameter {1,7,64}
    mean = ReduceMean(x, [2], keep_dims=true)
    centered = Subtract(x, mean)
    variance = ReduceMean(Power(centered, 2.0), [2], keep_dims=true)
    y = Divide(centered, Sqrt(Add(variance, 1e-3)))
    return y
  )");
  EXPECT_TRUE(transforms::mistakes_eps(*n.find("y")));
  EXPECT_EQ(avoided(n), (Types{"MVN", "Concat", "MVN", "StridedSlice", "Multiply"}));
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
  EXPECT_EQ(count(clipped, cell(clipped, with("clip", 0.5), false), "Clamp"), 1);
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
