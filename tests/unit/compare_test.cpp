// Measures of agreement, known faults of the reference compiler, advice.
#include <algorithm>
#include <cmath>
#include <limits>

#include "compare/advice.hpp"
#include "compare/comparison.hpp"
#include "compare/known_faults.hpp"
#include "graph_fixture.hpp"

namespace blobsmith::comparison {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

LayerResult measured(std::vector<float> blob, std::vector<float> model, Settings settings = {}) {
  const auto n = static_cast<int64_t>(blob.size());
  return measure(FloatTensor{"t", {n}, std::move(blob)}, model, settings);
}

TEST(CompareMeasure, EqualTensorsAgreeExactly) {
  const LayerResult r = measured({1, -2, 3}, {1, -2, 3});
  EXPECT_TRUE(r.within);
  EXPECT_EQ(r.max_error, 0);
  EXPECT_EQ(r.relative_error, 0);
  EXPECT_DOUBLE_EQ(r.cosine, 1);
}

TEST(CompareMeasure, ErrorsAreRelativeToTheTensorsNorm) {
  const LayerResult r = measured({3, 4.5F}, {3, 4});
  EXPECT_DOUBLE_EQ(r.max_error, 0.5);
  EXPECT_DOUBLE_EQ(r.mean_error, 0.25);
  EXPECT_DOUBLE_EQ(r.relative_error, 0.1);
  EXPECT_EQ(r.worst_at, 1);
  EXPECT_FLOAT_EQ(r.model_value, 4);
  EXPECT_FLOAT_EQ(r.blob_value, 4.5F);
  EXPECT_FALSE(r.within);
  EXPECT_TRUE(measured({3, 4.5F}, {3, 4}, {.tolerance = 0.1}).within);
}

TEST(CompareMeasure, TinyErrorsAroundZeroAreWithin) { EXPECT_TRUE(measured({5e-4F, 0}, {0, 5e-4F}).within); }

TEST(CompareMeasure, ValuesBeyondHalfPrecisionAreCounted) {
  const LayerResult r = measured({kInfinity, 1}, {70000, 1});
  EXPECT_EQ(r.overflows, 1);
  EXPECT_FALSE(r.within);
  EXPECT_TRUE(measured({kInfinity}, {kInfinity}).within) << "infinite on both sides";
  EXPECT_EQ(measured({kInfinity}, {kInfinity}).model_special, 1);
}

TEST(CompareMeasure, SmallValuesThatBecameZeroAreCounted) { EXPECT_EQ(measured({0, 0, 0}, {1e-6F, 0, 1}).flushed, 1); }

TEST(CompareMeasure, NotANumberIsNeverWithin) {
  const LayerResult r = measured({1, NAN, 1.5F}, {1, 1, 1});
  EXPECT_EQ(r.nans, 1);
  EXPECT_EQ(r.worst_at, 1) << "shown rather than the largest error";
  EXPECT_FALSE(r.within);
}

TEST(CompareMeasure, FirstLayerOutsideAndOutputs) {
  Comparison c;
  c.layers.resize(3);
  c.layers[1].within = false;
  c.layers[1].name = "middle";
  c.layers[2].is_output = true;
  ASSERT_TRUE(c.first_outside());
  EXPECT_EQ(c.first_outside()->name, "middle");
  EXPECT_TRUE(c.outputs_within());
  c.layers[2].within = false;
  EXPECT_FALSE(c.outputs_within());
}

class CompareFaults : public GraphTest {
 protected:
  std::vector<Remark> found(Node* n) {
    g.result(n->value());
    return find_faults(g);
  }
  Node* average(bool exclude, std::vector<int64_t> pads) {
    return make("AvgPool", {input({1, 8, 28, 28})},
                attributes({{"kernel", List{3, 3}},
                            {"strides", List{1, 1}},
                            {"pads_begin", pads},
                            {"pads_end", pads},
                            {"exclude-pad", exclude}}));
  }
};

TEST_F(CompareFaults, AveragesThatExcludePadding) {
  const auto list = found(average(true, {1, 1}));
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].layer, "layer");
  EXPECT_EQ(list[0].type, "AvgPool");
  EXPECT_TRUE(list[0].avoidable);
}

TEST_F(CompareFaults, OtherAveragesAreFine) {
  EXPECT_TRUE(found(average(false, {1, 1})).empty());
  g = Graph();
  EXPECT_TRUE(found(average(true, {0, 0})).empty());
}

TEST_F(CompareFaults, GroupedDeconvolutionsButNotDepthwiseOnes) {
  EXPECT_EQ(
      found(make("GroupConvolutionBackpropData", {input({1, 4, 8, 8}), reals({2, 2, 1, 1, 1}, {1, 1, 1, 1})})).size(),
      1U);
  g = Graph();
  EXPECT_TRUE(
      found(make("GroupConvolutionBackpropData", {input({1, 2, 8, 8}), reals({2, 1, 1, 1, 1}, {1, 1})})).empty());
}

TEST_F(CompareFaults, ReluBehindDepthwiseDeconvolution) {
  Node* deconvolution = g.make("GroupConvolutionBackpropData", {input({1, 2, 8, 8}), reals({2, 1, 1, 1, 1}, {1, 1})},
                               {}, 0, "deconvolution");
  Node* bias = g.make("Add", {deconvolution->value(), reals({1, 2, 1, 1}, {1, 1})}, {}, 0, "bias");
  const auto list = found(make("Relu", {bias->value()}));
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].layer, "layer");
}

TEST_F(CompareFaults, PadsThatBecomePaddingOfAnotherMeaning) {
  const auto padded = [&](const char* before) {
    Node* n = g.make(before, {input({1, 2, 8, 8})}, {}, 0, "before");
    return g
        .make("Pad", {n->value(), integers({0, 0, 1, 1}), integers({0, 0, 1, 1})},
              attributes({{"pad_mode", "constant"}}), 0, "pad")
        ->value();
  };
  const auto pool = attributes(
      {{"kernel", List{3, 3}}, {"strides", List{2, 2}}, {"pads_begin", List{0, 0}}, {"pads_end", List{0, 0}}});
  EXPECT_EQ(found(make("MaxPool", {padded("Tanh")}, pool)).size(), 1U);
  g = Graph();
  EXPECT_TRUE(found(make("MaxPool", {padded("Relu")}, pool)).empty());
  const auto deconvolution = [](int64_t stride) {
    return attributes({{"strides", List{stride, stride}},
                       {"dilations", List{1, 1}},
                       {"pads_begin", List{1, 1}},
                       {"pads_end", List{1, 1}}});
  };
  g = Graph();
  EXPECT_EQ(
      found(make("ConvolutionBackpropData", {padded("Relu"), reals({2, 1, 1, 1}, {1, 1})}, deconvolution(2))).size(),
      1U);
  g = Graph();
  EXPECT_TRUE(
      found(make("ConvolutionBackpropData", {padded("Relu"), reals({2, 1, 1, 1}, {1, 1})}, deconvolution(1))).empty());
}

TEST_F(CompareFaults, MomentsWithEpsInside) {
  EXPECT_EQ(found(make("MVN", {input({1, 4}), integers({1})},
                       attributes({{"eps", 1e-5}, {"eps_mode", "inside_sqrt"}, {"normalize_variance", true}}), 6))
                .size(),
            1U);
  g = Graph();
  EXPECT_TRUE(found(make("MVN", {input({1, 4}), integers({1})},
                         attributes({{"eps", 1e-5}, {"eps_mode", "outside_sqrt"}, {"normalize_variance", true}}), 6))
                  .empty());
}

TEST_F(CompareFaults, NormalisationsOverOtherAxes) {
  const auto faults = [&](Shape shape, List axes) {
    g = Graph();
    return found(make("NormalizeL2", {input(std::move(shape)), integers(std::move(axes))},
                      attributes({{"eps", 1e-5}, {"eps_mode", "add"}})))
        .size();
  };
  EXPECT_EQ(faults({1, 4, 8, 8}, {1}), 0U);
  EXPECT_EQ(faults({1, 4, 8, 8}, {1, 2, 3}), 0U);
  EXPECT_EQ(faults({1, 4, 8, 8}, {2, 3}), 1U);
  EXPECT_EQ(faults({1, 1, 8, 8}, {2, 3}), 0U) << "one channel only";
  EXPECT_EQ(faults({2, 4, 8}, {1}), 1U) << "without a batch the first axis counts as the channels";
}

TEST_F(CompareFaults, CellsAndSequencesOfTheirOwnKind) {
  const auto faults = [&](List lengths, double clip) {
    g = Graph();
    const auto zeros = [&](Shape s) { return reals(s, std::vector<float>(static_cast<size_t>(element_count(s)))); };
    return found(make("LSTMSequence",
                      {input({1, 4, 2}), zeros({1, 1, 3}), zeros({1, 1, 3}), integers(std::move(lengths)),
                       zeros({1, 12, 2}), zeros({1, 12, 3}), zeros({1, 12})},
                      attributes({{"hidden_size", int64_t{3}}, {"direction", "forward"}, {"clip", clip}})))
        .size();
  };
  EXPECT_EQ(faults({4}, 0), 0U);
  EXPECT_EQ(faults({3}, 0), 1U);
  EXPECT_EQ(faults({4}, 0.5), 1U);
}

TEST_F(CompareFaults, InterpolationsOfTheFirstOpset) {
  const auto faults = [&](const char* mode, List sizes) {
    g = Graph();
    return found(make("Interpolate", {input({1, 2, 4, 4}), integers(std::move(sizes))},
                      attributes({{"axes", List{2, 3}},
                                  {"mode", mode},
                                  {"align_corners", false},
                                  {"pads_begin", List{0}},
                                  {"pads_end", List{0}}})))
        .size();
  };
  EXPECT_EQ(faults("nearest", {8, 8}), 0U);
  EXPECT_EQ(faults("nearest", {6, 6}), 1U);
  EXPECT_EQ(faults("linear", {8, 8}), 1U);
  EXPECT_EQ(faults("linear", {4, 4}), 0U);
}

TEST_F(CompareFaults, LayersAcrossTheBatch) {
  g.result(
      make("ReduceMean", {input({2, 4, 8, 8}), integers({0, 1, 2, 3})}, attributes({{"keep_dims", true}}))->value());
  EXPECT_TRUE(find_faults(g).empty()) << "the layer itself is computed as it should be";
  const auto list = find_batch_faults(std::move(g));
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].layer, "layer");
  EXPECT_EQ(list[0].type, "ReduceMean");
  EXPECT_TRUE(list[0].avoidable);
}

bool mentions(const std::vector<std::string>& list, const std::string& text) {
  return std::ranges::any_of(list, [&](const std::string& s) { return s.find(text) != std::string::npos; });
}

TEST(CompareAdvice, TellsByHowMuchToScale) {
  Comparison c;
  c.layers.push_back(measured({kInfinity}, {300000}));
  c.layers[0].name = "gemm";
  const auto list = advice(c, {}, {});
  EXPECT_TRUE(mentions(list, "layer \"gemm\"")) << list[0];
  EXPECT_TRUE(mentions(list, "2^-3")) << list[0];
}

TEST(CompareAdvice, BlamesFlushedValuesForWhatTheyExplainAlone) {
  Comparison c;
  c.layers.push_back(measured({0, 0}, {3e-5F, 3e-5F}, {.absolute = 1e-6}));
  EXPECT_TRUE(mentions(advice(c, {}, {}), "too small for FP16"));
  c.layers[0] = measured({0, 0, 0.5F}, {3e-5F, 3e-5F, 0.2F});
  EXPECT_FALSE(mentions(advice(c, {}, {}), "too small for FP16"));
}

TEST(CompareAdvice, NamesTheKnownFaultOfTheFirstLayerOutside) {
  Comparison c;
  c.layers.push_back(measured({1}, {2}));
  c.layers[0].name = "pool";
  EXPECT_TRUE(
      mentions(advice(c, {{Remark::Kind::WrongResult, "pool", "AvgPool", "", "averages at the borders", 0, true}}, {}),
               "averages at the borders; blobsmith convert avoids that"));
  EXPECT_TRUE(mentions(advice(c, {}, {}), "look at layer \"pool\" first"));
}

TEST(CompareAdvice, NothingToSayWhenAllAgrees) {
  Comparison c;
  c.layers.push_back(measured({1}, {1}));
  EXPECT_TRUE(advice(c, {}, {}).empty());
  EXPECT_TRUE(mentions(advice(c, {}, {{"images", "U8", 5, 10, 0.5}}), "5 of 10 values were changed"));
}

}  // namespace
}  // namespace blobsmith::comparison
