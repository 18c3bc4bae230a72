#include <gtest/gtest.h>

#include "vpu/memory/allocator.hpp"
#include "vpu/memory/passes.hpp"
#include "vpu/nce/hw_stage.hpp"
#include "vpu/program/builders.hpp"

namespace blobsmith::vpu {
namespace {

constexpr int64_t kSlice = kCmxSliceBytes;
const DataDesc kSmall({8, 8, 16, 1});   // 2048 bytes
const DataDesc kSlab({64, 64, 16, 1});  // exactly one slice

/// A chain of stages over equal tensors: in -> stage -> data ... -> out.
struct Chain {
  Program p;
  std::vector<Data*> data;
  std::vector<Stage*> stages;
  Chain(DataDesc desc, const std::vector<StageType>& types, int slices = 4, int shaves = 4) {
    p.resources.slices = slices;
    p.resources.shaves = shaves;
    data.push_back(p.add_input("in", desc));
    for (size_t i = 0; i < types.size(); ++i) {
      const std::string number = std::to_string(i);
      data.push_back(i + 1 < types.size() ? p.add_data("data" + number, desc) : p.add_output("out", desc));
      stages.push_back(p.add_stage("stage" + number, types[i], nullptr, {data[i]}, {data[i + 1]}));
      if (types[i] == StageType::MyriadXHwOp) stages.back()->set(HwStage());
    }
  }
  void in_cmx(int i) { data[static_cast<size_t>(i)]->memory_type = MemoryType::CMX; }
};

TEST(Allocator, NeverComputesInPlaceAndReusesWhatIsReadToTheEnd) {
  Chain n(kSmall, {StageType::Relu, StageType::Relu, StageType::Relu, StageType::Relu});
  Allocator a(n.p);
  ASSERT_FALSE(a.run());
  EXPECT_EQ(n.data[1]->placement.offset, 0);
  EXPECT_EQ(n.data[2]->placement.offset, 2048);
  EXPECT_EQ(n.data[3]->placement.offset, 0);
  EXPECT_EQ(a.sizes().bss, 4096);
}

TEST(Allocator, CmxIsFilledFromItsEnd) {
  Chain n(kSmall, {StageType::Relu, StageType::Relu});
  n.in_cmx(1);
  Allocator a(n.p);
  ASSERT_FALSE(a.run());
  EXPECT_EQ(n.data[1]->placement.location, Location::CMX);
  EXPECT_EQ(n.data[1]->placement.offset, 4 * kSlice - 2048);
}

TEST(Allocator, ABufferLivesFromItsFirstWriterToTheLastReaderOfAnyPart) {
  Program p;
  Data* in = p.add_input("in", kSmall);
  Data *left = p.add_data("left", kSmall), *right = p.add_data("right", kSmall),
       *both = p.add_data("both", kSmall.with_dim(Dim::C, 32));
  Data *out = p.add_output("out", both->desc), *other = p.add_output("other", kSmall);
  p.add_stage("l", StageType::Relu, nullptr, {in}, {left});
  p.add_stage("r", StageType::Relu, nullptr, {in}, {right});
  Stage* concat = add_concat(p, "concat", nullptr, Dim::C, {left, right}, both);
  p.add_stage("end", StageType::Relu, nullptr, {both}, {out});
  p.add_stage("end2", StageType::Relu, nullptr, {left}, {other});
  p.connect(both, left, Sharing::Mode::ROI, Sharing::Direction::ChildWritesToParent, {{Dim::C, 0}}, concat);
  p.connect(both, right, Sharing::Mode::ROI, Sharing::Direction::ChildWritesToParent, {{Dim::C, 16}}, concat);
  Allocator a(p);
  ASSERT_FALSE(a.run());
  EXPECT_EQ(both->placement.offset, 0);
  EXPECT_EQ(right->placement.offset, 16 * 128);
  EXPECT_EQ(a.sizes().bss, 4096);
}

TEST(Allocator, PackedDataMakeRoomForWhatMustBeInCmx) {
  Chain n(kSlab, {StageType::Relu, StageType::Relu, StageType::Relu, StageType::Relu}, 3, 1);
  n.data[2]->desc = DataDesc({64, 64, 32, 1});  // two slices
  n.in_cmx(1);
  n.in_cmx(2);
  Allocator failing(n.p);
  EXPECT_EQ(failing.run().stage, n.stages[1]);  // no slice left for its SHAVE
  n.data[2]->desc = DataDesc({64, 64, 48, 1});
  EXPECT_EQ(Allocator(n.p).run().data, n.data[2]);
  n.data[1]->marks.packing_candidate = true;
  n.stages[1]->type = StageType::Copy;
  n.stages[2]->type = StageType::Copy;
  Allocator a(n.p);
  ASSERT_FALSE(a.run());
  EXPECT_EQ(n.data[1]->placement.location, Location::BSS);
  EXPECT_EQ(n.data[2]->placement.location, Location::CMX);
}

TEST(ShaveLocks, NeedMaxWantsTheSlicesOfAllItsShaves) {
  Chain n(kSmall, {StageType::Relu, StageType::SoftMax});
  n.in_cmx(1);
  Allocator a(n.p);
  const AllocationFailure failure = a.run();
  EXPECT_EQ(failure.stage, n.stages[1]);
  EXPECT_EQ(failure.data, nullptr);
  EXPECT_FALSE(a.cmx_fits());
  EXPECT_EQ(a.live_cmx_data(), std::vector<Data*>{n.data[1]});
}

TEST(ShaveLocks, NeedMaxTakesAllShavesWhenTheirSlicesAreFree) {
  Chain n(kSmall, {StageType::Relu, StageType::SoftMax}, 5, 4);
  n.in_cmx(1);
  Allocator a(n.p);
  ASSERT_FALSE(a.run());
  EXPECT_EQ(n.stages[1]->num_shaves, 4);
}

TEST(ShaveLocks, PostOperationsTakeTwoAtMost) {
  Chain n(kSlab, {StageType::Relu, StageType::Relu, StageType::Relu});
  Allocator a(n.p);
  ASSERT_FALSE(a.run());
  EXPECT_EQ(n.stages[1]->num_shaves, 2);
  n.in_cmx(1);
  n.in_cmx(2);
  n.p.resources.slices = 3;
  Allocator b(n.p);
  ASSERT_FALSE(b.run());
  EXPECT_EQ(n.stages[1]->num_shaves, 1);  // two slices of three hold data
}

TEST(ShaveLocks, LimitableStagesTakeTwoBesideHardware) {
  Chain alone(kSmall, {StageType::Permute, StageType::Permute});
  ASSERT_FALSE(Allocator(alone.p).run());
  EXPECT_EQ(alone.stages[0]->num_shaves, 4);
  Chain beside(kSmall, {StageType::Permute, StageType::MyriadXHwOp, StageType::Relu});
  ASSERT_FALSE(Allocator(beside.p).run());
  EXPECT_EQ(beside.stages[0]->num_shaves, 2);
  EXPECT_EQ(beside.stages[1]->num_shaves, 0);
}

TEST(AdjustDataLocation, HardwareOutputsAskForCmxUnlessTheyLeaveTheNetwork) {
  Chain n(kSmall, {StageType::MyriadXHwOp, StageType::MyriadXHwOp});
  adjust_data_location(n.p);
  EXPECT_EQ(n.data[1]->memory_type, MemoryType::CMX);
  const Stage* flush = n.data[2]->producer_stage();
  ASSERT_TRUE(flush->is(StageType::Copy));
  EXPECT_EQ(flush->name, "stage1@flush-output");
  EXPECT_EQ(flush->input(0)->memory_type, MemoryType::CMX);
}

TEST(AdjustDataLocation, SpillsWhatAStageWithAllShavesWouldFindInItsSlices) {
  Chain n(kSmall, {StageType::MyriadXHwOp, StageType::SoftMax});
  adjust_data_location(n.p);
  const Stage* copy = n.data[1]->single_consumer();
  ASSERT_NE(copy, nullptr);
  EXPECT_EQ(copy->name, "data0@move-to-DDR");
  EXPECT_EQ(n.stages[1]->input(0)->memory_type, MemoryType::DDR);
  EXPECT_EQ(n.data[1]->memory_type, MemoryType::CMX);
}

TEST(AdjustDataLocation, InputsOfHardwareMoveToCmxWhenTheirWriterAllows) {
  Chain n(kSmall, {StageType::Relu, StageType::MyriadXHwOp, StageType::Relu});
  adjust_data_location(n.p);
  EXPECT_EQ(n.data[1]->memory_type, MemoryType::CMX);
  Chain m(kSmall, {StageType::SoftMax, StageType::MyriadXHwOp, StageType::Relu}, 5, 4);
  adjust_data_location(m.p);
  EXPECT_EQ(m.data[1]->memory_type, MemoryType::DDR);
  Chain big(DataDesc({256, 256, 16, 1}), {StageType::Relu, StageType::MyriadXHwOp, StageType::Relu}, 4, 2);
  big.data[2]->desc = kSmall;
  adjust_data_location(big.p);
  EXPECT_EQ(big.data[1]->memory_type, MemoryType::DDR);
}

TEST(AllocateResources, AnImpossibleStageIsNamed) {
  Chain n(DataDesc({1024, 1024, 16, 1}), {StageType::MyriadXHwOp, StageType::Relu});
  try {
    adjust_data_location(n.p);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::AllocationFailed);
    EXPECT_NE(std::string(e.what()).find("unable to satisfy requirements for stage stage0 with type MyriadXHwOp"),
              std::string::npos);
    EXPECT_NE(std::string(e.what()).find("data0"), std::string::npos);
    EXPECT_FALSE(e.hint().empty());
  }
}

// Long enough that questions begin and end in the middle.
TEST(Allocator, AnswersAQuestionAboutOneBufferAsAWholeRunWould) {
  constexpr int kStages = 400;
  Chain n(kSlab, std::vector<StageType>(kStages, StageType::MyriadXHwOp), 2);
  for (int i = 1; i < kStages; i += 5)
    n.p.add_stage("side", StageType::Copy, nullptr, {n.data[static_cast<size_t>(i)]},
                  {n.p.add_output("out" + std::to_string(i), kSlab)});
  Allocator a(n.p);
  a.learn_stages();
  int fitted = 0, refused = 0;
  for (int k = 1; k < 1500; ++k) {
    Data* d = n.data[static_cast<size_t>(1 + k * 37 % (kStages - 1))];
    const MemoryType before = d->memory_type;
    d->memory_type = before == MemoryType::CMX ? MemoryType::DDR : MemoryType::CMX;
    const bool fits = a.cmx_still_fits(d);
    ASSERT_EQ(fits, Allocator(n.p).cmx_fits()) << "question " << k;
    ++(fits ? fitted : refused);
    if (!fits) d->memory_type = before;
  }
  EXPECT_GT(fitted, 100);
  EXPECT_GT(refused, 100);
}

TEST(Allocator, KnowsStagesThatWereTakenOutAndPutBack) {
  Chain n(kSlab, std::vector<StageType>(100, StageType::MyriadXHwOp), 2);
  Allocator a(n.p);
  a.learn_stages();
  const int shortened[] = {10, 40, 64, 80};
  for (const int i : shortened) {  // stage i is left out: the one before writes what it wrote
    Stage *before = n.stages[static_cast<size_t>(i - 1)], *s = n.stages[static_cast<size_t>(i)];
    const size_t place = a.take_out(*s);
    n.p.remove(s);
    n.p.replace_output(before, 0, n.data[static_cast<size_t>(i + 1)]);
    n.in_cmx(i + 1);
    EXPECT_EQ(a.cmx_still_fits(n.data[static_cast<size_t>(i + 1)]), Allocator(n.p).cmx_fits());
    if (i != 40) continue;
    n.data[41]->memory_type = MemoryType::DDR;
    n.p.replace_output(before, 0, n.data[40]);
    Stage* again = n.p.add_stage("again", StageType::Copy, nullptr, {n.data[40]}, {n.data[41]});
    a.put_back(again, place);
    EXPECT_TRUE(a.cmx_still_fits(n.data[41]));
  }
}

}  // namespace
}  // namespace blobsmith::vpu
