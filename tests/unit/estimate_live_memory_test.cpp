#include <gtest/gtest.h>

#include "estimate/live_memory.hpp"

namespace blobsmith::estimate {
namespace {

using vpu::Location;

/// `bytes` bytes at `offset`, one after another.
vpu::BlobBuffer buffer(const std::string& role, Location where, uint32_t offset, int64_t bytes) {
  vpu::BlobBuffer b;
  b.role = role;
  b.location = where;
  b.offset = offset;
  b.desc.type = vpu::DataType::U8;
  b.desc.dims = {bytes};
  b.desc.strides = {1};
  return b;
}

vpu::BlobStage stage(std::vector<vpu::BlobBuffer> buffers) {
  vpu::BlobStage s;
  s.type = vpu::StageType::Copy;
  s.buffers = std::move(buffers);
  return s;
}

TEST(LiveMemory, a_value_lives_from_its_writer_to_its_last_reader) {
  vpu::Blob blob;
  blob.stages.push_back(stage({buffer("in0", Location::Input, 0, 10), buffer("out0", Location::CMX, 0, 8)}));
  blob.stages.push_back(stage({buffer("in0", Location::CMX, 0, 4), buffer("out0", Location::BSS, 0, 100)}));
  blob.stages.push_back(stage({buffer("in0", Location::BSS, 0, 100), buffer("out0", Location::CMX, 100, 2),
                               buffer("temp0", Location::CMX, 200, 50)}));
  blob.stages.push_back(stage({buffer("in0", Location::CMX, 4, 4), buffer("out0", Location::Output, 0, 7)}));
  const LiveMemory live = live_memory(blob);
  // Bytes 0..4 are read by the second stage, 4..8 by the last one; what nothing reads lives while it is written.
  EXPECT_EQ(live.cmx, (std::vector<double>{8, 8, 4 + 2 + 50, 4}));
  EXPECT_EQ(live.ddr, (std::vector<double>{10, 100, 100, 7}));
}

TEST(LiveMemory, memory_that_is_written_again_was_free_before) {
  vpu::Blob blob;
  blob.stages.push_back(stage({buffer("out0", Location::CMX, 0, 8)}));
  blob.stages.push_back(stage({buffer("in0", Location::CMX, 0, 8), buffer("out0", Location::BSS, 0, 1)}));
  blob.stages.push_back(stage({buffer("in0", Location::BSS, 0, 1), buffer("out0", Location::BSS, 8, 1)}));
  blob.stages.push_back(stage({buffer("in0", Location::BSS, 8, 1), buffer("out0", Location::CMX, 0, 8)}));
  blob.stages.push_back(stage({buffer("in0", Location::CMX, 0, 8), buffer("out0", Location::CMX, 0, 8)}));  // in place
  EXPECT_EQ(live_memory(blob).cmx, (std::vector<double>{8, 8, 0, 8, 8}));
  EXPECT_EQ(live_memory(blob).ddr, (std::vector<double>{0, 1, 2, 1, 0}));
}

TEST(LiveMemory, outputs_live_to_the_end_and_constants_do_not_count) {
  vpu::Blob blob;
  blob.stages.push_back(stage({buffer("in0", Location::Blob, 0, 1000), buffer("out0", Location::Output, 0, 6)}));
  blob.stages.push_back(stage({buffer("in0", Location::Input, 0, 5), buffer("out0", Location::CMX, 0, 3)}));
  blob.stages.push_back(stage({buffer("in0", Location::CMX, 1, 1), buffer("out0", Location::CMX, 64, 1)}));
  EXPECT_EQ(live_memory(blob).ddr, (std::vector<double>{6 + 5, 6 + 5, 6}));
  EXPECT_EQ(live_memory(blob).cmx, (std::vector<double>{0, 3, 2}));
}

TEST(LiveMemory, huge_and_dynamic_tensors_do_not_count) {
  vpu::Blob blob;
  vpu::BlobBuffer open = buffer("in0", Location::BSS, 0, 10);
  open.desc.dims.clear();
  open.desc.dims_location = Location::BSS;
  blob.stages.push_back(stage({open, buffer("out0", Location::BSS, 0, INT64_MAX - 1)}));
  EXPECT_EQ(live_memory(blob).ddr, (std::vector<double>{0}));
}

}  // namespace
}  // namespace blobsmith::estimate
