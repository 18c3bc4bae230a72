// blobsmith convert: a model of any known format to a blob in one go, with the defaults of OAK cameras.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/model_input.hpp"
#include "compare/known_faults.hpp"
#include "core/file.hpp"
#include "importers/openvino_ir/writer.hpp"
#include "transforms/legalise/legalise.hpp"
#include "vpu/compile.hpp"
#include "vpu/format/target.hpp"

namespace blobsmith::cli {
namespace {

struct Options {
  ModelInput model;
  CameraOptions camera;
  std::string output, dump, ir, target = "2022.1";
  int ir_version = 10;
  bool explain = false, json = false, quiet = false;
};

void declare(CLI::App& app, Options& o) {
  add_model_options(app, o.model);
  add_conversion_options(app, o.model);
  app.add_option("-o", o.output, "blob to write (default: the model's name with .blob, in this folder)");
  add_camera_options(app, o.camera);
  app.add_option("--target", o.target,
                 "OpenVINO version that the blob states: " + vpu::target_names() + " (default 2022.1)");
  app.add_option("--ir", o.ir, "also write the model as OpenVINO IR (.xml, .bin) into this folder, as it was read");
  app.add_option("--ir_version,--ir-version", o.ir_version, "of that IR: 10 (OpenVINO 2020 to 2022, default) or 11")
      ->check(CLI::IsMember({10, 11}));
  app.add_option("--dump-passes", o.dump, "write the program after every pass into this folder (.json, .dot)");
  app.add_flag("--explain", o.explain, "say which layers were rewritten, and how exactly");
  app.add_flag("--quirks", o.model.quirks, "reproduce the known wrong results of Intel's tools (docs/quirks.md)");
  app.add_flag("--json", o.json, "print the summary as JSON");
  app.add_flag("-q,--quiet", o.quiet, "print nothing but errors");
}

void write_ir(const Options& o, const Graph& graph) {
  const std::filesystem::path model(o.model.file);
  const IrWriterOptions options{o.ir_version,
                                std::string("blobsmith ") + BLOBSMITH_VERSION,
                                {{"data_type", "FP16"},
                                 {"framework", model.extension() == ".onnx" ? "onnx" : "ir"},
                                 {"input_model", "DIR/" + model.filename().string()},
                                 {"model_name", model.stem().string()}}};
  save_openvino_ir(graph, (std::filesystem::path(o.ir) / model.stem()).string(), options);
}

/// What there is to say of the layers.
struct Notes {
  std::vector<Legalisation> rewrites;
  std::vector<compare::FaultyLayer> faults;  ///< that stay
};

void print_summary(const Options& o, const std::string& output, size_t bytes, const vpu::CompileReport& r,
                   const Notes& notes, double ms) {
  const std::vector<Legalisation>& rewrites = notes.rewrites;
  if (o.json) {
    nlohmann::ordered_json j{{"output", output},
                             {"bytes", bytes},
                             {"target", o.target},
                             {"layers", r.layers},
                             {"stages", r.stages},
                             {"milliseconds", ms},
                             {"rewrites", nlohmann::json::array()},
                             {"not_as_intel", nlohmann::json::array()},
                             {"warnings", nlohmann::json::array()}};
    for (const Legalisation& l : rewrites)
      j["rewrites"].push_back(
          {{"layer", l.layer}, {"type", l.type}, {"replacement", l.replacement}, {"max_error", l.max_error}});
    for (const auto& a : r.avoided) j["not_as_intel"].push_back({{"layer", a.layer}, {"what", a.what}});
    for (const compare::FaultyLayer& f : notes.faults)
      j["warnings"].push_back({{"layer", f.layer}, {"type", f.type}, {"what", f.what}});
    std::printf("%s\n", j.dump(1).c_str());
    return;
  }
  if (o.quiet) return;
  for (const auto& a : r.avoided) std::printf("not as Intel's tools: \"%s\": %s\n", a.layer.c_str(), a.what.c_str());
  for (const compare::FaultyLayer& f : notes.faults)
    std::printf("warning: the blob computes something else than the model: %s\n", f.text().c_str());
  if (o.explain)
    for (const Legalisation& l : rewrites)
      std::printf("rewritten: %s \"%s\" as %s (largest error %.1e)\n", l.type.c_str(), l.layer.c_str(),
                  l.replacement.c_str(), l.max_error);
  std::printf("%s: %d layers, %d stages, %.1f KB, %.0f ms%s\n", output.c_str(), r.layers, r.stages,
              static_cast<double>(bytes) / 1024, ms,
              rewrites.empty() ? ""
                               : (", " + std::to_string(rewrites.size()) + " layers rewritten" +
                                  (o.explain ? "" : " (--explain shows them)"))
                                     .c_str());
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
  Graph graph = read_model(o.model, &notes);
  if (!o.ir.empty()) write_ir(o, graph);
  Notes said{{}, compare::remaining_faults(graph, o.model.quirks)};
  said.rewrites = legalise(graph, o.model.quirks);
  vpu::CompileOptions options = camera_options(o.camera, graph, o.model.quirks);
  options.dump_passes = o.dump;
  vpu::CompileReport result;
  ChunkedBytes blob = vpu::compile(std::move(graph), options, &result);
  vpu::stamp(blob, target);
  for (ImportNote& n : notes) result.avoided.push_back({std::move(n.layer), std::move(n.what)});
  const std::string output =
      o.output.empty() ? std::filesystem::path(o.model.file).stem().string() + ".blob" : o.output;
  write_file(output, blob);
  const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  print_summary(o, output, blob.size(), result, said, ms);
  return kDone;
}

}  // namespace blobsmith::cli
