// Conversions of one model for several numbers of SHAVEs.
#pragma once
#include <functional>
#include <span>

#include "blobsmith/convert.hpp"

namespace blobsmith::api {

/// As blobsmith::convert_each, without keeping the results: the first is made and taken before the others, which
/// several threads make and take at once. `take` gets the place in `shaves`.
void convert_each(const ModelFile& model, std::span<const int> shaves, const ConvertOptions& options,
                  const std::function<void(size_t, CompileResult)>& take);

}  // namespace blobsmith::api
