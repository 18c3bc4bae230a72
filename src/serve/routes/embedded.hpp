// The files of the page, part of the program.
#pragma once
#include <span>
#include <string_view>

namespace blobsmith::serve {

struct EmbeddedFile {
  std::string_view name, contents;  ///< name: "assets/index-1a2b.js"
};
/// Of the folder that BLOBSMITH_WEB_DIR named when the program was built, else src/serve/routes/plain.
std::span<const EmbeddedFile> embedded_page();
/// docs/openapi.yaml.
std::string_view openapi_yaml();

}  // namespace blobsmith::serve
