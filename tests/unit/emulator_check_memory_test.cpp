// What the emulator reports of the use of memory (docs/emulator.md).
#include <gtest/gtest.h>

#include "emulator_fixture.hpp"
#include "vpu/format/hw_op.hpp"
#include "vpu/format/post_op.hpp"

namespace blobsmith::testing {
namespace {

using Kind = MemoryReport::Kind;

std::vector<MemoryReport> check(BlobBuilder& b) {
  const std::vector<uint8_t> file = b.build();
  Emulator e(file, {.check_memory = true, .threads = 1});
  e.run();
  return e.memory_reports();
}

TEST(CheckMemory, HasNothingToSayOfAChainOfStages) {
  BlobBuilder b;
  b.batch = 2;
  const int x = b.input("x", {1, 4}), t = b.scratch({1, 4}), y = b.output("y", {1, 4});
  b.stage(StageType::Copy, {x, t}).stage(StageType::Copy, {t, y});
  EXPECT_TRUE(check(b).empty());
}

TEST(CheckMemory, HasNothingToSayOfTensorsMadeOfPartsAndTakenApartAgain) {
  BlobBuilder b;
  const int x = b.input("x", {4}), t = b.scratch({8}), y = b.output("y", {4});
  const int first = b.view(t, {4}, 0), second = b.view(t, {4}, 8), middle = b.view(t, {4}, 4);
  b.stage(StageType::Copy, {x, first}).stage(StageType::Copy, {x, second}).stage(StageType::Copy, {middle, y});
  EXPECT_TRUE(check(b).empty());
}

TEST(CheckMemory, ReportsReadsOfWhatNoStageWrote) {
  BlobBuilder b;
  const int x = b.input("x", {4}), t = b.scratch({8}), y = b.output("y", {8}), half = b.view(t, {4}, 0);
  b.stage(StageType::Copy, {x, half}).stage(StageType::Sigmoid, {t, y});
  const std::vector<MemoryReport> reports = check(b);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].kind, Kind::Unwritten);
  EXPECT_EQ(reports[0].stage, 1);
  EXPECT_EQ(reports[0].buffer, "in0");
  EXPECT_EQ(reports[0].memory, "BSS");
  EXPECT_EQ(reports[0].first, 8);
  EXPECT_EQ(reports[0].last, 15);
  EXPECT_EQ(reports[0].bytes, 8);
  EXPECT_EQ(reports[0].text(), "stage 1 (Sigmoid), in0: BSS bytes 8 to 15 (8): read, but written by no stage");
}

TEST(CheckMemory, LetsCopiesTakeAlongWhatNoStageWroteUntilItIsUsed) {
  for (const bool use_all : {false, true}) {
    BlobBuilder b;
    const int x = b.input("x", {4}), t = b.scratch({8}), u = b.scratch({8}), y = b.output("y", {use_all ? 8 : 4}),
              half = b.view(t, {4}, 0);
    b.stage(StageType::Copy, {x, half})
        .stage(StageType::Copy, {t, u})
        .stage(StageType::Sigmoid, {use_all ? u : b.view(u, {4}, 0), y});
    const std::vector<MemoryReport> reports = check(b);
    ASSERT_EQ(reports.size(), use_all ? 1u : 0u);
    if (use_all) {
      EXPECT_EQ(reports[0].stage, 2);
    }
  }
}

TEST(CheckMemory, DoesNotCountWhatAnEarlierBatchItemLeft) {
  BlobBuilder b;
  b.batch = 2;
  const int x = b.input("x", {1, 4}), t = b.scratch({1, 4}), y = b.output("y", {1, 4});
  b.stage(StageType::Sigmoid, {t, y}).stage(StageType::Copy, {x, t});
  const std::vector<MemoryReport> reports = check(b);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].bytes, 16) << "8 bytes in each of two items";
}

TEST(CheckMemory, ReportsStagesThatWriteOverTheirInput) {
  BlobBuilder b;
  const int x = b.input("x", {5}), t = b.scratch({5}), y = b.output("y", {4});
  const int from = b.view(t, {4}, 0), to = b.view(t, {4}, 2);
  b.stage(StageType::Copy, {x, t}).stage(StageType::Copy, {from, to}).stage(StageType::Copy, {to, y});
  const std::vector<MemoryReport> reports = check(b);
  ASSERT_FALSE(reports.empty());
  EXPECT_EQ(reports[0].kind, Kind::Overlap);
  EXPECT_EQ(reports[0].stage, 1);
  EXPECT_EQ(reports[0].bytes, 6);
}

TEST(CheckMemory, ReportsTensorsOfWhichAPartWasLostToAnother) {
  BlobBuilder b;
  const int x = b.input("x", {4}), t = b.scratch({4}), y = b.output("y", {4}), z = b.output("z", {2});
  const int thief = b.view(t, {2}, 4), source = b.view(x, {2}, 0);
  b.stage(StageType::Copy, {x, t})
      .stage(StageType::Copy, {source, thief})
      .stage(StageType::Copy, {thief, z})
      .stage(StageType::Copy, {t, y});
  const std::vector<MemoryReport> reports = check(b);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].kind, Kind::Overlap);
  EXPECT_EQ(reports[0].stage, 3);
  EXPECT_EQ(reports[0].other, "1-Copy.out0 over 0-Copy.out0");
  EXPECT_EQ(reports[0].first, 4);
  EXPECT_EQ(reports[0].bytes, 4);
}

TEST(CheckMemory, ReportsOutputsThatNoStageWrites) {
  BlobBuilder b;
  const int x = b.input("x", {4}), y = b.output("y", {8}), half = b.view(y, {4}, 0);
  b.stage(StageType::Copy, {x, half});
  const std::vector<MemoryReport> reports = check(b);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].text(), "output y: Output bytes 8 to 15 (8): written by no stage");
}

TEST(CheckMemory, ReportsWritesBeyondAnOutput) {
  BlobBuilder b;
  const int x = b.input("x", {64}), y = b.output("y", {32}), z = b.output("z", {64}), both = b.view(y, {64}, 0);
  b.stage(StageType::Copy, {x, both}).stage(StageType::Copy, {x, z});
  const std::vector<MemoryReport> reports = check(b);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].kind, Kind::Outside);
  EXPECT_EQ(reports[0].stage, 0);
}

TEST(CheckMemory, ReportsElementsThatAreNotAligned) {
  BlobBuilder b;
  const int x = b.input("x", {4}), t = b.scratch({8}), y = b.output("y", {4}), odd = b.view(t, {4}, 1);
  b.stage(StageType::Copy, {x, odd}).stage(StageType::Copy, {odd, y});
  const std::vector<MemoryReport> reports = check(b);
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].kind, Kind::Alignment);
  EXPECT_EQ(reports[1].buffer, "in0");
}

// ---- the convolution engine ----

vpu::HwOpParams max_pool() {
  vpu::HwOpParams p;
  p.ops.push_back({.type = vpu::HwOpType::Pool,
                   .input_index = 0,
                   .output_index = 1,
                   .out_channels = 1,
                   .kernel_width = 2,
                   .kernel_height = 2,
                   .kernel_stride = 2});
  return p;
}

TEST(CheckMemory, WantsRowsOfTheEngineOn16Bytes) {
  for (const int64_t pitch : {16, 8}) {
    BlobBuilder b;
    const BlobBuilder::Layout rows{.strides = {4 * pitch, 4 * pitch, pitch, 2}};
    const int x = b.input("x", {1, 1, 4, 4}), t = b.scratch({1, 1, 4, 4}, rows),
              y = b.output("y", {1, 1, 2, 2}, {.strides = {32, 32, 16, 2}});
    b.stage(StageType::Copy, {x, t}).stage(StageType::MyriadXHwOp, max_pool(), {t, y});
    const std::vector<MemoryReport> reports = check(b);
    ASSERT_EQ(reports.size(), pitch == 16 ? 0u : 1u);
    if (pitch == 8) {
      EXPECT_EQ(reports[0].kind, Kind::Alignment);
    }
  }
}

TEST(CheckMemory, HoldsAnInjectedStageAgainstItsHardwareStage) {
  BlobBuilder b;
  const BlobBuilder::Layout rows{.strides = {64, 64, 16, 2}};
  const int x = b.input("x", {1, 1, 4, 4}, rows), t = b.scratch({1, 1, 4, 4}, rows),
            y = b.output("y", {1, 1, 2, 2}, {.strides = {32, 32, 16, 2}});
  b.stage(StageType::MyriadXHwOp, max_pool(), {t, y}).inject(StageType::Copy, vpu::StageParams(), {x, t});
  const std::vector<MemoryReport> reports = check(b);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].kind, Kind::Overlap);
  EXPECT_EQ(reports[0].other, "0-injected-Copy.out0");
}

// The engine writes whole units of 16 bytes: what stands behind the row of a pool is lost.
TEST(CheckMemory, CountsWhatStandsBehindARowOfTheEngineAsLost) {
  BlobBuilder b;
  const BlobBuilder::Layout rows{.strides = {64, 64, 16, 2}}, small{.strides = {32, 32, 16, 2}};
  const int x = b.input("x", {1, 1, 4, 4}, rows), t = b.scratch({16}), y = b.output("y", {4}),
            pooled = b.view(t, {1, 1, 2, 2}, 0, small), behind = b.view(t, {4}, 8),
            z = b.output("z", {1, 1, 2, 2}, small);
  const int four = b.view(x, {4}, 0);
  b.stage(StageType::Copy, {four, behind})
      .stage(StageType::MyriadXHwOp, max_pool(), {x, pooled})
      .stage(StageType::Sigmoid, {behind, y})
      .stage(StageType::Copy, {pooled, z});
  const std::vector<MemoryReport> reports = check(b);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].kind, Kind::Unwritten);
  EXPECT_EQ(reports[0].stage, 2);
  EXPECT_EQ(reports[0].other, "1-MyriadXHwOp.output, behind its rows");
}

}  // namespace
}  // namespace blobsmith::testing
