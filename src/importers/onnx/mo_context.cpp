#include "importers/onnx/mo_context.hpp"

#include <algorithm>

#include "graph/ops/known_value.hpp"

namespace blobsmith::onnx_import::mo {

std::string layer_name(const onnx_file::Node& n) {
  if (!n.name.empty()) return n.name;
  const auto named = std::ranges::find_if(n.outputs, [](const std::string& o) { return !o.empty(); });
  return named == n.outputs.end() ? std::string() : *named;
}

std::vector<int64_t> Context::constant_integers(size_t i, std::string_view what) const {
  const auto t = known_value(input(i));
  if (!t) refuse("its " + std::string(what) + " is not a constant");
  return t->to_i64();
}

void Context::want_rounding(size_t i) const {
  if (strips_quantization() && !known_value(input(i)))
    refuse("it computes with quantized numbers, so that --strip-quant can't leave their rounding out");
}

Error Context::refusal(std::string_view why, ErrorCode code) const {
  return code == ErrorCode::UnsupportedLayer ? LayerBuilder::refusal(why) : Error(code, std::string(why));
}

}  // namespace blobsmith::onnx_import::mo
