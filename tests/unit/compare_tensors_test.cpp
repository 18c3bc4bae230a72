// Tensors of a blob put together from what is in memory while it runs.
#include <gtest/gtest.h>

#include "compare/blob_tensors.hpp"
#include "emulator/access.hpp"
#include "emulator_fixture.hpp"
#include "vpu/format/post_op.hpp"
#include "vpu/format/recurrent.hpp"

namespace blobsmith::comparison {
namespace {

using testing::BlobBuilder;
using vpu::StageType;
using vpu::TracedTensor;
using Values = std::vector<float>;
using Shape = std::vector<int64_t>;

/// Three stages that write to one place, one after the other: x times 2, times 3, times 5.
class CompareTensors : public ::testing::Test {
 protected:
  std::vector<uint8_t> file(uint32_t batch = 1) {
    const int x = b_.input("x", {1, 2, 1, 2}), y = b_.output("y", {1, 2, 1, 2});
    b_.batch = batch;
    for (const float factor : {2.0F, 3.0F, 5.0F}) {
      vpu::PowerParams p;
      p.power = 1;
      p.scale = factor;
      b_.stage(StageType::Power, p, {x, y});
    }
    return b_.build();
  }
  /// What stage `number` wrote.
  static TracedTensor tensor(const vpu::Blob& blob, int number, std::string name, vpu::TensorPart part = {}) {
    return {std::move(name), number, blob.stages.at(static_cast<size_t>(number)).buffers.back(), part};
  }
  std::vector<FoundTensor> run(Emulator& e, std::vector<TracedTensor> list) {
    BlobTensors tensors(e, std::move(list));
    e.on_stage([&](const StageEvent& event) { tensors.see(event); });
    e.run();
    e.on_stage(nullptr);
    return tensors.finish();
  }
  BlobBuilder b_;
};

TEST_F(CompareTensors, EveryTensorIsTakenBeforeItIsOverwritten) {
  const vpu::Blob blob = vpu::read_blob(Bytes::adopt(file()));
  Emulator e = EmulatorAccess::make(blob);
  e.set_input("x", Values{1, 2, 3, 4});
  const auto found = run(e, {tensor(blob, 0, "twice"), tensor(blob, 2, "five times")});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name, "twice");
  EXPECT_EQ(found[0].tensor.values, (Values{2, 4, 6, 8}));
  EXPECT_EQ(found[0].stage, 0);
  EXPECT_EQ(found[1].tensor.values, (Values{5, 10, 15, 20}));
}

TEST_F(CompareTensors, PartsAreJoinedAlongTheirAxis) {
  const vpu::Blob blob = vpu::read_blob(Bytes::adopt(file()));
  Emulator e = EmulatorAccess::make(blob);
  e.set_input("x", Values{1, 2, 3, 4});
  const auto rows = run(e, {tensor(blob, 0, "rows", {0, 2, 3}), tensor(blob, 1, "rows", {1, 2, 3})});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].tensor.shape, (Shape{1, 2, 1, 4}));
  EXPECT_EQ(rows[0].tensor.values, (Values{2, 4, 3, 6, 6, 8, 9, 12}));
  EXPECT_EQ(rows[0].stage, 1) << "complete with the last part";
}

TEST_F(CompareTensors, PartsMayBeComputedInAnotherOrder) {
  const vpu::Blob blob = vpu::read_blob(Bytes::adopt(file()));
  Emulator e = EmulatorAccess::make(blob);
  e.set_input("x", Values{1, 2, 3, 4});
  const auto channels = run(e, {tensor(blob, 0, "channels", {1, 2, 1}), tensor(blob, 1, "channels", {0, 2, 1})});
  ASSERT_EQ(channels.size(), 1U);
  EXPECT_EQ(channels[0].tensor.shape, (Shape{1, 4, 1, 2}));
  EXPECT_EQ(channels[0].tensor.values, (Values{3, 6, 9, 12, 2, 4, 6, 8}));
}

TEST_F(CompareTensors, ATensorOfWhichAPartIsMissingIsLeftOut) {
  const vpu::Blob blob = vpu::read_blob(Bytes::adopt(file()));
  Emulator e = EmulatorAccess::make(blob);
  EXPECT_TRUE(run(e, {tensor(blob, 0, "t", {0, 3, 1}), tensor(blob, 1, "t", {2, 3, 1})}).empty());
  EXPECT_TRUE(run(e, {tensor(blob, 0, "t", {0, 2, 1}), tensor(blob, 1, "t", {0, 2, 1})}).empty());
}

TEST_F(CompareTensors, BatchItemsFollowEachOther) {
  const vpu::Blob blob = vpu::read_blob(Bytes::adopt(file(2)));
  Emulator e = EmulatorAccess::make(blob);
  e.set_input("x", Values{1, 2, 3, 4, 5, 6, 7, 8});
  const auto found = run(e, {tensor(blob, 1, "thrice")});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].tensor.shape, (Shape{2, 2, 1, 2}));
  EXPECT_EQ(found[0].tensor.values, (Values{3, 6, 9, 12, 15, 18, 21, 24}));
}

TEST_F(CompareTensors, WhatLiesBeforeALoopIsTakenOnce) {
  const int x = b_.input("x", {1, 2}), doubled = b_.scratch({1, 2}), result = b_.scratch({1, 2}),
            y = b_.output("y", {3, 2});
  vpu::PowerParams twice;
  twice.power = 1;
  twice.scale = 2;
  vpu::LoopStartParams start;
  start.stages_count = 3;
  start.iterations = 3;
  vpu::LoopEndParams end;
  end.iterations = 3;
  end.components = {{.axis = 1}};
  b_.stage(StageType::Power, twice, {x, doubled});
  b_.stage(StageType::LoopStart, start, {})
      .stage(StageType::Power, twice, {doubled, result})
      .stage(StageType::LoopEnd, end, {y, result});
  const vpu::Blob blob = vpu::read_blob(Bytes::adopt(b_.build()));
  Emulator e = EmulatorAccess::make(blob);
  e.set_input("x", Values{1, 2});
  const auto found = run(e, {tensor(blob, 0, "before"), tensor(blob, 2, "inside")});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].tensor.values, (Values{2, 4}));
  EXPECT_EQ(found[1].tensor.values, (Values{4, 8, 4, 8, 4, 8}));
}

}  // namespace
}  // namespace blobsmith::comparison
