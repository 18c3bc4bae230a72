// What `convert` spells out, against the operations themselves: integers exactly, functions within the error that their
// rows state.
#include <cmath>
#include <map>
#include <random>

#include "graph/ops/known_value.hpp"
#include "transforms/legalise/legalise.hpp"
#include "transforms_fixture.hpp"

namespace blobsmith {
namespace {

/// The value of the only output with constants in the place of the inputs.
Tensor value_of(Graph& g, const std::vector<Tensor>& inputs) {
  const std::vector<Node*> parameters = g.parameters();
  for (size_t i = 0; i < inputs.size(); ++i) g.redirect(parameters.at(i)->value(), g.constant(inputs[i])->value());
  const auto known = known_value(g.results().at(0)->input(0));
  EXPECT_TRUE(known.has_value());
  return known.value_or(Tensor{});
}

struct Spelled {
  Net net;
  std::vector<Remark> said;
  bool has(std::string_view type) const {
    for (const Node* n : net.g.ordered())
      if (n->is(type)) return true;
    return false;
  }
};

/// One operation of inputs of these types and shapes, legalised.
Spelled spelled(const std::string& type, const std::vector<std::pair<ElementType, Shape>>& inputs,
                Attributes attrs = {}, const std::vector<Tensor>& constants = {}, int version = 0) {
  Spelled s;
  std::vector<Value> values;
  for (const auto& [element, shape] : inputs)
    values.push_back(s.net.input(shape, "x" + std::to_string(values.size()), element));
  for (const Tensor& t : constants) values.push_back(s.net.g.constant(t)->value());
  s.net.g.result(s.net.op(type, values, "op", std::move(attrs), version));
  s.said = legalise(s.net.g, false);
  return s;
}

Tensor whole(ElementType type, Shape shape, const std::vector<int64_t>& v) {
  if (type == ElementType::i64) return Tensor::of(type, std::move(shape), v);
  return Tensor::of(ElementType::i32, std::move(shape), std::vector<int32_t>(v.begin(), v.end()));
}

using Integers = std::vector<int64_t>;

Integers binary(const std::string& type, const Integers& a, const Integers& b, Attributes attrs = {}) {
  const auto n = static_cast<int64_t>(a.size());
  Spelled s = spelled(type, {{ElementType::i32, {n}}, {ElementType::i32, {n}}}, std::move(attrs));
  return value_of(s.net.g, {whole(ElementType::i32, {n}, a), whole(ElementType::i32, {n}, b)}).to_i64();
}

TEST(LegalisedIntegers, RemaindersAreExactBeyondHalves) {
  const Integers a{101671, -101671, 65505, -7, 7, 2000000000, 0}, b{80, 80, -80, -3, 3, 99999, 5};
  Integers floored, cut;
  for (size_t i = 0; i < a.size(); ++i) {
    cut.push_back(a[i] % b[i]);
    floored.push_back((a[i] % b[i] + b[i]) % b[i]);
  }
  EXPECT_EQ(binary("FloorMod", a, b), floored);
  EXPECT_EQ(binary("Mod", a, b), cut);
}

TEST(LegalisedIntegers, ComparisonsAreExact) {
  const Integers a{2049, 2048, -5, 100000}, b{2048, 2049, -5, 100001};
  EXPECT_EQ(binary("Greater", a, b), (Integers{1, 0, 0, 0}));
  EXPECT_EQ(binary("Less", a, b), (Integers{0, 1, 0, 1}));
  EXPECT_EQ(binary("LessEqual", a, b), (Integers{0, 1, 1, 1}));
  EXPECT_EQ(binary("NotEqual", a, b), (Integers{1, 1, 0, 1}));
}

TEST(LegalisedIntegers, PowersOfComputedExponents) {
  EXPECT_EQ(binary("Power", {3, -2, 7, 5}, {4, 5, 0, 1}), (Integers{81, -32, 1, 5}));
}

TEST(LegalisedIntegers, QuotientsRoundDownWhereTheModelSaysSo) {
  EXPECT_EQ(binary("Divide", {-7, 7, -8}, {2, 2, 2}), (Integers{-4, 3, -4}));
}

TEST(LegalisedIntegers, ReductionsStayReductions) {
  Attributes keep;
  keep.set("keep_dims", false);
  Spelled s = spelled("ReduceSum", {{ElementType::i32, {2, 3}}}, keep, {Tensor::i64({1})});
  EXPECT_TRUE(s.has("ReduceSum"));
  convert_to_legacy(s.net.g);
  EXPECT_TRUE(s.has("ReduceSum"));
  EXPECT_FALSE(s.has("AvgPool"));
}

TEST(LegalisedIntegers, RunningSums) {
  for (const bool exclusive : {false, true})
    for (const bool reverse : {false, true}) {
      Attributes a;
      a.set("exclusive", exclusive);
      a.set("reverse", reverse);
      Spelled s = spelled("CumSum", {{ElementType::i32, {5}}}, a, {Tensor::scalar_i64(0)});
      const Integers x{70000, 2, 3, 4, 5};
      Integers wanted(5);
      int64_t sum = 0;
      for (size_t k = 0; k < 5; ++k) {
        const size_t i = reverse ? 4 - k : k;
        wanted[i] = exclusive ? sum : sum + x[i];
        sum += x[i];
      }
      EXPECT_EQ(value_of(s.net.g, {whole(ElementType::i32, {5}, x)}).to_i64(), wanted) << exclusive << reverse;
    }
}

TEST(LegalisedIntegers, TheLargestOfManyAndTheirPlaces) {
  Net net;
  const Value x = net.input({2, 6}, "x", ElementType::i32);
  Attributes a;
  a.set("axis", 1);
  a.set("mode", "max");
  a.set("sort", "value");
  a.set("index_element_type", "i32");
  Node* top = net.g.make("TopK", {x, net.g.constant(Tensor::scalar_i64(3))->value()}, a, 3, "top");
  net.g.result(top->value(0));
  net.g.result(top->value(1));
  legalise(net.g, false);
  const Tensor given = whole(ElementType::i32, {2, 6}, {5, 70001, 70000, 70001, -1, 0, 1, 1, 1, 1, 1, 1});
  EXPECT_EQ(value_of(net.g, {given}).to_i64(), (Integers{70001, 70001, 70000, 1, 1, 1}));
  EXPECT_EQ(known_value(net.g.results()[1]->input(0))->to_i64(), (Integers{1, 3, 2, 0, 1, 2}));
}

TEST(LegalisedIntegers, BytesWrapAround) {
  Net net;
  const Value a = net.input({3}, "a", ElementType::i8), b = net.input({3}, "b", ElementType::i8);
  net.g.result(net.op("Add", {a, b}, "sum"));
  legalise(net.g, false);
  const Tensor x = whole(ElementType::i32, {3}, {127, -128, 5}), y = whole(ElementType::i32, {3}, {1, -1, 6});
  EXPECT_EQ(value_of(net.g, {x, y}).to_i64(), (Integers{-128, 127, 11}));
}

TEST(LegalisedIntegers, WholeNumbersAreKeptBetweenConversions) {
  Net net;
  const Value x = net.input({4}, "x", ElementType::i32);
  Attributes to_real, to_whole;
  to_real.set("destination_type", "f16");
  to_whole.set("destination_type", "i32");
  const Value real = net.op("Convert", {x}, "real", to_real);
  const double reciprocal = 1.0 / 80;
  const Value part = net.g.constant(Tensor::reals(ElementType::f16, {1}, std::span(&reciprocal, 1)))->value();
  const Value quotient = net.op("Floor", {net.op("Multiply", {real, part}, "scaled")}, "floor");
  net.g.result(net.op("Convert", {quotient}, "whole", to_whole));
  EXPECT_FALSE(legalise(net.g, false).empty());
  EXPECT_EQ(value_of(net.g, {whole(ElementType::i32, {4}, {23999, 79, 80, -1})}).to_i64(), (Integers{299, 0, 1, -1}));
}

TEST(LegalisedIntegers, ScatteringToSeveralAxes) {
  Spelled s = spelled("ScatterNDUpdate",
                      {{ElementType::i32, {3, 2}}, {ElementType::i32, {2, 1}}, {ElementType::i32, {2, 2}}}, {}, {}, 0);
  EXPECT_TRUE(s.has("ScatterElementsUpdate"));
  EXPECT_FALSE(s.has("ScatterNDUpdate"));
}

TEST(LegalisedIntegers, ShapeArithmeticIsLeftToFolding) {
  Net net;
  const Value x = net.input({2, 6}, "x");
  Attributes i64;
  i64.set("output_type", "i64");
  const Value shape = net.op("ShapeOf", {x}, "shape", i64, 3);
  net.g.result(net.op("FloorMod", {shape, net.ints({4, 4})}, "rest"));
  EXPECT_TRUE(legalise(net.g, false).empty());
}

TEST(LegalisedIntegers, QuirksChangeNothing) {
  Net net;
  const Value x = net.input({4}, "x", ElementType::i32);
  net.g.result(net.op("Sign", {x}, "sign"));
  EXPECT_TRUE(legalise(net.g, true).empty());
}

// ---- functions ------------------------------------------------------------------------------------------------------

struct FunctionCase {
  const char* type;
  double (*reference)(double);
  double low, high;
};

class LegalisedFunctions : public testing::TestWithParam<FunctionCase> {};

/// Every step is rounded to FP16 by the folding of constants, as the VPU's stages do.
TEST_P(LegalisedFunctions, AreAsExactAsTheySay) {
  const FunctionCase& f = GetParam();
  constexpr int64_t kCount = 4001;
  std::vector<double> x;
  for (int64_t i = 0; i < kCount; ++i)
    x.push_back(f.low + (f.high - f.low) * static_cast<double>(i) / static_cast<double>(kCount - 1));
  const Tensor given = Tensor::reals(ElementType::f16, {kCount}, x);
  Spelled s = spelled(f.type, {{ElementType::f16, {kCount}}});
  ASSERT_EQ(s.said.size(), 1u);
  EXPECT_FALSE(s.has(f.type));
  const std::vector<float> y = value_of(s.net.g, {given}).to_f32(), rounded = given.to_f32();
  double worst = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    const double wanted = f.reference(static_cast<double>(rounded[i]));
    worst = std::max(worst, std::fabs(static_cast<double>(y[i]) - wanted) / std::max(1.0, std::fabs(wanted)));
  }
  EXPECT_LE(worst, s.said[0].max_error) << f.type;
  EXPECT_GE(worst, s.said[0].max_error / 8) << f.type << ": the stated error is far too large";
}

INSTANTIATE_TEST_SUITE_P(
    Table, LegalisedFunctions,
    testing::Values(FunctionCase{"Sin", std::sin, -40, 40}, FunctionCase{"Cos", std::cos, -40, 40},
                    FunctionCase{"Tan", std::tan, -1.5, 1.5}, FunctionCase{"Asin", std::asin, -1, 1},
                    FunctionCase{"Acos", std::acos, -1, 1}, FunctionCase{"Atan", std::atan, -50, 50},
                    FunctionCase{"Sinh", std::sinh, -11, 11}, FunctionCase{"Cosh", std::cosh, -11, 11},
                    FunctionCase{"Asinh", std::asinh, -30000, 30000}, FunctionCase{"Acosh", std::acosh, 1, 30000},
                    FunctionCase{"Atanh", std::atanh, -0.99, 0.99}),
    [](const auto& of) { return std::string(of.param.type); });

/// How often each of these types is in what `convert` makes of the network.
std::map<std::string, int> counted(const std::string& text) {
  Net net(text);
  legalise(net.g, false);
  std::map<std::string, int> found;
  for (const Node* n : net.g.ordered()) ++found[n->type];
  return found;
}

std::string norm_text(const std::string& end) {
  return "x = Parameter {1,6,8}  mean = ReduceMean(x, [2], keep_dims=true)  d = SquaredDifference(x, mean)"
         "  variance = ReduceMean(d, [2], keep_dims=true)  guarded = Add(variance, 1e-3)"
         "  inverse = Power(guarded, -0.5)  " +
         end + "  return y";
}

TEST(Restored, NormalisationsOfRows) {
  for (const char* end : {
           "m = Multiply(inverse, {8} of 2)  a = Multiply(x, m)  n = Negative(mean)  b = Multiply(m, n)"
           "  c = Add(b, {8} of 3)  y = Add(a, c)",
           "a = Multiply(inverse, x)  n = Multiply(mean, -1.0)  b = Multiply(n, inverse)  y = Add(b, a)",
           "m = Multiply(inverse, {8} of 2)  a = Multiply(x, m)  b = Multiply(mean, m)"
           "  c = Subtract({8} of 3, b)  y = Add(a, c)",
       }) {
    auto found = counted(norm_text(end));
    EXPECT_EQ(found["ReduceMean"] + found["Power"], 0) << end;
    EXPECT_GT(found["MVN"], 0) << end;
  }
  auto other =
      counted(norm_text("m = Multiply(inverse, {8} of 2)  a = Multiply(x, m)  n = Negative(mean)"
                        "  b = Multiply(inverse, n)  y = Add(a, b)"));
  EXPECT_EQ(other["MVN"], 0) << "the mean has another factor";
}

TEST(Restored, GelusWithAComplement) {
  const auto gelu = [](const std::string& factor) {
    return "x = Parameter {1,6,8}  h = Multiply(x, 0.5)  k = Multiply(x, " + factor +
           ")  e = Erf(k)  g = Subtract(1.0, e)  y = Multiply(h, g)  return y";
  };
  EXPECT_EQ(counted(gelu("-0.70710678"))["Erf"], 0);
  EXPECT_EQ(counted(gelu("0.70710678"))["Erf"], 1) << "of -x";
}

}  // namespace
}  // namespace blobsmith
