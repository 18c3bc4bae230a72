// Attributes lose bits on their way through text (front-end spec §6.1).
#include <gtest/gtest.h>

#include <limits>

#include "vpu/lowering/attribute_text.hpp"

using namespace blobsmith::vpu;

TEST(AttributeText, ScalarsKeepEightDecimals) {
  EXPECT_EQ(quirks::attribute_float(1.23456789e-5), 1.235e-05f);
  EXPECT_EQ(quirks::attribute_float(0.00123456789), 0.00123457f);
  EXPECT_EQ(quirks::attribute_float(12.3456789), 12.3456789f);
}

TEST(AttributeText, TinyEpsilonsBecomeZero) {
  EXPECT_EQ(quirks::attribute_float(1e-9), 0.0f);
  EXPECT_EQ(quirks::attribute_float(1e-10), 0.0f);
}

TEST(AttributeText, ScaleOfPowerKeepsFifteenDecimals) {
  EXPECT_EQ(quirks::attribute_power_scale(0.00123456789), 0.00123456789f);
}

TEST(AttributeText, ListsKeepSixSignificantDigits) {
  EXPECT_EQ(quirks::attribute_list_float(12.3456789), 12.3457f);
  EXPECT_EQ(quirks::attribute_list_floats({0.5, 123456789.0}), (std::vector<double>{0.5, 1.23457e8f}));
}

TEST(AttributeText, NumbersBeyondFloatBecomeTheLargestFloat) {
  EXPECT_EQ(quirks::attribute_float(std::numeric_limits<double>::max()), std::numeric_limits<float>::max());
  EXPECT_EQ(quirks::attribute_float(std::numeric_limits<double>::lowest()), std::numeric_limits<float>::lowest());
}

TEST(AttributeText, UnsignedAttributesLoseTheirFraction) { EXPECT_EQ(quirks::attribute_unsigned(1.7), 1); }
