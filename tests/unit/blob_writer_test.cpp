// The bytes of a blob (blob-format spec §11: worked example).
#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "vpu/blob/writer.hpp"
#include "vpu/format/hw_op.hpp"
#include "vpu/format/reader.hpp"
#include "vpu/program/builders.hpp"

namespace blobsmith::vpu {
namespace {

uint32_t word_at(const std::vector<uint8_t>& bytes, size_t at) {
  uint32_t v;
  std::memcpy(&v, bytes.data() + at, sizeof v);
  return v;
}

void place(Data* d, Location location, int64_t offset, int64_t dims, int64_t strides) {
  d->placement = {location, offset};
  d->dims_placement = {Location::Blob, dims};
  d->strides_placement = {Location::Blob, strides};
}

/// One Relu on a vector of ten halves, placed by hand.
void build_example(Program& p) {
  p.resources = {.slices = 4, .shaves = 4};
  Data* in = p.add_input("x0", DataDesc({10, 1}));
  Data* out = p.add_output("Relu_1153", DataDesc({10, 1}));
  place(in, Location::Input, 0, 0, 8);
  place(out, Location::Output, 0, 0, 16);
  add_relu(p, "Relu_1153", nullptr, 0, in, out)->num_shaves = 2;
  p.memory = {.inputs = 20, .outputs = 20, .bss = 0, .cmx = 0, .blob = 24};
}

TEST(BlobWriter, WritesTheWorkedExampleByteForByte) {
  Program p;
  build_example(p);
  const std::vector<uint8_t> bytes = write_blob(p).joined();
  std::vector<uint8_t> expected(512);
  const auto put = [&](size_t at, std::initializer_list<uint32_t> words) {
    for (uint32_t w : words) {
      std::memcpy(expected.data() + at, &w, sizeof w);
      at += sizeof w;
    }
  };
  put(0, {0x666c657f});
  put(16, {0x00020001, 2});
  put(40, {0x1a0});
  put(52, {0x25ed, 0x200, 6, 0, 1, 1, 1, 0x14, 0x14, 1, 0, 4, 4, 0, 1, 0, 0xc0, 0x100, 0x140, 0x1c0});
  put(192, {0, 0, 0x10});
  std::memcpy(expected.data() + 204, "x0", 2);
  put(220, {0, 0x43, 2, 3, 0, 3, 8});
  put(256, {0, 0, 0x10});
  std::memcpy(expected.data() + 268, "Relu_1153", 9);
  put(284, {0, 0x43, 2, 3, 0, 3, 0x10});
  put(320, {0x78, 6, 2, 0xc, 0, 0});
  put(344, {0, 0x43, 2, 3, 0, 3, 8, 1, 0, 0x14, 0});
  put(388, {0, 0x43, 2, 3, 0, 3, 0x10, 2, 0, 0x14, 0});
  put(432, {6, 0x7f83ff19});
  put(448, {0xa, 1, 2, 0x14, 2, 0x14});
  EXPECT_EQ(bytes, expected);
}

TEST(BlobWriter, WhatItWritesCanBeRead) {
  Program p;
  build_example(p);
  const Blob blob = read_blob(Bytes::adopt(write_blob(p).joined()));
  ASSERT_EQ(blob.stages.size(), 1u);
  EXPECT_EQ(blob.stages[0].type, StageType::Relu);
  EXPECT_EQ(blob.outputs.at(0).name, "Relu_1153");
  EXPECT_EQ(blob.stages[0].buffers.at(1).role, "out0");
}

TEST(BlobWriter, NamesEndInAtLeastOneZero) {
  for (auto [length, padded] : std::map<size_t, uint32_t>{{1, 16}, {15, 16}, {16, 32}, {31, 32}}) {
    Program p;
    build_example(p);
    p.datas()[0]->name = std::string(length, 'n');
    EXPECT_EQ(word_at(write_blob(p).joined(), 200), padded);
  }
}

TEST(BlobWriter, RegionOfAnOutputNamesTheWholeOutput) {
  Program p;
  build_example(p);
  Data* whole = p.datas()[1];
  Data* part = p.add_data("part", DataDesc({4, 1}));
  Stage* relu = p.find_stage(0);
  p.replace_output(relu, 0, part);
  p.connect(whole, part, Sharing::Mode::ROI, Sharing::Direction::ChildWritesToParent, {{Dim::C, 6}}, nullptr);
  place(part, Location::Output, 12, 0, 16);
  const std::vector<uint8_t> bytes = write_blob(p).joined();
  EXPECT_EQ(word_at(bytes, 388 + 32), 0u);   // number of the output
  EXPECT_EQ(word_at(bytes, 388 + 36), 20u);  // bytes of the whole output
  EXPECT_EQ(word_at(bytes, 388 + 40), 12u);  // offset of the part
}

TEST(BlobWriter, InjectedStageIsARecordAtTheEndOfTheHardwareParameters) {
  Program p;
  build_example(p);
  Data* in = p.add_data("a", DataDesc({8, 8, 8, 1}));
  Data* out = p.add_data("b", DataDesc({8, 8, 8, 1}));
  Stage* hw = p.add_stage("hw", StageType::MyriadXHwOp, nullptr, {in, p.add_fake(), p.add_fake(), p.add_fake()}, {out});
  place(in, Location::BSS, 0, 0, 0);
  place(out, Location::CMX, 0, 0, 0);
  HwOp op;
  op.type = HwOpType::Pool;
  op.input_index = 0;
  op.output_index = 1;
  HwOpParams params;
  params.ops = {op};
  hw->set(params);
  p.inject(hw, p.find_stage(0));
  hw->num_shaves = 2;
  p.memory.blob = 64;
  const Blob blob = read_blob(Bytes::adopt(write_blob(p).joined()));
  EXPECT_EQ(blob.header.stage_count, 1u);
  EXPECT_EQ(blob.header.has_hw_stage, 1u);
  EXPECT_EQ(blob.header.has_shave_stage, 0u);  // injected ones don't count
  ASSERT_TRUE(blob.stages.at(0).injected);
  EXPECT_EQ(blob.stages[0].injected->type, StageType::Relu);
  EXPECT_EQ(blob.stages[0].injected->shaves, 2u);
  EXPECT_EQ(blob.stages[0].buffers.size(), 2u);
}

TEST(BlobWriter, UpperBoundOfADynamicOutputCountsTheBatch) {
  Program p;
  build_example(p);
  p.batch_size = 3;
  Data* out = p.datas()[1];
  Data* shape = p.add_data("shape", DataDesc(DataType::S32, {2}));
  place(shape, Location::BSS, 64, 24, 28);
  p.connect_shape(shape, out);
  out->marks.batch = 3;
  out->dims_placement = shape->placement;
  out->io_dims_upper_bound_offset = 32;
  p.memory.blob = 64;
  const std::vector<uint8_t> bytes = write_blob(p).joined();
  EXPECT_EQ(word_at(bytes, 284 + 12), 3u);  // the record says: in the blob
  EXPECT_EQ(word_at(bytes, 284 + 16), 32u);
  EXPECT_EQ(word_at(bytes, 388 + 12), 4u);  // the stage reads the sizes from DDR
  EXPECT_EQ(word_at(bytes, 448 + 32), 10u);
  EXPECT_EQ(word_at(bytes, 448 + 36), 3u);  // N times the batch
}

}  // namespace
}  // namespace blobsmith::vpu
