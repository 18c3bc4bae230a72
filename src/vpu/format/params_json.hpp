// Parameters of a stage as JSON.
#pragma once
#include <nlohmann/json.hpp>

#include "vpu/format/params.hpp"

namespace blobsmith::vpu {

/// One object; a name that comes again makes a list, items of lists are objects.
nlohmann::ordered_json params_json(const StageParams& params);

}  // namespace blobsmith::vpu
