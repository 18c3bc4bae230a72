#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/release.hpp"
#include "vpu/options/options.hpp"
#include "vpu/options/tensor_strides.hpp"

namespace blobsmith::vpu {
namespace {

std::string message(std::string_view text) {
  try {
    parse_tensor_strides(text);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

/// 1 x 3 x 8 x 10.
DataDesc image(DimsOrder order = orders::NCHW) {
  DataDesc d;
  d.type = DataType::FP16;
  d.order = order;
  d.dims.set(Dim::W, 10);
  d.dims.set(Dim::H, 8);
  d.dims.set(Dim::C, 3);
  d.dims.set(Dim::N, 1);
  return d;
}

TEST(TensorStrides, AreByNameInnermostFirst) {
  const TensorStrides strides = parse_tensor_strides("input[2,24, 200,600],scores[2,32]");
  ASSERT_EQ(strides.size(), 2u);
  EXPECT_EQ(strides.at("input"), (std::vector<int>{2, 24, 200, 600}));
  EXPECT_EQ(strides.at("scores"), (std::vector<int>{2, 32}));
}

TEST(TensorStrides, ReferenceTextsForWhatCanNotBeRead) {
  EXPECT_NE(message("input[x]").find("Invalid value \"input[x]\" for key MYRIAD_TENSOR_STRIDES : stoi"),
            std::string::npos);
  EXPECT_NE(
      message("input").find(
          "Invalid config value \"inpu\" for VPU_TENSOR_STRIDES, does not match the pattern: tensor_name[strides]"),
      std::string::npos);
  EXPECT_NE(message("").find("basic_string::erase"), std::string::npos);
  EXPECT_THROW(CompileOptions().set("MYRIAD_TENSOR_STRIDES", "input["), Error);
}

TEST(TensorStrides, BecomeFixedStridesOfTheTensor) {
  const StridesRequirement r = fixed_strides({2, 24, 200, 600}, image());
  ASSERT_TRUE(r.is_fixed());
  const DimValues strides = compute_strides(image(), r);
  EXPECT_EQ(strides[Dim::W], 2);
  EXPECT_EQ(strides[Dim::H], 24);
  EXPECT_EQ(strides[Dim::C], 200);
  EXPECT_EQ(strides[Dim::N], 600);
}

TEST(TensorStrides, AreNotNarrowerThanTheTensor) {
  EXPECT_THROW(fixed_strides({2, 19, 200, 600}, image()), Error);
  EXPECT_THROW(fixed_strides({600, 200, 24, 2}, image()), Error);
  EXPECT_THROW(fixed_strides({2, 24}, image()), Error);
  EXPECT_THROW(fixed_strides({2, 24, 200, 600}, image(orders::NHWC)), Error);  // channels are innermost there
}

TEST(RunTimeKeys, AreAcceptedWithTheirValuesOnly) {
  CompileOptions o;
  o.set("PERF_COUNT", "YES");
  o.set("LOG_LEVEL", "LOG_INFO");
  o.set("MYRIAD_PROTOCOL", "");
  o.set("MYRIAD_DEVICE_CONNECT_TIMEOUT", "15");
  o.set("MYRIAD_SCALES_PATTERN", "");
  for (const auto& [key, value] : {std::pair("PERF_COUNT", "MAYBE"),
                                   {"LOG_LEVEL", "LOUD"},
                                   {"MYRIAD_PROTOCOL", "MYRIAD_AIR"},
                                   {"MYRIAD_DEVICE_CONNECT_TIMEOUT", "x"},
                                   {"MYRIAD_SCALES_PATTERN", ".*"},
                                   {"VPU_MYRIAD_PLATFORM", "VPU_MYRIAD_2450"}})
    EXPECT_THROW(o.set(key, value), Error) << key;
}

TEST(Keys, AreThoseOfTheRelease) {
  CompileOptions o;
  EXPECT_THROW(o.set("MYRIAD_HW_WHITE_LIST", "conv", &kRelease2022), Error);
  EXPECT_THROW(o.set("NUM_STREAMS", "1", &kRelease2021), Error);
  EXPECT_THROW(o.set("MYRIAD_TENSOR_STRIDES", "", &kRelease2021), Error);
  EXPECT_THROW(o.set("PERFORMANCE_HINT", "BOTH", &kRelease2022), Error);
  o.set("VPU_HW_STAGES_OPTIMIZATION", "NO");
  EXPECT_FALSE(o.hw_acceleration);
  EXPECT_FALSE(knows(kRelease2022, "VPU_HW_STAGES_OPTIMIZATION"));
  EXPECT_TRUE(knows(kRelease2021, "VPU_HW_STAGES_OPTIMIZATION"));
  o.set("PERFORMANCE_HINT", "LATENCY", &kRelease2022);
  o.set("MYRIAD_TENSOR_STRIDES", "", &kRelease2022);
  o.set("MYRIAD_THROUGHPUT_STREAMS", "0", &kRelease2022);
  EXPECT_EQ(resolve_resources(o, kRelease2022).streams, 1);
}

TEST(Keys, AreRefusedInTheWordsOfTheRelease) {
  const auto words = [](std::string_view key, std::string_view value, const Release& release) -> std::string {
    CompileOptions o;
    try {
      o.set(key, value, &release);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  const auto are = [&](std::string_view key, std::string_view value, const std::string& older,
                       const std::string& newer) {
    EXPECT_NE(words(key, value, kRelease2021).find(older), std::string::npos) << words(key, value, kRelease2021);
    EXPECT_NE(words(key, value, kRelease2022).find(newer), std::string::npos) << words(key, value, kRelease2022);
  };
  are("PERF_COUNT", "MAYBE", "Unsupported value \"MAYBE\" for key PERF_COUNT",
      "unexpected PERF_COUNT option value \"MAYBE\", only [YES, NO] are supported");
  are("LOG_LEVEL", "X", "Unsupported value \"X\" for key LOG_LEVEL",
      "unexpected log level option value \"X\", only [LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_ERROR, LOG_WARNING, "
      "LOG_NONE]");
  are("MYRIAD_NUMBER_OF_SHAVES", "six", " : stoi", "option value \"six\", must be a number");
  are("MYRIAD_NUMBER_OF_SHAVES", "-2", "Value must be positive", "\"-2\", only not negative numbers are supported");
  are("NO_SUCH_KEY", "1", "NO_SUCH_KEY key is not supported for VPU", "Encountered an unsupported key NO_SUCH_KEY,");
  are("MYRIAD_TENSOR_STRIDES", "input", "Invalid value \"input\" for key MYRIAD_TENSOR_STRIDES",
      "option value \"input\", value inpu does not match the pattern: tensor_name[strides]");
}

}  // namespace
}  // namespace blobsmith::vpu
