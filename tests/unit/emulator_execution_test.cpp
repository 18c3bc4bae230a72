// The machine: inputs, outputs, batch, loops, dynamic shapes, injected stages, memory bounds (execution spec §1, §10,
// §11).
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "emulator_fixture.hpp"
#include "vpu/format/data_movement.hpp"
#include "vpu/format/eltwise.hpp"
#include "vpu/format/hw_op.hpp"
#include "vpu/format/indexing.hpp"
#include "vpu/format/post_op.hpp"
#include "vpu/format/recurrent.hpp"

namespace blobsmith::testing {
namespace {

vpu::PowerParams times(float scale) {
  vpu::PowerParams p;
  p.scale = scale;
  return p;
}

TEST(Emulator, ConvertsFloatsToTheInputsType) {
  BlobBuilder b;
  const int x = b.input("x", {8}, {.type = DataType::U8}), y = b.output("y", {8});
  b.stage(StageType::Convert, vpu::ConvertParams(), {x, y});
  EXPECT_EQ(run_blob(b, {{-3, 0.5f, 1.5f, 2.5f, 254.6f, 255, 300, 1e9f}}).values,
            (std::vector<float>{0, 0, 2, 2, 255, 255, 255, 255}));
}

TEST(Emulator, GivesAndTakesFrameworkOrderWhateverTheMemoryOrder) {
  BlobBuilder b;
  const int x = b.input("x", {1, 2, 2, 3}, {.order = vpu::orders::NHWC}),
            y = b.output("y", {1, 3, 2, 2}, {.order = vpu::orders::NCHW});
  vpu::PermuteParams p;
  p.permutation = {1, 2, 0, 3, -1, -1, -1, -1};
  b.stage(StageType::Permute, p, {x, y});
  const std::vector<uint8_t> file = b.build();
  const Emulator e(file);
  EXPECT_EQ(e.inputs().at(0).shape, (std::vector<int64_t>{1, 3, 2, 2}));
  EXPECT_EQ(run_blob(b, {counting(12)}).values, counting(12));
}

TEST(Emulator, NamesWhatItDoesNotKnow) {
  BlobBuilder b;
  const int x = b.input("image", {4}), y = b.output("y", {4});
  b.stage(StageType::Copy, {x, y});
  const std::vector<uint8_t> file = b.build();
  Emulator e(file);
  const std::vector<float> four(4), five(5);
  try {
    e.set_input("data", std::span<const float>(four));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::BadInputName);
    EXPECT_NE(error.hint().find("image"), std::string::npos);
  }
  EXPECT_THROW(e.set_input("image", std::span<const float>(five)), Error);
  EXPECT_THROW(e.output("z"), Error);
}

TEST(Emulator, TakesInputsAndGivesOutputsInParts) {
  constexpr int64_t kRows = 300, kColumns = 50;
  BlobBuilder b;
  b.batch = 2;
  const int x = b.input("x", {1, 1, kRows, kColumns}), y = b.output("y", {1, 1, kRows, kColumns});
  b.stage(StageType::Copy, {x, y});
  const std::vector<uint8_t> file = b.build();
  Emulator e(file);
  float next = 0;
  e.set_input("x", [&](std::span<float> part) {
    for (float& v : part) v = std::fmod(next++, 1000.0f);
  });
  EXPECT_EQ(next, 2 * kRows * kColumns);
  e.run();
  std::vector<float> taken;
  int spans = 0;
  e.output("y", [&](std::span<const float> part) {
    taken.insert(taken.end(), part.begin(), part.end());
    ++spans;
  });
  EXPECT_GT(spans, 1);
  ASSERT_EQ(taken.size(), static_cast<size_t>(2 * kRows * kColumns));
  for (size_t i = 0; i < taken.size(); ++i) ASSERT_EQ(taken[i], static_cast<float>(i % 1000));
  EXPECT_EQ(e.output("y").values, taken);
  EXPECT_EQ(e.output_shape("y"), (std::vector<int64_t>{2, 1, kRows, kColumns}));
  EXPECT_THROW(e.set_input("y", [](std::span<float>) {}), Error);
  EXPECT_THROW(e.output("x", [](std::span<const float>) {}), Error);
}

TEST(Emulator, RunsManyTimes) {
  BlobBuilder b;
  const int x = b.input("x", {3}), y = b.output("y", {3});
  b.stage(StageType::Power, times(2), {x, y});
  const std::vector<uint8_t> file = b.build();
  Emulator e(file);
  for (float v : {1.0f, 5.0f}) {
    e.set_input("x", std::span<const float>(std::vector<float>(3, v)));
    e.run();
    EXPECT_EQ(e.output("y").values, std::vector<float>(3, 2 * v));
  }
}

TEST(Emulator, RunsAllStagesOncePerBatchItem) {
  BlobBuilder b;
  b.batch = 3;
  const int x = b.input("x", {1, 1, 1, 2}), t = b.scratch({1, 1, 1, 2}), y = b.output("y", {1, 1, 1, 2});
  b.stage(StageType::Power, times(10), {x, t}).stage(StageType::Copy, {t, y});
  const FloatTensor out = run_blob(b, {{1, 2, 3, 4, 5, 6}});
  EXPECT_EQ(out.shape, (std::vector<int64_t>{3, 1, 1, 2}));
  EXPECT_EQ(out.values, (std::vector<float>{10, 20, 30, 40, 50, 60}));
}

TEST(Emulator, RunsInjectedStagesAndReportsThem) {
  BlobBuilder b;
  const int x = b.input("x", {1, 1, 2, 2}), y = b.output("y", {1, 1, 1, 1}), z = b.output("z", {1, 1, 2, 2});
  vpu::HwOpParams p;
  p.ops.push_back({.type = vpu::HwOpType::Pool,
                   .input_index = 0,
                   .output_index = 1,
                   .out_channels = 1,
                   .kernel_width = 2,
                   .kernel_height = 2,
                   .kernel_stride = 2});
  b.stage(StageType::MyriadXHwOp, p, {x, y}).inject(StageType::Power, times(3), {x, z});
  const std::vector<uint8_t> file = b.build();
  Emulator e(file);
  e.set_input("x", std::span<const float>(counting(4)));
  std::vector<std::string> seen;
  e.on_stage([&](const StageEvent& event) {
    const std::vector<FloatTensor> outputs = event.outputs();
    ASSERT_EQ(outputs.size(), 1u);
    seen.push_back(std::to_string(event.index) + (event.injected ? "i " : " ") + event.type + " " + outputs[0].name);
  });
  e.run();
  EXPECT_EQ(seen, (std::vector<std::string>{"0i Power out0", "0 MyriadXHwOp output"}));
  EXPECT_EQ(e.output("y").values, (std::vector<float>{3}));
  EXPECT_EQ(e.output("z").values, (std::vector<float>{0, 3, 6, 9}));
}

TEST(Emulator, TellsAfterEveryStageWhatItReadAndWrote) {
  BlobBuilder b;
  b.batch = 2;
  const int x = b.input("x", {1, 1, 1, 2}), t = b.scratch({1, 1, 1, 2}), y = b.output("y", {1, 1, 1, 2});
  b.stage(StageType::Power, times(10), {x, t})
      .stage(StageType::Prod, vpu::EltwiseParams(), {x, y, t, BlobBuilder::kFake});
  const std::vector<uint8_t> file = b.build();
  Emulator e(file);
  e.set_input("x", std::span<const float>(counting(4)));
  std::vector<std::string> seen;
  std::vector<FloatTensor> inputs, outputs;
  e.on_stage([&](const StageEvent& event) {
    seen.push_back(event.label() + (event.network_outputs.empty() ? "" : " writes " + event.network_outputs[0]));
    EXPECT_GE(event.milliseconds, 0);
    inputs = event.inputs();
    outputs = event.outputs();
  });
  e.run();
  EXPECT_EQ(seen, (std::vector<std::string>{"0-Power@0", "1-Prod@0 writes y", "0-Power@1", "1-Prod@1 writes y"}));
  ASSERT_EQ(inputs.size(), 2u);  // of the last stage, in the second batch item
  EXPECT_EQ(inputs[0].values, (std::vector<float>{2, 3}));
  EXPECT_EQ(inputs[1].values, (std::vector<float>{20, 30}));
  EXPECT_EQ(outputs.at(0).values, (std::vector<float>{40, 90}));
  EXPECT_EQ(outputs.at(0).shape, (std::vector<int64_t>{1, 1, 1, 2}));
}

TEST(EmulatorArithmetic, LimitsResultsAsAsked) {
  const auto run = [](ArithmeticOptions arithmetic) {
    BlobBuilder b;
    const int x = b.input("x", {3}), y = b.output("y", {3});
    b.stage(StageType::Power, times(2), {x, y});
    const std::vector<uint8_t> file = b.build();
    Emulator e(file, {.arithmetic = arithmetic, .threads = 1});
    e.set_input("x", std::span<const float>(std::vector<float>{60000, -60000, 0x1p-20f}));
    e.run();
    return e.output("y").values;
  };
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(run({}), (std::vector<float>{infinity, -infinity, 0x1p-19f}));
  EXPECT_EQ(run({.saturate = true}), (std::vector<float>{65504, -65504, 0x1p-19f}));
  EXPECT_EQ(run({.flush_denormals = true}), (std::vector<float>{infinity, -infinity, 0}));
}

// Each iteration takes a row, doubles it and puts it back from the other end.
TEST(EmulatorLoop, CopiesSlicesInAndOut) {
  BlobBuilder b;
  const int x = b.input("x", {3, 2}), inner = b.scratch({1, 2}), doubled = b.scratch({1, 2}), y = b.output("y", {3, 2});
  vpu::LoopStartParams start;
  start.iterations = 3;
  start.stages_count = 3;
  start.components = {{.axis = 1}};
  vpu::LoopEndParams end;
  end.iterations = 3;
  end.components = {{.axis = 1, .start = -1, .stride = -1, .end = 0}};
  b.stage(StageType::LoopStart, start, {x, inner})
      .stage(StageType::Power, times(2), {inner, doubled})
      .stage(StageType::LoopEnd, end, {y, doubled});
  EXPECT_EQ(run_blob(b, {{1, 2, 3, 4, 5, 6}}).values, (std::vector<float>{10, 12, 6, 8, 2, 4}));
}

TEST(EmulatorLoop, RefusesSlicesOutsideTheTensorAndEndsOutsideTheBlob) {
  const auto run = [](int32_t iterations, uint32_t stages, int32_t axis) {
    BlobBuilder b;
    const int x = b.input("x", {3, 2}), inner = b.scratch({1, 2}), y = b.output("y", {3, 2});
    vpu::LoopStartParams start;
    start.iterations = iterations;
    start.stages_count = stages;
    start.components = {{.axis = axis}};
    vpu::LoopEndParams end;
    end.iterations = iterations;
    end.components = {{.axis = 1}};
    b.stage(StageType::LoopStart, start, {x, inner}).stage(StageType::LoopEnd, end, {y, inner});
    run_blob(b, {counting(6)});
  };
  EXPECT_NO_THROW(run(3, 2, 1));
  EXPECT_THROW(run(4, 2, 1), Error);
  EXPECT_THROW(run(3, 1, 1), Error);
  EXPECT_THROW(run(3, 100, 1), Error);
  EXPECT_THROW(run(3, 2, 7), Error);
  EXPECT_THROW(run(3, 2, -1), Error);
}

TEST(EmulatorDynamic, CutsAnOutputToTheShapeFoundAtRunTime) {
  BlobBuilder b;
  const int x = b.input("x", {6}), y = b.output("y", {6, 1}, {.type = DataType::S32}),
            shape = b.output("y@shape", {2}, {.type = DataType::S32});
  const int indices = b.scratch({1, 6}, {.type = DataType::S32}), found = b.scratch({2}, {.type = DataType::S32});
  b.set_dims_from(y, found);  // innermost first, while the shape for the user has the outermost first
  vpu::GatherParams turn;
  const int order = b.constant({2}, {1, 0}, {.type = DataType::S32});
  vpu::PermuteParams transpose;
  transpose.permutation = {1, 0, -1, -1, -1, -1, -1, -1};
  b.stage(StageType::NonZero, {x, indices, found}).stage(StageType::Gather, turn, {found, shape, order});
  const int part = b.view(indices, {1, 2}, 0, {.type = DataType::S32});
  b.stage(StageType::Permute, transpose, {part, y});
  const FloatTensor out = run_blob(b, {{0, 7, 0, 0, 8, 0}});
  EXPECT_EQ(out.shape, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(out.values, (std::vector<float>{1, 4}));
}

TEST(EmulatorDynamic, DoesNotGuessWhatHappensWhenSizesDoNotFit) {
  BlobBuilder b;
  const int x = b.input("x", {3}), n = b.input("n", {1}, {.type = DataType::S32}), y = b.output("y", {3});
  b.set_dims_from(y, n);
  b.stage(StageType::Copy, {x, y});
  try {
    run_blob(b, {{1, 2, 3}, {2}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::NotYetSupported);
    EXPECT_NE(std::string(e.what()).find("stage 0 (Copy)"), std::string::npos) << e.what();
  }
}

// ---- hostile blobs ----

TEST(EmulatorMemory, RefusesBuffersOutsideTheirMemory) {
  for (int64_t shift : {2, 64, 1 << 20}) {
    BlobBuilder b;
    const int x = b.input("x", {4}), t = b.scratch({4}), y = b.output("y", {4}), beyond = b.view(t, {4}, shift);
    b.stage(StageType::Copy, {x, beyond}).stage(StageType::Copy, {beyond, y});
    const std::vector<uint8_t> file = b.build();
    EXPECT_THROW(Emulator e(file), Error) << shift;
  }
}

TEST(EmulatorMemory, RefusesStridesThatLeaveTheMemory) {
  BlobBuilder b;
  const int x = b.input("x", {4, 4}), t = b.scratch({4, 4}), wide = b.view(t, {4, 4}, 0, {.strides = {0x7FFFFFFF, 2}});
  b.stage(StageType::Copy, {x, wide});
  const std::vector<uint8_t> file = b.build();
  EXPECT_THROW(Emulator e(file), Error);
}

TEST(EmulatorMemory, RefusesTensorsWithMoreElementsThanTheMemoryHolds) {
  BlobBuilder b;
  const int x = b.input("x", {4}), t = b.scratch({4}),
            huge = b.view(t, {0x7FFFFFFF, 0x7FFFFFFF}, 0, {.strides = {0, 0}});
  b.stage(StageType::Copy, {x, huge});
  const std::vector<uint8_t> file = b.build();
  EXPECT_THROW(Emulator e(file), Error);
}

TEST(EmulatorMemory, RefusesToWriteConstants) {
  BlobBuilder b;
  const int x = b.input("x", {4}), c = b.constant({4}, {1, 2, 3, 4}), y = b.output("y", {4});
  b.stage(StageType::Copy, {x, c}).stage(StageType::Copy, {c, y});
  EXPECT_THROW(run_blob(b, {counting(4)}), Error);
}

TEST(EmulatorMemory, RefusesMissingBuffersAndUnequalSizes) {
  BlobBuilder few;
  const int x = few.input("x", {4});
  few.output("y", {4});
  few.stage(StageType::Copy, {x});
  EXPECT_THROW(run_blob(few, {counting(4)}), Error);
  BlobBuilder unequal;
  const int a = unequal.input("x", {4}), b = unequal.output("y", {5});
  unequal.stage(StageType::Copy, {a, b});
  EXPECT_THROW(run_blob(unequal, {counting(4)}), Error);
  BlobBuilder fake;
  const int y = fake.output("y", {4});
  fake.stage(StageType::Sigmoid, {BlobBuilder::kFake, y});
  EXPECT_THROW(run_blob(fake, {}), Error);
}

TEST(EmulatorMemory, NamesTheStageThatFails) {
  BlobBuilder b;
  const int x = b.input("x", {4}), y = b.output("y", {4});
  vpu::GatherParams p;
  p.axis = 9;
  b.stage(StageType::Gather, p, {x, y, x});
  try {
    run_blob(b, {counting(4)});
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("stage 0 (Gather)"), std::string::npos) << e.what();
  }
}

TEST(Emulator, SaysWhichStageCannotBeEmulated) {
  BlobBuilder b;
  const int x = b.input("x", {4}), y = b.output("y", {4});
  struct NoArguments : vpu::StageParams {
    void fields(vpu::FieldArchive& a) override {
      for (uint32_t i = 0; i < 14; ++i) {
        uint32_t zero = 0;
        a.word("zero", zero);
      }
    }
  };
  b.stage(StageType::Custom, NoArguments(), {x, y});
  try {
    run_blob(b, {counting(4)});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::NotYetSupported);
    EXPECT_NE(std::string(e.what()).find("Custom"), std::string::npos) << e.what();
  }
}

// OpenVINO 2020.1 to 2020.3 wrote sizes and strides into the records.
TEST(Emulator, RunsBlobsWhoseRecordsHoldTheirShapes) {
  const std::vector<float> x = counting(12);
  std::vector<std::vector<float>> results;
  for (const uint32_t version : {6, 5}) {
    BlobBuilder b;
    b.version_major = version;
    const int in = b.input("x", {1, 3, 2, 2}), middle = b.scratch({1, 3, 2, 2}), out = b.output("y", {1, 3, 2, 2});
    b.stage(StageType::ScaleShift, {in, middle, b.constant({3}, {1, 2, 3}), b.constant({3}, {-1, 0, 1})});
    b.stage(StageType::Relu, vpu::ReluParams(), {middle, out});
    results.push_back(run_blob(b, {x}).values);
    const std::vector<uint8_t> file = b.build();
    const vpu::Blob blob = vpu::read_blob(Bytes::copy_of(std::span<const uint8_t>(file)));
    EXPECT_EQ(blob.header.has_inline_shapes(), version == 5);
    EXPECT_EQ(blob.stages.at(0).buffers.at(2).desc.dims, std::vector<int64_t>{3});
    EXPECT_EQ(blob.stages.at(0).buffers.at(1).desc.strides, (std::vector<int64_t>{2, 4, 8, 24}));
  }
  EXPECT_EQ(results[0], (std::vector<float>{0, 0, 1, 2, 8, 10, 12, 14, 25, 28, 31, 34}));
  EXPECT_EQ(results[1], results[0]);
}

}  // namespace
}  // namespace blobsmith::testing
