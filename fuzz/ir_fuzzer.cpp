// Any bytes as an OpenVINO IR: up to a zero byte the XML, behind it the weights. Errors are fine, everything else is not.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "openvino_ir/reader.hpp"
#include "vpu/compile.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blobsmith;
  const uint8_t* end = data + size;
  const uint8_t* zero = std::find(data, end, uint8_t{0});
  const std::string_view xml(reinterpret_cast<const char*>(data), static_cast<size_t>(zero - data));
  const uint8_t* weights = zero == end ? end : zero + 1;
  try {
    vpu::compile(parse_openvino_ir(xml, Bytes::copy_of(std::span(weights, end))), {});
  } catch (const Error& e) {
    if (e.code() == ErrorCode::Internal) __builtin_trap();
  } catch (const ErrorList&) {
  }
  return 0;
}
