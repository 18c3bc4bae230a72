#include <gtest/gtest.h>

#include "core/error.hpp"
#include "emulator_fixture.hpp"
#include "vpu/format/account.hpp"
#include "vpu/format/eltwise.hpp"
#include "vpu/format/hw_op.hpp"
#include "vpu/format/inspect.hpp"
#include "vpu/format/normalization.hpp"
#include "vpu/format/post_op.hpp"
#include "vpu/format/reader.hpp"
#include "vpu/format/target.hpp"

namespace blobsmith::vpu {
namespace {

using blobsmith::testing::BlobBuilder;

/// The worked example of the blob-format spec §11: Relu on one 1x10 tensor.
std::vector<uint8_t> worked_example() {
  std::vector<uint8_t> file(512);
  const auto words = [&](size_t at, std::initializer_list<uint32_t> list) {
    for (uint32_t v : list) {
      std::memcpy(file.data() + at, &v, 4);
      at += 4;
    }
  };
  const auto name = [&](size_t at, const char* s) { std::memcpy(file.data() + at, s, std::strlen(s)); };
  words(0, {0x666c657f});
  words(16, {0x00020001, 2});
  words(40, {0x1a0});
  words(52, {0x25ed, 0x200, 6, 0, 1, 1, 1, 0x14, 0x14, 1, 0, 4, 4, 0, 1, 0, 0xc0, 0x100, 0x140, 0x1c0});
  words(192, {0, 0, 0x10});
  name(204, "x0");
  words(220, {0, 0x43, 2, 3, 0, 3, 8});
  words(256, {0, 0, 0x10});
  name(268, "Relu_1153");
  words(284, {0, 0x43, 2, 3, 0, 3, 0x10});
  words(320, {0x78, 6, 2, 0xc, 0, 0});
  words(344, {0, 0x43, 2, 3, 0, 3, 8, 1, 0, 0x14, 0});
  words(388, {0, 0x43, 2, 3, 0, 3, 0x10, 2, 0, 0x14, 0});
  words(432, {6, 0x7f83ff19});
  words(448, {0xa, 1, 2, 0x14, 2, 0x14});
  return file;
}

Blob read(std::vector<uint8_t> file) { return read_blob(Bytes::adopt(std::move(file))); }

void set_word(std::vector<uint8_t>& file, size_t at, uint32_t v) { std::memcpy(file.data() + at, &v, sizeof v); }

void expect_error(std::vector<uint8_t> file, ErrorCode code, const std::string& part) {
  try {
    read(std::move(file));
    FAIL() << "no error; expected " << part;
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), code);
    EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
  }
}

TEST(BlobReader, DecodesTheWorkedExample) {
  const Blob b = read(worked_example());
  EXPECT_EQ(b.header.shaves, 4u);
  EXPECT_EQ(b.header.inputs_size, 20u);
  ASSERT_EQ(b.inputs.size(), 1u);
  EXPECT_EQ(b.inputs[0].name, "x0");
  EXPECT_EQ(b.inputs[0].desc.order, orders::NC);
  EXPECT_EQ(b.inputs[0].desc.dims, (std::vector<int64_t>{10, 1}));
  EXPECT_EQ(b.outputs[0].name, "Relu_1153");
  ASSERT_EQ(b.stages.size(), 1u);
  const BlobStage& s = b.stages[0];
  EXPECT_EQ(s.type, StageType::Relu);
  EXPECT_EQ(s.shaves, 2u);
  EXPECT_EQ(dynamic_cast<const ReluParams&>(*s.params).negative_slope, 0.0f);
  ASSERT_EQ(s.buffers.size(), 2u);
  EXPECT_EQ(s.buffers[0].location, Location::Input);
  EXPECT_EQ(s.buffers[1].location, Location::Output);
  EXPECT_EQ(s.buffers[1].desc.strides, (std::vector<int64_t>{2, 20}));
  EXPECT_EQ(s.buffers[1].role, "out0");
}

TEST(BlobReader, AcceptsTheVersionsThatConversionServicesStamp) {
  for (const Target& t : targets()) {
    ChunkedBytes blob;
    blob.append(Bytes::adopt(worked_example()));
    stamp(blob, t);
    const BlobHeader h = read(blob.joined()).header;
    EXPECT_EQ(std::to_string(h.version_major) + "." + std::to_string(h.version_minor), t.name);
  }
  EXPECT_THROW(find_target("2019.3"), Error);
  std::vector<uint8_t> file = worked_example();
  set_word(file, 60, 2022);
  set_word(file, 64, 3);
  expect_error(file, ErrorCode::BadBlob, "version 2022.3");
}

TEST(BlobReader, NamesTheByteOfWhatIsWrong) {
  std::vector<uint8_t> file = worked_example();
  set_word(file, 436, 0);
  expect_error(file, ErrorCode::BadBlob, "no border after a Relu stage (at byte 432)");
  file = worked_example();
  set_word(file, 52, 1);
  expect_error(file, ErrorCode::BadBlob, "(at byte 52)");
}

TEST(BlobReader, RefusesClaimsThatTheFileDoesNotHold) {
  expect_error(std::vector<uint8_t>(100), ErrorCode::FileTruncated, "not a blob");
  std::vector<uint8_t> file = worked_example();
  file.resize(500);
  expect_error(file, ErrorCode::FileTruncated, "truncated");
  const struct {
    size_t at;
    uint32_t value;
  } claims[] = {{68, 1000},        {76, 1u << 30}, {92, 0xFFFFFFFF},  {80, 0x7FFFFFFF},  {96, 1000},
                {88, 0},           {116, 0},       {128, 0xFFFFFFFF}, {200, 0xFFFFFFF0}, {220, 9},
                {224, 0x4401},     {228, 3},       {236, 0xFFFFFFFC}, {244, 64},         {320, 4},
                {320, 0xFFFFFFFF}, {324, 7},       {324, 0xFFFFFFFF}, {332, 0},          {332, 0xFFFF},
                {372, 9},          {376, 5}};
  for (const auto& c : claims) {
    file = worked_example();
    set_word(file, c.at, c.value);
    EXPECT_THROW(read(file), Error) << c.at << " := " << c.value;
  }
}

TEST(BlobReader, SurvivesEveryTruncationAndEveryChangedByte) {
  const std::vector<uint8_t> good = worked_example();
  for (size_t n = 0; n < good.size(); ++n)
    EXPECT_THROW(read({good.begin(), good.begin() + static_cast<ptrdiff_t>(n)}), Error);
  int accepted = 0;
  for (size_t i = 0; i < good.size(); ++i)
    for (uint8_t v : {0x00, 0x01, 0x7F, 0x80, 0xFF}) {
      std::vector<uint8_t> file = good;
      file[i] = v;
      try {
        inspect_text(read(file));
        ++accepted;
      } catch (const Error&) {}
    }
  EXPECT_GT(accepted, 0);
}

TEST(BlobReader, IgnoresBytesBehindTheFileSize) {
  std::vector<uint8_t> file = worked_example();
  file.insert(file.end(), {1, 2, 3});
  const Blob b = read(file);
  EXPECT_FALSE(b.network_info.has_value());
  EXPECT_EQ(account_bytes(b).unexplained, 3u);
}

TEST(BlobReader, DecodesTheNetworkInfoOf2022) {
  std::vector<uint8_t> file = worked_example();
  blobsmith::testing::ParamBytes w;
  const auto text = [&](const std::string& s) { w.bytes.insert(w.bytes.end(), s.begin(), s.end()); };
  w.put(1u), w.put(1u);                        // one parameter, one result
  w.put(2u), w.put(1u), w.put(4u), w.put(1u);  // name length, rank, bytes of the type, tensor names
  text("x0"), w.put(uint64_t{10}), w.put(int32_t{11}), w.put(uint64_t{1}), text("x");
  w.put(1u), w.put(0u), w.put(4u), w.put(0u);
  text("y"), w.put(int32_t{11}), w.put(uint64_t{9}), text("Relu_1153");
  file.insert(file.end(), w.bytes.begin(), w.bytes.end());
  const Blob b = read(file);
  ASSERT_TRUE(b.network_info.has_value());
  EXPECT_EQ(b.network_info->parameters.at(0).tensor_names.at(0), "x");
  EXPECT_EQ(b.network_info->parameters.at(0).shape.at(0), 10u);
  EXPECT_EQ(b.network_info->results.at(0).legacy_name, "Relu_1153");
  EXPECT_TRUE(account_bytes(b).complete());
}

TEST(BlobReader, TakesMvnWithAndWithoutTheWordOf2021_4_2) {
  for (const bool with_word : {true, false}) {
    BlobBuilder builder;
    const int x = builder.input("x", {1, 1, 2, 4}), y = builder.output("y", {1, 1, 2, 4});
    struct OldMvn : StageParams {
      void fields(FieldArchive& a) override {
        int32_t one = 1, zero = 0;
        float eps = 0.5f;
        a.word("normalize", one);
        a.word("across_channels", zero);
        a.word("eps", eps);
      }
    };
    MvnParams p;
    p.normalize = 1;
    p.eps = 0.5f;
    if (with_word)
      builder.stage(StageType::MVN, p, {x, y});
    else
      builder.stage(StageType::MVN, OldMvn(), {x, y});
    const Blob b = read(builder.build());
    EXPECT_EQ(dynamic_cast<const MvnParams&>(*b.stages[0].params).eps, 0.5f);
  }
}

TEST(BlobReader, ReadsInjectedStages) {
  BlobBuilder builder;
  const int x = builder.input("x", {1, 1, 2, 8}), y = builder.output("y", {1, 1, 2, 8}),
            z = builder.output("z", {1, 1, 2, 8});
  HwOpParams p;
  p.ops.push_back({.type = HwOpType::Pool, .input_index = 0, .output_index = 1, .out_channels = 1});
  builder.stage(StageType::MyriadXHwOp, p, {x, y}).inject(StageType::Copy, StageParams(), {x, z});
  const Blob b = read(builder.build());
  ASSERT_EQ(b.stages.size(), 1u);
  ASSERT_NE(b.stages[0].injected, nullptr);
  EXPECT_EQ(b.stages[0].injected->type, StageType::Copy);
  EXPECT_EQ(b.stages[0].buffers[1].role, "output");
}

TEST(BlobDump, AccountsForEveryByteOfTheWorkedExample) {
  const ByteAccount a = account_bytes(read(worked_example()));
  EXPECT_TRUE(a.complete());
  EXPECT_EQ(a.unmentioned_constants + a.unmentioned_shapes + a.unexplained, 0u);
  ASSERT_EQ(a.constants.size(), 3u);
  EXPECT_EQ(a.constants[0].kind, ByteAccount::Kind::Dims);
  EXPECT_EQ(a.constants[1].kind, ByteAccount::Kind::Strides);
  EXPECT_EQ(a.constants[1].end, 24u);
}

TEST(BlobDump, FindsBytesThatNothingExplains) {
  std::vector<uint8_t> file = worked_example();
  file[150] = 1;
  EXPECT_FALSE(account_bytes(read(file)).complete());
}

TEST(BlobDump, PrintsParametersAndRoles) {
  BlobBuilder builder;
  const int x = builder.input("x", {1, 2, 2, 2}), c = builder.constant({2}, {1, 2}),
            y = builder.output("y", {1, 2, 2, 2});
  EltwiseParams p;
  p.coeff1 = std::bit_cast<uint32_t>(1.0f);
  p.coeff2 = std::bit_cast<uint32_t>(0.5f);
  p.post_operation = static_cast<int32_t>(StageType::Relu);
  builder.stage(StageType::Sum, p, {x, y, c, BlobBuilder::kFake});
  const Blob b = read(builder.build());
  const std::string text = inspect_text(b), json = inspect_json(b);
  EXPECT_NE(text.find("coeff1=1.0 coeff2=0.5 postOperation=Relu"), std::string::npos) << text;
  EXPECT_NE(text.find("used by [0:in1]"), std::string::npos) << text;
  EXPECT_NE(json.find("\"type\": \"Sum\""), std::string::npos);
}

}  // namespace
}  // namespace blobsmith::vpu
