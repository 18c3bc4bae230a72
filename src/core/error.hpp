// Errors as the library makes them; what they are is public: blobsmith/error.hpp.
#pragma once
#include "blobsmith/error.hpp"

namespace blobsmith {

/// `Failed to compile layer "X": unsupported layer type "Y"`: the words users search for.
Error unsupported_layer(std::string_view layer, std::string_view type);
/// `Failed to compile layer "X": <what>` for a layer of a known type in a form that can't be compiled.
Error cannot_compile(std::string_view layer, std::string_view type, std::string_view what);
/// `not yet supported: <what>, layer "X"`: Intel's compiler takes it, this program does not so far.
Error not_yet_supported(std::string_view layer, std::string_view type, std::string_view what);
/// A broken invariant of this program (exit code 70).
Error internal_error(std::string_view what);

/// Throws internal_error unless `condition` holds.
inline void ensure(bool condition, std::string_view what) {
  if (!condition) throw internal_error(what);
}

}  // namespace blobsmith
