// Messages in the form of Model Optimizer, with the numbers of its FAQ, which users search for.
#pragma once
#include <string>

#include "blobsmith/error.hpp"

namespace blobsmith::cli {

void mo_warning(const std::string& text);
/// Prints and returns the exit code.
int mo_report(const Error& e);
int mo_report(const ErrorList& e);

}  // namespace blobsmith::cli
