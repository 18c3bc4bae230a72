#include "cli/model_input.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <filesystem>

#include "importers/openvino_ir/reader.hpp"

namespace blobsmith::cli {
namespace {

/// "x=1,3,48,192"
std::pair<std::string, Shape> parse_input_shape(const std::string& s) {
  const size_t eq = s.rfind('=');
  Shape shape;
  const char* p = eq == std::string::npos ? nullptr : s.data() + eq + 1;
  while (p) {
    int64_t d = 0;
    const auto [end, ec] = std::from_chars(p, s.data() + s.size(), d);
    if (ec != std::errc{} || d <= 0) break;
    shape.push_back(d);
    if (end == s.data() + s.size()) return {s.substr(0, eq), shape};
    if (*end != ',') break;
    p = end + 1;
  }
  throw Error(ErrorCode::BadOptionValue, "'" + s + "' is not NAME=1,3,224,224");
}

}  // namespace

void add_model_options(CLI::App& app, ModelInput& m) {
  app.add_option("model", m.file, "the model: .onnx, or OpenVINO IR .xml with its .bin beside it")->required();
  app.add_option("--input-shape", m.shapes,
                 "NAME=1,3,224,224: shape of an input that the model leaves open (repeatable)");
}

Graph read_model(const ModelInput& m, std::vector<ImportNote>* notes, ImportProblems* problems) {
  const std::string extension = std::filesystem::path(m.file).extension();
  OnnxOptions onnx{.input_shapes = {}, .half_precision = m.half_precision, .quirks = m.quirks, .problems = problems};
  for (const std::string& s : m.shapes) onnx.input_shapes.insert(parse_input_shape(s));
  if (extension == ".xml") return read_openvino_ir(m.file, {}, problems);
  if (extension == ".onnx") return import_onnx_as_model_optimizer(m.file, onnx, notes);
  Error e(ErrorCode::UnknownFormat,
          "Unknown model format! Cannot find reader for model format: " + extension + " and read the model: " + m.file);
  throw e.hint("models are .onnx and .xml");
}

void add_camera_options(CLI::App& app, CameraOptions& o) {
  app.add_option("--shaves", o.shaves, "SHAVE processors (default 6)");
  app.add_option("--slices", o.slices, "slices of on-chip memory (default: as many as SHAVEs)");
  app.add_option("--ip,--input-precision", o.ip,
                 "precision of all image-like inputs (default U8, what a camera delivers)");
  app.add_option("--op,--output-precision", o.op, "precision of all outputs (default FP16)");
  app.add_option("--iop,--io-precision", o.iop, "precisions by name: name:FP16,other:U8");
  app.add_option("-c,--config", o.config, "configuration: a file of KEY VALUE lines, or KEY=VALUE (repeatable)");
}

vpu::CompileOptions camera_options(const CameraOptions& o, const Graph& g, bool quirks) {
  vpu::CompileOptions c;
  c.shaves = o.shaves;
  c.slices = o.slices ? o.slices : o.shaves;
  if (c.slices > 8) c.streams = 1;  // two streams would need more than there is
  c.quirks = quirks;
  for (const std::string& s : o.config) apply_config(c, s);
  // A camera delivers bytes; inputs of indices keep their type.
  for (const Node* p : g.parameters())
    if (is_float(p->element_type())) c.io_precision[p->name] = parse_precision(o.ip);
  if (!o.op.empty()) c.output_precision = parse_precision(o.op);
  apply_io_precision(c, o.iop);
  return c;
}

}  // namespace blobsmith::cli
