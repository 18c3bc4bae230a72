#include "importers/openvino_ir/xml.hpp"

#include <charconv>
#include <limits>
#include <string_view>

namespace blobsmith::ir {
namespace {

std::string at_offset(const pugi::xml_node& node) { return " at offset " + std::to_string(node.offset_debug()); }

Error not_a_number(const pugi::xml_node& node, const char* name, const std::string& text, const char* kind) {
  return xml_error("node <" + std::string(node.name()) + "> has attribute \"" + name + "\" = \"" + text +
                   "\" which is not " + kind + at_offset(node));
}

template <class T>
std::optional<T> whole_number(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  T v{};
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (error != std::errc() || end != s.data() + s.size()) return std::nullopt;
  return v;
}

template <class T>
T number(const pugi::xml_node& node, const char* name, const char* kind) {
  const std::string text = text_attribute(node, name);
  const auto v = whole_number<T>(text);
  if (!v) throw not_a_number(node, name, text, kind);
  return *v;
}

}  // namespace

Error xml_error(std::string what) { return Error(ErrorCode::BadXml, std::move(what)); }
Error graph_error(std::string what) { return Error(ErrorCode::BadGraph, std::move(what)); }

std::string text_attribute(const pugi::xml_node& node, const char* name) {
  const pugi::xml_attribute a = node.attribute(name);
  if (!a)
    throw xml_error("node <" + std::string(node.name()) + "> is missing mandatory attribute: " + name +
                    at_offset(node));
  return a.value();
}

uint32_t unsigned_attribute(const pugi::xml_node& node, const char* name) {
  return number<uint32_t>(node, name, "an unsigned integer");
}
uint64_t unsigned64_attribute(const pugi::xml_node& node, const char* name) {
  return number<uint64_t>(node, name, "an unsigned 64 bit integer");
}

int64_t integer_attribute(const pugi::xml_node& node, const char* name, std::optional<int64_t> fallback) {
  if (fallback && !node.attribute(name)) return *fallback;
  return number<int64_t>(node, name, "a signed 64 bit integer");
}

}  // namespace blobsmith::ir
