// Byte strides that inputs and outputs are told to have: MYRIAD_TENSOR_STRIDES (front-end spec §11, memory spec
// §1.2).
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "vpu/format/data_desc.hpp"

namespace blobsmith::vpu {

/// By name, innermost dimension first.
using TensorStrides = std::map<std::string, std::vector<int>>;

/// "name[2,24,200],other[...]". Throws BadOptionValue with the reference's text: `by_option`
/// (Release::refuses_by_option) in the words of the option.
TensorStrides parse_tensor_strides(std::string_view text, bool by_option = false);
/// The strides as a requirement on a tensor. Throws where they are narrower than the tensor.
StridesRequirement fixed_strides(const std::vector<int>& strides, const DataDesc& desc);

}  // namespace blobsmith::vpu
