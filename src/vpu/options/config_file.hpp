// The configuration file of compile_tool (-c FILE, front-end spec §11): lines of KEY VALUE.
#pragma once
#include <string_view>

#include "vpu/options/options.hpp"

namespace blobsmith::vpu {

/// Applies all pairs in order; a key that begins with # is passed over with its value. Throws as CompileOptions::set.
void apply_config_text(CompileOptions& options, std::string_view text);

}  // namespace blobsmith::vpu
