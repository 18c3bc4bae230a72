// blobsmith convert: a model of any known format to a blob in one go, with the defaults of OAK cameras.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/cli.hpp"
#include "core/file.hpp"
#include "importers/onnx/importer.hpp"
#include "openvino_ir/reader.hpp"
#include "transforms/legalise.hpp"
#include "vpu/blob/target.hpp"
#include "vpu/compile.hpp"

namespace blobsmith::cli {
namespace {

struct Options {
  std::string model, output, ip = "U8", op, iop, dump, target = "2022.1";
  std::vector<std::string> config, input_shapes;
  int shaves = 6, slices = 0;
  bool explain = false, json = false, quiet = false, quirks = false;
};

void declare(CLI::App& app, Options& o) {
  app.add_option("model", o.model, "model to convert: .onnx, or OpenVINO IR .xml with its .bin beside it")->required();
  app.add_option("-o,--output", o.output, "blob to write (default: the model's name with .blob, in this folder)");
  app.add_option("--shaves", o.shaves, "SHAVE processors (default 6)");
  app.add_option("--slices", o.slices, "slices of on-chip memory (default: as many as SHAVEs)");
  app.add_option("--ip,--input-precision", o.ip, "precision of all image-like inputs (default U8, what a camera delivers)");
  app.add_option("--op,--output-precision", o.op, "precision of all outputs (default FP16)");
  app.add_option("--iop,--io-precision", o.iop, "precisions by name: name:FP16,other:U8");
  app.add_option("--input-shape", o.input_shapes, "NAME=1,3,224,224: shape of an input that the model leaves open (repeatable)");
  app.add_option("-c,--config", o.config, "configuration: a file of KEY VALUE lines, or KEY=VALUE (repeatable)");
  app.add_option("--target", o.target, "OpenVINO version that the blob states: " + vpu::target_names() + " (default 2022.1)");
  app.add_option("--dump-passes", o.dump, "write the program after every pass into this folder (.json, .dot)");
  app.add_flag("--explain", o.explain, "say which layers were rewritten, and how exactly");
  app.add_flag("--quirks", o.quirks, "reproduce the known wrong results of Intel's tools (docs/quirks.md)");
  app.add_flag("--json", o.json, "print the summary as JSON");
  app.add_flag("-q,--quiet", o.quiet, "print nothing but errors");
}

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

Graph import_model(const Options& o, std::vector<ImportNote>& notes) {
  const std::string extension = std::filesystem::path(o.model).extension();
  OnnxOptions onnx{.input_shapes = {}, .quirks = o.quirks};
  for (const std::string& s : o.input_shapes) onnx.input_shapes.insert(parse_input_shape(s));
  if (extension == ".xml") return read_openvino_ir(o.model);
  if (extension == ".onnx") return import_onnx(o.model, onnx, &notes);
  Error e(ErrorCode::UnknownFormat, "Unknown model format! Cannot find reader for model format: " + extension + " and read the model: " + o.model);
  throw e.hint("convert reads .onnx and .xml");
}

vpu::CompileOptions compile_options(const Options& o, const Graph& g) {
  vpu::CompileOptions c;
  c.shaves = o.shaves;
  c.slices = o.slices ? o.slices : o.shaves;
  if (c.slices > 8) c.streams = 1;   // two streams would need more than there is
  c.quirks = o.quirks;
  for (const std::string& s : o.config) apply_config(c, s);
  // A camera delivers bytes; inputs of indices keep their type.
  for (const Node* p : g.parameters())
    if (is_float(p->element_type())) c.io_precision[p->name] = parse_precision(o.ip);
  if (!o.op.empty()) c.output_precision = parse_precision(o.op);
  apply_io_precision(c, o.iop);
  c.dump_passes = o.dump;
  return c;
}

void print_summary(const Options& o, const std::string& output, size_t bytes, const vpu::CompileReport& r, const std::vector<Legalisation>& rewrites, double ms) {
  if (o.json) {
    nlohmann::ordered_json j{{"output", output}, {"bytes", bytes}, {"target", o.target}, {"layers", r.layers}, {"stages", r.stages}, {"milliseconds", ms}, {"rewrites", nlohmann::json::array()}, {"not_as_intel", nlohmann::json::array()}};
    for (const Legalisation& l : rewrites) j["rewrites"].push_back({{"layer", l.layer}, {"type", l.type}, {"replacement", l.replacement}, {"max_error", l.max_error}});
    for (const auto& a : r.avoided) j["not_as_intel"].push_back({{"layer", a.layer}, {"what", a.what}});
    std::printf("%s\n", j.dump(1).c_str());
    return;
  }
  if (o.quiet) return;
  for (const auto& a : r.avoided) std::printf("not as Intel's tools: \"%s\": %s\n", a.layer.c_str(), a.what.c_str());
  if (o.explain)
    for (const Legalisation& l : rewrites) std::printf("rewritten: %s \"%s\" as %s (largest error %.1e)\n", l.type.c_str(), l.layer.c_str(), l.replacement.c_str(), l.max_error);
  std::printf("%s: %d layers, %d stages, %.1f KB, %.0f ms%s\n", output.c_str(), r.layers, r.stages, static_cast<double>(bytes) / 1024, ms,
              rewrites.empty() ? "" : (", " + std::to_string(rewrites.size()) + " layers rewritten" + (o.explain ? "" : " (--explain shows them)")).c_str());
}

}  // namespace

int convert_command(const Arguments& args) {
  CLI::App app("Example: blobsmith convert model.onnx -o model.blob --shaves 6", "blobsmith convert");
  Options o;
  declare(app, o);
  if (const int code = parse(app, args); code >= 0) return code;
  const auto start = std::chrono::steady_clock::now();
  const vpu::Target& target = vpu::find_target(o.target);
  std::vector<ImportNote> notes;
  Graph graph = import_model(o, notes);
  const std::vector<Legalisation> rewrites = legalise(graph);
  const vpu::CompileOptions options = compile_options(o, graph);
  vpu::CompileReport result;
  std::vector<uint8_t> blob = vpu::compile(std::move(graph), options, &result);
  vpu::stamp(blob, target);
  for (ImportNote& n : notes) result.avoided.push_back({std::move(n.layer), std::move(n.what)});
  const std::string output = o.output.empty() ? std::filesystem::path(o.model).stem().string() + ".blob" : o.output;
  write_file(output, blob);
  const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  print_summary(o, output, blob.size(), result, rewrites, ms);
  return kDone;
}

}  // namespace blobsmith::cli
