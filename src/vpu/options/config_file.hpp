// The configuration file of compile_tool (-c FILE, front-end spec §11): lines of KEY VALUE.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace blobsmith::vpu {

/// All pairs in order, for CompileOptions::set; a key that begins with # is passed over with its value.
std::vector<std::pair<std::string, std::string>> parse_config_text(std::string_view text);

}  // namespace blobsmith::vpu
