// Which stages run together, and that nothing of the results tells.
#include <gtest/gtest.h>

#include "emulator/schedule.hpp"
#include "emulator_fixture.hpp"
#include "vpu/format/hw_op.hpp"

namespace blobsmith::testing {
namespace {

using emulator::StageGroup;
using vpu::HwOp;
using vpu::HwOpParams;

constexpr int64_t kIn = 12, kOut = 19;

HwOpParams convolution(std::vector<uint32_t> channels = {kOut}) {
  HwOpParams p;
  uint32_t first = 0;
  for (uint32_t n : channels) {
    HwOp op;
    op.input_index = 0;
    op.weights_index = 1;
    op.output_index = 2;
    op.out_channel_offset = first;
    op.out_channels = n;
    p.ops.push_back(op);
    first += n;
  }
  return p;
}

int weights(BlobBuilder& b, unsigned seed) {
  return b.constant({(kOut + 7) / 8, kIn, 1, 8}, pattern((kOut + 7) / 8 * kIn * 8, seed));
}

std::vector<StageGroup> groups_of(BlobBuilder& b) {
  const std::vector<uint8_t> file = b.build();
  return emulator::group_stages(vpu::read_blob(Bytes::copy_of(std::span<const uint8_t>(file))).stages);
}

/// "y" of a run stage by stage, which a hook asks for, and of one with stages together.
void expect_same_results(BlobBuilder& b, const std::vector<float>& x) {
  const std::vector<uint8_t> file = b.build();
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 1, 2}) {
    Emulator e(file, {.threads = threads});
    int stages = 0;
    if (results.empty()) e.on_stage([&](const StageEvent&) { ++stages; });
    e.set_input("x", std::span<const float>(x));
    e.run();
    EXPECT_EQ(stages > 0, results.empty());
    results.push_back(e.output("y").values);
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

/// Rows of a matrix times weights, one stage each, as the compiler makes of a fully connected layer: x -> rows -> y.
struct Rows {
  static constexpr int64_t kRows = 5;
  BlobBuilder b;
  int from, to, w;

  Rows() {
    const int x = b.input("x", {kRows, kIn, 1, 1}), y = b.output("y", {kRows, kOut, 1, 1});
    from = b.scratch({kRows, kIn, 1, 1});
    to = b.scratch({kRows, kOut, 1, 1});
    w = weights(b, 3);
    b.stage(StageType::Copy, {x, from});
    for (int64_t r = 0; r < kRows; ++r)
      b.stage(StageType::MyriadXHwOp, convolution({8, kOut - 8}),
              {b.view(from, {1, kIn, 1, 1}, r * kIn * 2), w, b.view(to, {1, kOut, 1, 1}, r * kOut * 2)});
    b.stage(StageType::Copy, {to, y});
  }
};

TEST(StageGroups, RowsOfAMatrixProductAreJoined) {
  Rows rows;
  const std::vector<StageGroup> groups = groups_of(rows.b);
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[1].kind, StageGroup::Kind::Joined);
  EXPECT_EQ(groups[1].first, 1u);
  EXPECT_EQ(groups[1].count, 5u);
  expect_same_results(rows.b, pattern(Rows::kRows * kIn, 9));
}

TEST(StageGroups, AChainStaysAChain) {
  BlobBuilder b;
  const int x = b.input("x", {1, kIn, 1, 1}), y = b.output("y", {1, kOut, 1, 1}), a = b.scratch({1, kIn, 1, 1}),
            c = b.scratch({1, kOut, 1, 1}), d = b.scratch({1, kOut, 1, 1});
  const int w = weights(b, 3);
  b.stage(StageType::Copy, {x, a});
  b.stage(StageType::MyriadXHwOp, convolution(), {a, w, c});
  b.stage(StageType::MyriadXHwOp, convolution(), {b.view(c, {1, kIn, 1, 1}, 0), w, d});  // reads what the first wrote
  b.stage(StageType::Copy, {d, y});
  for (const StageGroup& g : groups_of(b)) EXPECT_EQ(g.count, 1u) << g.first;
  expect_same_results(b, pattern(kIn, 9));
}

TEST(StageGroups, SlicesOfATensorRunSideBySide) {
  constexpr int64_t kSlices = 3, kSize = 6;
  BlobBuilder b;
  const int x = b.input("x", {1, kSlices * kIn, kSize, 8}), y = b.output("y", {1, kSlices * kOut, kSize, 8});
  const int from = b.scratch({1, kSlices * kIn, kSize, 8}), to = b.scratch({1, kSlices * kOut, kSize, 8});
  b.stage(StageType::Copy, {x, from});
  for (int64_t k = 0; k < kSlices; ++k)
    b.stage(StageType::MyriadXHwOp, convolution(),
            {b.view(from, {1, kIn, kSize, 8}, k * kIn * kSize * 16), weights(b, static_cast<unsigned>(k)),
             b.view(to, {1, kOut, kSize, 8}, k * kOut * kSize * 16)});
  b.stage(StageType::Copy, {to, y});
  const std::vector<StageGroup> groups = groups_of(b);
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[1].kind, StageGroup::Kind::SideBySide);
  EXPECT_EQ(groups[1].count, 3u);
  expect_same_results(b, pattern(kSlices * kIn * kSize * 8, 9));
}

// Tiles of output channels share the prepared input, but not beyond a stage that writes to it.
TEST(StageGroups, AnInputThatIsOverwrittenIsReadAgain) {
  constexpr int64_t kSize = 4;
  BlobBuilder b;
  const int x = b.input("x", {1, kIn, kSize, 8}), y = b.output("y", {1, kOut, kSize, 8}),
            a = b.scratch({1, kIn, kSize, 8}), first = b.scratch({1, kOut, kSize, 8});
  const int w = weights(b, 3);
  b.stage(StageType::Copy, {x, a});
  b.stage(StageType::MyriadXHwOp, convolution(), {a, w, first});
  b.stage(StageType::Copy, {b.view(first, {1, kIn, kSize, 8}, 0), a});
  b.stage(StageType::MyriadXHwOp, convolution(), {a, w, y});
  const std::vector<float> values = pattern(kIn * kSize * 8, 9);
  expect_same_results(b, values);

  BlobBuilder direct;
  const int from = direct.input("x", {1, kIn, kSize, 8}), to = direct.output("y", {1, kOut, kSize, 8}),
            middle = direct.scratch({1, kOut, kSize, 8});
  const int same = weights(direct, 3);
  direct.stage(StageType::MyriadXHwOp, convolution(), {from, same, middle});
  direct.stage(StageType::MyriadXHwOp, convolution(), {direct.view(middle, {1, kIn, kSize, 8}, 0), same, to});
  EXPECT_EQ(run_blob(b, {values}).values, run_blob(direct, {values}).values);
}

}  // namespace
}  // namespace blobsmith::testing
