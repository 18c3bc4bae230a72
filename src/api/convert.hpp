// Conversions of one model for several numbers of SHAVEs.
#pragma once
#include <functional>
#include <span>

#include "blobsmith/convert.hpp"
#include "core/chunked_bytes.hpp"

namespace blobsmith::api {

/// A model for several numbers of SHAVEs: `take_first` gets the first result, `take` the blobs of the others, of which
/// nothing is told, with their places in `shaves`; several threads make and take them at once.
void convert_blobs(const ModelFile& model, std::span<const int> shaves, const ConvertOptions& options,
                   const std::function<void(CompileResult)>& take_first,
                   const std::function<void(size_t, const ChunkedBytes&)>& take);

}  // namespace blobsmith::api
