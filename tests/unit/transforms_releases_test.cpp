// What the conversion makes of networks under the rules of 2022.1, beside those of 2021.4.2 (releases spec §2).
#include "core/release.hpp"
#include "transforms/faults/avoid_faults.hpp"
#include "transforms_fixture.hpp"

namespace blobsmith {
namespace {

Net converted_by(const Release& release, std::string_view text) {
  Net n(text);
  n.g.release = &release;
  convert_to_legacy(n.g);
  return n;
}

void expect_types(std::string_view text, const Types& older, const Types& newer) {
  EXPECT_EQ(converted_by(kRelease2021, text).types(), older);
  EXPECT_EQ(converted_by(kRelease2022, text).types(), newer);
}

TEST(Releases, AProductWithItsOwnClampIsHSwish) {
  expect_types(R"(
    x = Parameter {1,4,8,8}
    y = Multiply(x, Clamp(Add(x, 3.0), min=0, max=6))
    return y
  )",
               {"PowerIE", "Clamp", "Multiply"}, {"HSwish", "PowerIE"});
}

TEST(Releases, AMaximumOfAMinimumIsAClamp) {
  expect_types(R"(
    y = Maximum(Minimum(Parameter {1,4}, 2.0), -1.0)
    return y
  )",
               {"Minimum", "Maximum"}, {"Clamp"});
}

TEST(Releases, ANormIsGuardedUnderTheRoot) {
  const std::string_view text = R"(
    x = Parameter {1,4,8,8}
    sum = ReduceSum(Power(x, 2.0), [1], keep_dims=true)
    y = Divide(x, Sqrt(Add(sum, 0.5)))
    return y
  )";
  EXPECT_EQ(converted_by(kRelease2022, text).types(), Types{"NormalizeIE"});
  EXPECT_NE(converted_by(kRelease2021, text).types(), Types{"NormalizeIE"});
}

TEST(Releases, AProductBeforeAConvolutionGoesIntoItsWeights) {
  expect_types(R"(
    y = Convolution(Multiply(Parameter {1,3,8,8}, {1,3,1,1} counted), {4,3,3,3} counted)
    return y
  )",
               {"ScaleShiftIE", "ConvolutionIE"}, {"ConvolutionIE"});
}

TEST(Releases, ColoursAreReorderedInTheWeights) {
  const Net n = converted_by(kRelease2022, R"(
    s = Split(Parameter {1,3,8,8}, 1, num_splits=3)
    y = Convolution(Concat(s.2, s.1, s.0, axis=1), {1,3,1,1} counted)
    return y
  )");
  EXPECT_EQ(n.types(), Types{"ConvolutionIE"});
  EXPECT_EQ(n.find("y")->input(1).node->constant.to_f32(), (std::vector<float>{3, 2, 1}));
}

/// The number in the name of the pool that takes the strides over for the input.
int64_t number_of_pool(const std::string& constant) {
  const Net n =
      converted_by(kRelease2022, "y = Maximum(Parameter {1,4,8,8}, " + constant +
                                     " counted)\nz = Convolution(y, {4,4,1,1} counted, strides=[2,2])\nreturn z");
  const std::string name = n.find("y")->input(0).node->name;
  EXPECT_TRUE(name.starts_with("MaxPool_")) << name;
  return std::stoll(name.substr(name.find('_') + 1));
}

TEST(Releases, PoolsOfFewElementsAreComparedAsTheyAreComputed) {
  EXPECT_EQ(number_of_pool("{1,4,1,1}") - number_of_pool("{1,4,8,8}"), 6);
  EXPECT_EQ(number_of_pool("{1,1,1,1}") - number_of_pool("{1,4,1,1}"), 0);
}

TEST(Releases, StridesMoveUpToWhereAllReadersAskForThem) {
  const Net n = converted_by(kRelease2022, R"(
    first = Convolution(Parameter {1,4,8,8}, {4,4,1,1} counted)
    shared = Relu(first)
    a = Convolution(shared, {4,4,1,1} counted, strides=[2,2])
    b = Convolution(shared, {4,4,1,1} counted, strides=[2,2])
    return a, b
  )");
  EXPECT_EQ(n.find("first")->attrs.integers("strides"), (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(n.find("a")->attrs.integers("strides"), (std::vector<int64_t>{1, 1}));
  EXPECT_EQ(n.find("a")->shape(), (Shape{1, 4, 4, 4}));
}

TEST(Releases, PiecesOfAnAxisAreOneSplit) {
  const Types split{"VariadicSplit", "Relu", "Multiply"};
  expect_types(R"(
    x = Parameter {1,8,4,4}
    low = StridedSlice(x, [0,0], [0,4], [1,1], begin_mask=[1,0], end_mask=[1,0])
    high = StridedSlice(x, [0,4], [0,8], [1,1], begin_mask=[1,0], end_mask=[1,0])
    y = Multiply(Relu(low), high)
    return y
  )",
               split, split);
}

TEST(Releases, ConstantsHaveTheRankOfTheResult) {
  const Net n = converted_by(kRelease2022, R"(
    y = Maximum(Parameter {1,4,8}, {8} counted)
    return y
  )");
  EXPECT_EQ(n.find("y")->input(1).shape(), (Shape{1, 1, 8}));
}

TEST(Releases, AReductionOfTwoJoinedTensorsIsKeptWhereItWouldBeAnother) {
  Net n(R"(
    a = Parameter {1,2,4,4}
    b = Parameter {1,2,4,4}
    y = ReduceMax(Concat(a, b, axis=1), [1], keep_dims=true)
    return y
  )");
  n.g.release = &kRelease2022;
  EXPECT_EQ(avoid_faults(n.g).size(), 1U);
  convert_to_legacy(n.g);
  EXPECT_EQ(n.g.results()[0]->input(0).shape(), (Shape{1, 1, 4, 4}));
  EXPECT_EQ(converted_by(kRelease2022, R"(
    a = Parameter {1,1,4,4}
    b = Parameter {1,1,4,4}
    y = ReduceMax(Concat(a, b, axis=1), [1], keep_dims=true)
    return y
  )")
                .types(),
            Types{"Maximum"});
}

TEST(Releases, ATransposeThatIsAReshapeJoinsTheOneBefore) {
  const auto shaped = [](const std::string& order) {
    return "t = Transpose(Unsqueeze(Relu(Parameter {1,1,2}), [2]), " + order + ")  y = Relu(t)  return y";
  };
  expect_types(shaped("[2,3,1,0]"), {"Relu", "Reshape", "Reshape", "Relu"}, {"Relu", "Reshape", "Relu"});
  expect_types(shaped("[0,3,1,2]"), {"Relu", "Reshape", "Reshape", "Relu"}, {"Relu", "Reshape", "Reshape", "Relu"});
}

TEST(Releases, OfTwoInterpolationsOneMayBeOfOpset1) {
  expect_types(R"(
    a = Interpolate@4(Parameter {1,3,4,4}, [8,8], {2} of 2.0, [2,3], mode=nearest, shape_calculation_mode=scales)
    y = Interpolate(a, [16,16], axes=[2,3], mode=linear)
    return y
  )",
               {"Interpolate", "Interp"}, {"Interpolate", "Interp"});
}

TEST(Releases, NumbersOfTopK) {
  const auto apart = [](const Release& release, const std::string& version) {
    const Net n = converted_by(release, "t = TopK" + version + R"((Parameter {1,24}, 12, axis=1, mode=max, sort=value)
      s = TopK)" + version + R"((t.0, 6, axis=1, mode=max, sort=value)
      return s.0, s.1
    )");
    const Node* second = n.find("s");
    const auto number = [](const Node* k) { return std::stoi(k->name.substr(k->name.find('_') + 1)); };
    return number(second->input(1).node) - number(second->input(0).node->input(1).node);
  };
  EXPECT_EQ(apart(kRelease2021, "@1"), 6);
  EXPECT_EQ(apart(kRelease2022, "@1"), 9);
}

TEST(Releases, ABroadcastIsTakenFromOtherReaders) {
  const std::string_view text = R"(
    b = Broadcast@3(Parameter {1,1,4,4}, [1,3,4,4], mode=bidirectional)
    y = Add(b, b)
    return y
  )";
  EXPECT_EQ(converted_by(kRelease2021, text).g.results()[0]->input(0).shape(), (Shape{1, 1, 4, 4}));
  EXPECT_EQ(converted_by(kRelease2022, text).g.results()[0]->input(0).shape(), (Shape{1, 3, 4, 4}));
  Net n(text);
  EXPECT_EQ(avoid_faults(n.g).size(), 1U);
  convert_to_legacy(n.g);
  EXPECT_EQ(n.g.results()[0]->input(0).shape(), (Shape{1, 3, 4, 4}));
}

}  // namespace
}  // namespace blobsmith
