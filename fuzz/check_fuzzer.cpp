// Any bytes as an OpenVINO IR, checked as `blobsmith check` does: layers that fail are cut out, the rest is tried
// again.
#include "fuzz/survive.hpp"
#include "importers/openvino_ir/reader.hpp"
#include "vpu/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blobsmith;
  std::string_view rest = fuzz::text_of(data, size);
  const std::string_view xml = fuzz::take_text(rest);
  const Bytes weights = fuzz::bytes_of(rest);
  fuzz::survive([&] {
    Diagnostics read;
    Graph graph = parse_openvino_ir(xml, weights, "model.xml", {.problems = &read});
    for (const CheckProblem& p : vpu::check(std::move(graph), read, {}, true).problems)
      if (p.error.code() == ErrorCode::Internal) __builtin_trap();
  });
  return 0;
}
