// Any bytes as a configuration file and a network that is compiled so: KEY VALUE lines up to a zero byte, up to another
// the XML of the network, behind it the weights. The XML is also read as a file of custom layers.
#include "fuzz/survive.hpp"
#include "importers/openvino_ir/reader.hpp"
#include "vpu/compile.hpp"
#include "vpu/lowering/custom_layers.hpp"
#include "vpu/options/config_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blobsmith;
  std::string_view rest = fuzz::text_of(data, size);
  const std::string_view config = fuzz::take_text(rest), xml = fuzz::take_text(rest);
  fuzz::survive([&] { vpu::parse_custom_layers(fuzz::bytes_of(xml), "layers.xml"); });
  vpu::CompileOptions options;
  const auto apply = [&] {
    for (const auto& [key, value] : vpu::parse_config_text(config)) options.set(key, value);
  };
  if (!fuzz::survive(apply)) return 0;
  options.custom_layers.clear();  // no other file is read, none is written
  options.dump_passes.clear();
  Diagnostics said;
  fuzz::survive([&] { vpu::compile(parse_openvino_ir(xml, fuzz::bytes_of(rest)), options, said); });
  return 0;
}
