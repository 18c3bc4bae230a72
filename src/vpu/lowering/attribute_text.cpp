#include "vpu/lowering/attribute_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/error.hpp"

namespace blobsmith::vpu::quirks {
namespace {

float through_text(double value, std::chars_format format, int precision) {
  if (!std::isfinite(value)) return static_cast<float>(value);
  std::array<char, 400> text;  // DBL_MAX in fixed notation has 309 digits
  const auto written = std::to_chars(text.data(), text.data() + text.size(), value, format, precision);
  ensure(written.ec == std::errc{}, "text of an attribute");
  float r = 0;
  const auto read = std::from_chars(text.data(), written.ptr, r);
  // A stream that meets a number out of range stores the largest one.
  if (read.ec == std::errc::result_out_of_range)
    return std::abs(value) < 1 ? 0.0f : std::copysign(std::numeric_limits<float>::max(), static_cast<float>(value));
  return r;
}

}  // namespace

float attribute_float(double value) { return through_text(value, std::chars_format::fixed, 8); }
float attribute_power_scale(double value) { return through_text(value, std::chars_format::fixed, 15); }
float attribute_list_float(double value) { return through_text(value, std::chars_format::general, 6); }

std::vector<double> attribute_list_floats(const std::vector<double>& values) {
  std::vector<double> r;
  for (double v : values) r.push_back(attribute_list_float(v));
  return r;
}

int64_t attribute_unsigned(double value) { return std::isfinite(value) ? static_cast<int64_t>(value) : 0; }

}  // namespace blobsmith::vpu::quirks
