// MyriadXHwOp against the plain formulas of the execution spec §2.
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "emulator_fixture.hpp"
#include "vpu/format/hw_op.hpp"

namespace blobsmith::testing {
namespace {

using vpu::HwOp;
using vpu::HwOpParams;
using vpu::HwOpType;
using vpu::HwPoolType;

struct Conv {
  int64_t in_channels = 3, height = 6, width = 7, out_channels = 5;
  uint32_t kernel = 3, stride = 1, pad = 1;
  bool depthwise = false;
};

int64_t out_size(int64_t in, const Conv& c) { return (in + 2 * (c.pad ? c.kernel / 2 : 0) - c.kernel) / c.stride + 1; }

/// Plain weights [oc][ic][ky][kx].
std::vector<float> plain_weights(const Conv& c) {
  std::vector<float> w = pattern(static_cast<size_t>(c.out_channels * c.in_channels * c.kernel * c.kernel), 7);
  if (!c.depthwise) return w;
  for (size_t i = 0; i < w.size(); ++i) {
    const auto pair = static_cast<int64_t>(i) / (c.kernel * c.kernel);
    if (pair / c.in_channels != pair % c.in_channels) w[i] = 0;
  }
  return w;
}

/// The engine's layout: [oc / 8][ic][ky*kx][8].
std::vector<float> engine_weights(const Conv& c, const std::vector<float>& w) {
  const int64_t area = c.kernel * c.kernel, groups = (c.out_channels + 7) / 8;
  std::vector<float> e(static_cast<size_t>(groups * c.in_channels * area * 8));
  for (int64_t oc = 0; oc < c.out_channels; ++oc)
    for (int64_t ic = 0; ic < c.in_channels; ++ic)
      for (int64_t p = 0; p < area; ++p)
        e[static_cast<size_t>(((oc / 8 * c.in_channels + ic) * area + p) * 8 + oc % 8)] =
            w[static_cast<size_t>((oc * c.in_channels + ic) * area + p)];
  return e;
}

std::vector<float> plain_convolution(const Conv& c, const std::vector<float>& x, const std::vector<float>& w) {
  const int64_t oh = out_size(c.height, c), ow = out_size(c.width, c), pad = c.pad ? c.kernel / 2 : 0;
  std::vector<float> y;
  for (int64_t oc = 0; oc < c.out_channels; ++oc)
    for (int64_t oy = 0; oy < oh; ++oy)
      for (int64_t ox = 0; ox < ow; ++ox) {
        float sum = 0;
        for (int64_t ic = 0; ic < c.in_channels; ++ic)
          for (int64_t ky = 0; ky < c.kernel; ++ky)
            for (int64_t kx = 0; kx < c.kernel; ++kx) {
              const int64_t iy = oy * c.stride - pad + ky, ix = ox * c.stride - pad + kx;
              if (iy < 0 || ix < 0 || iy >= c.height || ix >= c.width) continue;
              sum += x[static_cast<size_t>((ic * c.height + iy) * c.width + ix)] *
                     w[static_cast<size_t>(((oc * c.in_channels + ic) * c.kernel + ky) * c.kernel + kx)];
            }
        y.push_back(sum);
      }
  return y;
}

HwOp conv_op(const Conv& c) {
  HwOp op;
  op.with_pad = c.pad;
  op.input_index = 0;
  op.weights_index = 1;
  op.output_index = 2;
  op.out_channels = static_cast<uint32_t>(c.out_channels);
  op.kernel_width = op.kernel_height = c.kernel;
  op.kernel_stride = c.stride;
  return op;
}

/// Rows as the engine wants them, multiples of 16 bytes apart.
TensorLayout row_aligned(const Shape& nchw) {
  const int64_t row = (nchw[3] * 2 + 15) / 16 * 16;
  return {.strides = {row * nchw[2] * nchw[1], row * nchw[2], row, 2}};
}

std::vector<float> run_conv(const Conv& c, const std::vector<float>& x, const std::vector<float>& w, HwOp op,
                            const std::vector<std::vector<float>>& vectors = {}) {
  BlobBuilder b;
  const Shape in{1, c.in_channels, c.height, c.width},
      out{1, c.out_channels, out_size(c.height, c), out_size(c.width, c)};
  std::vector<int> buffers{
      b.input("x", in, row_aligned(in)),
      b.constant({(c.out_channels + 7) / 8, c.in_channels, c.kernel * c.kernel, 8}, engine_weights(c, w))};
  for (const auto& v : vectors) buffers.push_back(b.constant({static_cast<int64_t>(v.size())}, v));
  op.output_index = static_cast<int32_t>(buffers.size());
  buffers.push_back(b.output("y", out, row_aligned(out)));
  HwOpParams p;
  p.ops.push_back(op);
  b.stage(StageType::MyriadXHwOp, p, buffers);
  return run_blob(b, {x}).values;
}

// 2048 + 1 + 1 is 2048 if the sum is rounded to FP16 after each input channel.
TEST(HwConvolution, SumsInFp32UnlessToldOtherwise) {
  for (const int64_t size : {2, 4}) {  // few pixels and many go different ways
    for (const bool fp16 : {false, true}) {
      BlobBuilder b;
      const int x = b.input("x", {1, 3, size, size}), y = b.output("y", {1, 1, size, size});
      const int w = b.constant({1, 3, 1, 8}, std::vector<float>(3 * 8, 1));
      HwOpParams p;
      p.ops.push_back({.input_index = 0, .output_index = 2, .weights_index = 1, .out_channels = 1});
      b.stage(StageType::MyriadXHwOp, p, {x, w, y});
      const std::vector<uint8_t> file = b.build();
      Emulator e(file, {.arithmetic = {.fp16_sums = fp16}, .threads = 1});
      std::vector<float> values(static_cast<size_t>(3 * size * size), 1);
      std::fill_n(values.begin(), size * size, 2048.0f);
      e.set_input("x", std::span<const float>(values));
      e.run();
      EXPECT_EQ(e.output("y").values, std::vector<float>(static_cast<size_t>(size * size), fp16 ? 2048.0f : 2050.0f));
    }
  }
}

TEST(HwConvolution, TakesWeightsFromAnOddPlace) {
  for (const bool check_memory : {false, true}) {
    BlobBuilder b;
    const int x = b.input("x", {1, 3, 4, 4}), y = b.output("y", {1, 1, 4, 4});
    const int w = b.view(b.constant({3 * 8 + 1}, std::vector<float>(3 * 8 + 1, 1)), {1, 3, 1, 8}, 1);  // 0x003C each
    HwOpParams p;
    p.ops.push_back({.input_index = 0, .output_index = 2, .weights_index = 1, .out_channels = 1});
    b.stage(StageType::MyriadXHwOp, p, {x, w, y});
    const std::vector<uint8_t> file = b.build();
    Emulator e(file, {.check_memory = check_memory, .threads = 1});
    e.set_input("x", std::span<const float>(std::vector<float>(3 * 16, 2048)));
    e.run();
    EXPECT_EQ(e.output("y").values, std::vector<float>(16, 3 * 2048 * half_to_float(0x003C)));
  }
}

TEST(HwConvolution, EqualsThePlainSumForManyShapes) {
  const Conv shapes[] = {
      {},
      {.in_channels = 4, .height = 5, .width = 5, .out_channels = 8, .kernel = 1, .pad = 0},
      {.in_channels = 9, .height = 40, .width = 61, .out_channels = 19},
      {.in_channels = 12, .height = 91, .width = 50, .out_channels = 9},  // too large to be prepared as a whole
      {.in_channels = 12, .height = 100, .width = 61, .out_channels = 8, .kernel = 5, .stride = 2},
      {.in_channels = 5, .height = 13, .width = 17, .out_channels = 16, .stride = 2},
      {.in_channels = 2, .height = 16, .width = 16, .out_channels = 8, .kernel = 5, .stride = 3},
      {.in_channels = 3, .height = 16, .width = 8, .out_channels = 9, .kernel = 4, .stride = 4, .pad = 0},
      {.in_channels = 6, .height = 8, .width = 8, .out_channels = 6, .kernel = 1, .stride = 2, .pad = 0},
      {.in_channels = 16, .height = 20, .width = 30, .out_channels = 16, .depthwise = true},
      {.in_channels = 16, .height = 21, .width = 31, .out_channels = 16, .kernel = 5, .stride = 2, .depthwise = true}};
  for (const Conv& c : shapes) {
    const std::vector<float> x = pattern(static_cast<size_t>(c.in_channels * c.height * c.width)), w = plain_weights(c);
    const std::vector<float> want = plain_convolution(c, x, w), got = run_conv(c, x, w, conv_op(c));
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < want.size(); ++i)
      ASSERT_EQ(got[i], half_to_float(float_to_half(want[i])))
          << "kernel " << c.kernel << " stride " << c.stride << " element " << i;
  }
}

TEST(HwConvolution, IsTheSameForPlanesOfFewPixels) {
  for (int64_t size : {1, 2, 3}) {
    const Conv c{.in_channels = 20, .height = size, .width = size, .out_channels = 13};
    const std::vector<float> x = pattern(static_cast<size_t>(20 * size * size)), w = plain_weights(c);
    EXPECT_EQ(run_conv(c, x, w, conv_op(c)), plain_convolution(c, x, w)) << size;
  }
}

TEST(HwConvolution, AddsTheBiasBeforeItScales) {
  const Conv c{.in_channels = 1, .height = 1, .width = 3, .out_channels = 2, .kernel = 1, .pad = 0};
  HwOp op = conv_op(c);
  op.biases_index = 2;
  op.scales_index = 3;
  EXPECT_EQ(run_conv(c, {1, 2, 3}, {1, 2}, op, {{10, 20}, {0.5f, 2}}), (std::vector<float>{5.5f, 6, 6.5f, 44, 48, 52}));
}

TEST(HwConvolution, LeakyReluUsesBothIntegerSlopesAndClampComesLast) {
  const Conv c{.in_channels = 1, .height = 1, .width = 4, .out_channels = 1, .kernel = 1, .pad = 0};
  HwOp op = conv_op(c);
  op.with_relu = 1;
  op.a0 = 1;
  op.a1 = 10;
  EXPECT_EQ(run_conv(c, {-2, -1, 0, 3}, {1}, op), (std::vector<float>{-2, -1, 0, 30}));
  op.with_clamp = 1;
  op.clamp_max = 6;
  EXPECT_EQ(run_conv(c, {-2, -1, 0, 3}, {1}, op), (std::vector<float>{0, 0, 0, 6}));
}

TEST(HwConvolution, ConvPoolTakesTheMaximumOfTwoByTwo) {
  for (const Conv& c : {Conv{.in_channels = 2, .height = 8, .width = 12, .out_channels = 8},
                        Conv{.in_channels = 8, .height = 66, .width = 72, .out_channels = 8}}) {
    const std::vector<float> x = pattern(static_cast<size_t>(c.in_channels * c.height * c.width)), w = plain_weights(c),
                             full = plain_convolution(c, x, w);
    const int64_t rows = c.height / 2, columns = c.width / 2;
    BlobBuilder b;
    const Shape in{1, c.in_channels, c.height, c.width}, out{1, 8, rows, columns};
    HwOpParams p;
    p.ops.push_back(conv_op(c));
    p.ops[0].type = HwOpType::ConvPool;
    p.ops[0].pool_kernel_width = p.ops[0].pool_kernel_height = 2;
    const int input = b.input("x", in, row_aligned(in)), k = b.constant({1, c.in_channels, 9, 8}, engine_weights(c, w)),
              y = b.output("y", out, row_aligned(out));
    b.stage(StageType::MyriadXHwOp, p, {input, k, y});
    const std::vector<float> got = run_blob(b, {x}).values;
    for (int64_t i = 0; i < 8 * rows * columns; ++i) {
      const int64_t plane = i / (rows * columns), row = i / columns % rows, column = i % columns;
      const auto at = [&](int64_t dy, int64_t dx) {
        return full[static_cast<size_t>((plane * c.height + 2 * row + dy) * c.width + 2 * column + dx)];
      };
      ASSERT_EQ(got[static_cast<size_t>(i)],
                half_to_float(float_to_half(std::max({at(0, 0), at(0, 1), at(1, 0), at(1, 1)}))));
    }
  }
}

// Channels padded to what the mode needs hold what was in memory before: here NaN.
TEST(HwConvolution, NeverReadsChannelsWhoseWeightsAreZero) {
  BlobBuilder b;
  const int x = b.input("x", {1, 1, 1, 4}), wide = b.scratch({1, 2, 1, 4}), part = b.view(wide, {1, 1, 1, 4}, 0);
  std::vector<float> w(2 * 8);
  w[0] = 3;
  const int k = b.constant({1, 2, 1, 8}, w), y = b.output("y", {1, 1, 1, 4});
  HwOpParams p;
  p.ops.push_back(conv_op({.in_channels = 2, .height = 1, .width = 4, .out_channels = 1, .kernel = 1, .pad = 0}));
  b.stage(StageType::Copy, {x, part}).stage(StageType::MyriadXHwOp, p, {wide, k, y});
  EXPECT_EQ(run_blob(b, {{1, 2, 3, 4}}).values, (std::vector<float>{3, 6, 9, 12}));
}

TEST(HwConvolution, OperationsOfAStageWriteTheirChannelsOnly) {
  const Conv c{.in_channels = 2, .height = 3, .width = 3, .out_channels = 16};
  const std::vector<float> x = pattern(18), w = plain_weights(c);
  BlobBuilder b;
  const int in = b.input("x", {1, 2, 3, 3}), k = b.constant({2, 2, 9, 8}, engine_weights(c, w)),
            y = b.output("y", {1, 16, 3, 3});
  HwOpParams p;
  p.ops = {conv_op(c), conv_op(c)};
  p.ops[0].out_channels = 8;
  p.ops[1].out_channel_offset = 8;
  b.stage(StageType::MyriadXHwOp, p, {in, k, y});
  EXPECT_EQ(run_blob(b, {x}).values, plain_convolution(c, x, w));
}

// ---- pooling ----

std::vector<float> run_pool(HwOp op, const Shape& in, const Shape& out, const std::vector<float>& x,
                            EmulatorOptions options = {}) {
  BlobBuilder b;
  const int a = b.input("x", in), y = b.output("y", out);
  op.type = HwOpType::Pool;
  op.input_index = 0;
  op.output_index = 1;
  op.out_channels = static_cast<uint32_t>(out[0] * out[1]);
  HwOpParams p;
  p.ops.push_back(op);
  b.stage(StageType::MyriadXHwOp, p, {a, y});
  return run_blob(b, {x}, options).values;
}

HwOp pool_op(uint32_t kernel, uint32_t stride) {
  HwOp op;
  op.kernel_width = op.kernel_height = kernel;
  op.kernel_stride = stride;
  return op;
}

TEST(HwPool, MaximumReadsOnlyInsideTheInput) {
  HwOp op = pool_op(3, 2);
  op.with_pad = 1;
  op.pad_mode = vpu::hw_pad::kRepeatLeft | vpu::hw_pad::kRepeatTop;
  EXPECT_EQ(run_pool(op, {1, 1, 3, 3}, {1, 1, 2, 2}, {-1, -2, -3, -4, -5, -6, -7, -8, -9}),
            (std::vector<float>{-1, -2, -4, -5}));
  op.pad_mode = vpu::hw_pad::kRepeatRight | vpu::hw_pad::kRepeatBottom;  // begins at the first element
  EXPECT_EQ(run_pool(op, {1, 1, 3, 3}, {1, 1, 2, 2}, {-1, -2, -3, -4, -5, -6, -7, -8, -9}),
            (std::vector<float>{-1, -3, -7, -9}));
}

TEST(HwPool, CountsPlanesOverTheBatch) {
  EXPECT_EQ(run_pool(pool_op(2, 2), {2, 2, 2, 2}, {2, 2, 1, 1}, counting(16)), (std::vector<float>{3, 7, 11, 15}));
}

TEST(HwPool, AverageDividesByTheWholeKernelAtTheBorders) {
  HwOp op = pool_op(3, 1);
  op.pool_type = HwPoolType::Average;
  op.with_pad = 1;
  const float ninth = half_to_float(float_to_half(1.0f / 9));
  std::vector<float> want{4, 6, 4, 6, 9, 6, 4, 6, 4};
  for (float& v : want) v = half_to_float(float_to_half(v * ninth));
  EXPECT_EQ(run_pool(op, {1, 1, 3, 3}, {1, 1, 3, 3}, std::vector<float>(9, 1)), want);
  for (float v : run_pool(op, {1, 1, 3, 3}, {1, 1, 3, 3}, std::vector<float>(9, 1), {.avg_exclude_pad = true}))
    EXPECT_NEAR(v, 1, 1e-3);
}

TEST(HwPool, AverageTakesPadsFromTheSizes) {
  HwOp op = pool_op(2, 2);
  op.pool_type = HwPoolType::Average;
  op.with_pad = 1;  // 4 -> 2: nothing hangs over, so the pads were at other edges
  EXPECT_EQ(run_pool(op, {1, 1, 1, 4}, {1, 1, 1, 2}, {1, 1, 3, 3}).size(), 2u);
}

// ---- hostile descriptors ----

TEST(HwStage, RefusesDescriptorsThatDoNotFitTheirBuffers) {
  const Conv c{};
  const std::vector<float> x = pattern(3 * 6 * 7), w = plain_weights(c);
  const auto refuses = [&](auto change) {
    HwOp op = conv_op(c);
    change(op);
    EXPECT_THROW(run_conv(c, x, w, op), Error);
  };
  refuses([](HwOp& op) { op.input_index = 9; });
  refuses([](HwOp& op) { op.weights_index = -1; });
  refuses([](HwOp& op) { op.weights_index = 0; });
  refuses([](HwOp& op) { op.biases_index = 1000; });
  refuses([](HwOp& op) { op.kernel_width = 0; });
  refuses([](HwOp& op) { op.kernel_width = 0xFFFFFFFF; });
  refuses([](HwOp& op) { op.kernel_stride = 0; });
  refuses([](HwOp& op) { op.kernel_height = 5; });
  refuses([](HwOp& op) { op.type = static_cast<HwOpType>(3); });
}

}  // namespace
}  // namespace blobsmith::testing
