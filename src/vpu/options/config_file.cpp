#include "vpu/options/config_file.hpp"

#include <sstream>

namespace blobsmith::vpu {

std::vector<std::pair<std::string, std::string>> parse_config_text(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  std::istringstream in{std::string(text)};
  std::string key, value;
  while (in >> key >> value)
    if (key[0] != '#') pairs.emplace_back(key, value);
  return pairs;
}

}  // namespace blobsmith::vpu
