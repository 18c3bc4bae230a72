#include "vpu/options/config_file.hpp"

#include <sstream>
#include <string>

namespace blobsmith::vpu {

void apply_config_text(CompileOptions& options, std::string_view text) {
  std::istringstream in{std::string(text)};
  std::string key, value;
  while (in >> key >> value)
    if (key[0] != '#') options.set(key, value);
}

}  // namespace blobsmith::vpu
