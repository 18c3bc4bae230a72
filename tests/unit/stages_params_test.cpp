// Stage parameters as bytes of a blob (stages spec §1, §2.1).
#include <gtest/gtest.h>

#include <cstring>

#include "vpu/format/data_movement.hpp"
#include "vpu/format/eltwise.hpp"
#include "vpu/format/hw_op.hpp"
#include "vpu/format/normalization.hpp"
#include "vpu/format/recurrent.hpp"
#include "vpu/format/roi.hpp"
#include "vpu/stages/stage_row.hpp"

namespace blobsmith::vpu {
namespace {

/// Appends fields to `bytes`, or takes them from there.
class ByteArchive final : public FieldArchive {
 public:
  ByteArchive() = default;
  explicit ByteArchive(std::vector<uint8_t> b) : bytes(std::move(b)), reading_(true) {}
  void word(std::string_view, int32_t& v) override { field(v); }
  void word(std::string_view, uint32_t& v) override { field(v); }
  void word(std::string_view, float& v) override { field(v); }
  void half(std::string_view, Half& v) override { field(v); }
  void words(std::string_view, std::vector<int32_t>& v) override { list(v); }
  void words(std::string_view, std::vector<float>& v) override { list(v); }
  void begin_item(std::string_view, int) override {}
  void end_item() override {}
  bool reading() const override { return reading_; }
  size_t remaining() const override { return bytes.size() - at; }

  std::vector<uint8_t> bytes;
  size_t at = 0;

 private:
  template <class T>
  void field(T& v) {
    if (reading_) {
      ASSERT_LE(sizeof v, remaining());
      std::memcpy(&v, bytes.data() + at, sizeof v);
      at += sizeof v;
    } else {
      const auto* p = reinterpret_cast<const uint8_t*>(&v);
      bytes.insert(bytes.end(), p, p + sizeof v);
    }
  }
  template <class T>
  void list(std::vector<T>& v) {
    auto n = static_cast<uint32_t>(v.size());
    field(n);
    v.resize(n);
    for (T& x : v) field(x);
  }
  bool reading_ = false;
};

std::vector<uint8_t> bytes_of(StageParams& p) {
  ByteArchive a;
  p.fields(a);
  return a.bytes;
}

template <class P>
P read(const std::vector<uint8_t>& bytes) {
  ByteArchive a(bytes);
  P p;
  p.fields(a);
  EXPECT_EQ(a.remaining(), 0u);
  return p;
}

/// Sizes that don't depend on the contents.
struct FixedSize {
  StageType type;
  size_t bytes;
};

constexpr FixedSize kFixedSizes[] = {
    {StageType::Conv, 32},
    {StageType::MaxPool, 28},
    {StageType::AvgPool, 28},
    {StageType::SoftMax, 4},
    {StageType::FC, 0},
    {StageType::None, 0},
    {StageType::Relu, 8},
    {StageType::DepthConv, 32},
    {StageType::Bias, 0},
    {StageType::PRelu, 0},
    {StageType::LRN, 12},
    {StageType::Sum, 24},
    {StageType::Prod, 24},
    {StageType::Max, 24},
    {StageType::Scale, 0},
    {StageType::InnerLRN, 12},
    {StageType::Copy, 0},
    {StageType::Sigmoid, 0},
    {StageType::Tanh, 0},
    {StageType::Deconvolution, 24},
    {StageType::Elu, 4},
    {StageType::Power, 12},
    {StageType::Tile, 8},
    {StageType::RegionYolo, 20},
    {StageType::ReorgYolo, 4},
    {StageType::Permute, 32},
    {StageType::Normalize, 12},
    {StageType::DetectionOutput, 76},
    {StageType::CTCDecoder, 0},
    {StageType::LeakyRelu, 8},
    {StageType::BiasRelu, 8},
    {StageType::BiasLeakyRelu, 8},
    {StageType::ScaleShift, 0},
    {StageType::Im2ColConvolution, 32},
    {StageType::HwFcRelayout, 0},
    {StageType::Clamp, 8},
    {StageType::RefConvolution, 32},
    {StageType::GlobalAvgPool, 28},
    {StageType::GlobalMaxPool, 28},
    {StageType::GRN, 4},
    {StageType::MVN, 16},
    {StageType::DepthDeconv, 24},
    {StageType::Proposal, 76},
    {StageType::ROIPooling, 16},
    {StageType::PSROIPooling, 12},
    {StageType::Interp, 12},
    {StageType::LSTMCell, 20},
    {StageType::Resample, 20},
    {StageType::Upsampling, 36},
    {StageType::Div, 24},
    {StageType::Min, 24},
    {StageType::Squared_diff, 24},
    {StageType::Equal, 24},
    {StageType::Select, 24},
    {StageType::GEMM, 20},
    {StageType::Log, 0},
    {StageType::ReduceAnd, 4},
    {StageType::ReverseSequence, 8},
    {StageType::Gather, 4},
    {StageType::Exp, 0},
    {StageType::Floor, 0},
    {StageType::ScatterUpdate, 0},
    {StageType::TopK, 20},
    {StageType::ExpDetectionOutput, 44},
    {StageType::ROIFeatureExtractor, 84},
    {StageType::SCRelu, 8},
    {StageType::Erf, 0},
    {StageType::Convert, 16},
    {StageType::OneHot, 16},
    {StageType::ExpPriorGridGenerator, 20},
    {StageType::NonZero, 0},
    {StageType::ROIAlign, 24},
    {StageType::ExpGenerateProposals, 16},
    {StageType::ExpTopKROIs, 4},
    {StageType::ScatterElementsUpdate, 0},
    {StageType::OutShapeOfReshape, 4},
    {StageType::Concat, 8},
    {StageType::Broadcast, 4},
    {StageType::StaticShapeNMS, 8},
    {StageType::Mish, 0},
    {StageType::Gelu, 0},
    {StageType::StridedSlice, 20},
    {StageType::SoftPlus, 0},
    {StageType::Swish, 4},
    {StageType::GatherND, 4},
    {StageType::HSwish, 0},
    {StageType::Ceiling, 0},
    {StageType::GatherElements, 8},
    {StageType::Round, 4},
    {StageType::CTCGreedyDecoderSeqLen, 8},
    {StageType::Abs, 24},
};

TEST(StageParams, HaveTheSizesOfTheSpecification) {
  for (const FixedSize& f : kFixedSizes) {
    const auto p = make_params(f.type);
    EXPECT_EQ(bytes_of(*p).size(), f.bytes) << to_string(f.type);
  }
}

TEST(StageParams, EveryTypeOfABlobHasADefinition){
#define X(name, id) EXPECT_TRUE(id < 0 || find_stage_def(StageType::name)) << #name;
    BLOBSMITH_STAGE_TYPES(X)
#undef X
}

/// A pattern that is different in every word; read, then written again.
TEST(StageParams, FixedOnesSurviveReadingAndWriting) {
  for (const FixedSize& f : kFixedSizes) {
    if (f.type == StageType::Proposal) continue;  // ends in lists
    std::vector<uint8_t> pattern(f.bytes);
    for (size_t i = 0; i < pattern.size(); ++i) pattern[i] = static_cast<uint8_t>(3 * i + 1);
    const auto p = make_params(f.type);
    ByteArchive in(pattern);
    p->fields(in);
    EXPECT_EQ(in.remaining(), 0u) << to_string(f.type);
    EXPECT_EQ(bytes_of(*p), pattern) << to_string(f.type);
  }
}

TEST(StageParams, HwOpHoldsOnlyTheFieldsOfItsKind) {
  const auto size = [](const HwOp& op) {
    HwOpParams p;
    p.ops = {op};
    return bytes_of(p).size() - 4;
  };
  HwOp op;
  EXPECT_EQ(size(op), 68u);
  op.with_pad = 1;
  EXPECT_EQ(size(op), 72u);
  op.with_relu = 1;
  op.with_clamp = 1;
  EXPECT_EQ(size(op), 88u);
  op = {};
  op.type = HwOpType::ConvPool;
  EXPECT_EQ(size(op), 76u);
  op.type = HwOpType::Pool;
  EXPECT_EQ(size(op), 72u);
  op.type = HwOpType::FullyConnected;
  EXPECT_EQ(size(op), 68u);
}

TEST(StageParams, HwOpsSurviveReadingAndWriting) {
  HwOp conv;
  conv.mode = HwOpMode::k4x64;
  conv.with_pad = 1;
  conv.input_index = 0;
  conv.weights_index = 1;
  conv.output_index = 2;
  conv.out_channels = 64;
  conv.kernel_width = conv.kernel_height = 3;
  conv.with_relu = 1;
  conv.a1 = 1;
  conv.with_clamp = 1;
  conv.clamp_max = 6;
  HwOp pool;
  pool.type = HwOpType::Pool;
  pool.pool_type = HwPoolType::Average;
  pool.kernel_stride = 2;
  HwOpParams p;
  p.ops = {conv, pool};
  EXPECT_EQ(read<HwOpParams>(bytes_of(p)).ops, p.ops);
}

TEST(StageParams, PadHasAtLeastFourPairsAndAsManyAsTheBytesHold) {
  PadParams five;
  five.pads.resize(5);
  five.pads[4].end = 7;
  five.pad_mode = 2;
  EXPECT_EQ(bytes_of(five).size(), 48u);
  const auto back = read<PadParams>(bytes_of(five));
  ASSERT_EQ(back.pads.size(), 5u);
  EXPECT_EQ(back.pads[4].end, 7u);
  EXPECT_EQ(back.pad_mode, 2u);
}

TEST(StageParams, LoopsOfADynamicBatchAreToldByTheirSize) {
  LoopStartParams p;
  p.iterations = 3;
  p.stages_count = 4;
  p.components = {{2, 0, 1, -1}, {1, 0, 2, 8}};
  EXPECT_EQ(bytes_of(p).size(), 12u + 32u);
  EXPECT_FALSE(read<LoopStartParams>(bytes_of(p)).batch_dim_index);
  p.batch_dim_index = 3;
  const auto back = read<LoopStartParams>(bytes_of(p));
  EXPECT_EQ(back.batch_dim_index, 3u);
  EXPECT_EQ(back.components, p.components);
}

TEST(StageParams, ProposalListsCarryTheirCounts) {
  ProposalParams p;
  p.scales = {8, 16, 32};
  p.ratios = {0.5f, 2};
  EXPECT_EQ(bytes_of(p).size(), 76u + 4u * 5u);
  const auto back = read<ProposalParams>(bytes_of(p));
  EXPECT_EQ(back.scales, p.scales);
  EXPECT_EQ(back.ratios, p.ratios);
}

TEST(StageParams, MvnOfOlderCompilersHasThreeWords) {
  const std::vector<uint8_t> old{1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0x80, 0x3F};
  const auto p = read<MvnParams>(old);
  EXPECT_EQ(p.normalize, 1);
  EXPECT_EQ(p.across_width, 0);
  EXPECT_EQ(p.eps, 1.0f);
}

TEST(StageParams, AHostileCountRunsOutOfBytesNotOfMemory) {
  class Limited final : public FieldArchive {
   public:
    void word(std::string_view, int32_t&) override {}
    void word(std::string_view, uint32_t& v) override {
      if (++words_ > 100) throw Error(ErrorCode::BadBlob, "out of bytes");
      v = words_ == 1 ? 0xFFFFFFFFu : 0;
    }
    void word(std::string_view, float&) override {}
    void half(std::string_view, Half&) override {}
    void words(std::string_view, std::vector<int32_t>&) override {}
    void words(std::string_view, std::vector<float>&) override {}
    void begin_item(std::string_view, int) override {}
    void end_item() override {}
    bool reading() const override { return true; }

   private:
    int words_ = 0;
  } archive;
  HwOpParams p;
  EXPECT_THROW(p.fields(archive), Error);
}

// ---- buffers ----

std::vector<std::string> roles(StageType t, int count, StageParams* params = nullptr) {
  const auto empty = make_params(t);
  std::vector<std::string> r;
  for (int k = 0; k < count; ++k) r.push_back(buffer_role(t, params ? *params : *empty, k, count));
  return r;
}
using Roles = std::vector<std::string>;

TEST(BufferRoles, OutputFollowsTheFirstInputUnlessSaidOtherwise) {
  EXPECT_EQ(roles(StageType::Relu, 2), (Roles{"in0", "out0"}));
  EXPECT_EQ(roles(StageType::ScaleShift, 4), (Roles{"in0", "out0", "in1", "in2"}));
  EXPECT_EQ(roles(StageType::Sum, 4), (Roles{"in0", "out0", "in1", "in2"}));
  EXPECT_EQ(roles(StageType::GEMM, 3), (Roles{"in0", "in1", "out0"}));
  EXPECT_EQ(roles(StageType::GEMM, 4), (Roles{"in0", "in1", "in2", "out0"}));
  EXPECT_EQ(roles(StageType::Proposal, 6), (Roles{"in0", "out0", "out1", "in1", "in2", "temp0"}));
  EXPECT_EQ(roles(StageType::DetectionOutput, 7), (Roles{"in0", "in1", "in2", "in3", "in4", "out0", "temp0"}));
  EXPECT_EQ(roles(StageType::Im2ColConvolution, 4), (Roles{"in0", "out0", "in1", "temp0"}));
  EXPECT_EQ(roles(StageType::Conv, 3), (Roles{"in0", "out0", "in1"}));
  EXPECT_EQ(roles(StageType::TopK, 4), (Roles{"in0", "in1", "out0", "out1"}));
  EXPECT_EQ(roles(StageType::None, 0), Roles{});
}

TEST(BufferRoles, SomeDependOnTheParameters) {
  LstmCellParams lstm;
  lstm.outputs = 3;
  EXPECT_EQ(roles(StageType::LSTMCell, 9, &lstm),
            (Roles{"in0", "in1", "in2", "in3", "in4", "out0", "out1", "out2", "temp0"}));
  LoopStartParams loop;
  loop.components.resize(2);
  EXPECT_EQ(roles(StageType::LoopStart, 4, &loop), (Roles{"outer0", "inner0", "outer1", "inner1"}));
  loop.batch_dim_index = 3;
  EXPECT_EQ(roles(StageType::LoopStart, 5, &loop), (Roles{"batch", "outer0", "inner0", "outer1", "inner1"}));
  HwOpParams hw;
  hw.ops.resize(1);
  hw.ops[0].input_index = 0;
  hw.ops[0].weights_index = 1;
  hw.ops[0].scales_index = 2;
  hw.ops[0].output_index = 3;
  EXPECT_EQ(roles(StageType::MyriadXHwOp, 4, &hw), (Roles{"input", "weights", "scales", "output"}));
}

}  // namespace
}  // namespace blobsmith::vpu
