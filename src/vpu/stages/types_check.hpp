// Checks of the data types at a stage's ports, with the reference's texts (front-end spec §9, E22 and E23).
#pragma once
#include <string_view>

#include "vpu/program/program.hpp"

namespace blobsmith::vpu::types_check {

/// `rule` as StageRow::types: "FP16 FP16|S32 FP16* -> T". Fakes fit anywhere. Throws TypeMismatch.
void ports(const Stage& s, std::string_view rule);
/// One port; `kind` is "input" or "output", `allowed` "FP16|S32".
void port(const Stage& s, std::string_view kind, int index, const Data* d, std::string_view allowed);

}  // namespace blobsmith::vpu::types_check
