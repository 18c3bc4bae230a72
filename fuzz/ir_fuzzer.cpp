// Any bytes as an OpenVINO IR, compiled: up to a zero byte the XML, behind it the weights.
#include "fuzz/survive.hpp"
#include "importers/openvino_ir/reader.hpp"
#include "vpu/compile.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blobsmith;
  std::string_view rest = fuzz::text_of(data, size);
  const std::string_view xml = fuzz::take_text(rest);
  Diagnostics said;
  fuzz::survive([&] { vpu::compile(parse_openvino_ir(xml, fuzz::bytes_of(rest)), {}, said); });
  return 0;
}
