#include "vpu/lowering/custom_layers.hpp"

#include <pugixml.hpp>

#include "core/file.hpp"
#include "core/text.hpp"

namespace blobsmith::vpu {
namespace {

Error bad_file(ErrorCode code, const std::string& path, const std::string& why, ptrdiff_t offset) {
  return Error(code, "Failed to load custom layer configuration file " + path + " : " + why + " at offset " +
                         std::to_string(offset))
      .in_file(path);
}

}  // namespace

std::set<std::string> custom_layer_types(const std::string& path) {
  constexpr uint64_t kLargest = 1 << 24;
  if (!file_exists(path)) throw bad_file(ErrorCode::FileNotFound, path, "File was not found", 0);
  return parse_custom_layers(read_file(path, kLargest), path);
}

std::set<std::string> parse_custom_layers(const Bytes& text, const std::string& path) {
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(text.data(), text.size());
  if (!parsed) throw bad_file(ErrorCode::BadXml, path, parsed.description(), parsed.offset);
  std::set<std::string> types;
  const auto add = [&](const pugi::xml_node& layer) { types.insert(lower_case(layer.attribute("name").value())); };
  if (std::string_view(document.document_element().name()) == "CustomLayer") add(document.document_element());
  for (const pugi::xml_node& layer : document.document_element().children("CustomLayer")) add(layer);
  for (const pugi::xml_node& layer : document.children("CustomLayer")) add(layer);
  return types;
}

Error unsupported_custom_layer(const std::string& name, const std::string& type, const std::string& path) {
  Error e = not_yet_supported(name, type, "custom layers (" + path + " has a kernel for type \"" + type + "\")");
  e.hint("take the type out of the file: the layer is then compiled as any other of its type");
  return e;
}

}  // namespace blobsmith::vpu
