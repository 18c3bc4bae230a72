// The version of the library that a program runs with.
#pragma once
#include <string_view>

namespace blobsmith {

/// "0.1.0": project(VERSION) of CMakeLists.txt.
std::string_view version();

}  // namespace blobsmith
