// Attributes lose bits on their way into the reference's layers, because they pass through text (front-end spec §6.1).
#pragma once
#include <cstdint>
#include <vector>

namespace blobsmith::vpu::quirks {

/// quirk: a scalar attribute, written with 8 decimals and read as a float (1e-9 becomes 0).
float attribute_float(double value);
/// quirk: the scale of Power has 15 decimals.
float attribute_power_scale(double value);
/// quirk: numbers of a list have 6 significant digits.
float attribute_list_float(double value);
std::vector<double> attribute_list_floats(const std::vector<double>& values);
/// quirk: attributes that a layer reads as an unsigned integer lose their fraction (the k of LRN).
int64_t attribute_unsigned(double value);

}  // namespace blobsmith::vpu::quirks
