// blobsmith zoo list, get and convert.
#pragma once
#include <string>
#include <vector>

#include "serve/zoo/zoo.hpp"

namespace CLI {
class App;
}

namespace blobsmith::serve {

struct ZooCommand {
  ZooOptions options;
  std::string verb, name, precision = "FP16", folder = ".";
  std::vector<std::string> convert_words;  ///< passed on to `blobsmith convert`
  bool json = false;
};
void add_zoo_verbs(CLI::App& app, ZooCommand& c);
/// `program`: blobsmith, for the conversion. The exit code.
int run_zoo_command(ZooCommand& c, const std::string& program);

}  // namespace blobsmith::serve
