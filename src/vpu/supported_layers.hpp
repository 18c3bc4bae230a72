// Which operations can be compiled, read off the tables that the program works with: operations of the graph, rewrites,
// parsers of layers, stage types.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace blobsmith::vpu {

enum class Support { Yes, ByConvert, No };

struct SupportedLayer {
  std::string name;
  std::string versions;  ///< of OpenVINO operations the opsets, "1-7"; of stage types the number in a blob
  Support support = Support::Yes;
  std::string becomes;  ///< what it is turned into
  std::string limits;   ///< forms that are refused
};

/// By name.
/// Operators of a framework, by their names; the main operation that an importer makes of each ("": its input).
std::vector<SupportedLayer> supported_operators(const std::map<std::string_view, std::string_view>& operators);
std::vector<SupportedLayer> supported_openvino();
/// Layer types that the lowering has parsers for.
std::vector<SupportedLayer> supported_vpu();
/// Stage types that the blob reader and the compiler know, by number.
std::vector<SupportedLayer> stage_types();

const char* to_string(Support s);

}  // namespace blobsmith::vpu
