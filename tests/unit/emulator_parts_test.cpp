// Tensors too large to be FP32 as a whole: what is computed part by part must be what the whole gives.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "emulator_fixture.hpp"
#include "vpu/format/convolution.hpp"
#include "vpu/format/normalization.hpp"
#include "vpu/format/pooling.hpp"
#include "vpu/format/reduction.hpp"

namespace blobsmith::testing {
namespace {

constexpr int64_t kChannels = 7, kHeight = 90, kWidth = 110, kPlane = kHeight * kWidth;  // 69300 elements

Values input() { return pattern(static_cast<size_t>(kChannels * kPlane), 3); }

/// One stage from the input above.
template <class P>
Values run(StageType type, const P& p, const Shape& out = {1, kChannels, kHeight, kWidth},
           std::vector<Values> constants = {}) {
  BlobBuilder b;
  std::vector<int> buffers{b.input("x", {1, kChannels, kHeight, kWidth}), b.output("y", out)};
  for (const Values& v : constants)
    buffers.push_back(b.constant({static_cast<int64_t>(v.size())}, v, {.type = DataType::S32}));
  b.stage(type, p, buffers);
  return run_blob(b, {input()}, {.threads = 3}).values;
}

/// The channels of one pixel.
Values pixel(const Values& x, int64_t i) {
  Values v;
  for (int64_t c = 0; c < kChannels; ++c) v.push_back(x[static_cast<size_t>(c * kPlane + i)]);
  return v;
}

TEST(EmulatorParts, SoftMaxOverChannels) {
  vpu::SoftMaxParams p;
  p.axis = 2;
  const Values x = input(), y = run(StageType::SoftMax, p);
  for (int64_t i = 0; i < kPlane; ++i) {
    const Values v = pixel(x, i);
    const float top = *std::ranges::max_element(v);
    float sum = 0;
    for (float f : v) sum += std::exp(f - top);
    for (int64_t c = 0; c < kChannels; ++c)
      ASSERT_NEAR(y[static_cast<size_t>(c * kPlane + i)], std::exp(v[static_cast<size_t>(c)] - top) / sum, 1e-3);
  }
}

TEST(EmulatorParts, LrnAcrossChannels) {
  vpu::LrnParams p;
  p.size = 3;
  p.k = float_to_half(2);
  p.alpha = float_to_half(3);
  p.beta = float_to_half(1);
  const Values x = input(), y = run(StageType::LRN, p);
  for (int64_t i = 0; i < kPlane; ++i) {
    const Values v = pixel(x, i);
    for (int64_t c = 0; c < kChannels; ++c) {
      float sum = 0;
      for (int64_t k = std::max<int64_t>(c - 1, 0); k <= std::min(c + 1, kChannels - 1); ++k)
        sum += v[static_cast<size_t>(k)] * v[static_cast<size_t>(k)];
      const float want = v[static_cast<size_t>(c)] / (2 + sum);
      ASSERT_NEAR(y[static_cast<size_t>(c * kPlane + i)], want, 1e-3f * std::max(1.0f, std::abs(want)));
    }
  }
}

TEST(EmulatorParts, MvnOfEveryPlane) {
  vpu::MvnParams p;
  const Values x = input(), y = run(StageType::MVN, p);
  for (int64_t c = 0; c < kChannels; ++c) {
    const double mean = std::accumulate(x.begin() + c * kPlane, x.begin() + (c + 1) * kPlane, 0.0) / kPlane;
    for (int64_t i = c * kPlane; i < (c + 1) * kPlane; ++i)
      ASSERT_NEAR(y[static_cast<size_t>(i)], x[static_cast<size_t>(i)] - mean, 1e-2);
  }
}

TEST(EmulatorParts, ReducedAxesInTheMiddleKeptOrDropped) {
  const Values x = input();
  for (const Shape& out : {Shape{1, 1, kHeight, kWidth}, Shape{1, kHeight, kWidth}}) {
    const Values y = run(StageType::ReduceMax, vpu::ReduceParams(), out, {{2}});
    ASSERT_EQ(y.size(), static_cast<size_t>(kPlane));
    for (int64_t i = 0; i < kPlane; ++i) ASSERT_EQ(y[static_cast<size_t>(i)], std::ranges::max(pixel(x, i)));
  }
  const Values rows = run(StageType::ReduceMax, vpu::ReduceParams(), {1, kChannels, kHeight}, {{0}});
  for (size_t i = 0; i < rows.size(); ++i)
    ASSERT_EQ(rows[i], *std::max_element(x.begin() + static_cast<int64_t>(i) * kWidth,
                                         x.begin() + static_cast<int64_t>(i + 1) * kWidth));
}

TEST(EmulatorParts, AReductionIntoAnotherShapeIsAnError) {
  EXPECT_THROW(run(StageType::ReduceMax, vpu::ReduceParams(), {1, kWidth, kHeight}, {{2}}), Error);
}

TEST(EmulatorParts, PoolsOfWideRows) {
  constexpr int64_t kLong = 10000;
  vpu::PoolParams p{};
  p.kernel_x = 3;
  p.kernel_y = 2;
  p.stride_x = 2;
  p.stride_y = 1;
  p.pad_left = 1;
  const Values x = pattern(2 * kLong, 4);
  for (const StageType type : {StageType::MaxPool, StageType::AvgPool}) {
    BlobBuilder b;
    p.exclude_pad = 1;
    const int in = b.input("x", {1, 1, 2, kLong}), y = b.output("y", {1, 1, 1, kLong / 2});
    b.stage(type, p, {in, y});
    const Values got = run_blob(b, {x}).values;
    for (int64_t i = 0; i < kLong / 2; ++i) {
      float best = -INFINITY, sum = 0, count = 0;
      for (int64_t k = std::max<int64_t>(2 * i - 1, 0); k < std::min(2 * i + 2, kLong); ++k)
        for (const float v : {x[static_cast<size_t>(k)], x[static_cast<size_t>(kLong + k)]})
          best = std::max(best, v), sum += v, ++count;
      ASSERT_NEAR(got[static_cast<size_t>(i)], type == StageType::MaxPool ? best : sum / count,
                  2e-3 * std::max(1.0f, std::abs(sum)));
    }
  }
}

TEST(EmulatorParts, TopKOfChannels) {
  vpu::TopKParams p;
  p.axis = 2;
  p.values_present = p.indices_present = 1;
  BlobBuilder b;
  const Shape out{1, 2, kHeight, kWidth};
  const int x = b.input("x", {1, kChannels, kHeight, kWidth}), k = b.constant({1}, {2}, {.type = DataType::S32}),
            values = b.output("values", out), indices = b.output("indices", out, {.type = DataType::S32});
  b.stage(StageType::TopK, p, {x, k, values, indices});
  const Values in = input(), best = run_blob(b, {in}, {}, "values").values,
               where = run_blob(b, {in}, {}, "indices").values;
  for (int64_t i = 0; i < kPlane; ++i) {
    const Values v = pixel(in, i);
    std::vector<int64_t> order(v.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(
        order, [&](int64_t a, int64_t c) { return v[static_cast<size_t>(a)] > v[static_cast<size_t>(c)]; });
    for (int64_t j = 0; j < 2; ++j) {
      const auto at = static_cast<size_t>(j * kPlane + i);
      ASSERT_EQ(where[at], static_cast<float>(order[static_cast<size_t>(j)]));
      ASSERT_EQ(best[at], v[static_cast<size_t>(order[static_cast<size_t>(j)])]);
    }
  }
}

TEST(EmulatorParts, MatrixProductsOfABatch) {
  constexpr int64_t kBatch = 2, kRows = 5, kInner = 300, kColumns = 701;
  vpu::GemmParams p;
  p.alpha = 1;
  BlobBuilder b;
  const int a = b.input("a", {kBatch, kRows, kInner}),
            c = b.constant({1, kInner, kColumns}, pattern(kInner * kColumns, 5)),
            y = b.output("y", {kBatch, kRows, kColumns});
  b.stage(StageType::GEMM, p, {a, c, y});
  const Values x = pattern(kBatch * kRows * kInner, 2), w = pattern(kInner * kColumns, 5),
               got = run_blob(b, {x}, {.threads = 2}).values;
  for (int64_t row = 0; row < kBatch * kRows; ++row)
    for (int64_t column = 0; column < kColumns; ++column) {
      float sum = 0;
      for (int64_t k = 0; k < kInner; ++k)
        sum += x[static_cast<size_t>(row * kInner + k)] * w[static_cast<size_t>(k * kColumns + column)];
      ASSERT_EQ(got[static_cast<size_t>(row * kColumns + column)], rounded(sum));
    }
}

}  // namespace
}  // namespace blobsmith::testing
