#include "vpu/options/tensor_strides.hpp"

#include <charconv>

#include "core/error.hpp"

namespace blobsmith::vpu {
namespace {

constexpr std::string_view kKey = "MYRIAD_TENSOR_STRIDES";

Error refused(const std::string& what) {
  Error e(ErrorCode::BadOptionValue, what);
  e.hint("name[2,24,200,600]: bytes from one element to the next, the innermost dimension first");
  return e;
}

Error bad_value(std::string_view text, const std::string& why) {
  return refused("Invalid value \"" + std::string(text) + "\" for key " + std::string(kKey) + " : " + why);
}

/// The pieces between separators; none is empty.
std::vector<std::string_view> pieces(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> r;
  while (!text.empty()) {
    const size_t n = std::min(text.find(separator), text.size());
    if (n > 0) r.push_back(text.substr(0, n));
    text.remove_prefix(std::min(n + separator.size(), text.size()));
  }
  return r;
}

/// Blanks before the number and anything behind it are allowed, as stoi has it.
int leading_number(std::string_view all, std::string_view text) {
  const size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  int v = 0;
  const auto [end, error] = std::from_chars(text.data() + begin, text.data() + text.size(), v);
  if (error != std::errc() || end == text.data() + begin) throw bad_value(all, "stoi");
  return v;
}

}  // namespace

// quirk: the last character is dropped whatever it is, and what a name has before it belongs to the name.
TensorStrides parse_tensor_strides(std::string_view text, bool by_option) {
  TensorStrides strides;
  if (text.empty()) throw bad_value(text, "basic_string::erase");
  for (std::string_view one : pieces(text.substr(0, text.size() - 1), "],")) {
    const std::vector<std::string_view> pair = pieces(one, "[");
    if (pair.size() != 2 && by_option)
      throw refused("unexpected " + std::string(kKey) + " option value \"" + std::string(text) + "\", value " +
                    std::string(one) + " does not match the pattern: tensor_name[strides]");
    if (pair.size() != 2)
      throw bad_value(text, "[ GENERAL_ERROR ]  AssertionFailed: pair.size() == 2Invalid config value \"" +
                                std::string(one) +
                                "\" for VPU_TENSOR_STRIDES, does not match the pattern: tensor_name[strides]");
    std::vector<int> list;
    for (std::string_view number : pieces(pair[1], ",")) list.push_back(leading_number(text, number));
    strides.emplace(std::string(pair[0]), std::move(list));
  }
  return strides;
}

StridesRequirement fixed_strides(const std::vector<int>& strides, const DataDesc& desc) {
  DimValues values;
  int64_t least = element_size(desc.type);
  const auto told = static_cast<int64_t>(strides.size());
  for (const Dim d : desc.order.dims()) {
    int64_t axis = 0;  // framework index: 0 is the outermost
    while (desc.axis_dim(axis) != d) ++axis;
    const int64_t value = axis < told ? strides[static_cast<size_t>(told - 1 - axis)] : 0;
    if (value < least)
      throw Error(ErrorCode::BadOptionValue, "AssertionFailed: val >= minStrideVal")
          .because(std::string(kKey) + " states a stride of " + std::to_string(value) + " bytes where " +
                   std::to_string(least) + " are needed");
    values.set(d, value);
    least = value * desc.dim(d);
  }
  return StridesRequirement::fixed(values);
}

}  // namespace blobsmith::vpu
