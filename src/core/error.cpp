#include "core/error.hpp"

namespace blobsmith {
namespace {
std::string quoted(std::string_view s) { return '"' + std::string(s) + '"'; }
}  // namespace

Error unsupported_layer(std::string_view layer, std::string_view type) {
  Error e(ErrorCode::UnsupportedLayer,
          "Failed to compile layer " + quoted(layer) + ": unsupported layer type " + quoted(type));
  e.at_layer(std::string(layer), std::string(type));
  return e;
}

Error cannot_compile(std::string_view layer, std::string_view type, std::string_view what) {
  Error e(ErrorCode::UnsupportedLayer, "Failed to compile layer " + quoted(layer) + ": " + std::string(what));
  e.at_layer(std::string(layer), std::string(type));
  return e;
}

Error not_yet_supported(std::string_view layer, std::string_view type, std::string_view what) {
  Error e(ErrorCode::NotYetSupported, "not yet supported: " + std::string(what) + ", layer " + quoted(layer));
  e.at_layer(std::string(layer), std::string(type));
  return e;
}

Error internal_error(std::string_view what) {
  return Error(ErrorCode::Internal, "internal error: " + std::string(what));
}

}  // namespace blobsmith
