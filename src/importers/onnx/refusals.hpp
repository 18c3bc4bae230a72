// What of ONNX `convert` refuses, and why: operators as a whole, and forms of operators that it knows. Messages and the
// table of supported layers take their words from here.
#pragma once
#include <span>
#include <string_view>

namespace blobsmith::onnx_import {

struct Refusal {
  std::string_view op_type;
  std::string_view why;
};

std::span<const Refusal> refused_operators();
std::span<const Refusal> refused_forms();
/// Why an operator that the table lacks is refused; empty where nothing is known of it.
std::string_view why_refused(std::string_view op_type);
/// What of an operator is supported, or why nothing is; empty where nothing is known of it.
std::string_view nearest_form(std::string_view op_type);

}  // namespace blobsmith::onnx_import
