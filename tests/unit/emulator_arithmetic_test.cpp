// Element-wise stages, software convolutions, normalisation, reduction, resize, LSTM (execution spec §4-§8).
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "core/error.hpp"
#include "emulator_fixture.hpp"
#include "vpu/format/convolution.hpp"
#include "vpu/format/eltwise.hpp"
#include "vpu/format/normalization.hpp"
#include "vpu/format/pooling.hpp"
#include "vpu/format/post_op.hpp"
#include "vpu/format/recurrent.hpp"
#include "vpu/format/reduction.hpp"
#include "vpu/format/resize.hpp"

namespace blobsmith::testing {
namespace {

void expect_near(const Values& got, const Values& want, float tolerance = 2e-3f) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i)
    EXPECT_NEAR(got[i], want[i], tolerance * std::max(1.0f, std::abs(want[i]))) << "element " << i;
}

// ---- element-wise ----

TEST(EmulatorActivation, ComputesTheFormulas) {
  const Values x{-4, -1, -0.5f, 0, 0.5f, 2.5f};
  const auto check = [&](StageType type, const auto& params, auto f) {
    Values want;
    for (float v : x) want.push_back(rounded(f(v)));
    expect_near(run_stage(type, params, {6}, x, {6}), want, 1e-6f);
  };
  const auto sigmoid = [](float v) { return 1 / (1 + std::exp(-v)); };
  const vpu::StageParams none;
  check(StageType::Sigmoid, none, sigmoid);
  check(StageType::Tanh, none, [](float v) { return std::tanh(v); });
  check(StageType::HSwish, none, [](float v) { return v * std::min(std::max(v + 3, 0.0f), 6.0f) / 6; });
  check(StageType::Gelu, none, [](float v) { return v / 2 * (1 + std::erf(v / std::sqrt(2.0f))); });
  check(StageType::Mish, none, [](float v) { return v * std::tanh(std::log1p(std::exp(v))); });
  check(StageType::SoftPlus, none, [](float v) { return std::log1p(std::exp(v)); });
  vpu::SwishParams swish;
  swish.beta = 2;
  check(StageType::Swish, swish, [&](float v) { return v * sigmoid(2 * v); });
  vpu::PowerParams power;
  power.bias = 1;
  power.scale = 2;
  power.power = 2;
  check(StageType::Power, power, [](float v) { return (1 + 2 * v) * (1 + 2 * v); });
  vpu::ReluParams relu;
  relu.negative_slope = 0.25f;
  check(StageType::LeakyRelu, relu, [](float v) { return v < 0 ? v / 4 : v; });
  vpu::RoundParams even, away;
  away.mode = 1;
  EXPECT_EQ(run_stage(StageType::Round, even, {4}, {0.5f, 1.5f, -0.5f, -2.5f}, {4}), (Values{0, 2, 0, -2}));
  EXPECT_EQ(run_stage(StageType::Round, away, {4}, {0.5f, 1.5f, -0.5f, -2.5f}, {4}), (Values{1, 2, -1, -3}));
}

// Large tensors go through a table of all FP16 numbers; small ones don't.
TEST(EmulatorActivation, GivesTheSameForLargeTensors) {
  Values x(1 << 15);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) / 4096 - 4;
  const Values large = run_stage(StageType::Sigmoid, vpu::StageParams(), {static_cast<int64_t>(x.size())}, x,
                                 {static_cast<int64_t>(x.size())});
  for (size_t i = 0; i < x.size(); i += 997)
    EXPECT_EQ(large[i], run_stage(StageType::Sigmoid, vpu::StageParams(), {1}, {x[i]}, {1})[0]);
}

TEST(EmulatorChannelOps, RunAlongDimensionCWhateverTheOrder) {
  const Values x{1, 2, 3, 4, 5, 6, 7, 8};  // framework order: channel 0 is 1..4
  for (const DimsOrder order : {vpu::orders::NCHW, vpu::orders::NHWC}) {
    const Shape shape{1, 2, 2, 2};
    EXPECT_EQ(run_stage(StageType::Bias, vpu::StageParams(), shape, x, shape, {.order = order}, {{10, 20}}),
              (Values{11, 12, 13, 14, 25, 26, 27, 28}));
    EXPECT_EQ(run_stage(StageType::ScaleShift, vpu::StageParams(), shape, x, shape, {.order = order}, {{1, 2}, {0, 1}}),
              (Values{1, 2, 3, 4, 11, 13, 15, 17}));
  }
  EXPECT_EQ(run_stage(StageType::PRelu, vpu::StageParams(), {1, 2}, {-1, -1}, {1, 2}, {}, {{2, 3}}), (Values{-2, -3}));
}

Values run_eltwise(StageType type, const Shape& a_shape, const Values& a, const Shape& b_shape, const Values& b,
                   const Shape& out, TensorLayout layout = {}, vpu::EltwiseParams p = {}) {
  BlobBuilder builder;
  if (layout.type != DataType::S32 && p.coeff1 == 0) p.coeff1 = p.coeff2 = std::bit_cast<uint32_t>(1.0f);
  if (layout.type == DataType::S32) p.coeff1 = p.coeff2 = 1;
  const int x = builder.input("a", a_shape, layout), z = builder.input("b", b_shape, {.type = layout.type}),
            y = builder.output("y", out, layout);
  builder.stage(type, p, {x, y, z, BlobBuilder::kFake});
  return run_blob(builder, {a, b}).values;
}

TEST(EmulatorEltwise, BroadcastsBothOperands) {
  EXPECT_EQ(run_eltwise(StageType::Sum, {2, 1}, {1, 2}, {3}, {10, 20, 30}, {2, 3}), (Values{11, 21, 31, 12, 22, 32}));
  EXPECT_THROW(run_eltwise(StageType::Sum, {2, 2}, counting(4), {3}, counting(3), {2, 2}), Error);
}

// A vector beside a tensor stored channels-last runs along the framework's W, not along the innermost memory dimension.
TEST(EmulatorEltwise, AlignsInFrameworkOrder) {
  EXPECT_EQ(run_eltwise(StageType::Prod, {2, 2, 2}, {1, 1, 1, 1, 1, 1, 1, 1}, {2}, {1, 3}, {2, 2, 2},
                        {.order = vpu::orders::HWC}),
            (Values{1, 3, 1, 3, 1, 3, 1, 3}));
}

TEST(EmulatorEltwise, ComputesIntegersAsIntegers) {
  const TensorLayout s32{.type = DataType::S32};
  EXPECT_EQ(run_eltwise(StageType::Div, {4}, {7, -7, 7, 5}, {4}, {2, 2, -2, 5}, {4}, s32), (Values{3, -3, -3, 1}));
  EXPECT_EQ(run_eltwise(StageType::Greater_equal, {2}, {1, 2}, {2}, {2, 2}, {2}, s32), (Values{0, 1}));
  EXPECT_NO_THROW(run_eltwise(StageType::Div, {1}, {7}, {1}, {0}, {1}, s32));
}

TEST(EmulatorEltwise, AppliesThePostOperationBeforeRounding) {
  vpu::EltwiseParams p;
  p.coeff1 = std::bit_cast<uint32_t>(1.0f);
  p.coeff2 = std::bit_cast<uint32_t>(-1.0f);
  p.post_operation = static_cast<int32_t>(StageType::Relu);
  EXPECT_EQ(run_eltwise(StageType::Sum, {2}, {1, 5}, {2}, {3, 3}, {2}, {}, p), (Values{0, 2}));
  p.post_operation = static_cast<int32_t>(StageType::Clamp);
  p.min_value = std::bit_cast<uint32_t>(-1.0f);
  p.max_value = std::bit_cast<uint32_t>(1.0f);
  EXPECT_EQ(run_eltwise(StageType::Sum, {2}, {1, 5}, {2}, {3, 3}, {2}, {}, p), (Values{-1, 1}));
}

TEST(EmulatorEltwise, SelectsByCondition) {
  BlobBuilder b;
  const int c = b.input("c", {3}, {.type = DataType::S32}), x = b.input("x", {3}), z = b.input("z", {1}),
            y = b.output("y", {3});
  b.stage(StageType::Select, vpu::EltwiseParams(), {c, y, x, z});
  EXPECT_EQ(run_blob(b, {{1, 0, -1}, {1, 2, 3}, {9}}).values, (Values{1, 9, 3}));
}

// ---- convolution, pooling, products in software ----

TEST(EmulatorSoftwareConvolution, ReadsWeightsInTheLayoutOfTheInput) {
  const int64_t ic = 2, oc = 3, h = 4, w = 5;
  const Values x = pattern(static_cast<size_t>(ic * h * w));
  const auto weight = [](int64_t o, int64_t i, int64_t p) {
    return static_cast<float>(o + 1) * (p % 2 ? 1.0f : -2.0f) + static_cast<float>(i);
  };
  Values want;
  for (int64_t o = 0; o < oc; ++o)
    for (int64_t n = 0; n < h * w; ++n) {
      float sum = 0;
      for (int64_t i = 0; i < ic; ++i)
        for (int64_t p = 0; p < 9; ++p) {
          const int64_t iy = n / w + p / 3 - 1, ix = n % w + p % 3 - 1;
          if (iy >= 0 && ix >= 0 && iy < h && ix < w)
            sum += x[static_cast<size_t>((i * h + iy) * w + ix)] * weight(o, i, p);
        }
      want.push_back(sum);
    }
  vpu::ConvParams p;
  p.kernel_x = p.kernel_y = 3;
  p.pad_left = p.pad_top = 1;
  const auto run = [&](StageType type, DimsOrder order, auto place) {
    Values stored(static_cast<size_t>(oc * ic * 9));
    for (int64_t o = 0; o < oc; ++o)
      for (int64_t i = 0; i < ic; ++i)
        for (int64_t e = 0; e < 9; ++e) stored[static_cast<size_t>(place(o, i, e))] = weight(o, i, e);
    BlobBuilder b;
    const bool last = order == vpu::orders::NHWC;
    const int in = b.input("x", last ? Shape{1, h, w, ic} : Shape{1, ic, h, w}, {.order = order}),
              out = b.output("y", last ? Shape{1, h, w, oc} : Shape{1, oc, h, w}, {.order = order});
    b.stage(type, p, {in, out, b.constant({oc, ic, 9}, stored)});
    expect_near(run_blob(b, {x}).values, want, 1e-3f);
  };
  run(StageType::Conv, vpu::orders::NHWC,
      [=](int64_t o, int64_t i, int64_t e) { return o + oc * (i + ic * e); });  // spatial
  run(StageType::Im2ColConvolution, vpu::orders::NHWC,
      [=](int64_t o, int64_t i, int64_t e) { return i + ic * (e + 9 * o); });
  run(StageType::Conv, vpu::orders::NCHW, [=](int64_t o, int64_t i, int64_t e) { return i + ic * (o + oc * e); });
}

TEST(EmulatorSoftwareConvolution, DepthwiseKeepsChannelsApart) {
  vpu::ConvParams p;
  p.kernel_x = 2;
  p.dilation_x = 2;
  // channels 0..8, three columns; weights [element][channel]
  Values w(18), x = counting(27), want;
  for (size_t c = 0; c < 9; ++c) {
    w[c] = 1;
    w[9 + c] = static_cast<float>(c);
    want.push_back(x[3 * c] + static_cast<float>(c) * x[3 * c + 2]);
  }
  BlobBuilder b;
  const int in = b.input("x", {1, 9, 1, 3}), out = b.output("y", {1, 9, 1, 1}), k = b.constant({9, 1, 2}, w);
  b.stage(StageType::DepthConv, p, {in, out, k});
  EXPECT_EQ(run_blob(b, {x}).values, want);
}

TEST(EmulatorDeconvolution, SpreadsEachValueOverItsKernel) {
  vpu::DeconvParams p;
  p.kernel_x = 3;
  p.stride_x = 2;
  p.pad_left = 1;
  BlobBuilder b;  // stored flipped: kernel is 1, 2, 3
  const int in = b.input("x", {1, 1, 1, 2}), out = b.output("y", {1, 1, 1, 4}), k = b.constant({1, 1, 3}, {3, 2, 1});
  b.stage(StageType::Deconvolution, p, {in, out, k});
  EXPECT_EQ(run_blob(b, {{1, 10}}).values, (Values{2, 13, 20, 30}));
}

TEST(EmulatorPool, AverageCountsPaddingUnlessExcluded) {
  vpu::PoolParams p;
  p.kernel_x = 3;
  p.pad_left = 1;
  expect_near(run_stage(StageType::AvgPool, p, {1, 1, 1, 3}, {3, 3, 3}, {1, 1, 1, 3}), {2, 3, 2});
  p.exclude_pad = 1;
  expect_near(run_stage(StageType::AvgPool, p, {1, 1, 1, 3}, {3, 3, 3}, {1, 1, 1, 3}), {3, 3, 3});
  EXPECT_EQ(run_stage(StageType::MaxPool, p, {1, 1, 1, 3}, {-1, -2, -3}, {1, 1, 1, 3}), (Values{-1, -1, -2}));
}

TEST(EmulatorPool, AMaximumOfAllIsOneWindowHoweverLarge) {
  constexpr int kLength = 6144;
  vpu::PoolParams p;
  p.kernel_y = kLength;
  Values x(kLength, -1);
  x[5000] = 7;
  EXPECT_EQ(run_stage(StageType::GlobalMaxPool, p, {1, 1, kLength, 1}, x, {1, 1, 1, 1}), (Values{7}));
}

// Stage type 59, of blobs of OpenVINO 2020.1.
TEST(EmulatorPool, AnAverageOfAllIsThatOfEachChannel) {
  vpu::PoolParams p;
  p.kernel_x = 3;
  p.kernel_y = 2;
  const Values x{1, 2, 3, 4, 5, 6, -10, 20, 0, 0, 20, -60};
  EXPECT_EQ(run_stage(StageType::GlobalAvgPool, p, {1, 2, 2, 3}, x, {1, 2, 1, 1}), (Values{3.5f, -5}));
  p.kernel_y = 4;  // rows that do not exist don't count
  EXPECT_EQ(run_stage(StageType::GlobalAvgPool, p, {1, 2, 2, 3}, x, {1, 2, 1, 1}), (Values{3.5f, -5}));
}

TEST(EmulatorMatrix, FullyConnectedReadsMemoryOrder) {
  BlobBuilder b;
  const int x = b.input("x", {1, 3}), y = b.output("y", {1, 2}),
            w = b.constant({2, 3, 1}, {1, 4, 2, 5, 3, 6});  // [input][output]
  b.stage(StageType::FC, {x, y, w});
  EXPECT_EQ(run_blob(b, {{1, 10, 100}}).values, (Values{321, 654}));
}

TEST(EmulatorMatrix, GemmTransposesBroadcastsAndAdds) {
  const auto run = [](bool ta, bool tb) {
    BlobBuilder b;
    vpu::GemmParams p;
    p.alpha = 2;
    p.beta = 3;
    p.has_three_inputs = 1;
    p.transpose_a = ta;
    p.transpose_b = tb;
    const int a = b.input("a", ta ? Shape{2, 3, 1} : Shape{2, 1, 3}),
              m = b.input("b", tb ? Shape{1, 2, 3} : Shape{1, 3, 2}), c = b.constant({2}, {1, 2}),
              y = b.output("y", {2, 1, 2});
    b.stage(StageType::GEMM, p, {a, m, c, y});
    return run_blob(b, {{1, 2, 3, 4, 5, 6}, tb ? Values{1, 2, 3, 0, 1, 0} : Values{1, 0, 2, 1, 3, 0}}).values;
  };
  for (const bool ta : {false, true})
    for (const bool tb : {false, true}) EXPECT_EQ(run(ta, tb), (Values{31, 10, 67, 16}));
}

// ---- normalisation, reduction, resize ----

TEST(EmulatorNormalization, SoftMaxSumsToOneAlongItsAxis) {
  vpu::SoftMaxParams p;
  p.axis = 1;
  expect_near(run_stage(StageType::SoftMax, p, {2, 2}, {0, 1, 0, 1 + std::log(3.0f)}, {2, 2}),
              {0.5f, 0.25f, 0.5f, 0.75f});
}

TEST(EmulatorNormalization, LrnLooksAtNeighbouringChannels) {
  vpu::LrnParams p;
  p.size = 3;
  p.k = float_to_half(1);
  p.alpha = float_to_half(3);
  p.beta = float_to_half(0.5f);
  expect_near(run_stage(StageType::LRN, p, {1, 3, 1, 1}, {1, 2, 3}, {1, 3, 1, 1}),
              {1 / std::sqrt(6.0f), 2 / std::sqrt(15.0f), 3 / std::sqrt(14.0f)});
}

TEST(EmulatorNormalization, LrnOfVolumesLooksAlongChannelsOrInAllDirections) {
  vpu::LrnParams p;
  p.size = 3;
  p.k = float_to_half(1);
  p.alpha = float_to_half(27);
  p.beta = float_to_half(0.5f);
  const Shape shape{1, 2, 2, 1, 1};  // channels, then depth
  expect_near(run_stage(StageType::LRN, p, shape, {1, 2, 3, 4}, shape),
              {1 / std::sqrt(91.0f), 2 / std::sqrt(181.0f), 3 / std::sqrt(91.0f), 4 / std::sqrt(181.0f)});
  expect_near(run_stage(StageType::InnerLRN, p, shape, {1, 2, 3, 4}, shape),
              {1 / std::sqrt(6.0f), 2 / std::sqrt(6.0f), 3 / std::sqrt(26.0f), 4 / std::sqrt(26.0f)});
}

TEST(EmulatorNormalization, MvnChoosesItsDimensions) {
  vpu::MvnParams p;
  const Values x{1, 3, 5, 7, 10, 20, 30, 40};
  EXPECT_EQ(run_stage(StageType::MVN, p, {1, 2, 2, 2}, x, {1, 2, 2, 2}), (Values{-3, -1, 1, 3, -15, -5, 5, 15}));
  p.across_width = 1;
  EXPECT_EQ(run_stage(StageType::MVN, p, {1, 2, 2, 2}, x, {1, 2, 2, 2}), (Values{-1, 1, -1, 1, -5, 5, -5, 5}));
  p.across_channels = 1;
  EXPECT_EQ(run_stage(StageType::MVN, p, {1, 2, 2, 2}, x, {1, 2, 2, 2}),
            (Values{-7.5f, -5.5f, -15.5f, -13.5f, 1.5f, 11.5f, 9.5f, 19.5f}));
  p = {};
  p.normalize = 1;
  expect_near(run_stage(StageType::MVN, p, {1, 1, 1, 2}, {1, 3}, {1, 1, 1, 2}), {-1, 1});
}

TEST(EmulatorNormalization, NormalizeAndGrnDivideByTheChannelsLength) {
  vpu::NormalizeParams p;
  expect_near(run_stage(StageType::Normalize, p, {1, 2, 1, 1}, {3, 4}, {1, 2, 1, 1}, {}, {{10, 1}}), {6, 0.8f});
  vpu::GrnParams grn;
  grn.bias = 0;
  expect_near(run_stage(StageType::GRN, grn, {1, 2, 1, 1}, {3, 4}, {1, 2, 1, 1}), {0.6f, 0.8f});
}

TEST(EmulatorReduction, ReducesMemoryPositions) {
  const auto run = [](StageType type, const Values& axes, const Shape& out) {
    BlobBuilder b;
    const int x = b.input("x", {2, 3}), y = b.output("y", out),
              a = b.constant({static_cast<int64_t>(axes.size())}, axes, {.type = DataType::S32});
    b.stage(type, vpu::ReduceParams(), {x, y, a});
    return run_blob(b, {{1, 2, 3, 4, 0, 6}}).values;
  };
  EXPECT_EQ(run(StageType::ReduceSum, {0}, {2}), (Values{6, 10}));
  EXPECT_EQ(run(StageType::ReduceMax, {1}, {3}), (Values{4, 2, 6}));
  EXPECT_EQ(run(StageType::ReduceMean, {0}, {2, 1}), (Values{2, rounded(10.0f / 3)}));
  EXPECT_EQ(run(StageType::ReduceMin, {0, 1}, {1}), (Values{0}));
  EXPECT_EQ(run(StageType::ReduceAnd, {0}, {2}), (Values{1, 0}));
  EXPECT_THROW(run(StageType::ReduceSum, {2}, {2}), Error);
}

TEST(EmulatorReduction, TopKPrefersLowerIndicesAmongEquals) {
  const auto run = [](int32_t mode, int32_t sort, const char* output) {
    BlobBuilder b;
    vpu::TopKParams p;
    p.mode = mode;
    p.sort = sort;
    p.values_present = p.indices_present = 1;
    const int x = b.input("x", {5}), k = b.constant({1}, {3}, {.type = DataType::S32}), y = b.output("y", {3}),
              i = b.output("z", {3}, {.type = DataType::S32});
    b.stage(StageType::TopK, p, {x, k, y, i});
    return run_blob(b, {{2, 7, 7, 1, 5}}, {}, output).values;
  };
  EXPECT_EQ(run(0, 1, "y"), (Values{7, 7, 5}));
  EXPECT_EQ(run(0, 1, "z"), (Values{1, 2, 4}));
  EXPECT_EQ(run(1, 1, "z"), (Values{3, 0, 4}));
  EXPECT_EQ(run(1, 2, "z"), (Values{0, 3, 4}));
}

TEST(EmulatorReduction, TopKDoesNotGuessElementsThatAreNotThere) {
  BlobBuilder b;
  vpu::TopKParams p;
  p.values_present = 1;
  const int x = b.input("x", {2}), k = b.constant({1}, {3}, {.type = DataType::S32}), y = b.output("y", {3});
  b.stage(StageType::TopK, p, {x, k, y});
  try {
    run_blob(b, {{1, 2}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::NotYetSupported);
  }
}

TEST(EmulatorResize, InterpolatesBetweenClampedCoordinates) {
  vpu::InterpParams p;  // half_pixel
  expect_near(run_stage(StageType::Interp, p, {1, 1, 1, 2}, {0, 4}, {1, 1, 1, 4}), {0, 1, 3, 4});
  p.coordinate_mode = 2;  // asymmetric
  expect_near(run_stage(StageType::Interp, p, {1, 1, 1, 2}, {0, 4}, {1, 1, 1, 4}), {0, 2, 4, 4});
  p.coordinate_mode = 4;  // align_corners
  expect_near(run_stage(StageType::Interp, p, {1, 1, 1, 2}, {0, 3}, {1, 1, 1, 4}), {0, 1, 2, 3});
}

TEST(EmulatorResize, NearestRoundsAsTold) {
  vpu::ResampleParams p;
  p.coordinate_mode = 2;
  p.nearest_mode = 2;
  EXPECT_EQ(run_stage(StageType::Resample, p, {1, 1, 1, 2}, {1, 2}, {1, 1, 1, 4}), (Values{1, 1, 2, 2}));
  p.nearest_mode = 3;
  EXPECT_EQ(run_stage(StageType::Resample, p, {1, 1, 1, 2}, {1, 2}, {1, 1, 1, 4}), (Values{1, 2, 2, 2}));
  p.nearest_mode = 0;
  EXPECT_EQ(run_stage(StageType::Resample, p, {1, 1, 1, 2}, {1, 2}, {1, 1, 1, 4}), (Values{1, 1, 2, 2}));
  p.nearest_mode = 1;
  EXPECT_EQ(run_stage(StageType::Resample, p, {1, 1, 1, 2}, {1, 2}, {1, 1, 1, 4}), (Values{1, 2, 2, 2}));
}

TEST(EmulatorResize, NearestGoesAlongDepthToo) {
  vpu::ResampleParams p;
  p.coordinate_mode = 2;
  p.nearest_mode = 2;
  EXPECT_EQ(run_stage(StageType::Resample, p, {1, 1, 2, 1, 2}, {1, 2, 3, 4}, {1, 1, 4, 1, 3}),
            (Values{1, 1, 2, 1, 1, 2, 3, 3, 4, 3, 3, 4}));
  EXPECT_EQ(run_stage(StageType::Resample, p, {1, 2, 2, 1, 1}, {1, 2, 3, 4}, {1, 2, 1, 2, 1}), (Values{1, 1, 3, 3}));
}

// ---- LSTM ----

TEST(EmulatorLstm, CarriesItsStateFromCellToCell) {
  const auto run = [](int32_t forward) {
    BlobBuilder b;
    vpu::LstmCellParams p;
    p.forward = forward;
    p.n_cells = 2;
    p.outputs = 2;
    const int x = b.input("x", {2, 1, 1}), h = b.constant({1, 1}, {0}), c = b.constant({1, 1}, {0});
    const int w = b.constant({8}, {0, 0, 1, 0, 0, 0, 0, 0}), bias = b.constant({4}, {20, 20, 0, 20}),
              y = b.output("y", {2, 1, 1}), last = b.output("z", {1, 1});
    b.stage(StageType::LSTMCell, p, {x, h, c, w, bias, y, last});
    return run_blob(b, {{1, -0.5f}}).values;  // all gates open: c adds up tanh(x)
  };
  const float first = rounded(std::tanh(1.0f)), second = rounded(first + std::tanh(-0.5f));
  expect_near(run(1), {std::tanh(first), std::tanh(second)});
  const float back = rounded(std::tanh(-0.5f));
  expect_near(run(0), {std::tanh(back + std::tanh(1.0f)), std::tanh(back)});
}

}  // namespace
}  // namespace blobsmith::testing
